//! Who waits for an object that could not be shown: members withheld, or sent without a reference
//! to it.

use std::collections::{HashMap, HashSet};

use shared::id::ObjectId;

/// How many may wait for one object: what its group holds.
const EACH: usize = 1_000;

/// How many may wait on one connection, beyond which no more are noted.
const ALL: usize = 10_000;

/// What is waited for on one connection.
#[derive(Debug, Default)]
pub struct Awaited {
    waiting: HashMap<ObjectId, HashSet<ObjectId>>,
    count: usize,
}

impl Awaited {
    /// `who` waits for an object, if there is room.
    pub fn note(&mut self, object: &ObjectId, who: &ObjectId) {
        if self.count >= ALL || self.waiting.get(object).is_some_and(|all| all.len() >= EACH) {
            return;
        }
        let added = self.waiting.entry(object.clone()).or_default().insert(who.clone());
        self.count += usize::from(added);
    }

    /// Who waits for an object.
    pub fn of(&self, object: &ObjectId) -> impl Iterator<Item = &ObjectId> {
        self.waiting.get(object).into_iter().flatten()
    }

    /// Whether anybody does.
    #[must_use]
    pub fn has(&self, object: &ObjectId) -> bool {
        self.waiting.contains_key(object)
    }

    /// The object was sent.
    pub fn came(&mut self, object: &ObjectId) {
        self.count -= self.waiting.remove(object).map_or(0, |all| all.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> ObjectId {
        format!("malware--{number:08x}-7f0c-4b6e-9c9e-1f2d3c4b5a69").parse().unwrap()
    }

    #[test]
    fn what_waits_is_bounded_for_each_and_for_all() {
        let mut awaited = Awaited::default();
        for who in 0..2 * EACH {
            awaited.note(&id(1), &id(who));
        }
        assert_eq!(awaited.of(&id(1)).count(), EACH);
        for number in 2..2 * ALL {
            awaited.note(&id(number), &id(1));
            awaited.note(&id(number), &id(1));
        }
        let all =
            |awaited: &Awaited| (1..2 * ALL).map(|n| awaited.of(&id(n)).count()).sum::<usize>();
        assert_eq!(all(&awaited), ALL);
        awaited.came(&id(1));
        assert!(!awaited.has(&id(1)));
        assert_eq!(all(&awaited), ALL - EACH);
        awaited.note(&id(1), &id(2));
        assert!(awaited.has(&id(1)), "there is room again");
    }
}
