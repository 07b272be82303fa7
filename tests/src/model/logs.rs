//! What projection makes of an object's state.

use std::collections::BTreeSet;

use super::content::Kind;
use super::state::{Standing, State, Stored};
use super::{Definition, Model, V};

impl Model {
    /// The states after a projection that was settled. `before` is the model before this step:
    /// an end of a relationship may have been looked at then.
    pub(super) fn project(&self, at: usize, state: &State, before: &Self) -> Vec<State> {
        let mut states = self.in_all_logs(at, state, before, false);
        for stored in states.iter_mut().filter_map(|state| state.stored.as_mut()) {
            stored.waiting.clear();
            stored.left = false;
            stored.pending = false;
        }
        states
    }

    /// The states after a projection that came to some logs, and was not settled.
    pub(super) fn project_partly(&self, at: usize, state: &State, before: &Self) -> Vec<State> {
        self.in_all_logs(at, state, before, true)
    }

    /// Projectors run beside what comes next: they may have done all, a part or nothing of what
    /// waits before it.
    pub fn race(&mut self) {
        let before = self.clone();
        for at in 0..self.objects.len() {
            let states = before.objects[at].states.iter();
            let waits = |state: &&State| state.stored.as_ref().is_some_and(|one| one.pending);
            let ahead: Vec<State> = states
                .filter(waits)
                .flat_map(|state| {
                    let mut all = before.project(at, state, &before);
                    all.extend(before.project_partly(at, state, &before));
                    all
                })
                .collect();
            self.objects[at].states.extend(ahead);
        }
    }

    /// What either of two models allows.
    pub fn join(&mut self, other: Self) {
        for (object, other) in self.objects.iter_mut().zip(other.objects) {
            object.states.extend(other.states);
        }
    }

    fn in_all_logs(&self, at: usize, state: &State, before: &Self, partly: bool) -> Vec<State> {
        let mut states = vec![state.clone()];
        let Some(stored) = &state.stored else { return states };
        for (collection, (_, definition)) in self.collections.iter().enumerate() {
            let mut standings = BTreeSet::new();
            let other = self.replaced.filter(|(replaced, _)| *replaced == collection);
            for definition in [Some(*definition), other.map(|other| other.1)].into_iter().flatten()
            {
                standings.extend(self.in_log(at, state, stored, collection, &definition, before));
            }
            if partly {
                standings.insert(state.logs.get(&collection).cloned());
            }
            states = states
                .iter()
                .flat_map(|state| {
                    standings.iter().map(|standing| {
                        let mut state = state.clone();
                        match standing {
                            Some(standing) => state.logs.insert(collection, standing.clone()),
                            None => state.logs.remove(&collection),
                        };
                        state
                    })
                })
                .collect();
        }
        states
    }

    /// Where the object may stand in a collection once projected.
    fn in_log(
        &self,
        at: usize,
        state: &State,
        stored: &Stored,
        collection: usize,
        definition: &Definition,
        before: &Self,
    ) -> Vec<Option<Standing>> {
        let kind = self.objects[at].kind;
        let takes = |version: &V| {
            let content = &stored.versions[version];
            self.takes(collection, definition, kind, stored, content)
        };
        let standing = state.logs.get(&collection);
        let was_member = state.is_member(collection);
        let mut present = match standing {
            Some(Standing::Member { present, .. }) if !stored.left => present.clone(),
            _ => BTreeSet::new(),
        };
        present.retain(|version| !stored.removed(collection, version));
        let belongs = !stored.deleted && takes(&stored.newest);
        let late = stored.waiting.iter().filter(|version| takes(version));
        let late = late.filter(|version| !stored.removed(collection, version)).cloned();
        if belongs && !stored.removed(collection, &stored.newest) {
            present.insert(stored.newest.clone());
            present.extend(late);
        } else if belongs && !present.is_empty() {
            // The newest was deleted here: what remains takes its place.
            present.extend(late);
        } else {
            present.clear();
        }
        // Nothing above the ceiling: what was taken when it counted as lower goes.
        present.retain(|version| {
            let content = &stored.versions[version];
            self.level(kind, content, stored.owner) <= definition.ceiling
        });
        if let Some(current) = present.last().cloned() {
            return vec![Some(Standing::Member { current, present })];
        }
        let Kind::Relationship { source, target } = kind else { return vec![None] };
        let content = stored.newest_content();
        let level = self.level(kind, content, stored.owner);
        let takes_owner = stored.owner == super::Owner::Operator
            || definition.open
            || definition.choice.takes_any_owner();
        let may = !stored.deleted && level <= definition.ceiling && takes_owner;
        let ends = [source, target];
        let holds = |model: &Self, all: bool| {
            ends.iter().any(|end| {
                let mut states = model.objects[*end].states.iter();
                if all {
                    states.all(|state| state.is_member(collection))
                } else {
                    states.any(|state| state.is_member(collection))
                }
            })
        };
        let (possible, sure) =
            (holds(self, false) || holds(before, false), holds(self, true) && holds(before, true));
        let mut all = Vec::new();
        if may && possible {
            all.push(Some(Standing::Related(stored.newest.clone())));
        }
        // Who leaves is not related until it is projected again.
        if !may || !sure || was_member {
            all.push(None);
        }
        all
    }
}
