//! What a log has to say of an object, given what it says already. Pure.

mod follow;

use std::collections::HashSet;

use super::draft::Draft;
use super::view::Trace;
use crate::log::{LogId, Membership, Op, Place};
use crate::store::{Head, OldVersion, Removal};
use crate::time::{Position, Version};
use follow::follow;

/// Why an entry is no longer what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A newer version is current.
    Superseded,
    /// The version is no longer in the collection.
    Removed,
    /// Another version is the oldest now.
    NotOldest,
    /// It is the oldest version now.
    NowOldest,
}

/// An object and a log.
#[derive(Clone, Copy, Debug)]
// Each is a fact of its own, none a state of the others.
#[allow(clippy::struct_excessive_bools)]
pub struct Question<'a> {
    /// Which log.
    pub log: LogId,
    /// The object.
    pub head: &'a Head,
    /// Its older versions, where they matter.
    pub older: &'a [OldVersion],
    /// Whether it belongs in the log.
    pub wanted: bool,
    /// Whether one of its ends does (relationships and sightings).
    pub related: bool,
    /// Whether one of its ends does though it is deleted itself.
    pub parted: bool,
    /// The older versions not yet projected that belong in the log.
    pub history: &'a HashSet<(LogId, Version)>,
    /// The older versions that are above what the log takes by now.
    pub above: &'a HashSet<(LogId, Version)>,
    /// Whether another projector may be about to put an earlier revision into the log.
    pub in_flight: bool,
}

/// A version that stands in the log.
#[derive(Clone, Debug)]
struct Present {
    version: Version,
    place: Place,
}

/// What to append and to mark.
#[derive(Debug, Default)]
pub struct Decision<'a> {
    /// A newer revision is projected already: there is nothing to say, and nothing to settle.
    pub obsolete: bool,
    /// The membership before the drafts.
    pub current: Option<Membership>,
    /// The revision that made it current, or a later one.
    pub revision: u64,
    /// Versions that stand in the log though no item says so yet.
    pub found: Vec<(Version, Membership)>,
    /// Versions that do not stand in the log any more, whatever their items say.
    pub lost: Vec<Version>,
    /// Where it entered by a revision that is not settled, nor one that nobody is told of.
    pub entered: Vec<Position>,
    /// What to append, all in one commit.
    pub drafts: Vec<Draft<'a>>,
    /// What to mark, whether or not something is appended.
    pub marks: Vec<(Place, Mark)>,
    /// More older versions wait than one commit should hold: decide again afterwards.
    pub more: bool,
}

/// Older versions, and bytes of them, that are drafted at once.
const HISTORY_AT_ONCE: usize = 32;
const HISTORY_BYTES: usize = 128 * 1024;

/// Decides what the log has to say. `traces` are its entries of this object for revisions that
/// are not settled.
pub fn decide<'a>(question: Question<'a>, traces: &[&Trace]) -> Decision<'a> {
    let head = question.head;
    let mut decision = Decision { revision: head.projected, ..Decision::default() };
    if traces.iter().any(|trace| trace.revision > head.revision) {
        decision.obsolete = true;
        return decision;
    }
    let mut present = standing(question, &mut decision);
    for trace in traces {
        follow(trace, &mut decision, &mut present);
        if trace.op == Op::Enter && trace.revision > head.quiet {
            decision.entered.push(trace.position);
        }
    }
    mark_removals(question, &mut decision, &mut present);
    let said = traces.iter().any(|trace| trace.revision == head.revision);
    if !said {
        draft(question, &mut decision, &present);
    }
    // What of the history is in the log is among the present, so this may be asked again.
    if question.wanted && !ends_membership(&decision) {
        draft_history(question, &mut decision, &present);
    }
    decision
}

/// What stands in the log by what the object's items say.
fn standing(question: Question<'_>, decision: &mut Decision<'_>) -> Vec<Present> {
    let head = question.head;
    decision.current = head.memberships.get(&question.log).cloned();
    let Some(membership) = decision.current.as_ref().filter(|m| !m.related) else {
        return Vec::new();
    };
    let mut present =
        vec![Present { version: head.version_in(membership).clone(), place: membership.place }];
    let entered = membership.entered;
    for old in question.older {
        if let Some(entry) = old.entries.get(&question.log)
            && entry.position >= entered
        {
            present.push(Present { version: old.facets.version.clone(), place: entry.place });
        }
    }
    present
}

fn removal(question: Question<'_>) -> Option<&Removal> {
    let LogId::Collection(id) = question.log else { return None };
    question.head.state.removals.get(&id)
}

