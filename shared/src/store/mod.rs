//! The only module that knows table names, keys and conditions; everything else speaks domain
//! types. It speaks to `DynamoDB` and S3 through the AWS SDK, in the cloud and on one machine
//! alike: there is no second implementation and no mock.

mod access;
mod audit;
mod backwards;
mod batches;
mod bucket;
mod change;
mod claims;
pub mod codec;
mod commits;
mod compaction;
mod definitions;
mod drops;
mod editions;
mod error;
mod expirations;
mod feeds;
mod following;
mod head;
mod item;
mod jobs;
mod keys;
mod limits;
mod links;
mod marks;
mod meter;
mod notification_jobs;
mod notifications;
mod objects;
mod paths;
mod pending;
mod plans;
mod receipts;
mod retire;
mod scan;
mod sending;
mod tenants;
mod upload;
pub use backwards::{LogPart, UpTo};
mod subscriptions;
mod together;
mod transaction;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::time::Position;

pub use change::ChangeError;
pub use claims::Claim;
pub use commits::{Consistency, Tail};
pub use compaction::Progress;
pub use definitions::DefineCollectionError;
pub use drops::{Drop, DropBody, bucket_failed};
pub use editions::{EditionTag, FileBody};
pub use error::StoreError;
pub use expirations::{Expiration, Expiry, ExpiryList, ExpiryLists, Hour};
pub use feeds::DefineFeedError;
pub use head::{ContentHash, Head, OldVersion, Removal, State};
pub use jobs::{Job, JobKind, ScanPlace, job_named};
pub use meter::Units;
pub use notification_jobs::{
    Cause, DeletionJob, Fed, FeedJob, FeedPlace, JobName, JobPage, JobPlace, NotificationJob,
    Telling, WalkJob, Way, notification_job_named,
};
pub use notifications::{List, Noted, Once, Part, PutNotification, Range};
pub use objects::{Expected, PutHead};
pub use paths::Path;
pub use receipts::{Receipt, ReceiptFailure, ReceiptObject};
pub use scan::Scanned;
pub use upload::Upload;

pub(crate) use meter::Meter;

/// The names of the tables and the bucket.
#[derive(Clone, Debug)]
pub struct Names {
    /// Objects: heads, versions, links.
    pub objects: String,
    /// Collections: definitions and logs.
    pub collections: String,
    /// Keys, tenants, receipts, secrets, subscriptions.
    pub access: String,
    /// Notifications and their lists.
    pub notifications: String,
    /// The bucket.
    pub bucket: String,
}

/// The store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dynamodb: Client,
    bucket: bucket::Bucket,
    names: Names,
    clock: Clock,
    meter: Meter,
    noted_kinds: batches::Noted,
    following: following::Following,
}

impl Store {
    /// A store over the tables this client reaches and the bucket that `s3` leads to, by this
    /// clock.
    #[must_use]
    pub fn new(dynamodb: Client, s3: aws_sdk_s3::Config, names: Names, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            dynamodb,
            bucket: bucket::Bucket::new(s3),
            names,
            clock,
            meter: Meter::default(),
            noted_kinds: batches::Noted::default(),
            following: following::Following::default(),
        }))
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

    fn s3(&self) -> &aws_sdk_s3::Client {
        self.0.bucket.client()
    }

    fn meter(&self) -> &Meter {
        &self.0.meter
    }

    fn noted_kinds(&self) -> &batches::Noted {
        &self.0.noted_kinds
    }

    fn names(&self) -> &Names {
        &self.0.names
    }
}
