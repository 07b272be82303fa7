//! By which definitions objects are projected.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::log::{CollectionId, LogId};
use crate::services::{Definitions, Services};
use crate::store::{Head, StoreError};

/// Definitions that know every collection an object was posted to, or stands in, unless it was
/// deleted: a definition is there before anything can enter, and does not come back.
pub(super) async fn for_heads(
    services: &Services,
    heads: &[Head],
) -> Result<Definitions, StoreError> {
    let definitions = services.definitions().await?;
    if heads.iter().flat_map(collections_of).all(|id| is_defined(&definitions, id)) {
        return Ok(definitions);
    }
    services.definitions_within(Duration::ZERO).await
}

/// The collections an object's `HEAD` names.
fn collections_of(head: &Head) -> impl Iterator<Item = CollectionId> {
    let stands = head.memberships.keys().filter_map(|log| match log {
        LogId::Collection(id) => Some(*id),
        LogId::Indicators { .. } => None,
    });
    head.state.posted.iter().chain(head.state.removals.keys()).copied().chain(stands)
}

fn is_defined(definitions: &Definitions, id: CollectionId) -> bool {
    definitions.iter().any(|defined| defined.collection.id == id)
}

/// Forgets collections that were deleted: their logs say nothing any more. By definitions that
/// were read after the `HEAD`, or know all it names.
pub(super) fn forget_deleted(definitions: &Definitions, head: &mut Head) {
    head.memberships.retain(|log, _| match log {
        LogId::Collection(id) => is_defined(definitions, *id),
        LogId::Indicators { .. } => true,
    });
    head.state.posted.retain(|id| is_defined(definitions, *id));
    head.state.removals.retain(|id, _| is_defined(definitions, *id));
}

/// Whether nothing was redefined since `since`, when `used` was at most as old as an instance may
/// remember. Asked only after half that time: a backfill takes it that whoever knew no better has
/// settled by twice that time.
pub(super) async fn hold(
    services: &Services,
    used: &Definitions,
    since: Instant,
) -> Result<bool, StoreError> {
    if since.elapsed() < services.settings().definition_memory / 2 {
        return Ok(true);
    }
    let now = services.definitions_within(Duration::ZERO).await?;
    Ok(generations(used) == generations(&now))
}

fn generations(definitions: &Definitions) -> BTreeSet<(CollectionId, u64)> {
    let collections = definitions.iter().map(|defined| &defined.collection);
    collections.map(|collection| (collection.id, collection.generation)).collect()
}

/// The generation of a log's definition; 0 for a built-in log.
pub(super) fn generation_of(definitions: &Definitions, log: LogId) -> u64 {
    let LogId::Collection(id) = log else { return 0 };
    let defined = definitions.iter().find(|defined| defined.collection.id == id);
    defined.map_or(0, |defined| defined.collection.generation)
}