/// Whether a version has no place in the log any more: clients deleted it there, or what it is
/// marked with or what the log takes changed, and it is above the ceiling.
fn is_barred(question: Question<'_>, version: &Version) -> bool {
    removal(question).is_some_and(|removal| removal.covers(version))
        || question.above.contains(&(question.log, version.clone()))
}

/// Marks versions that are barred from the log, and the oldest that remains.
fn mark_removals(question: Question<'_>, decision: &mut Decision<'_>, present: &mut Vec<Present>) {
    let (removed, remaining): (Vec<_>, Vec<_>) =
        present.drain(..).partition(|entry| is_barred(question, &entry.version));
    let oldest_removed = removed.iter().map(|entry| &entry.version).min();
    if let Some(oldest) = remaining.iter().min_by(|a, b| a.version.cmp(&b.version))
        && oldest_removed.is_some_and(|removed| *removed < oldest.version)
    {
        // Both of one revision would leave open which is the later.
        decision.marks.retain(|mark| *mark != (oldest.place, Mark::NotOldest));
        decision.marks.push((oldest.place, Mark::NowOldest));
    }
    decision.marks.extend(removed.iter().map(|entry| (entry.place, Mark::Removed)));
    // What clients deleted, the head remembers.
    let covered = |entry: &Present| removal(question).is_some_and(|one| one.covers(&entry.version));
    let lost = removed.into_iter().filter(|entry| !covered(entry)).map(|entry| entry.version);
    decision.lost.extend(lost);
    *present = remaining;
}

/// Whether the object is no member afterwards.
fn ends_membership(decision: &Decision<'_>) -> bool {
    match decision.drafts.last() {
        Some(draft) => matches!(draft.op, Op::Leave | Op::Related | Op::Unrelate),
        None => decision.current.as_ref().is_none_or(|membership| membership.related),
    }
}

fn draft<'a>(question: Question<'a>, decision: &mut Decision<'a>, present: &[Present]) {
    let current = decision.current.clone();
    let mut membership = current.as_ref().filter(|membership| !membership.related);
    let anew = question.head.state.left.is_some_and(|revision| decision.revision < revision);
    if let (Some(left), true) = (membership, anew) {
        leave(question, decision, left, present);
        membership = None;
    }
    let target = question.wanted.then(|| target(question, present)).flatten();
    match (target, membership) {
        (Some((facets, body)), None) => {
            let replaces = current.as_ref().filter(|known| known.related).map(|known| known.place);
            decision.drafts.push(Draft {
                op: Op::Enter,
                facets,
                body,
                replaces,
                entered: None,
                oldest: true,
            });
            decision.marks.extend(replaces.map(|place| (place, Mark::Superseded)));
        }
        (Some((facets, body)), Some(membership)) => {
            if question.head.version_in(membership) != &facets.version {
                update(decision, membership, facets, body, present);
            }
        }
        (None, Some(membership)) => leave(question, decision, membership, present),
        (None, None) => {
            draft_related(question, decision, current.as_ref());
            if question.in_flight && current.is_none() && decision.drafts.is_empty() {
                decision.drafts.push(closed(question));
            }
        }
    }
}

/// A leave of what never entered, which no reader is told of. Whoever still works on an earlier
/// revision finds it when it appends, and knows that it comes too late.
fn closed(question: Question<'_>) -> Draft<'_> {
    let head = question.head;
    let (facets, body) = (&head.facets, head.json.as_str());
    Draft { op: Op::Leave, facets, body, replaces: None, entered: None, oldest: false }
}

fn leave<'a>(
    question: Question<'a>,
    decision: &mut Decision<'a>,
    membership: &Membership,
    present: &[Present],
) {
    decision.drafts.push(Draft {
        op: Op::Leave,
        facets: &question.head.facets,
        body: &question.head.json,
        replaces: Some(membership.place),
        entered: Some(membership.entered),
        oldest: false,
    });
    decision.marks.push((membership.place, Mark::Removed));
    decision.marks.extend(present.iter().map(|entry| (entry.place, Mark::Removed)));
}

/// The version that should be current: the newest one that was not deleted from the collection,
/// also if it became known only now.
fn target<'a>(
    question: Question<'a>,
    present: &[Present],
) -> Option<(&'a crate::stix::Facets, &'a str)> {
    let head = question.head;
    if !is_barred(question, head.version()) {
        return Some((&head.facets, &head.json));
    }
    question
        .older
        .iter()
        .filter(|old| !is_barred(question, &old.facets.version))
        .filter(|old| {
            let version = &old.facets.version;
            present.iter().any(|entry| entry.version == *version)
                || (!present.is_empty() && is_late(question, version))
        })
        .max_by(|a, b| a.facets.version.cmp(&b.facets.version))
        .map(|old| (&old.facets, old.json.as_str()))
}

