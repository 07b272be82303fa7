//! What a filter selects: the terms of each key brought together.

use std::collections::BTreeSet;

use super::Term;
use crate::notification::{Kind, Kinds, Notification};
use crate::time::Position;

/// What must hold of a notification. Of a key that stands twice both must hold: so two ids select
/// nothing, and of two dates the narrower counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Caused at this moment or later.
    pub from: Option<Position>,
    /// Caused before this moment.
    pub before: Option<Position>,
    /// Of one of these kinds.
    pub kinds: Kinds,
    /// About each of these.
    pub entities: BTreeSet<String>,
    /// Triggered by each of these.
    pub sources: BTreeSet<String>,
    /// With each of these tags.
    pub tags: BTreeSet<String>,
}

impl Selection {
    /// What selects everything.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            from: None,
            before: None,
            kinds: Kinds::ALL,
            entities: BTreeSet::new(),
            sources: BTreeSet::new(),
            tags: BTreeSet::new(),
        }
    }

    /// What is selected by this and a term.
    #[must_use]
    pub fn and(mut self, term: &Term) -> Self {
        let only = |wanted: &dyn Fn(Kind) -> bool| self.kinds.and(Kinds::where_(wanted));
        match term {
            Term::From(at) => self.from = self.from.max(Some(*at)),
            Term::Before(at) => {
                self.before = Some(self.before.map_or(*at, |before| before.min(*at)));
            }
            Term::Origin(origin) => self.kinds = only(&|kind| kind.source.origin() == *origin),
            Term::EntityType(entity) => self.kinds = only(&|kind| kind.entity == *entity),
            Term::SourceType(source) => self.kinds = only(&|kind| kind.source == *source),
            Term::EntityId(id) => drop(self.entities.insert(id.clone())),
            Term::SourceId(id) => drop(self.sources.insert(id.clone())),
            Term::Tag(tag) => drop(self.tags.insert(tag.clone())),
        }
        self
    }

    /// Whether nothing at all can match.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
            || self.entities.len() > 1
            || self.sources.len() > 1
            || self.before.is_some_and(|before| self.from.is_some_and(|from| from >= before))
    }

    /// Whether a notification matches.
    #[must_use]
    pub fn matches(&self, notification: &Notification) -> bool {
        let cause = notification.id.cause();
        self.from.is_none_or(|from| cause >= from)
            && self.before.is_none_or(|before| cause < before)
            && self.kinds.contains(notification.kind())
            && self.entities.iter().all(|id| *id == notification.entity.id)
            && self.sources.iter().all(|id| *id == notification.source.id)
            && self.tags.iter().all(|tag| notification.tags.contains(tag))
    }
}
