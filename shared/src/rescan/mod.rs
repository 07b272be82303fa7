//! Passes over the whole base: backfill of collections that were created or changed, and the
//! sweep that finds what the stream lost. In steps, each of which may be repeated or resumed.

mod backfill;
mod retire;

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures::stream::{self, StreamExt, TryStreamExt};
use tracing::{info, warn};

use crate::id::ObjectId;
use crate::services::Services;
use crate::store::{Job, JobKind, ScanPlace, StoreError};
use crate::time::Position;
use backfill::Backfill;

/// What has been pending for longer is taken to be lost by the stream. In an outage it may still
/// come: both projecting it is harmless.
const LOST_AFTER_MICROS: u64 = 5 * 60_000_000;

/// Objects projected at once.
const BATCH: usize = 500;

/// Writes under way at once.
const CONCURRENCY: usize = 48;

/// How far a job came is written down about this often.
const WRITTEN_EVERY: Duration = Duration::from_secs(10);

/// A job that has not come forward for this long has nobody who carries it out.
const STALLED_AFTER: TimeDelta = TimeDelta::minutes(30);

/// The base is swept this often.
const SWEPT_EVERY: TimeDelta = TimeDelta::hours(24);

/// Carries a job on until it is over or `until` is reached: then how far it came is written down,
/// and that write calls the function again.
///
/// # Errors
/// When the store fails: the job goes on from where it last wrote down that it was.
pub async fn carry_on(
    services: &Services,
    kind: JobKind,
    until: Instant,
) -> Result<(), StoreError> {
    let store = services.store();
    let Some(mut job) = store.job(&kind).await? else { return Ok(()) };
    match &kind {
        JobKind::DropLog { collection } => {
            return retire::drop_log(services, job, *collection, until).await;
        }
        JobKind::CloseTenant { tenant } => {
            return retire::close_tenant(services, job, tenant, until).await;
        }
        JobKind::Sweep | JobKind::Backfill { .. } => {}
    }
    if !wait_for(services, job.not_before, until).await {
        return advance(services, &mut job).await;
    }
    let pass = match kind {
        JobKind::Backfill { collection, generation } => {
            match Backfill::begin(services, collection, generation).await? {
                Some(backfill) => {
                    if job.reached.is_none() {
                        backfill.adopt(services, job.not_before).await?;
                    }
                    Pass::Backfill(Box::new(backfill))
                }
                // Changed again meanwhile: the job of that change does all of this one's work.
                None => return store.end_job(&kind).await,
            }
        }
        _ => Pass::Sweep { since: lost_before(services) },
    };
    let mut written = Instant::now();
    loop {
        let (ids, next) = pass.step(services, job.reached.as_ref()).await?;
        project(services, &ids).await;
        job.reached = next;
        if job.reached.is_none() {
            pass.end(services).await?;
            info!(job = %kind, "done");
            return store.end_job(&kind).await;
        }
        if Instant::now() >= until {
            return advance(services, &mut job).await;
        }
        if written.elapsed() > WRITTEN_EVERY {
            advance(services, &mut job).await?;
            written = Instant::now();
        }
    }
}

/// Starts what is due: the daily sweep, and jobs that nobody carries on.
///
/// # Errors
/// When the store fails.
pub async fn start_due(services: &Services) -> Result<(), StoreError> {
    let store = services.store();
    let now = store.position_now();
    let since = |span: TimeDelta| {
        now.minus(u64::try_from(span.num_microseconds().unwrap_or(0)).unwrap_or(0))
    };
    for mut job in store.jobs().await? {
        if job.beat.max(job.not_before) < since(STALLED_AFTER) {
            warn!(job = %job.kind, "has not come forward, called again");
            advance(services, &mut job).await?;
        }
    }
    if store.last_sweep().await?.is_none_or(|at| at < since(SWEPT_EVERY)) {
        start_sweep(services).await?;
    }
    Ok(())
}

/// Starts a sweep now, unless one is under way.
///
/// # Errors
/// When the store fails.
pub async fn start_sweep(services: &Services) -> Result<(), StoreError> {
    let now = services.store().position_now();
    services.store().add_job(&Job::new(JobKind::Sweep, now, now)).await?;
    services.store().set_last_sweep(now).await
}

/// One kind of pass.
enum Pass {
    Sweep { since: Position },
    Backfill(Box<Backfill>),
}

impl Pass {
    /// Looks at the next items; returns the objects that must be projected, all of them pending,
    /// and where to go on.
    async fn step(
        &self,
        services: &Services,
        from: Option<&ScanPlace>,
    ) -> Result<(Vec<ObjectId>, Option<ScanPlace>), StoreError> {
        match self {
            Self::Sweep { since } => {
                let scanned = services.store().scan_pending(from, *since).await?;
                Ok((scanned.found, scanned.next))
            }
            Self::Backfill(backfill) => {
                let scanned = services.store().scan_heads(from).await?;
                let ids = backfill.misplaced(services, scanned.found).await?;
                let now = services.store().position_now();
                let asked: Vec<_> =
                    ids.iter().map(|id| services.store().reproject_quietly(id, now)).collect();
                stream::iter(asked).buffer_unordered(CONCURRENCY).try_collect::<Vec<()>>().await?;
                Ok((ids, scanned.next))
            }
        }
    }

    async fn end(&self, services: &Services) -> Result<(), StoreError> {
        match self {
            Self::Sweep { .. } => Ok(()),
            Self::Backfill(backfill) => backfill.end(services).await,
        }
    }
}

/// What is left pending by a failure here is in the stream as well, which tries again and parks.
async fn project(services: &Services, ids: &[ObjectId]) {
    for batch in ids.chunks(BATCH) {
        let failures = services.projector().project(services, batch).await;
        for (id, error) in failures.0 {
            warn!(%id, %error, "not projected by this pass");
        }
    }
}

async fn advance(services: &Services, job: &mut Job) -> Result<(), StoreError> {
    job.beat = services.store().position_now();
    match services.store().advance_job(job).await {
        // Somebody else carried it to its end.
        Err(StoreError::Conflict) => Ok(()),
        done => done,
    }
}

fn lost_before(services: &Services) -> Position {
    services.store().position_now().minus(LOST_AFTER_MICROS)
}

/// Waits for a moment; says no if `until` comes first.
async fn wait_for(services: &Services, moment: Position, until: Instant) -> bool {
    let left = moment.micros().saturating_sub(services.store().position_now().micros());
    let left = Duration::from_micros(left);
    let reached = until.saturating_duration_since(Instant::now()) >= left;
    if reached {
        tokio::time::sleep(left).await;
    }
    reached
}
