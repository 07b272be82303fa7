//! The only module that knows table names, keys and conditions; everything else speaks domain
//! types. It speaks to `DynamoDB` and S3 through the AWS SDK, in the cloud and on one machine
//! alike: there is no second implementation and no mock.

mod access;
pub mod codec;
mod commits;
mod compaction;
mod definitions;
mod drops;
mod error;
mod expirations;
mod head;
mod item;
mod jobs;
mod limits;
mod links;
mod marks;
mod meter;
mod objects;
mod plans;
mod receipts;
mod scan;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::time::Position;

pub use commits::{Consistency, Tail};
pub use compaction::Progress;
pub use definitions::DefineCollectionError;
pub use drops::{Drop, DropBody};
pub use error::StoreError;
pub use expirations::{Expiration, Expiry, ExpiryList, ExpiryLists, Hour};
pub use head::{ContentHash, Head, OldVersion, Removal, State};
pub use jobs::{Job, JobKind, ScanPlace, job_named};
pub use meter::Units;
pub use objects::{Expected, PutHead};
pub use receipts::{Receipt, ReceiptFailure, ReceiptObject};
pub use scan::Scanned;

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
    clock: Clock,
    meter: Meter,
}

impl Store {
    /// A store over these clients, by this clock.
    #[must_use]
    pub fn new(dynamodb: Client, s3: aws_sdk_s3::Client, names: Names, clock: Clock) -> Self {
        Self(Arc::new(Inner { dynamodb, s3, names, clock, meter: Meter::default() }))
    }

    /// What the tables have charged this store so far.
    #[must_use]
    pub fn units(&self) -> Units {
        self.0.meter.units()
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// The position of the present moment.
    #[must_use]
    pub fn position_now(&self) -> Position {
        self.0.clock.position()
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
