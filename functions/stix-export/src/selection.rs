//! Which indicators: the newest of the built-in logs up to the caller's clearance.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use shared::http::MAX_ENCODED_BYTES;
use shared::log::{Entry, LogId, Mark, NewestFirst};
use shared::pattern::Pattern;
use shared::services::Services;
use shared::stix::{IocType, SpecVersion};
use shared::store::StoreError;
use shared::time::{Position, Timestamp};
use shared::tlp::Tlp;

use crate::parameters::Ask;

/// An indicator as a log has it.
pub struct Picked {
    /// Where it stands.
    pub mark: Mark,
    /// Its level: its own marking's, or what its confidence gives.
    pub level: Tlp,
    /// The entry.
    pub entry: Entry,
}

/// What was picked.
pub struct Selection {
    /// The indicators, newest first.
    pub indicators: Vec<Picked>,
    /// Whether there are more.
    pub more: bool,
}

/// Picks what is asked for, as far as it can fit in an answer.
pub async fn pick(
    services: &Services,
    ask: &Ask,
    clearance: Tlp,
    since: Position,
    after: Option<Mark>,
) -> Result<Selection, StoreError> {
    let (logs, now) = (logs(ask, clearance), services.store().now());
    let mut reader = NewestFirst::new(services.store(), logs, since, after).await?;
    let (mut indicators, mut ids, mut bytes) = (Vec::new(), HashSet::new(), 0);
    while let Some((mark, entry)) = reader.next(ask.limit + 1 - indicators.len()).await? {
        let LogId::Indicators { level, kind, .. } = mark.log else { continue };
        if entry.spec_version != SpecVersion::V21
            // Expired, and not yet taken out of the log of active ones.
            || (!ask.revoked && is_over(&entry.body, now))
            || !is_told_by(ask, kind, &entry)
            || !ids.insert(entry.id.clone())
        {
            continue;
        }
        bytes += entry.body.len();
        if indicators.len() == ask.limit || (bytes > MAX_ENCODED_BYTES && !indicators.is_empty()) {
            return Ok(Selection { indicators, more: true });
        }
        indicators.push(Picked { mark, level, entry });
    }
    Ok(Selection { indicators, more: false })
}

/// One log for each level, type and state.
fn logs(ask: &Ask, clearance: Tlp) -> Vec<LogId> {
    let kinds: Vec<Option<IocType>> = match &ask.types {
        Some(types) => types.iter().copied().map(Some).collect(),
        None => vec![None],
    };
    let states: &[bool] = if ask.revoked { &[true, false] } else { &[true] };
    let mut logs = Vec::new();
    for level in Tlp::ALL.into_iter().filter(|level| *level <= clearance) {
        for kind in &kinds {
            let of = |active: &bool| LogId::Indicators { level, kind: *kind, active: *active };
            logs.extend(states.iter().map(of));
        }
    }
    logs
}

/// Whether this log tells of the indicator. Of one that names several of the types asked for, only
/// the log of the first does: so it comes once, whatever the page.
fn is_told_by(ask: &Ask, kind: Option<IocType>, entry: &Entry) -> bool {
    let (Some(kind), Some(types)) = (kind, &ask.types) else { return true };
    if types.len() < 2 {
        return true;
    }
    let named = types_named(&entry.body);
    types.iter().find(|asked| named.contains(asked)).is_none_or(|first| *first == kind)
}

#[derive(Deserialize)]
struct WithEnd {
    valid_until: Option<Timestamp>,
}

/// Whether an indicator is not valid any more.
fn is_over(body: &str, now: DateTime<Utc>) -> bool {
    body.contains("valid_until")
        && serde_json::from_str::<WithEnd>(body)
            .is_ok_and(|read| read.valid_until.is_some_and(|until| until.at() <= now))
}

#[derive(Deserialize)]
struct WithPattern {
    pattern: String,
}

fn types_named(body: &str) -> Vec<IocType> {
    let read = serde_json::from_str::<WithPattern>(body).ok();
    let pattern = read.and_then(|read| read.pattern.parse::<Pattern>().ok());
    let iocs = pattern.map(|pattern| pattern.iocs()).unwrap_or_default();
    iocs.into_iter().map(|ioc| ioc.kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_indicator_is_over_at_the_moment_it_names() {
        let now = "2026-05-15T08:30:00Z".parse().unwrap();
        for (body, over) in [
            (r#"{"valid_until":"2026-05-15T08:30:00Z"}"#, true),
            (r#"{"valid_until":"2026-05-15T08:29:59.999999Z"}"#, true),
            (r#"{"valid_until":"2026-05-15T08:30:00.001Z"}"#, false),
            (r#"{"description":"no valid_until"}"#, false),
            (r#"{"valid_until":7}"#, false),
            ("{}", false),
        ] {
            assert_eq!(is_over(body, now), over, "{body}");
        }
    }
}
