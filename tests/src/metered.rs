//! A function's instance of its own: nothing else reads on its meter, as schedules do on the
//! system's.

use local::functions;
use shared::services::Services;

use crate::client::Client;

/// A warm instance of one function.
pub struct Metered {
    /// Its logical id in the template.
    pub function: String,
    services: Services,
    /// Asks it.
    pub client: Client,
}

impl Metered {
    pub(crate) fn new(services: Services, function: &str, client: &Client) -> Self {
        let handler = functions::http(&services, function).expect("there is such a function");
        Self { function: function.to_owned(), client: client.of_handler(handler), services }
    }

    /// Read units the tables have charged it so far.
    pub fn read_units(&self) -> f64 {
        self.services.store().units().read
    }

    /// Write units the tables have charged it so far.
    pub fn write_units(&self) -> f64 {
        self.services.store().units().write
    }
}
