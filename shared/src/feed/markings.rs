//! The markings that the levels of an edition's rows rest on, and what each stood for.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::id::ObjectId;
use crate::stix::{Facets, Marking, level};
use crate::tlp::Tlp;

/// So many are remembered: what one batch reads.
const REMEMBERED: usize = 100;

/// Where there are more, all rows are made anew this often.
const ANEW_WITHIN: TimeDelta = TimeDelta::days(1);

/// The level of a row. A marking nobody knows counts as the `ceiling`, the highest level its
/// collection may hold; what is known is never lowered to that, as it may be younger.
#[must_use]
pub fn row_level(facets: &Facets, ceiling: Tlp, resolve: impl Fn(&ObjectId) -> Marking) -> Tlp {
    level(facets, |id| match resolve(id) {
        Marking::Unknown => Marking::Level(ceiling),
        known => known,
    })
}

/// The markings named by an edition's rows that are none of OASIS' own. When one of them stands
/// for something else, rows that nobody wrote have another level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Markings {
    /// What each stood for; nothing where there are too many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    stood_for: BTreeMap<ObjectId, Marking>,
    /// When the levels were right for the last time, where there are too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    too_many_at: Option<DateTime<Utc>>,
}

impl Markings {
    /// Adds what a row names, as it stands at `now`.
    pub fn add(&mut self, id: &ObjectId, marking: Marking, now: DateTime<Utc>) {
        if self.too_many_at.is_some() {
            return;
        }
        if !self.stood_for.contains_key(id) {
            self.stood_for.insert(id.clone(), marking);
        }
        if self.stood_for.len() > REMEMBERED {
            *self = Self { stood_for: BTreeMap::new(), too_many_at: Some(now) };
        }
    }

    /// Those of a later run beside these, which held at `now`.
    #[must_use]
    pub fn and(&self, later: &Self, now: DateTime<Utc>) -> Self {
        let mut both = self.clone();
        if both.too_many_at.is_none() && later.too_many_at.is_some() {
            return later.clone();
        }
        for (id, marking) in &later.stood_for {
            both.add(id, *marking, now);
        }
        both
    }

    /// Which they are, as far as they are remembered.
    #[must_use]
    pub fn ids(&self) -> Vec<ObjectId> {
        self.stood_for.keys().cloned().collect()
    }

    /// Whether the rows still have the levels they were made with, now that the markings stand
    /// for this.
    #[must_use]
    pub fn hold(&self, present: &HashMap<ObjectId, Marking>, now: DateTime<Utc>) -> bool {
        let same = |(id, stood_for)| present.get(id) == Some(stood_for);
        self.stood_for.iter().all(same) && self.too_many_at.is_none_or(|at| now - at < ANEW_WITHIN)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const GREEN: Marking = Marking::Level(Tlp::Green);

    fn id(number: usize) -> ObjectId {
        ObjectId::from_parts("marking-definition", Uuid::from_u128(number as u128))
    }

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(hour * 3600, 0).unwrap()
    }

    #[test]
    fn they_hold_until_one_stands_for_something_else() {
        let mut markings = Markings::default();
        assert!(markings.hold(&HashMap::new(), at(0)), "there are none");
        markings.add(&id(1), Marking::Unknown, at(0));
        markings.add(&id(2), GREEN, at(0));
        assert_eq!(markings.ids(), [id(1), id(2)]);
        let mut present = HashMap::from([(id(1), Marking::Unknown), (id(2), GREEN)]);
        assert!(markings.hold(&present, at(1000)));
        for other in [Marking::Level(Tlp::Clear), Marking::NoLevel] {
            present.insert(id(1), other);
            assert!(!markings.hold(&present, at(0)), "it is defined: {other:?}");
        }
        present.insert(id(1), Marking::Unknown);
        present.insert(id(2), Marking::Unknown);
        assert!(!markings.hold(&present, at(0)), "it is deleted");
    }

    #[test]
    fn too_many_hold_for_a_day_from_when_they_were_right() {
        let mut markings = Markings::default();
        (0..REMEMBERED).for_each(|number| markings.add(&id(number), GREEN, at(0)));
        assert_eq!(markings.ids().len(), REMEMBERED);
        let mut one = Markings::default();
        one.add(&id(REMEMBERED), GREEN, at(5));
        let more = markings.and(&one, at(5));
        assert!(more.ids().is_empty());
        let more = more.and(&one, at(20));
        assert!(more.hold(&HashMap::new(), at(28)) && !more.hold(&HashMap::new(), at(29)));
        assert_eq!(one.and(&more, at(20)), more);
    }
}