fn update<'a>(
    decision: &mut Decision<'a>,
    membership: &Membership,
    facets: &'a crate::stix::Facets,
    body: &'a str,
    present: &[Present],
) {
    decision.marks.push((membership.place, Mark::Superseded));
    // An older version that becomes current again stands at its new position only.
    let again = present.iter().find(|entry| entry.version == facets.version);
    decision.marks.extend(again.map(|entry| (entry.place, Mark::Removed)));
    decision.drafts.push(Draft {
        op: Op::Update,
        facets,
        body,
        replaces: Some(membership.place),
        entered: Some(membership.entered),
        oldest: !present.iter().any(|entry| entry.version < facets.version),
    });
}

/// Whether an older version waits to be projected, and belongs in the log.
fn is_late(question: Question<'_>, version: &Version) -> bool {
    question.head.state.history.contains(version)
        && question.history.contains(&(question.log, version.clone()))
}

/// Older versions that became known late stand behind the current one.
fn draft_history<'a>(question: Question<'a>, decision: &mut Decision<'a>, present: &[Present]) {
    let mut late: Vec<&OldVersion> = question
        .older
        .iter()
        .filter(|old| is_late(question, &old.facets.version))
        .filter(|old| !is_barred(question, &old.facets.version))
        .filter(|old| !present.iter().any(|entry| entry.version == old.facets.version))
        .filter(|old| !decision.drafts.iter().any(|draft| draft.version() == &old.facets.version))
        .collect();
    late.sort_by(|a, b| a.facets.version.cmp(&b.facets.version));
    let drafted: usize = decision.drafts.iter().map(|draft| draft.body.len()).sum();
    let mut bytes = drafted;
    let fits = late.iter().take(HISTORY_AT_ONCE).take_while(|old| {
        bytes += old.json.len();
        bytes <= HISTORY_BYTES
    });
    // One at the least, unless what is drafted already fills the commit.
    let fits = fits.count().max(usize::from(drafted == 0));
    decision.more = fits < late.len();
    late.truncate(fits);
    let Some(oldest_late) = late.first().map(|old| old.facets.version.clone()) else { return };
    let oldest_before = present.iter().min_by(|a, b| a.version.cmp(&b.version));
    let becomes_oldest = oldest_before.is_none_or(|entry| oldest_late < entry.version);
    if becomes_oldest {
        decision.marks.extend(oldest_before.map(|entry| (entry.place, Mark::NotOldest)));
        for draft in &mut decision.drafts {
            draft.oldest = draft.oldest && *draft.version() < oldest_late;
        }
    }
    // What enters now begins the membership; else it began with what is current.
    let enters = decision.drafts.iter().any(|draft| draft.op == Op::Enter);
    let entered = decision
        .current
        .as_ref()
        .filter(|membership| !membership.related && !enters)
        .map(|membership| membership.entered);
    for old in late {
        decision.drafts.push(Draft {
            op: Op::History,
            facets: &old.facets,
            body: &old.json,
            replaces: None,
            entered,
            oldest: becomes_oldest && old.facets.version == oldest_late,
        });
    }
}

/// A relationship or sighting that is no member itself.
fn draft_related<'a>(
    question: Question<'a>,
    decision: &mut Decision<'a>,
    current: Option<&Membership>,
) {
    let head = question.head;
    let op = match (question.related, current) {
        (true, None) => Op::Related,
        (true, Some(known)) if head.version_in(known) != head.version() => Op::Related,
        (false, Some(_)) => Op::Unrelate,
        // Nothing of it is in the log, but readers may have it with one of its ends.
        (false, None) if question.parted => Op::Unrelate,
        _ => return,
    };
    decision.marks.extend(current.map(|known| (known.place, Mark::Superseded)));
    decision.drafts.push(Draft {
        op,
        facets: &head.facets,
        body: &head.json,
        replaces: current.map(|known| known.place),
        entered: current.map(|known| known.entered),
        oldest: false,
    });
}

/// The membership after `draft` was appended.
pub fn membership_after(
    head: &Head,
    draft: &Draft<'_>,
    place: Place,
    position: Position,
    entered: Position,
) -> Option<Membership> {
    match draft.op {
        Op::Leave | Op::Unrelate => None,
        Op::Enter | Op::Update | Op::Related | Op::History => Some(Membership {
            place,
            position,
            entered,
            version: (draft.version() != head.version()).then(|| draft.version().clone()),
            related: draft.op == Op::Related,
        }),
    }
}

#[cfg(test)]
mod tests;
