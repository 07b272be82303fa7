//! The events of one entry, in order: what its object refers to, the object, what joins it to
//! others. Pure.

use std::collections::HashSet;

use shared::id::ObjectId;
use shared::stix::Facets;

use crate::resolver::{Lookup, ends};

/// Objects sent beside the one an entry is about: with it they fill the places of its group.
pub const MAX_DEPENDENCIES: usize = 999;

/// References are followed to this depth.
const DEPTH: usize = 40;

/// What to send beside an object.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Before it, each after what it refers to.
    pub before: Vec<ObjectId>,
    /// After it: its relationships and sightings, and what they join it to, where that refers to it.
    pub after: Vec<ObjectId>,
    /// There are more than a group holds.
    pub truncated: bool,
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
            self.require(id);
        }
    }

    /// Relationships and sightings of the object, with what they refer to: also those sent lately
    /// if `again`.
    pub fn join(&mut self, links: &[ObjectId], again: bool) {
        for id in links {
            let Some(thing) = self.lookup.shown(id).filter(|_| Some(id) != self.own) else {
                continue;
            };
            if self.planned.contains(id) || (!again && (self.held)(id)) {
                continue;
            }
            // It is planned from here on, so that a cycle through it ends.
            let mut branch = vec![];
            let mut visited: HashSet<ObjectId> = HashSet::from([id.clone()]);
            for needed in ordered_refs(&thing.facets) {
                self.gather(needed, &mut branch, &mut visited, DEPTH);
            }
            let size = self.plan.before.len() + self.plan.after.len() + branch.len() + 1;
            if size > MAX_DEPENDENCIES {
                self.plan.truncated = true;
                continue;
            }
            self.planned.extend(branch.iter().cloned());
            self.planned.insert(id.clone());
            for needed in branch {
                self.place(needed);
            }
            self.plan.after.push(id.clone());
        }
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

    fn require(&mut self, id: &ObjectId) {
        let (mut branch, mut visited) = (Vec::new(), HashSet::new());
        self.gather(id, &mut branch, &mut visited, DEPTH);
        if self.plan.before.len() + branch.len() > MAX_DEPENDENCIES {
            self.plan.truncated = true;
            return;
        }
        self.planned.extend(branch.iter().cloned());
        self.plan.before.extend(branch);
    }

    fn gather(
        &self,
        id: &ObjectId,
        branch: &mut Vec<ObjectId>,
        visited: &mut HashSet<ObjectId>,
        depth: usize,
    ) {
        let done = Some(id) == self.own || self.planned.contains(id) || (self.held)(id);
        if done || depth == 0 || branch.len() > MAX_DEPENDENCIES {
            return;
        }
        let Some(thing) = self.lookup.shown(id) else { return };
        if !visited.insert(id.clone()) {
            return;
        }
        for needed in ordered_refs(&thing.facets) {
            self.gather(needed, branch, visited, depth - 1);
        }
        branch.push(id.clone());
    }
}

/// Whether all ends of a relationship or sighting are among what the reader has.
pub fn has_its_ends(facets: &Facets, has: impl Fn(&ObjectId) -> bool) -> bool {
    ends(facets).all(has)
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
mod tests;
