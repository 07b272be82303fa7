//! The events of one entry, in order: what its object refers to, the object, what joins it to
//! others. Pure.

use std::collections::HashSet;

use shared::http::encoded_bytes;
use shared::id::ObjectId;
use shared::stix::Facets;

use crate::resolver::{Lookup, Thing, ends};

/// Objects sent beside the one an entry is about: with it, and it once more without what refers to
/// it, they fill the places of its group.
pub const MAX_DEPENDENCIES: usize = 998;

/// Bytes of them, as a finite answer counts them: one group is never more than such an answer
/// holds.
pub const GROUP_BYTES: usize = 1_500_000;

/// What an event adds to its object.
const ENVELOPE: usize = 1_000;

/// References are followed to this depth.
const DEPTH: usize = 40;

/// What to send beside an object.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Before it, each after what it refers to.
    pub before: Vec<ObjectId>,
    /// After it: its relationships and sightings, and what they join it to, where that refers to it.
    pub after: Vec<ObjectId>,
    /// There are more than a group holds, or than was looked up.
    pub truncated: bool,
    /// How large they are.
    pub bytes: usize,
}

/// What an object takes as an event, at the most and nearly.
pub fn weight(thing: &Thing) -> usize {
    encoded_bytes(&thing.json) + ENVELOPE
}

/// What goes together: an object and what it refers to.
#[derive(Default)]
struct Branch {
    /// Each after what it refers to.
    ids: Vec<ObjectId>,
    visited: HashSet<ObjectId>,
    /// Something of it was not looked up.
    cut: bool,
}

/// Works out a plan.
pub struct Planner<'a> {
    lookup: &'a Lookup,
    /// The object itself, which the reader is about to have.
    own: Option<&'a ObjectId>,
    /// What the reader was sent lately.
    held: &'a dyn Fn(&ObjectId) -> bool,
    planned: HashSet<ObjectId>,
    /// What comes after the object, as it refers to it.
    late: HashSet<ObjectId>,
    plan: Plan,
}

impl<'a> Planner<'a> {
    /// A planner for what goes with an object; with none where something is sent for its own sake.
    pub fn new(
        lookup: &'a Lookup,
        own: Option<&'a ObjectId>,
        held: &'a dyn Fn(&ObjectId) -> bool,
    ) -> Self {
        Self {
            lookup,
            own,
            held,
            planned: HashSet::new(),
            late: HashSet::new(),
            plan: Plan::default(),
        }
    }

    /// What the object refers to.
    pub fn refer(&mut self, own: &Facets) {
        for id in ordered_refs(own) {
            let mut branch = Branch::default();
            self.gather(id, &mut branch, DEPTH);
            self.plan.truncated |= branch.cut;
            if !self.fits(&branch.ids) {
                self.plan.truncated = true;
                // A relationship is nothing without its ends: they have as much room again.
                branch.ids = vec![id.clone()];
                let room = 2 * GROUP_BYTES;
                let end = ends(own).any(|end| end == id);
                if !end || self.plan.bytes + self.weight(&branch.ids) > room {
                    continue;
                }
            }
            self.take(&branch.ids);
            self.plan.before.extend(branch.ids);
        }
    }

    /// Relationships and sightings of the object, with what they refer to: also those sent lately
    /// if `again`.
    pub fn join(&mut self, links: &[ObjectId], again: bool) {
        for id in links {
            if Some(id) == self.own {
                continue;
            }
            let Some(thing) = self.lookup.shown(id) else {
                self.plan.truncated |= self.lookup.misses(id);
                continue;
            };
            if self.planned.contains(id) || (!again && (self.held)(id)) {
                continue;
            }
            // It is planned from here on, so that a cycle through it ends.
            let mut branch = Branch::default();
            branch.visited.insert(id.clone());
            for needed in ordered_refs(&thing.facets) {
                self.gather(needed, &mut branch, DEPTH);
            }
            branch.ids.push(id.clone());
            self.plan.truncated |= branch.cut;
            if !self.fits(&branch.ids) {
                self.plan.truncated = true;
                continue;
            }
            self.take(&branch.ids);
            branch.ids.pop();
            for needed in branch.ids {
                self.place(needed);
            }
            self.plan.after.push(id.clone());
        }
    }

    fn weight(&self, ids: &[ObjectId]) -> usize {
        ids.iter().filter_map(|id| self.lookup.get(id)).map(weight).sum()
    }

    fn fits(&self, ids: &[ObjectId]) -> bool {
        let count = self.plan.before.len() + self.plan.after.len() + ids.len();
        count <= MAX_DEPENDENCIES && self.plan.bytes + self.weight(ids) <= GROUP_BYTES
    }

    fn take(&mut self, ids: &[ObjectId]) {
        self.plan.bytes += self.weight(ids);
        self.planned.extend(ids.iter().cloned());
    }

    /// The plan.
    pub fn plan(self) -> Plan {
        self.plan
    }

    /// Where something comes that a relationship of the object needs: each after what it refers to.
    fn place(&mut self, id: ObjectId) {
        let waits = |needed: &ObjectId| Some(needed) == self.own || self.late.contains(needed);
        let thing = self.lookup.shown(&id);
        if thing.is_some_and(|thing| ordered_refs(&thing.facets).any(waits)) {
            self.late.insert(id.clone());
            self.plan.after.push(id);
        } else {
            self.plan.before.push(id);
        }
    }

    fn gather(&self, id: &ObjectId, branch: &mut Branch, depth: usize) {
        let done = Some(id) == self.own || self.planned.contains(id) || (self.held)(id);
        if done || depth == 0 || branch.ids.len() > MAX_DEPENDENCIES {
            return;
        }
        let Some(thing) = self.lookup.shown(id) else {
            branch.cut |= self.lookup.misses(id);
            return;
        };
        if !branch.visited.insert(id.clone()) {
            return;
        }
        for needed in ordered_refs(&thing.facets) {
            self.gather(needed, branch, depth - 1);
        }
        branch.ids.push(id.clone());
    }
}

/// Markings first, then the author, then the rest.
fn ordered_refs(facets: &Facets) -> impl Iterator<Item = &ObjectId> {
    let first = facets.markings.iter().chain(&facets.author);
    let rest = facets
        .refs
        .iter()
        .filter(|id| !facets.markings.contains(id) && facets.author.as_ref() != Some(*id));
    first.chain(rest)
}

#[cfg(test)]
pub(crate) mod tests;
