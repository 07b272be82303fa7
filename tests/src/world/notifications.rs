//! The IOC stream of a world.

use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::StreamExt;
use shared::notification::Notification;
use shared::store::{Cause, Fed, FeedJob, FeedPlace, List, NotificationJob, Store};
use shared::subscription::SubscriptionSource;

use super::World;
use crate::client::Client;
use crate::collection::Collection;
use crate::fixtures::Object;
use crate::keys::KeySpec;
use crate::patience::{DEADLINE, until};

impl World {
    /// The IOC stream, notifications and subscriptions with a key of this tenant that may do all.
    pub async fn stream_client(&self, tenant: &str) -> Client {
        use shared::access::Scope::{
            DeleteIocStream, ReadIocStream, ReadTaxii, WriteNotifications, WriteObjects,
        };
        let scopes = [ReadTaxii, WriteObjects, ReadIocStream, DeleteIocStream, WriteNotifications];
        self.http.with_key(&self.key(KeySpec::of(tenant).with(scopes)).await.text)
    }

    /// Writes notifications past HTTP.
    pub async fn load_notifications(&self, tenant: &str, notifications: &[Notification]) {
        let services = self.past_the_proxy();
        let tenant = tenant.parse().unwrap();
        let parts = notifications.chunks(500).map(|part| {
            let (services, tenant) = (&services, &tenant);
            async move { services.store().load_notifications(tenant, part).await.unwrap() }
        });
        let parts: Vec<_> = parts.collect();
        futures::stream::iter(parts).buffer_unordered(4).collect::<Vec<()>>().await;
    }

    /// Takes those of a notification's items away that `taken` says, as TTL does in its time.
    pub async fn age_out(
        &self,
        tenant: &str,
        notification: &Notification,
        mut taken: impl FnMut() -> bool,
    ) {
        let services = self.past_the_proxy();
        let lists: Vec<List> = List::of(notification).into_iter().filter(|_| taken()).collect();
        let (tenant_id, id) = (tenant.parse().unwrap(), [notification.id]);
        let store = services.store();
        store.delete_notifications(&tenant_id, Some(&lists), &[], &id).await.unwrap();
        if taken() {
            let names = &self.running.services.settings().names;
            self.engine_client()
                .delete_item()
                .table_name(&names.notifications)
                .key("id", AttributeValue::S(format!("N#{tenant}")))
                .key("sk", AttributeValue::S(notification.id.to_string()))
                .send()
                .await
                .unwrap();
        }
    }

    /// Carries the work on notifications on in an instance of its own, past the proxy, that is
    /// killed once it has written so many units; says whether it came as far.
    pub async fn carry_on_until_killed(&self, units: f64) -> bool {
        let services = self.past_the_proxy();
        let store = services.store().clone();
        let working = services.clone();
        let work = tokio::spawn(async move {
            for job in notification_jobs(working.store()).await {
                let until = Instant::now() + DEADLINE;
                let _ = shared::notification::feed::carry_on(&working, &job.name(), until).await;
            }
        });
        until("the instance wrote or came to its end", async || {
            (store.units().write >= units || work.is_finished()).then_some(())
        })
        .await;
        let killed = !work.is_finished();
        work.abort();
        killed
    }

    /// Makes a stored notification unreadable.
    pub async fn damage_notification(&self, tenant: &str, id: &str) {
        let names = &self.running.services.settings().names;
        self.engine_client()
            .update_item()
            .table_name(&names.notifications)
            .key("id", AttributeValue::S(format!("N#{tenant}")))
            .key("sk", AttributeValue::S(id.to_owned()))
            .update_expression("SET z = :bad")
            .condition_expression("attribute_exists(id)")
            .expression_attribute_values(":bad", AttributeValue::B(vec![1, 2, 3].into()))
            .send()
            .await
            .unwrap();
    }

    /// Until when the lists of kinds are kept, in Unix seconds.
    pub async fn kinds_are_kept_until(&self) -> Vec<u64> {
        let names = &self.running.services.settings().names;
        let scanned = self
            .engine_client()
            .scan()
            .table_name(&names.notifications)
            .filter_expression("sk = :kinds")
            .expression_attribute_values(":kinds", AttributeValue::S("K".to_owned()))
            .send()
            .await
            .unwrap();
        let until = |item: &std::collections::HashMap<String, AttributeValue>| {
            item["ttl"].as_n().unwrap().parse().unwrap()
        };
        scanned.items().iter().map(until).collect()
    }

    /// Adds a job that nobody can read.
    pub async fn add_damaged_notification_job(&self, name: &str) {
        let names = &self.running.services.settings().names;
        let deletion = name.starts_with("DELETE#");
        self.engine_client()
            .put_item()
            .table_name(if deletion { &names.collections } else { &names.objects })
            .item("id", AttributeValue::S("NOTIFY".to_owned()))
            .item("sk", AttributeValue::S(name.to_owned()))
            .item("z", AttributeValue::B(vec![1, 2, 3].into()))
            .item("beat", AttributeValue::N("1".to_owned()))
            .send()
            .await
            .unwrap();
    }

    /// Adds one job that tells of all these objects, as if they entered a collection just now.
    pub async fn feed(&self, collection: &Collection, objects: &[Object]) -> NotificationJob {
        let store = self.past_the_proxy().store().clone();
        let source = SubscriptionSource::parse("collection", &collection.id).unwrap();
        let fed = objects.iter().map(|object| Fed {
            object: object.id().parse().unwrap(),
            cause: Cause::Came(store.position_now()),
            ways: Vec::new(),
        });
        let job = FeedJob::new(source, FeedPlace::Objects(fed.collect())).unwrap();
        let job = NotificationJob::Feed(job);
        assert!(store.add_notification_job(&job).await.unwrap());
        job
    }

    /// How many objects of a job are written down as done; `None` when it is over.
    pub async fn objects_done(&self, job: &NotificationJob) -> Option<usize> {
        let services = self.past_the_proxy();
        match services.store().notification_job(&job.name()).await.unwrap()? {
            NotificationJob::Feed(job) => Some(job.objects_done),
            NotificationJob::Deletion(_) | NotificationJob::Walk(_) => None,
        }
    }

    /// Carries the work on notifications on for a while in an instance of its own, by the way that
    /// the functions go; what fails is left.
    pub async fn carry_on_notifications(&self, span: std::time::Duration) {
        let services = self.another_instance();
        for job in notification_jobs(self.past_the_proxy().store()).await {
            let until = Instant::now() + span;
            let _ = shared::notification::feed::carry_on(&services, &job.name(), until).await;
        }
    }

    /// Carries the work on notifications to its end.
    pub async fn finish_notifications(&self) {
        until("everything is told and deleted", async || {
            let store = self.past_the_proxy().store().clone();
            if notification_jobs(&store).await.is_empty() {
                return Some(());
            }
            self.carry_on_notifications(DEADLINE).await;
            None
        })
        .await;
    }

    /// Waits until no work on notifications is left.
    pub async fn notified(&self) {
        let store = self.past_the_proxy().store().clone();
        until("everything is told and deleted", async || {
            notification_jobs(&store).await.is_empty().then_some(())
        })
        .await;
    }
}

/// The jobs under way.
async fn notification_jobs(store: &Store) -> Vec<NotificationJob> {
    let (mut jobs, mut from) = (Vec::new(), None);
    loop {
        let page = store.notification_jobs(from).await.unwrap();
        jobs.extend(page.found.into_iter().map(|(job, _)| job));
        from = page.next;
        if from.is_none() {
            return jobs;
        }
    }
}
