//! Deletion by filter: asked for at once, done in the background, step by step.

use std::time::{Duration, Instant};

use tracing::info;

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
/// that write calls the function again.
pub(super) async fn carry_on(
    services: &Services,
    mut job: DeletionJob,
    until: Instant,
) -> Result<(), StoreError> {
    let name = NotificationJob::Deletion(job.clone()).name();
    if delete_until(services, &mut job, until).await? {
        info!(job = %name, "done");
        return services.store().end_notification_job(&name).await;
    }
    super::feed::advance(services, NotificationJob::Deletion(job)).await
}

/// Says whether everything is deleted.
async fn delete_until(
    services: &Services,
    job: &mut DeletionJob,
    until: Instant,
) -> Result<bool, StoreError> {
    let (store, tenant) = (services.store(), job.tenant.clone());
    let filter = NotificationFilter::parse(&job.filter, services.store().now());
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
    let lists = walk.lists();
    loop {
        let batch = walk.next(STEP).await?;
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
