//! What is left to do for what was deleted: the log of a collection, the keys and subscriptions
//! of a tenant.

use std::time::Instant;

use tracing::info;

use super::{advance, wait_for};
use crate::access::TenantId;
use crate::audit::Actor;
use crate::log::CollectionId;
use crate::services::Services;
use crate::store::{ChangeError, Job, StoreError};
use crate::time::Position;

/// Longer than any run of a function: who still went by the definition has ended by then.
const LAST_WRITERS_MICROS: u64 = 20 * 60_000_000;

/// Keys looked at in one step.
const KEYS: usize = 100;

/// Subscriptions ended in one step.
const SUBSCRIPTIONS: usize = 25;

/// A key that somebody else changes at this moment is read again, this often.
const ATTEMPTS: u32 = 10;

/// Deletes the log of a collection that was deleted, and once more what was appended meanwhile by
/// who had not heard of it: the job then waits in the table, untouched, until it is due again
/// ([`super::start_due`]).
pub(super) async fn drop_log(
    services: &Services,
    mut job: Job,
    collection: CollectionId,
    until: Instant,
) -> Result<(), StoreError> {
    let store = services.store();
    let second = job.second;
    if !wait_for(services, job.not_before, until).await {
        return if second { Ok(()) } else { advance(services, &mut job).await };
    }
    while store.drop_some_of_log(collection).await? {
        if Instant::now() >= until {
            return advance(services, &mut job).await;
        }
    }
    if second {
        info!(job = %job.kind, "done");
        return store.end_job(&job.kind).await;
    }
    job.second = true;
    job.not_before =
        Position::from_micros(store.position_now().micros().saturating_add(LAST_WRITERS_MICROS));
    advance(services, &mut job).await
}

/// Revokes the keys of a tenant that was deleted, and then ends its subscriptions: by then there is
/// no key to make new ones with.
pub(super) async fn close_tenant(
    services: &Services,
    mut job: Job,
    tenant: &TenantId,
    until: Instant,
) -> Result<(), StoreError> {
    let store = services.store();
    let closed = store.tenant(tenant).await?.and_then(|known| known.closed);
    let Some(closed) = closed else { return store.end_job(&job.kind).await };
    let mut after = None;
    loop {
        let (keys, next) = store.key_records(Some(tenant), after.as_deref(), KEYS).await?;
        for key in keys.into_iter().filter(|key| !key.revoked) {
            revoke(services, &closed.by, key).await?;
        }
        if next.is_none() {
            break;
        }
        after = next;
        if Instant::now() >= until {
            // From the beginning again: what is revoked is only read.
            return advance(services, &mut job).await;
        }
    }
    loop {
        let (some, _) = store.subscriptions_after(tenant, None, SUBSCRIPTIONS).await?;
        if some.is_empty() {
            return store.end_job(&job.kind).await;
        }
        for subscription in some {
            match store.end_subscription(&closed.by, &subscription).await {
                Ok(()) => {}
                Err(ChangeError::Store(error)) => return Err(error),
                // Somebody else changes it at this moment: whatever it is now, it ends.
                Err(_) => {
                    store.delete_subscription(tenant, &subscription.source).await?;
                }
            }
        }
        if Instant::now() >= until {
            return advance(services, &mut job).await;
        }
    }
}

async fn revoke(
    services: &Services,
    by: &Actor,
    mut key: crate::access::KeyRecord,
) -> Result<(), StoreError> {
    let store = services.store();
    for _ in 0..ATTEMPTS {
        let note = format!("its tenant {} was deleted", key.tenant);
        match store.revoke_key_as(by, &key, Some(note)).await {
            Ok(_) | Err(ChangeError::Revoked) => {
                services.forget_key(&key.id);
                return Ok(());
            }
            Err(ChangeError::Store(error)) => return Err(error),
            Err(_) => {}
        }
        match store.key_record(&key.id).await? {
            Some(known) => key = known,
            None => return Ok(()),
        }
    }
    Err(StoreError::Conflict)
}
