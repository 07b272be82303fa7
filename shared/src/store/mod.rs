//! The only module that knows table names, keys and conditions; everything else speaks domain
//! types. It speaks to `DynamoDB` and S3 through the AWS SDK, in the cloud and on one machine
//! alike: there is no second implementation and no mock.

mod access;
pub mod codec;
mod commits;
mod definitions;
mod drops;
mod error;
mod head;
mod item;
mod links;
mod marks;
mod meter;
mod objects;
mod receipts;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

pub use commits::{Consistency, Tail};
pub use definitions::CreateCollectionError;
pub use drops::{Drop, DropBody};
pub use error::StoreError;
pub use head::{ContentHash, Head, OldVersion, Removal, State};
pub use meter::Units;
pub use objects::{Expected, PutHead};
pub use receipts::{Receipt, ReceiptFailure, ReceiptObject};

use meter::Meter;

/// The names of the tables and the bucket.
#[derive(Clone, Debug)]
pub struct Names {
    /// Objects: heads, versions, links.
    pub objects: String,
    /// Collections: definitions and logs.
    pub collections: String,
    /// Keys, tenants, receipts, secrets.
    pub access: String,
    /// The bucket.
    pub bucket: String,
}

/// The store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dynamodb: Client,
    s3: aws_sdk_s3::Client,
    names: Names,
    meter: Meter,
}

impl Store {
    /// A store over these clients.
    #[must_use]
    pub fn new(dynamodb: Client, s3: aws_sdk_s3::Client, names: Names) -> Self {
        Self(Arc::new(Inner { dynamodb, s3, names, meter: Meter::default() }))
    }

    /// What the tables have charged this store so far.
    #[must_use]
    pub fn units(&self) -> Units {
        self.0.meter.units()
    }

    fn dynamodb(&self) -> &Client {
        &self.0.dynamodb
    }

    fn meter(&self) -> &Meter {
        &self.0.meter
    }

    fn names(&self) -> &Names {
        &self.0.names
    }
}
