//! What the store must hold, worked out the naive way: every object as the set of states it may
//! be in. There is more than one only where the order in which two things happened at the same
//! time decides; what is seen of the `HEAD`s after each step takes away those it rules out.

mod choice;
mod content;
mod logs;
mod state;
mod writing;

use std::collections::{BTreeMap, BTreeSet};

use shared::collection::Collection;
use shared::id::ObjectId;
use shared::tlp::Tlp;

pub use choice::{CHOICES, Choice};
pub use content::{Content, Kind, Mark, SOON_MINUTES, Valid, body, version_of_slot};
pub use state::{Standing, State, Stored};
pub use writing::{Answer, Removing, Write};

use content::Facts;

/// A version as it is spelt; all are spelt so that texts sort as instants do.
pub type V = String;

/// Who owns an object: the operator, or the tenant `acme`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The operator.
    Operator,
    /// The tenant.
    Acme,
}

/// What a collection takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// Its filter.
    pub choice: Choice,
    /// Its ceiling.
    pub ceiling: Tlp,
    /// Whether `acme` may write to it.
    pub open: bool,
}

/// An object, and the states it may be in.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its id.
    pub id: ObjectId,
    /// What it is.
    pub kind: Kind,
    /// What may be true of it.
    pub states: BTreeSet<State>,
    revision: u64,
}

/// What is seen of a `HEAD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The newest version.
    pub newest: V,
    /// It is a tombstone.
    pub deleted: bool,
    /// It waits for projection.
    pub pending: bool,
    /// The collections it was posted to.
    pub posted: BTreeSet<usize>,
    /// The revision.
    pub revision: u64,
}

/// The model.
#[derive(Debug, Clone)]
pub struct Model {
    /// The objects.
    pub objects: Vec<Object>,
    /// The collections, and what each takes now.
    pub collections: Vec<(Collection, Definition)>,
    /// The definition that a step just replaced: who ran beside it may have gone by it.
    pub replaced: Option<(usize, Definition)>,
}

impl Model {
    /// Objects that are not stored yet, and no collections.
    pub fn new(objects: Vec<(ObjectId, Kind)>) -> Self {
        let object = |(id, kind)| Object {
            id,
            kind,
            states: BTreeSet::from([State::default()]),
            revision: 0,
        };
        let objects = objects.into_iter().map(object).collect();
        Self { objects, collections: Vec::new(), replaced: None }
    }

    /// The ids of all objects.
    pub fn ids(&self) -> Vec<ObjectId> {
        self.objects.iter().map(|object| object.id.clone()).collect()
    }

    /// The marking definition that objects of this model name as their own, if there is one.
    pub fn own_marking(&self) -> Option<usize> {
        self.objects.iter().position(|object| object.kind == Kind::Marking)
    }

    /// The level of an object of `owner`.
    pub fn level(&self, kind: Kind, content: &Content, owner: Owner) -> Tlp {
        let by_confidence = || match content.confidence {
            None | Some(30..=69) => Tlp::Amber,
            Some(0..=29) => Tlp::Clear,
            Some(_) => Tlp::Green,
        };
        match (kind, content.mark) {
            (Kind::Marking, _) | (_, Mark::Clear) => Tlp::Clear,
            (_, Mark::Green) => Tlp::Green,
            (_, Mark::Amber) => Tlp::Amber,
            (_, Mark::Red) => Tlp::Red,
            (_, Mark::None) => by_confidence(),
            (_, Mark::Own) => {
                let stored = self.own_marking().and_then(|at| self.objects[at].stored());
                let known = stored.filter(|stored| !stored.deleted);
                let known =
                    known.filter(|stored| stored.owner == Owner::Operator || stored.owner == owner);
                known.map_or(Tlp::Red, |stored| match stored.newest_content().mark {
                    Mark::Clear => Tlp::Clear,
                    Mark::Green => Tlp::Green,
                    Mark::Amber => Tlp::Amber,
                    Mark::Red => Tlp::Red,
                    // A statement: no level.
                    Mark::None | Mark::Own => by_confidence(),
                })
            }
        }
    }

