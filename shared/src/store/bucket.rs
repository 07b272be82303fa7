//! The bucket's client.

use std::sync::OnceLock;

use aws_sdk_s3::{Client, Config};

/// A client that is made when the bucket is first needed: most functions never need it, and are
/// smaller and start sooner without.
#[derive(Debug)]
pub struct Bucket {
    config: Config,
    client: OnceLock<Client>,
}

impl Bucket {
    /// A client with this configuration.
    pub const fn new(config: Config) -> Self {
        Self { config, client: OnceLock::new() }
    }

    /// The client.
    pub fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::from_conf(self.config.clone()))
    }
}
