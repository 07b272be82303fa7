//! What stands in a log of active indicators and will cease to be valid is listed, so that it
//! leaves that log at its moment (`crate::expiry`).

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::Subject;
use super::append::Standings;
use crate::id::ObjectId;
use crate::log::{LogId, Membership};
use crate::store::{Expiration, Expiry, Head, Store, StoreError};
use crate::time::Position;

/// Lists the subjects that are not listed yet for the moment at which they cease to be valid, and
/// notes in their heads for which moment they are. The heads are settled afterwards: killed in
/// between, they are listed again.
pub async fn list(
    store: &Store,
    subjects: &mut [Subject],
    results: &HashMap<ObjectId, Standings>,
) -> Result<(), StoreError> {
    let mut lines = Vec::new();
    for Subject { head, .. } in subjects {
        let standings = results.get(head.id()).filter(|standings| !standings.obsolete);
        let expires = standings
            .filter(|standings| stand_active(&standings.memberships))
            .and(head.facets.valid_until.as_ref())
            // Also one that has passed meanwhile: the logs say otherwise.
            .map(|until| Expiry::of(until.at()));
        if head.state.expires != expires {
            let id = head.id().clone();
            lines.extend(expires.map(|expiry| Expiration { expiry, id }));
            head.state.expires = expires;
        }
    }
    store.list_expirations(&lines).await
}

/// Whether one of the memberships is in a log of active indicators.
pub(crate) fn stand_active(memberships: &BTreeMap<LogId, Membership>) -> bool {
    memberships.keys().any(|log| matches!(log, LogId::Indicators { active: true, .. }))
}

/// The moment at which an object that is pending since `since` is judged: who found it expired
/// and asked for its projection has a clock that may be ahead.
pub fn judged_at(now: DateTime<Utc>, since: Position) -> DateTime<Utc> {
    let since = i64::try_from(since.micros()).ok().and_then(DateTime::from_timestamp_micros);
    since.map_or(now, |since| since.max(now))
}

/// The heads that are pending, with a new revision for those that ceased to be valid while they
/// were: another attempt may have put the old one into the logs of active indicators, of which
/// the head knows nothing. Every log is looked at for a second revision that is not projected.
pub async fn renew_overtaken(
    store: &Store,
    heads: Vec<Head>,
    now: DateTime<Utc>,
) -> Result<Vec<Head>, StoreError> {
    let (overtaken, mut heads): (Vec<Head>, Vec<Head>) =
        heads.into_iter().partition(|head| is_overtaken(head, now));
    if overtaken.is_empty() {
        return Ok(heads);
    }
    let ids: Vec<ObjectId> = overtaken.iter().map(|head| head.id().clone()).collect();
    for id in &ids {
        store.reproject(id, Position::at_or_before(now)).await?;
    }
    let renewed = store.heads(&ids, true).await?;
    heads.extend(renewed.into_values().filter(|head| head.pending.is_some()));
    Ok(heads)
}

fn is_overtaken(head: &Head, now: DateTime<Utc>) -> bool {
    let (Some(since), Some(until)) = (head.pending, &head.facets.valid_until) else { return false };
    let expiry = Expiry::of(until.at());
    head.facets.is_indicator()
        && head.revision == head.projected + 1
        && expiry.is_due(now)
        && !expiry.is_due(judged_at(DateTime::<Utc>::MIN_UTC, since))
}

#[cfg(test)]
mod tests;
