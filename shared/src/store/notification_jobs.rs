//! Work on notifications that goes on in the background: deletions by filter, and the feeding of
//! subscriptions. One item each, in a table whose stream calls the function that carries it out,
//! again after every step. Deletions lie in the collections table and feedings in the objects
//! table, so that neither waits in the other's queue.

mod job;

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Item, ReadItem, key};
use super::sending::held;
use super::{Names, Store, StoreError};
use crate::time::Position;

pub use job::{
    Cause, DeletionJob, Fed, FeedJob, FeedPlace, JobName, NotificationJob, Telling, WalkJob, Way,
    notification_job_named,
};

use job::{DELETION, PARTITION};

/// Jobs read at once.
const PAGE: i32 = 100;

/// Where to go on reading jobs: deletions come first.
#[derive(Clone, Debug, Default)]
pub struct JobPlace {
    feeding: bool,
    after: Option<Item>,
}

/// Some of the jobs under way.
#[derive(Debug)]
pub struct JobPage {
    /// The jobs, each with the moment at which it last came forward.
    pub found: Vec<(NotificationJob, Position)>,
    /// Where there may be more.
    pub next: Option<JobPlace>,
}

impl JobName {
    fn table<'a>(&self, names: &'a Names) -> &'a str {
        if self.0.starts_with(DELETION) { &names.collections } else { &names.objects }
    }
}

impl Store {
    /// Adds a job, unless one of its name is under way: a tenant has one deletion at a time. Says
    /// whether it was added.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn add_notification_job(&self, job: &NotificationJob) -> Result<bool, StoreError> {
        let put = self
            .dynamodb()
            .put_item()
            .table_name(job.name().table(self.names()))
            .set_item(Some(job.to_item(self.position_now())?))
            .condition_expression("attribute_not_exists(id)");
        // The SDK may have sent this very write twice.
        Ok(held(self.put(put).await)?
            || self.notification_job(&job.name()).await?.as_ref() == Some(job))
    }

    /// A job, if it is still under way.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn notification_job(
        &self,
        name: &JobName,
    ) -> Result<Option<NotificationJob>, StoreError> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(name.table(self.names()))
            .set_key(Some(key(PARTITION, name.0.clone())))
            .consistent_read(true);
        let item = self.get(get).await?;
        item.as_ref().map(NotificationJob::from_item).transpose()
    }

    /// Writes down how far a job came, which calls the function again. Where two carry out the
    /// same job, both write what they know: a step taken twice does no harm.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when this job is over, though another may have its name.
    pub async fn advance_notification_job(&self, job: &NotificationJob) -> Result<(), StoreError> {
        let (condition, values) = job.itself();
        let put = self
            .dynamodb()
            .put_item()
            .table_name(job.name().table(self.names()))
            .set_item(Some(job.to_item(self.position_now())?))
            .condition_expression(condition)
            .set_expression_attribute_values(values);
        self.put(put).await
    }

    /// A job is over, if it is not already; another one of its name goes on.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn end_notification_job(&self, job: &NotificationJob) -> Result<(), StoreError> {
        let (condition, values) = job.itself();
        let delete = self
            .dynamodb()
            .delete_item()
            .table_name(job.name().table(self.names()))
            .set_key(Some(key(PARTITION, job.name().0)))
            .condition_expression(condition)
            .set_expression_attribute_values(values);
        held(self.delete(delete).await)?;
        Ok(())
    }

    /// A page of the jobs under way, each with the moment at which it last came forward: from
    /// `from` on, or the first. One that cannot be read is passed over, and told to the operator:
    /// it never holds the others up.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn notification_jobs(&self, from: Option<JobPlace>) -> Result<JobPage, StoreError> {
        let JobPlace { feeding, after } = from.unwrap_or_default();
        let names = self.names();
        let query = self
            .dynamodb()
            .query()
            .table_name(if feeding { &names.objects } else { &names.collections })
            .key_condition_expression("id = :id")
            .expression_attribute_values(":id", AttributeValue::S(PARTITION.to_owned()))
            .consistent_read(true)
            .limit(PAGE)
            .set_exclusive_start_key(after);
        let answer = self.query(query).await?;
        let next = match answer.last_evaluated_key {
            Some(after) => Some(JobPlace { feeding, after: Some(after) }),
            None => (!feeding).then_some(JobPlace { feeding: true, after: None }),
        };
        let mut found = Vec::new();
        for item in &answer.items.unwrap_or_default() {
            let beat = item.required_number("beat").map(Position::from_micros);
            match (NotificationJob::from_item(item), beat) {
                (Ok(job), Ok(beat)) => found.push((job, beat)),
                (Err(error), _) | (_, Err(error)) => {
                    let job = item.text("sk").unwrap_or_default();
                    tracing::error!(%error, job, "a job cannot be read");
                }
            }
        }
        Ok(JobPage { found, next })
    }
}
