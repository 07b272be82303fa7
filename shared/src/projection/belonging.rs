//! Whether an object, or an older version of it, still belongs where it stands.

use std::collections::HashSet;

use super::wanted;
use crate::log::LogId;
use crate::services::{Definitions, Services};
use crate::store::{Head, OldVersion, StoreError};
use crate::time::Version;

/// Whether an object belongs in a log by these definitions.
pub(crate) async fn belongs(
    services: &Services,
    definitions: &Definitions,
    head: &Head,
    log: LogId,
) -> Result<bool, StoreError> {
    let since = Some(head.known_at);
    let level = crate::ingestion::level_of(services, &head.facets, &head.owner, since).await?;
    Ok(wanted::logs(definitions, head, level, services.store().now()).contains(&log))
}

/// Whether an older version of a member is above the ceiling of the collection by now.
pub(crate) async fn holds_above(
    services: &Services,
    definitions: &Definitions,
    head: &Head,
    log: LogId,
) -> Result<bool, StoreError> {
    let member = head.memberships.get(&log).is_some_and(|known| !known.related);
    if !member || !head.state.has_older {
        return Ok(false);
    }
    let older = services.store().older_versions(head.id()).await?;
    let mut above = above_ceilings(services, definitions, head, &older).await?;
    above.retain(|(other, _)| *other == log);
    Ok(older.iter().any(|old| {
        old.entries.contains_key(&log) && above.contains(&(log, old.facets.version.clone()))
    }))
}

/// The older versions that are above the ceilings of collections the object is a member of: since
/// they entered, a marking may have come to stand for more, or the collection to take less.
pub(super) async fn above_ceilings(
    services: &Services,
    definitions: &Definitions,
    head: &Head,
    older: &[OldVersion],
) -> Result<HashSet<(LogId, Version)>, StoreError> {
    let since = Some(head.known_at);
    let mut above = HashSet::new();
    for old in older {
        let level = crate::ingestion::level_of(services, &old.facets, &head.owner, since).await?;
        let lower = definitions.iter().filter(|one| one.collection.settings.ceiling < level);
        let logs = lower.map(|one| LogId::Collection(one.collection.id));
        above.extend(logs.map(|log| (log, old.facets.version.clone())));
    }
    Ok(above)
}
