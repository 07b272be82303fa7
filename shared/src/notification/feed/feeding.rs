//! One feeding: every subscriber is told of every value of every indicator, and how far that came
//! is written down as it goes on.

use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};
use tracing::warn;

use super::told::{Told, Topic};
use super::ways::WAYS_AT_ONCE;
use super::{FIRST_PAUSE, LONGEST_PAUSE, add_places, advance};
use crate::access::TenantId;
use crate::notification::{Entity, Notification};
use crate::services::Services;
use crate::store::{
    Cause, Fed, FeedJob, FeedPlace, NotificationJob, Once, Path, Store, StoreError, Way,
};
use crate::subscription::{Subscription, SubscriptionSource, is_carrier};

/// Values told of at once.
const VALUES: usize = 50;
/// Subscribers told at once.
const SUBSCRIBERS: usize = 20;
/// Indicators of a malware or campaign looked at at once.
const INDICATORS: usize = 50;
/// Writes under way at once.
const CONCURRENCY: usize = 16;
/// How far a job came is written down about this often.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);

/// Tells until everything is told or `until` is reached: then how far it came is written down, and
/// that write calls the function again. It is written down as well before an error is returned.
pub(super) async fn carry_on(
    services: &Services,
    job: FeedJob,
    until: Instant,
) -> Result<(), StoreError> {
    let Some(topic) = Topic::of(services, &job.source).await? else {
        return services.store().end_notification_job(&NotificationJob::Feed(job)).await;
    };
    let noted = job.clone();
    let written = Instant::now();
    let mut feeding = Feeding { services, topic, job, part: Vec::new(), noted, written, until };
    match feeding.run().await {
        Ok(true) => {
            let job = NotificationJob::Feed(feeding.job);
            services.store().end_notification_job(&job).await
        }
        Ok(false) => advance(services, NotificationJob::Feed(feeding.standing())).await,
        Err(error) => {
            feeding.write_down().await;
            Err(error)
        }
    }
}

struct Feeding<'a> {
    services: &'a Services,
    topic: Topic,
    job: FeedJob,
    /// The indicators of the present part.
    part: Vec<Fed>,
    /// What is written down.
    noted: FeedJob,
    /// When that was.
    written: Instant,
    until: Instant,
}

