//! Who stands in a collection, by its log, by the objects' heads and by the model.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use shared::id::ObjectId;
use shared::log::{Op, Seen};
use shared::store::Head;

use super::chain::Log;
use crate::model::{Model, Standing, V};

pub(super) fn check(
    model: &Model,
    collection: usize,
    log: &Log,
    heads: &HashMap<ObjectId, Head>,
) -> Result<(), String> {
    let mut by_id: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
    for seen in &log.entries {
        by_id.entry(&seen.entry.id).or_default().push(seen);
    }
    for (at, object) in model.objects.iter().enumerate() {
        let entries = by_id.remove(object.id.as_str()).unwrap_or_default();
        let told = |error: String| format!("o{at} {}: {error}", object.id);
        let standing = standing(&entries).map_err(told)?;
        same_as_head(log, &entries, heads.get(&object.id)).map_err(told)?;
        let allowed: BTreeSet<Option<&Standing>> =
            object.states.iter().map(|state| state.logs.get(&collection)).collect();
        if !allowed.contains(&standing.as_ref()) {
            return Err(told(format!("the log has {standing:?}, allowed is one of {allowed:?}")));
        }
        promises(model, at, collection, standing.as_ref()).map_err(told)?;
    }
    match by_id.keys().next() {
        Some(id) => Err(format!("nobody sent {id}")),
        None => Ok(()),
    }
}

/// Where the object stands by what its entries say.
fn standing(entries: &[&Seen]) -> Result<Option<Standing>, String> {
    let present: Vec<&&Seen> = entries.iter().filter(|seen| seen.present).collect();
    let versions: BTreeSet<V> = present.iter().map(|seen| seen.entry.version.clone()).collect();
    if versions.len() < present.len() {
        return Err(format!("a version is there twice: {present:#?}"));
    }
    let current: Vec<&&Seen> = entries.iter().filter(|seen| seen.current).collect();
    let oldest: Vec<&V> =
        entries.iter().filter(|seen| seen.oldest).map(|seen| &seen.entry.version).collect();
    if oldest != versions.first().into_iter().collect::<Vec<_>>() {
        return Err(format!("the oldest of {versions:?} is {oldest:?}"));
    }
    match current.as_slice() {
        [one] => {
            let current = one.entry.version.clone();
            return Ok(Some(Standing::Member { current, present: versions }));
        }
        [] if !versions.is_empty() => return Err(format!("none of {versions:?} is current")),
        [] => {}
        _ => return Err(format!("several are current: {current:#?}")),
    }
    let last = entries.last().filter(|seen| seen.entry.op == Op::Related);
    Ok(last.map(|seen| Standing::Related(seen.entry.version.clone())))
}

/// The head's membership is the current entry, and the other way round.
fn same_as_head(log: &Log, entries: &[&Seen], head: Option<&Head>) -> Result<(), String> {
    let membership = head.and_then(|head| head.memberships.get(&log.id).map(|known| (head, known)));
    let current = entries.iter().find(|seen| seen.current);
    let related = entries.last().filter(|seen| seen.entry.op == Op::Related);
    let (seen, (head, membership)) = match (current.or(related), membership) {
        (None, None) => return Ok(()),
        (Some(seen), Some(membership)) => (seen, membership),
        (seen, membership) => {
            let membership = membership.map(|(_, membership)| membership);
            return Err(format!("the log has {seen:?}, the head {membership:?}"));
        }
    };
    let entry = &seen.entry;
    let same = membership.related == (entry.op == Op::Related)
        && membership.position == entry.position
        && membership.place.seq == seen.seq
        && head.version_in(membership).as_str() == entry.version
        // Where a relationship began to be related matters to nobody.
        && (membership.related || membership.entered == entry.entered);
    if same { Ok(()) } else { Err(format!("the log has {seen:?}, the head {membership:?}")) }
}

/// What holds however it came about.
fn promises(
    model: &Model,
    at: usize,
    collection: usize,
    standing: Option<&Standing>,
) -> Result<(), String> {
    let object = &model.objects[at];
    let definition = &model.collections[collection].1;
    let Some(stored) = object.stored() else {
        return standing.map_or(Ok(()), |_| Err("it was never stored".to_owned()));
    };
    let newest = stored.newest_content();
    let taken = model.takes(collection, definition, object.kind, stored, newest);
    let belongs = !stored.deleted && taken && !stored.removed(collection, &stored.newest);
    let Some(Standing::Member { current, present }) = standing else {
        return if belongs { Err("it belongs there, and is not".to_owned()) } else { Ok(()) };
    };
    if stored.deleted || !taken {
        return Err("it does not belong there".to_owned());
    }
    if belongs && *current != stored.newest {
        return Err(format!("{current} is current, not {}", stored.newest));
    }
    if present.last() != Some(current) {
        return Err(format!("{current} is current, the newest of {present:?} is not"));
    }
    for version in present {
        let content = stored.versions.get(version).ok_or("a version nobody sent")?;
        if model.level(object.kind, content, stored.owner) > definition.ceiling {
            return Err(format!("{version} is above the ceiling {}", definition.ceiling));
        }
        if stored.removed(collection, version) {
            return Err(format!("{version} was deleted there"));
        }
    }
    Ok(())
}
