//! By which definitions objects are projected.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::log::{CollectionId, LogId};
use crate::services::{Definitions, Services};
use crate::store::{Head, StoreError};

/// Definitions that know every collection an object was posted to.
pub(super) async fn for_heads(
    services: &Services,
    heads: &[Head],
) -> Result<Definitions, StoreError> {
    let definitions = services.definitions().await?;
    let known = |id| definitions.iter().any(|defined| defined.collection.id == id);
    if heads.iter().flat_map(|head| &head.state.posted).all(|id| known(*id)) {
        return Ok(definitions);
    }
    services.definitions_within(Duration::ZERO).await
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
