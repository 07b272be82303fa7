//! In which order the events of a group are sent: nothing before what it refers to. Where objects
//! refer to each other, the first is sent without the reference, and again once it can have it.
//! Pure.

use std::collections::{HashMap, HashSet};

use shared::id::ObjectId;
use shared::stix::Facets;

use crate::event_id::LAST_PLACE;
use crate::group::{GROUP_BYTES, Plan, weight};
use crate::resolver::{Lookup, ends};

/// The events of a group: its places.
const PLACES: usize = LAST_PLACE as usize + 1;

/// An event of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The group's own.
    Own,
    /// An object that is sent beside it, without references to what was not sent yet. It may be
    /// the own object, where something else has to come between.
    Beside(ObjectId),
}

/// The events of a group.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// One after the other.
    pub steps: Vec<Step>,
    /// Something is sent without a reference to what is sent, as there is no room for it again.
    pub truncated: bool,
}

impl Order {
    /// What is sent beside the group's own object, or before it.
    pub fn beside(&self) -> impl Iterator<Item = &ObjectId> {
        self.steps.iter().filter_map(|step| match step {
            Step::Own => None,
            Step::Beside(id) => Some(id),
        })
    }
}

/// What an object that is not sent yet, or not as a whole, waits for.
struct Waiting {
    id: ObjectId,
    /// So many objects, of so many.
    left: usize,
    of: usize,
    /// It was sent without them.
    again: bool,
}

/// Works out an order.
pub struct Ordering<'a> {
    lookup: &'a Lookup,
    own: Option<&'a Facets>,
    held: &'a dyn Fn(&ObjectId) -> bool,
    planned: HashSet<&'a ObjectId>,
    sent: HashSet<ObjectId>,
    waiting: Vec<Waiting>,
    /// Who of them waits for an object.
    waiting_for: HashMap<ObjectId, Vec<usize>>,
    own_is_due: bool,
    /// What may still be sent again: places, and bytes.
    room: (usize, usize),
    order: Order,
}

impl<'a> Ordering<'a> {
    /// The order of what is planned beside `own`, if anything is the group's own. `known`: whether
    /// the reader has the object; what joins it to others can come before it then.
    pub fn of(
        plan: &'a Plan,
        own: Option<&'a Facets>,
        known: bool,
        lookup: &'a Lookup,
        held: &'a dyn Fn(&ObjectId) -> bool,
    ) -> Order {
        let mut planned: HashSet<&ObjectId> = plan.before.iter().chain(&plan.after).collect();
        planned.extend(own.map(|own| &own.id));
        // One place more for the own object, if it is sent twice.
        let places = PLACES.saturating_sub(planned.len() + 1);
        let mut this = Self {
            lookup,
            own,
            held,
            planned,
            sent: HashSet::new(),
            waiting: Vec::new(),
            waiting_for: HashMap::new(),
            own_is_due: false,
            room: (places, (GROUP_BYTES * 3 / 2).saturating_sub(plan.bytes)),
            order: Order::default(),
        };
        if let (Some(own), true) = (own, known) {
            this.sent.insert(own.id.clone());
        }
        let (early, late) = if known { (None, own) } else { (own, None) };
        plan.before.iter().for_each(|id| this.visit(id));
        if let Some(own) = early {
            this.visit(&own.id);
        }
        plan.after.iter().for_each(|id| this.visit(id));
        if let Some(own) = late {
            this.visit(&own.id);
        }
        if this.own_is_due {
            this.order.steps.push(Step::Own);
        }
        this.end()
    }

    fn facets(&self, id: &ObjectId) -> Option<&'a Facets> {
        let own = self.own.filter(|own| own.id == *id);
        own.or_else(|| self.lookup.get(id).map(|thing| &thing.facets))
    }

    fn lacks(&self, of: &ObjectId, id: &ObjectId) -> bool {
        of != id && !self.sent.contains(id) && !(self.held)(id)
    }

    fn visit(&mut self, id: &ObjectId) {
        let Some(facets) = self.facets(id) else { return };
        // A relationship is nothing without its ends.
        let ends: HashSet<&ObjectId> = ends(facets).filter(|end| self.lacks(id, end)).collect();
        if !ends.is_empty() {
            self.wait(id, &ends, false);
            return;
        }
        let coming = |one: &&ObjectId| self.lacks(id, one) && self.planned.contains(*one);
        let lacking: HashSet<&ObjectId> = facets.refs.iter().filter(coming).collect();
        let own = self.own.is_some_and(|own| own.id == *id);
        if own && lacking.is_empty() {
            self.order.steps.push(Step::Own);
        } else {
            self.order.steps.push(Step::Beside(id.clone()));
        }
        if own {
            self.own_is_due = !lacking.is_empty();
        } else if !lacking.is_empty() {
            self.wait(id, &lacking, true);
        }
        self.came(id);
    }

    fn wait(&mut self, id: &ObjectId, for_what: &HashSet<&ObjectId>, again: bool) {
        let number = self.waiting.len();
        let of = for_what.len();
        self.waiting.push(Waiting { id: id.clone(), left: of, of, again });
        for one in for_what {
            self.waiting_for.entry((*one).clone()).or_default().push(number);
        }
    }

    /// An object was sent: who waited for it alone can come now.
    fn came(&mut self, id: &ObjectId) {
        self.sent.insert(id.clone());
        for number in self.waiting_for.remove(id).unwrap_or_default() {
            let Some(waiting) = self.waiting.get_mut(number) else { continue };
            waiting.left -= 1;
            if waiting.left > 0 {
                continue;
            }
            let (id, again) = (waiting.id.clone(), waiting.again);
            if again {
                self.again(id);
            } else {
                self.visit(&id);
            }
        }
    }

    fn again(&mut self, id: ObjectId) {
        let bytes = self.lookup.get(&id).map_or(0, weight);
        if self.room.0 == 0 || self.room.1 < bytes {
            self.order.truncated = true;
            return;
        }
        self.room = (self.room.0 - 1, self.room.1 - bytes);
        self.order.steps.push(Step::Beside(id));
    }

    /// What waits for several objects of which one never came has the others.
    fn end(mut self) -> Order {
        let left: Vec<ObjectId> = self
            .waiting
            .iter()
            .filter(|waiting| waiting.again && (1..waiting.of).contains(&waiting.left))
            .map(|waiting| waiting.id.clone())
            .collect();
        for id in left {
            self.again(id);
        }
        self.order
    }
}

#[cfg(test)]
mod tests;
