//! What subscribers are told of: the background work that makes a notification for each
//! subscriber, source and value, in bounded steps, each of which may be repeated or resumed.

mod told;

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures::stream::{self, StreamExt, TryStreamExt};
use tracing::warn;

use super::deletion;
use crate::services::Services;
use crate::store::{Fed, FeedJob, FeedPlace, JobName, NotificationJob, Once, StoreError};
use crate::subscription::Subscription;
use told::{Told, Topic};

/// Values told of at once.
const VALUES: usize = 50;
/// Subscribers told at once.
const SUBSCRIBERS: usize = 20;
/// Indicators of a malware or campaign looked at at once.
const INDICATORS: usize = 50;
/// Writes under way at once.
const CONCURRENCY: usize = 16;
/// A busy store is asked again after this long, and then twice as long, …
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A job that has not come forward for this long has nobody who carries it out.
const STALLED_AFTER: TimeDelta = TimeDelta::minutes(30);

/// Carries a job on until it is over or `until` is reached: then how far it came is written down,
/// and that write calls the function again. A store that is busy is waited for.
///
/// # Errors
/// When the store fails for good: the job goes on from where it last wrote down that it was.
pub async fn carry_on(
    services: &Services,
    name: &JobName,
    until: Instant,
) -> Result<(), StoreError> {
    let mut pause = FIRST_PAUSE;
    loop {
        match step(services, name, until).await {
            Err(error @ (StoreError::Throttled(_) | StoreError::Unavailable(_))) => {
                warn!(job = %name, %error, "goes on in a moment");
            }
            done => return done,
        }
        if Instant::now() + pause >= until {
            let job = services.store().notification_job(name).await?;
            let Some(job) = job else { return Ok(()) };
            return advance(services, job).await;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn step(services: &Services, name: &JobName, until: Instant) -> Result<(), StoreError> {
    match services.store().notification_job(name).await? {
        None => Ok(()),
        Some(NotificationJob::Deletion(job)) => deletion::carry_on(services, job, until).await,
        Some(NotificationJob::Feed(job)) => feed(services, job, until).await,
    }
}

/// Calls the function again for jobs that nobody carries on.
///
/// # Errors
/// When the store fails.
pub async fn start_stalled(services: &Services) -> Result<(), StoreError> {
    let now = services.store().position_now();
    let span = u64::try_from(STALLED_AFTER.num_microseconds().unwrap_or(0)).unwrap_or(0);
    for (job, beat) in services.store().notification_jobs().await? {
        if beat < now.minus(span) {
            warn!(job = %job.name(), "has not come forward, called again");
            advance(services, job).await?;
        }
    }
    Ok(())
}

pub(super) async fn advance(services: &Services, job: NotificationJob) -> Result<(), StoreError> {
    match services.store().advance_notification_job(&job).await {
        // Somebody else carried it to its end.
        Err(StoreError::Conflict) => Ok(()),
        done => done,
    }
}

async fn feed(services: &Services, mut job: FeedJob, until: Instant) -> Result<(), StoreError> {
    let name = NotificationJob::Feed(job.clone()).name();
    let Some(topic) = Topic::of(services, &job.source).await? else {
        return services.store().end_notification_job(&name).await;
    };
    loop {
        let (part, next) = part(services, &job.place).await?;
        if !tell_all(services, &topic, &mut job, &part, until).await? {
            pass_over_done(&mut job, &part);
            return advance(services, NotificationJob::Feed(job)).await;
        }
        let Some(next) = next else {
            return services.store().end_notification_job(&name).await;
        };
        (job.place, job.objects_done, job.values_done) = (next, 0, 0);
    }
}

/// What points to malware or a campaign may change until the next step: that begins behind the
/// last indicator that is done, not at a count.
fn pass_over_done(job: &mut FeedJob, part: &[Fed]) {
    let FeedPlace::Carrier { reached, .. } = &mut job.place else { return };
    let last = job.objects_done.checked_sub(1).and_then(|last| part.get(last));
    if let Some(last) = last {
        let by = last.through.first().cloned();
        *reached = by.map(|by| (last.object.clone(), by));
        job.objects_done = 0;
    }
}

/// The next indicators to tell of, and where to go on after them.
async fn part(
    services: &Services,
    place: &FeedPlace,
) -> Result<(Vec<Fed>, Option<FeedPlace>), StoreError> {
    let (carrier, relationship, cause, reached) = match place {
        FeedPlace::Objects(objects) => return Ok((objects.clone(), None)),
        FeedPlace::Carrier { carrier, relationship, cause, reached } => {
            (carrier, relationship, *cause, reached)
        }
    };
    let after = reached.as_ref().map(|(from, relationship)| crate::store::Path {
        from: from.clone(),
        to: carrier.clone(),
        relationship: relationship.clone(),
    });
    let (paths, more) = services.store().paths_to(carrier, after.as_ref(), INDICATORS).await?;
    let last = paths.last().map(|path| (path.from.clone(), path.relationship.clone()));
    let next = last.filter(|_| more).map(|last| FeedPlace::Carrier {
        carrier: carrier.clone(),
        relationship: relationship.clone(),
        cause,
        reached: Some(last),
    });
    let fed = paths.into_iter().map(|path| Fed {
        object: path.from,
        cause,
        through: vec![path.relationship, relationship.clone()],
    });
    Ok((fed.collect(), next))
}

/// Tells every subscriber of every value of the indicators, from where the job stands; says
/// whether it came to the end.
async fn tell_all(
    services: &Services,
    topic: &Topic,
    job: &mut FeedJob,
    part: &[Fed],
    until: Instant,
) -> Result<bool, StoreError> {
    while let Some(fed) = part.get(job.objects_done) {
        let told = Told::of(services, topic, fed).await?;
        while let Some(values) = told.values(job.values_done, VALUES) {
            if !tell(services, topic, job, &told, values, until).await? {
                return Ok(false);
            }
            job.values_done += values.len();
        }
        job.objects_done += 1;
        job.values_done = 0;
        if Instant::now() >= until {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Tells every subscriber of some values.
async fn tell(
    services: &Services,
    topic: &Topic,
    job: &mut FeedJob,
    told: &Told,
    values: &[super::Entity],
    until: Instant,
) -> Result<bool, StoreError> {
    loop {
        let store = services.store();
        let after = job.subscriber.as_ref();
        let (subscribers, more) = store.subscribers(&job.source, after, SUBSCRIBERS).await?;
        let last = subscribers.last().map(|subscriber| subscriber.tenant.clone());
        let entitled = |subscriber: &&Subscription| {
            told.cause() >= subscriber.since && told.may_know(topic, &subscriber.tenant)
        };
        let work = subscribers.iter().filter(entitled).flat_map(|subscriber| {
            values.iter().map(|entity| {
                let tenant = &subscriber.tenant;
                let made = told.notification(topic, subscriber, entity, store.position_now());
                async move {
                    let once = Once::of_subscription(tenant, &made);
                    store.put_notification(tenant, &made, Some(&once)).await.map(drop)
                }
            })
        });
        let work: Vec<_> = work.collect();
        stream::iter(work).buffer_unordered(CONCURRENCY).try_collect::<Vec<()>>().await?;
        job.subscriber = last.filter(|_| more);
        if job.subscriber.is_none() {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
    }
}
