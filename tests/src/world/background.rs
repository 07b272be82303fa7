//! What goes on behind the surfaces of a world: schedules, jobs, projection.

use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::Utc;
use serde_json::{Value, json};
use shared::compaction::{Compacted, compact_all};
use shared::id::ObjectId;
use shared::log::CollectionId;
use shared::store::Store;
use shared::time::Position;

use super::World;
use crate::patience::{DEADLINE, until};

impl World {
    /// Runs the function behind the schedule of expiry, in an instance of its own, at the present
    /// moment of the system's clock; returns its answer.
    pub async fn expire(&self) -> Value {
        let expire = local::functions::event(&self.another_instance(), "ExpireFunction").unwrap();
        expire(json!({"source": "aws.events", "detail": {}})).await.expect("expiry runs")
    }

    /// Runs it until nothing that is due waits for another projector.
    ///
    /// The stream brings what a run asks to be projected to a second one; a run that comes second
    /// leaves the object to the next run.
    pub async fn expire_all(&self) {
        until("nothing that is due waits for its projection", async || {
            let answer = self.expire().await;
            (answer["complete"] == true && answer["waiting"] == 0).then_some(())
        })
        .await;
    }

    /// Projects objects in an instance of its own, by the way that the functions go, as the stream
    /// does that brings its records again.
    pub async fn project_again(&self, ids: &[String]) {
        let services = self.another_instance();
        let ids: Vec<ObjectId> = ids.iter().map(|id| id.parse().unwrap()).collect();
        services.projector().project(&services, &ids).await;
    }

    /// Whether nothing waits: no object for its projection, no collection to be rebuilt. Asked
    /// past the proxy.
    pub async fn is_at_rest(&self) -> bool {
        let store = self.past_the_proxy().store().clone();
        store.jobs().await.unwrap().is_empty() && pending(&store).await.is_empty()
    }

    /// Waits until everything that was sent is in its logs.
    pub async fn at_rest(&self) {
        until("nothing is pending", async || self.is_at_rest().await.then_some(())).await;
    }

    /// Deletes a tenant as a function does that dies once that is written.
    pub async fn close_tenant_and_die(&self, name: &str) {
        let store = self.past_the_proxy().store().clone();
        let known = store.tenant(&name.parse().unwrap()).await.unwrap().unwrap();
        store.close_tenant(&shared::audit::Actor::System, &known).await.unwrap();
    }

    /// How many items are left of a collection's log.
    pub async fn items_of_log(&self, collection: &str) -> usize {
        let names = &self.running.services.settings().names;
        let pages = self
            .engine_client()
            .query()
            .table_name(&names.collections)
            .key_condition_expression("id = :id")
            .expression_attribute_values(":id", AttributeValue::S(collection.to_owned()))
            .limit(1000)
            .send()
            .await;
        pages.unwrap().items().len()
    }

    /// Leaves the deletion of a log as it is when nobody has carried it on for hours.
    pub async fn stalled_deletion(&self, collection: uuid::Uuid) {
        use shared::store::{Job, JobKind};
        let store = self.past_the_proxy().store().clone();
        let long_ago = store.position_now().minus(3 * 3_600_000_000);
        let kind = JobKind::DropLog { collection: CollectionId(collection) };
        store.add_job(&Job::new(kind, long_ago, long_ago)).await.unwrap();
    }

    /// Carries out the jobs that are due, beside whoever else does.
    pub async fn work_off_jobs(&self) {
        let services = &self.running.services;
        for job in services.store().jobs().await.unwrap() {
            let until = Instant::now() + DEADLINE;
            shared::rescan::carry_on(services, job.kind, until).await.unwrap();
        }
    }

    /// Whether the log of a deleted collection only waits for its second deletion.
    pub async fn has_second_round(&self, collection: &str) -> bool {
        let jobs = self.past_the_proxy().store().jobs().await.unwrap();
        jobs.iter().any(|job| job.second && job.kind.to_string().contains(collection))
    }

    /// Events that were given up after three attempts.
    pub fn parked(&self) -> usize {
        self.running.parked.count()
    }

    /// Does what the sweep does for what the streams have lost, without waiting for its time.
    pub async fn sweep(&self) {
        let (services, store) = (&self.running.services, self.past_the_proxy().store().clone());
        let until = Instant::now() + DEADLINE;
        for job in store.jobs().await.unwrap() {
            shared::rescan::carry_on(services, job.kind, until).await.unwrap();
        }
        let ids = pending(&store).await;
        services.projector().project(services, &ids).await;
    }

    /// Compacts every log, in an instance of its own, as if `later` had passed. Logs that could not
    /// be compacted are among what it returns.
    ///
    /// # Errors
    /// Why none could be.
    pub async fn compact(&self, later: chrono::TimeDelta) -> Result<Compacted, String> {
        let now = Position::at_or_before(Utc::now() + later);
        let until = Instant::now() + DEADLINE;
        let done = compact_all(&self.another_instance(), now, until).await;
        done.map_err(|error| error.to_string())
    }

    /// Steps the system's clock to be this much ahead.
    pub fn later(&self, ahead: chrono::TimeDelta) {
        self.running.services.settings().clock.step(ahead);
    }
}

/// The objects that wait for their projection.
pub(super) async fn pending(store: &Store) -> Vec<ObjectId> {
    let now = store.position_now().next();
    let (mut ids, mut from) = (Vec::new(), None);
    loop {
        let scanned = store.scan_pending(from.as_ref(), now).await.unwrap();
        ids.extend(scanned.found);
        from = scanned.next;
        if from.is_none() {
            return ids;
        }
    }
}
