//! TAXII by an instance of its own: nothing else reads on its meter, as schedules do on the
//! system's.

use local::functions;
use shared::services::Services;

use crate::client::Client;

/// A warm instance of the TAXII function.
pub struct Metered {
    services: Services,
    /// Asks it, with the key of a reader.
    pub client: Client,
}

impl Metered {
    pub(crate) fn new(services: Services, base_url: &str, key: &str) -> Self {
        let taxii = functions::http(&services, "TaxiiFunction").expect("there is TAXII");
        Self { client: Client::handler(taxii, base_url).with_key(key), services }
    }

    /// Read units the tables have charged it so far.
    pub fn read_units(&self) -> f64 {
        self.services.store().units().read
    }
}