    /// Whether a version of an object belongs in a collection, but for removals.
    pub(crate) fn takes(
        &self,
        collection: usize,
        definition: &Definition,
        kind: Kind,
        stored: &Stored,
        content: &Content,
    ) -> bool {
        let level = self.level(kind, content, stored.owner);
        let facts = Facts { kind, content, level };
        let owned = stored.owner == Owner::Operator
            || definition.open
            || definition.choice.takes_any_owner();
        let chosen = stored.posted.contains(&collection) || definition.choice.matches(&facts);
        level <= definition.ceiling && owned && chosen
    }

    /// An object was written, or deleted: `step` says what each of its states becomes, with the
    /// answer that goes with it.
    ///
    /// # Errors
    /// When no state has the answer that was given.
    pub fn write(
        &mut self,
        object: usize,
        answer: Option<Answer>,
        step: impl Fn(&Self, &State) -> Vec<(State, Answer)>,
    ) -> Result<(), String> {
        let states = &self.objects[object].states;
        let next: Vec<(State, Answer)> =
            states.iter().flat_map(|state| step(self, state)).collect();
        let said: BTreeSet<Answer> = next.iter().map(|(_, answer)| *answer).collect();
        let next: BTreeSet<State> = next
            .into_iter()
            .filter(|(_, known)| answer.is_none_or(|answer| answer == *known))
            .map(|(state, _)| state)
            .collect();
        if next.is_empty() {
            return Err(format!("object {object}: answered {answer:?}, expected one of {said:?}"));
        }
        self.objects[object].states = next;
        Ok(())
    }

    /// What was seen of all `HEAD`s after a step in which projectors may have run. `together`:
    /// one of them may have appended what it then could not settle.
    ///
    /// # Errors
    /// When an object can be in no state that looks so.
    pub fn observe(
        &mut self,
        heads: &BTreeMap<usize, Observed>,
        together: bool,
    ) -> Result<(), String> {
        let before = self.clone();
        // Relationships come after what they join.
        let mut order: Vec<usize> = (0..self.objects.len()).collect();
        order.sort_by_key(|at| matches!(self.objects[*at].kind, Kind::Relationship { .. }));
        for at in order {
            let seen = heads.get(&at);
            let states: BTreeSet<State> = self.objects[at]
                .states
                .iter()
                .flat_map(|state| self.after(at, state, seen, together, &before))
                .filter(|state| state.looks_like(seen))
                .collect();
            if states.is_empty() {
                let known = &self.objects[at].states;
                return Err(format!("object {at}: seen {seen:?}, but it was one of {known:#?}"));
            }
            let object = &mut self.objects[at];
            object.states = states;
            object.revision = seen.map_or(0, |seen| seen.revision);
        }
        Ok(())
    }

    /// The states one may have become, as far as the `HEAD` tells.
    fn after(
        &self,
        at: usize,
        state: &State,
        seen: Option<&Observed>,
        together: bool,
        before: &Self,
    ) -> Vec<State> {
        let (Some(stored), Some(seen)) = (&state.stored, seen) else {
            return vec![state.clone()];
        };
        let asked = |mut state: State| {
            state.stored.iter_mut().for_each(|stored| stored.pending = true);
            state
        };
        // Somebody asked for a projection that no write asked for.
        let reprojected = seen.revision > self.objects[at].revision;
        match (stored.pending, seen.pending) {
            (true, false) => self.project(at, state, before),
            (true, true) if together => self.project_partly(at, state, before),
            (false, true) => {
                let mut all = vec![asked(state.clone())];
                if reprojected {
                    all.extend(self.project(at, state, before).into_iter().map(asked));
                }
                if together {
                    all.extend(self.project_partly(at, &asked(state.clone()), before));
                }
                all
            }
            (false, false) if reprojected => {
                let mut all = self.project(at, state, before);
                // A write that changed nothing but the revision.
                all.push(state.clone());
                all
            }
            (true, true) | (false, false) => vec![state.clone()],
        }
    }
}

impl Object {
    /// What is stored of it, where its states do not differ: they do in what the logs hold only.
    pub fn stored(&self) -> Option<&Stored> {
        self.states.iter().next().and_then(|state| state.stored.as_ref())
    }
}