impl Feeding<'_> {
    /// Says whether it came to the end.
    async fn run(&mut self) -> Result<bool, StoreError> {
        loop {
            let (part, next) = part(self.services, &self.job.source, &self.job.place).await?;
            self.part = part;
            if !self.tell_all().await? {
                return Ok(false);
            }
            let Some(next) = next else { return Ok(true) };
            (self.job.place, self.job.objects_done, self.job.telling) = (next, 0, None);
            self.part.clear();
        }
    }

    /// Tells every subscriber of every value of the part, from where the job stands.
    async fn tell_all(&mut self) -> Result<bool, StoreError> {
        while let Some(fed) = self.part.get(self.job.objects_done) {
            let fed = fed.clone();
            let mut told = Told::of(self.services, &self.topic, &fed).await?;
            loop {
                let telling = told.resumed(self.job.telling.take());
                let mut done = telling.values_done;
                self.job.telling = Some(telling);
                while let Some(values) = told.values(done, VALUES) {
                    if !self.tell(&told, values).await? {
                        return Ok(false);
                    }
                    done += values.len();
                    self.job.telling = Some(told.telling(done, None));
                }
                // Who tells of a level that fell meanwhile may have come by before this was there.
                let now = Told::of(self.services, &self.topic, &fed).await?;
                if now.levels().eq(told.levels()) {
                    break;
                }
                told = now;
            }
            self.job.objects_done += 1;
            self.job.telling = None;
            self.write_down_if_due().await;
            if Instant::now() >= self.until {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Tells every subscriber of some values.
    async fn tell(&mut self, told: &Told, values: &[Entity]) -> Result<bool, StoreError> {
        loop {
            // What is gone is gone in the next step too, which ends the job.
            if !self.topic.renew(self.services).await? {
                return Ok(false);
            }
            let store = self.services.store();
            let telling = self.job.telling.as_ref();
            let after = telling.and_then(|telling| telling.subscriber.as_ref());
            let (subscribers, more) =
                store.subscribers(&self.job.source, after, SUBSCRIBERS).await?;
            let last = subscribers.last().map(|subscriber| subscriber.tenant.clone());
            let now = store.position_now();
            let entitled = |subscriber: &'_ Subscription| {
                told.level_for(&self.topic, subscriber).map(|level| (subscriber.clone(), level))
            };
            let made = subscribers.iter().filter_map(entitled).flat_map(|(subscriber, level)| {
                let topic = &self.topic;
                values.iter().map(move |entity| {
                    let made = told.notification(topic, (&subscriber, level), entity);
                    (subscriber.tenant.clone(), made)
                })
            });
            // What was caused so long ago that it would not be kept is not written.
            let kept = |(_, made): &(TenantId, Notification)| !made.is_over(now);
            let made: Vec<_> = made.filter(kept).collect();
            self.put_all(told, made).await?;
            let last = last.filter(|_| more);
            if last.is_none() {
                return Ok(true);
            }
            if let Some(telling) = &mut self.job.telling {
                telling.subscriber = last;
            }
            self.write_down_if_due().await;
            if Instant::now() >= self.until {
                return Ok(false);
            }
        }
    }

    /// Writes notifications. Those that a busy store does not take are written again, and only
    /// those: so it comes to an end however few are taken at a time.
    async fn put_all(
        &mut self,
        told: &Told,
        mut left: Vec<(TenantId, Notification)>,
    ) -> Result<(), StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let put = |(tenant, made)| put(self.services, told, tenant, made);
            let work: Vec<_> = left.into_iter().map(put).collect();
            let outcomes: Vec<_> = stream::iter(work).buffer_unordered(CONCURRENCY).collect().await;
            let mut failed = None;
            left = Vec::new();
            for (tenant, made, error) in outcomes.into_iter().flatten() {
                if !error.passes() {
                    return Err(error);
                }
                failed = Some(error);
                left.push((tenant, made));
            }
            let Some(error) = failed else { return Ok(()) };
            if Instant::now() + pause >= self.until {
                return Err(error);
            }
            warn!(left = left.len(), %error, "goes on in a moment");
            self.write_down().await;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn write_down_if_due(&mut self) {
        if self.written.elapsed() > WRITTEN_EVERY {
            self.write_down().await;
        }
    }

    /// Writes down where the job stands, unless that is written. What fails here is only more to
    /// be done again.
    async fn write_down(&mut self) {
        let standing = self.standing();
        if standing == self.noted {
            return;
        }
        match advance(self.services, NotificationJob::Feed(standing.clone())).await {
            Ok(()) => (self.noted, self.written) = (standing, Instant::now()),
            Err(error) => warn!(%error, "how far a feeding came is not written down"),
        }
    }

    /// The job as it is written down. What points to malware or a campaign may change until the
    /// next step: that begins behind the last indicator that is done, not at a count.
    fn standing(&self) -> FeedJob {
        let mut job = self.job.clone();
        let (FeedPlace::Carrier { reached, .. } | FeedPlace::Actor { reached, .. }) =
            &mut job.place
        else {
            return job;
        };
        let last = job.objects_done.checked_sub(1).and_then(|last| self.part.get(last));
        if let Some(last) = last {
            let by = last.ways.last().map(|way| way.first.clone());
            *reached = by.map(|by| (last.object.clone(), by));
            job.objects_done = 0;
        }
        job
    }
}

/// Writes a notification; gives it back with the reason where that fails. It is stored at the
/// moment of the attempt that succeeds: a deletion that was asked for before leaves it alone. What
/// only has another level now is what it was before.
async fn put(
    services: &Services,
    told: &Told,
    tenant: TenantId,
    mut made: Notification,
) -> Option<(TenantId, Notification, StoreError)> {
    let store = services.store();
    made.stored = store.position_now();
    let once = Once::of_subscription(&tenant, &made);
    let put = match told.cause() {
        Cause::Came(_) => store.put_notification(&tenant, &made, Some(&once)).await.map(drop),
        Cause::Fell(_) => store.lower_notification(&tenant, &made, &once).await,
        Cause::Rose(_) => raise(store, told, &tenant, &made, &once).await,
    };
    put.err().map(|error| (tenant, made, error))
}

/// Moves what rose; and back, where it fell again while this was under way.
async fn raise(
    store: &Store,
    told: &Told,
    tenant: &TenantId,
    made: &Notification,
    once: &Once,
) -> Result<(), StoreError> {
    store.raise_notification(tenant, made, once).await?;
    if told.belongs() {
        store.lower_notification(tenant, made, once).await?;
    }
    Ok(())
}

/// The next indicators to tell of, and where to go on after them.
async fn part(
    services: &Services,
    source: &SubscriptionSource,
    place: &FeedPlace,
) -> Result<(Vec<Fed>, Option<FeedPlace>), StoreError> {
    let (to, cause, reached) = match (place, source) {
        (FeedPlace::Objects(objects), _) => return Ok((objects.clone(), None)),
        (FeedPlace::Carrier { carrier, cause, reached, .. }, _) => (carrier, *cause, reached),
        (FeedPlace::Actor { cause, reached }, SubscriptionSource::ThreatActor(actor)) => {
            (actor, *cause, reached)
        }
        (FeedPlace::Actor { .. }, SubscriptionSource::Collection(_)) => {
            return Ok((Vec::new(), None));
        }
    };
    let after = reached.as_ref().map(|(from, relationship)| Path {
        from: from.clone(),
        to: to.clone(),
        relationship: relationship.clone(),
    });
    let (paths, more) = services.store().paths_to(to, after.as_ref(), INDICATORS).await?;
    let last = paths.last().map(|path| (path.from.clone(), path.relationship.clone()));
    let next = last.filter(|_| more).map(|last| {
        let reached = Some(last);
        match place {
            FeedPlace::Carrier { carrier, relationship, .. } => {
                let (carrier, relationship) = (carrier.clone(), relationship.clone());
                FeedPlace::Carrier { carrier, relationship, cause, reached }
            }
            _ => FeedPlace::Actor { cause, reached },
        }
    });
    let (carriers, paths): (Vec<Path>, Vec<Path>) =
        paths.into_iter().partition(|path| is_carrier(&path.from));
    let onward = carriers.into_iter().map(|path| {
        let (carrier, relationship) = (path.from, path.relationship);
        (source.clone(), FeedPlace::Carrier { carrier, relationship, cause, reached: None })
    });
    add_places(services.store(), onward.collect()).await?;
    let mut parts: Vec<Fed> = Vec::new();
    for path in paths {
        let onward = match place {
            FeedPlace::Carrier { carrier, relationship, .. } => {
                Some((carrier.clone(), relationship.clone()))
            }
            _ => None,
        };
        let way = Way { first: path.relationship, onward };
        match parts.last_mut() {
            Some(last) if last.object == path.from && last.ways.len() < WAYS_AT_ONCE => {
                last.ways.push(way);
            }
            _ => parts.push(Fed { object: path.from, cause, ways: vec![way] }),
        }
    }
    Ok((parts, next))
}
