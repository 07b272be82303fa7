//! What a connection was sent within the last five minutes, and need not be sent again because
//! something refers to it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use shared::id::ObjectId;
use shared::stix::Facets;

/// For so long a dependency is not sent again.
const SPAN: Duration = Duration::from_mins(5);

/// More than these are forgotten; what is needed of them is sent again.
const BOUND: usize = 20_000;

/// The cache of one connection.
#[derive(Debug, Default)]
pub struct Cache {
    sent: HashMap<ObjectId, Instant>,
    /// The relationships and sightings among them, by their ends: they go when an end is deleted.
    by_end: HashMap<ObjectId, Vec<ObjectId>>,
}

impl Cache {
    /// Whether the object was sent within the last five minutes, and not deleted since.
    #[must_use]
    pub fn holds(&self, id: &ObjectId, now: Instant) -> bool {
        self.sent.get(id).is_some_and(|at| now.duration_since(*at) < SPAN)
    }

    /// The object was sent.
    pub fn insert(&mut self, facets: &Facets, now: Instant) {
        if self.sent.len() >= BOUND {
            self.forget_old(now);
        }
        let known = self.sent.insert(facets.id.clone(), now).is_some();
        let ends = facets.ends.as_ref().filter(|_| !known);
        for end in ends.into_iter().flat_map(|ends| ends.sources.iter().chain(&ends.targets)) {
            self.by_end.entry(end.clone()).or_default().push(facets.id.clone());
        }
    }

    /// The object was deleted, and with it, at the reader's, every relationship it is an end of;
    /// returns those of them that were sent.
    pub fn delete(&mut self, id: &ObjectId) -> Vec<ObjectId> {
        let mut gone = vec![id.clone()];
        let mut next = 0;
        while let Some(one) = gone.get(next).cloned() {
            self.sent.remove(&one);
            gone.extend(self.by_end.remove(&one).unwrap_or_default());
            next += 1;
        }
        gone.remove(0);
        gone
    }

    fn forget_old(&mut self, now: Instant) {
        self.sent.retain(|_, at| now.duration_since(*at) < SPAN);
        if self.sent.len() >= BOUND {
            self.sent.clear();
        }
        let sent = &self.sent;
        self.by_end.retain(|_, linked| {
            linked.retain(|id| sent.contains_key(id));
            !linked.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use shared::stix::StixObject;

    use super::*;

    fn facets(id: &str, rest: &str) -> Facets {
        let object_type = id.split("--").next().unwrap();
        let json = format!(
            r#"{{"type":"{object_type}","spec_version":"2.1","id":"{id}","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z"{rest}}}"#
        );
        StixObject::parse(json.as_bytes(), chrono::DateTime::UNIX_EPOCH).unwrap().facets
    }

    #[test]
    fn what_was_sent_is_held_for_five_minutes() {
        let malware = facets("malware--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69", "");
        let mut cache = Cache::default();
        let now = Instant::now();
        cache.insert(&malware, now);
        assert!(cache.holds(&malware.id, now + Duration::from_secs(299)));
        assert!(!cache.holds(&malware.id, now + Duration::from_mins(5)));
    }

    #[test]
    fn relationships_go_with_their_ends() {
        let end = facets("malware--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69", "");
        let joins = |from: &ObjectId, to: &ObjectId| {
            format!(r#","relationship_type":"uses","source_ref":"{from}","target_ref":"{to}""#)
        };
        let link =
            facets("relationship--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69", &joins(&end.id, &end.id));
        let other = facets(
            "relationship--7e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69",
            &joins(&link.id, &link.id),
        );
        let mut cache = Cache::default();
        let now = Instant::now();
        for one in [&end, &link, &other] {
            cache.insert(one, now);
        }
        let gone = cache.delete(&end.id);
        assert!(gone.contains(&link.id) && gone.contains(&other.id));
        assert!([&end, &link, &other].iter().all(|one| !cache.holds(&one.id, now)));
    }
}
