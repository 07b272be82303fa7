//! Deletion by filter: asked for at once, done in the background, step by step.

use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::filter::{NotificationFilter, Selection};
use super::list::range;
use super::visibility::visible;
use super::walk::Walk;
use crate::services::Services;
use crate::store::{DeletionJob, NotificationJob, Range, StoreError};
use crate::time::Position;

/// Notifications deleted at once.
const STEP: usize = 100;
/// How far a job came is written down about this often.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);

/// Deletes until nothing is left or `until` is reached: then how far it came is written down, and
/// that write calls the function again. It is written down as well before an error is returned.
pub(super) async fn carry_on(
    services: &Services,
    mut job: DeletionJob,
    until: Instant,
) -> Result<(), StoreError> {
    let begun = job.reached;
    let outcome = delete_until(services, &mut job, until).await;
    let came_forward = job.reached != begun;
    let job = NotificationJob::Deletion(job);
    match outcome {
        Ok(true) => {
            info!(job = %job.name(), "done");
            services.store().end_notification_job(&job).await
        }
        Ok(false) => super::feed::advance(services, job).await,
        Err(error) => {
            if came_forward && let Err(unwritten) = super::feed::advance(services, job).await {
                warn!(%unwritten, "how far a deletion came is not written down");
            }
            Err(error)
        }
    }
}

/// Says whether everything is deleted.
async fn delete_until(
    services: &Services,
    job: &mut DeletionJob,
    until: Instant,
) -> Result<bool, StoreError> {
    let (store, tenant) = (services.store(), job.tenant.clone());
    let filter = NotificationFilter::parse_written(&job.filter, services.store().now());
    let filter = filter.map_err(|error| StoreError::Damaged(error.to_string()))?;
    let selection = filter.selection();
    let Some(range) = range(&selection, job.reached, false, Position::default()) else {
        return Ok(true);
    };
    let range = Range { consistent: true, ..range };
    let walk = Walk::begin(store, &tenant, &selection, range, job.clearance, STEP, until).await?;
    delete_along(services, walk, &selection, job, until).await
}

async fn delete_along(
    services: &Services,
    mut walk: Walk<'_>,
    selection: &Selection,
    job: &mut DeletionJob,
    until: Instant,
) -> Result<bool, StoreError> {
    let mut written = Instant::now();
    loop {
        let batch = walk.next(STEP).await?;
        let lists = walk.lists();
        let Some(reached) = batch.reached else { return Ok(true) };
        let chosen = batch
            .found
            .into_iter()
            .filter(|found| selection.matches(found) && found.stored < job.called)
            .collect();
        let chosen = visible(services, chosen, job.clearance).await?;
        let store = services.store();
        let lists = lists.as_deref();
        store.delete_notifications(&job.tenant, lists, &chosen, &batch.gone).await?;
        job.reached = Some(reached);
        if Instant::now() >= until {
            return Ok(false);
        }
        if written.elapsed() > WRITTEN_EVERY {
            super::feed::advance(services, NotificationJob::Deletion(job.clone())).await?;
            written = Instant::now();
        }
    }
}
