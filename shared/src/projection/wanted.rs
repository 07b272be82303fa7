//! Which logs an object belongs in.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::filter::Subject;
use crate::id::ObjectId;
use crate::log::LogId;
use crate::services::{Defined, Definitions};
use crate::stix::{
    Facets, IocType, Marking, RelationshipEnds, SpecVersion, level, markings_to_resolve,
};
use crate::store::{Head, OldVersion};
use crate::tlp::Tlp;

/// The logs `head`, whose level is `level`, belongs in at the moment `now`.
pub fn logs(
    definitions: &Definitions,
    head: &Head,
    level: Tlp,
    now: DateTime<Utc>,
) -> HashSet<LogId> {
    if head.deleted {
        return HashSet::new();
    }
    let mut logs: HashSet<LogId> = collections(definitions, head, &head.facets, level)
        .filter(|log| stays(head, *log))
        .collect();
    if is_exported(head, &head.facets) {
        let active = !head.facets.revoked
            && head.facets.valid_until.as_ref().is_none_or(|until| until.at() > now);
        logs.extend(indicator_logs(&head.facets, level, active));
    }
    logs
}

/// The collections in which a version of `head` with these facets and this level belongs.
pub fn collections<'a>(
    definitions: &'a Definitions,
    head: &'a Head,
    facets: &'a Facets,
    level: Tlp,
) -> impl Iterator<Item = LogId> + 'a {
    let subject = Subject { facets, level, owner: head.owner.as_str() };
    definitions
        .iter()
        .filter(move |defined| admits(defined, facets, level))
        .filter(move |defined| {
            let posted = head.state.posted.contains(&defined.collection.id);
            defined.takes_from(&head.owner) && (posted || defined.filter.matches(&subject))
        })
        .map(|defined| LogId::Collection(defined.collection.id))
}

/// Whether the newest version was not deleted from the collection, or an older one may take its
/// place there.
fn stays(head: &Head, log: LogId) -> bool {
    let LogId::Collection(id) = log else { return true };
    !head.removed_from(id, head.version())
        || (head.state.has_older && head.memberships.contains_key(&log))
}

/// Whether the collection takes objects of this specification and level at all.
fn admits(defined: &Defined, facets: &Facets, level: Tlp) -> bool {
    let settings = &defined.collection.settings;
    level <= settings.ceiling && settings.spec_versions.contains(&facets.spec_version)
}

/// Whether a version belongs in the logs the export reads. It speaks STIX 2.1 alone, and every
/// tenant reads it: a tenant's own indicators enter only collections that take them (access.md,
/// Tenants).
fn is_exported(head: &Head, facets: &Facets) -> bool {
    facets.is_indicator() && facets.spec_version == SpecVersion::V21 && head.owner.is_operator()
}

fn indicator_logs(
    facets: &Facets,
    level: Tlp,
    active: bool,
) -> impl Iterator<Item = LogId> + use<> {
    let kinds: BTreeSet<IocType> = facets.iocs.iter().map(|ioc| ioc.kind).collect();
    std::iter::once(None).chain(kinds.into_iter().map(Some)).map(move |kind| LogId::Indicators {
        level,
        kind,
        active,
    })
}

/// Every log of indicators in which a revision with one of these facets may stand.
pub fn possible_indicator_logs<'a>(
    versions: impl Iterator<Item = &'a Facets> + Clone,
) -> impl Iterator<Item = LogId> {
    Tlp::ALL.into_iter().flat_map(move |level| {
        let versions = versions.clone();
        [true, false].into_iter().flat_map(move |active| {
            versions.clone().flat_map(move |facets| indicator_logs(facets, level, active))
        })
    })
}

/// The logs into which a projector that still works on an earlier revision of `head` may be about
/// to put it, as far as what it may have read tells: the versions nobody saw projected, at every
/// level they may have had, and after a deletion wherever the object may have been posted.
pub fn in_flight(definitions: &Definitions, head: &Head, older: &[OldVersion]) -> HashSet<LogId> {
    let renewed = head.deleted || head.state.left.is_some();
    let unseen = older
        .iter()
        .map(|old| &old.facets)
        .filter(|facets| renewed || head.state.history.contains(&facets.version));
    let mut logs = HashSet::new();
    for facets in unseen.chain([&head.facets]) {
        for level in possible_levels(facets) {
            if renewed {
                let taking = definitions
                    .iter()
                    .filter(|defined| admits(defined, facets, level))
                    .filter(|defined| defined.takes_from(&head.owner));
                logs.extend(taking.map(|defined| LogId::Collection(defined.collection.id)));
            } else {
                logs.extend(collections(definitions, head, facets, level));
            }
            if is_exported(head, facets) {
                let ends = facets.valid_until.is_some() && !facets.revoked;
                logs.extend(indicator_logs(facets, level, !facets.revoked));
                logs.extend(indicator_logs(facets, level, false).filter(|_| ends));
            }
        }
    }
    logs
}

/// The levels a version may have had: any, where it names a marking that has to be looked up.
fn possible_levels(facets: &Facets) -> Vec<Tlp> {
    if markings_to_resolve(facets).next().is_some() {
        return Tlp::ALL.to_vec();
    }
    vec![level(facets, |_| Marking::Unknown)]
}

/// The collections that hold an end of a relationship or sighting that is deleted. Readers who
/// resolve what joins their objects may have it from there, though no entry of it is in the log.
pub fn parted(
    definitions: &Definitions,
    head: &Head,
    ends: &HashMap<ObjectId, Head>,
) -> HashSet<LogId> {
    let Some(joined) = head.facets.ends.as_ref().filter(|_| head.deleted) else {
        return HashSet::new();
    };
    definitions
        .iter()
        .filter(|defined| defined.takes_from(&head.owner))
        .map(|defined| LogId::Collection(defined.collection.id))
        .filter(|log| is_held(*log, joined, ends))
        .collect()
}

/// Whether one of the ends is a member of the collection with this log.
fn is_held(log: LogId, joined: &RelationshipEnds, ends: &HashMap<ObjectId, Head>) -> bool {
    joined
        .sources
        .iter()
        .chain(&joined.targets)
        .filter_map(|id| ends.get(id))
        .any(|end| end.memberships.get(&log).is_some_and(|membership| !membership.related))
}

/// The collections that hold an end of a relationship or sighting.
pub fn related(
    definitions: &Definitions,
    head: &Head,
    level: Tlp,
    ends: &HashMap<ObjectId, Head>,
) -> HashSet<LogId> {
    let Some(joined) = head.facets.ends.as_ref().filter(|_| !head.deleted) else {
        return HashSet::new();
    };
    definitions
        .iter()
        .filter(|defined| admits(defined, &head.facets, level) && defined.takes_from(&head.owner))
        .map(|defined| LogId::Collection(defined.collection.id))
        .filter(|log| is_held(*log, joined, ends))
        .collect()
}
