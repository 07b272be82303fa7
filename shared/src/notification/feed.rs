//! What subscribers are told of: the background work that makes a notification for each
//! subscriber, source and value, in bounded steps, each of which may be repeated or resumed.

mod feeding;
mod told;
mod ways;

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tracing::warn;

use super::deletion;
use crate::services::Services;
use crate::store::{JobName, NotificationJob, StoreError, WalkJob};
use crate::subscription::is_carrier;
pub(crate) use ways::{add_feeds, add_places};

/// A busy store is asked again after this long, and then twice as long, …
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Ways to threat actors that are looked at in one step.
const WAYS: usize = 200;
/// A job that has not come forward for this long has nobody who carries it out.
const STALLED_AFTER: TimeDelta = TimeDelta::minutes(30);

/// Carries a job on until it is over or `until` is reached: then how far it came is written down,
/// and that write calls the function again. A store that is busy or fails is waited for.
///
/// # Errors
/// When the store refuses, or holds what cannot be read, which no waiting helps: the job goes on
/// from where it last wrote down that it was.
pub async fn carry_on(
    services: &Services,
    name: &JobName,
    until: Instant,
) -> Result<(), StoreError> {
    let mut pause = FIRST_PAUSE;
    loop {
        match step(services, name, until).await {
            Err(error) if error.passes() => {
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
        Some(NotificationJob::Feed(job)) => feeding::carry_on(services, job, until).await,
        Some(NotificationJob::Walk(job)) => walk(services, job, until).await,
    }
}

/// Looks for what an indicator, malware or campaign leads to, and adds jobs that tell of it.
async fn walk(services: &Services, mut job: WalkJob, until: Instant) -> Result<(), StoreError> {
    let store = services.store();
    loop {
        let (ways, left) = job.clone().next(store, WAYS).await?;
        if is_carrier(&job.object) {
            add_places(store, job.places(ways)).await?;
        } else {
            add_feeds(store, job.fed(&ways)).await?;
        }
        match left {
            None => return store.end_notification_job(&NotificationJob::Walk(job)).await,
            Some(left) => job = left,
        }
        if Instant::now() >= until {
            return advance(services, NotificationJob::Walk(job)).await;
        }
    }
}

/// Calls the function again for jobs that nobody carries on, page by page, until `until`: what is
/// left then is left to the next call, by when those it called have come forward.
///
/// # Errors
/// When the store fails.
pub async fn start_stalled(services: &Services, until: Instant) -> Result<(), StoreError> {
    let now = services.store().position_now();
    let span = u64::try_from(STALLED_AFTER.num_microseconds().unwrap_or(0)).unwrap_or(0);
    let mut after = None;
    loop {
        let page = services.store().notification_jobs(after).await?;
        for (job, beat) in page.found {
            if beat < now.minus(span) {
                warn!(job = %job.name(), "has not come forward, called again");
                advance(services, job).await?;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
        if Instant::now() >= until {
            warn!("not all jobs were looked at in time");
            return Ok(());
        }
    }
}

pub(super) async fn advance(services: &Services, job: NotificationJob) -> Result<(), StoreError> {
    match services.store().advance_notification_job(&job).await {
        // Somebody else carried it to its end.
        Err(StoreError::Conflict) => Ok(()),
        done => done,
    }
}
