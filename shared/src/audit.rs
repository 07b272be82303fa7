//! Who changed what an operator manages, when, and how it was before and after. A record is
//! written in the transaction of the change it tells of: neither exists without the other.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use uuid::Uuid;

use crate::access::{KeyId, TenantId};
use crate::time::Position;

/// Who makes a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Actor {
    /// A request with an operator's key.
    Key {
        /// The key's public id.
        key: KeyId,
        /// Its tenant.
        tenant: TenantId,
        /// The request, as its answer names it.
        request_id: Uuid,
    },
    /// Somebody who may write the tables themselves, by the command line.
    Direct {
        /// Who that is, as the machine knows it.
        user: String,
    },
    /// The service itself, at its first start.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { key, .. } => write!(f, "key {key}"),
            Self::Direct { user } => write!(f, "{user}, directly"),
            Self::System => f.write_str("system"),
        }
    }
}

/// What is managed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A tenant.
    Tenant,
    /// A key.
    Key,
    /// A plan.
    Plan,
    /// A collection.
    Collection,
    /// A feed.
    Feed,
    /// A tenant's subscription, as an operator made or ended it.
    Subscription,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Tenant, Self::Key, Self::Plan, Self::Collection, Self::Feed, Self::Subscription];

    /// The kind's name, such as `tenant`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Key => "key",
            Self::Plan => "plan",
            Self::Collection => "collection",
            Self::Feed => "feed",
            Self::Subscription => "subscription",
        }
    }
}

/// One thing that is managed, or all of a kind: `key/abc`, `key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// What it is.
    pub kind: Kind,
    /// Which one; absent: all of the kind.
    pub id: Option<String>,
}

/// Why a text names nothing that is managed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is nothing that is managed: use {known}, alone or with an id, as in key/abc",
        known = Kind::ALL.map(Kind::name).join(", "))]
pub struct SubjectError(String);

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, id) = match text.split_once('/') {
            Some((kind, id)) => (kind, Some(id)),
            None => (text, None),
        };
        let known = Kind::ALL.into_iter().find(|known| known.name() == kind);
        let well_formed = id.is_none_or(|id| (1..=200).contains(&id.len()));
        match known.filter(|_| well_formed) {
            Some(kind) => Ok(Self { kind, id: id.map(str::to_owned) }),
            None => Err(SubjectError(text.chars().take(40).collect())),
        }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Made.
    Create,
    /// Changed.
    Update,
    /// Deleted.
    Delete,
    /// A key stops to work.
    Revoke,
    /// A key is replaced by another.
    Rotate,
}

/// The thing a record is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Which one.
    pub id: String,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Names the record; ids sort by time.
    pub id: String,
    /// When.
    pub time: DateTime<Utc>,
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// As it was; absent of what was made. No secret is in it, nor the digest of one.
    pub before: Option<Value>,
    /// As it is since; absent of what was deleted.
    pub after: Option<Value>,
    /// What else there is to say, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl AuditRecord {
    /// A record of a change at `now`.
    #[must_use]
    pub fn new(now: DateTime<Utc>, actor: &Actor, action: Action, resource: Resource) -> Self {
        let micros = Position::at_or_before(now).micros();
        let unique = Uuid::new_v4().simple().to_string();
        Self {
            // Thirteen digits last until the year 2112.
            id: format!("{micros:013x}-{}", unique.get(..4).unwrap_or_default()),
            time: now,
            actor: actor.clone(),
            action,
            resource,
            before: None,
            after: None,
            note: None,
        }
    }

    /// The same with what was there before.
    #[must_use]
    pub fn from(mut self, before: &impl Serialize) -> Self {
        self.before = serde_json::to_value(before).ok();
        self
    }

    /// The same with what is there since.
    #[must_use]
    pub fn to(mut self, after: &impl Serialize) -> Self {
        self.after = serde_json::to_value(after).ok();
        self
    }

    /// The same with a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

impl Kind {
    /// This one of the kind.
    #[must_use]
    pub fn named(self, id: impl fmt::Display) -> Resource {
        Resource { kind: self, id: id.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_a_kind_or_one_of_it() {
        let one: Subject = "key/abc".parse().unwrap();
        assert_eq!(one, Subject { kind: Kind::Key, id: Some("abc".into()) });
        assert_eq!("tenant".parse(), Ok(Subject { kind: Kind::Tenant, id: None }));
        for bad in ["", "keys", "key/", "Key", "/abc"] {
            assert!(bad.parse::<Subject>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ids_sort_by_time_and_records_read_back() {
        let record = |seconds| {
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            let actor = Actor::Direct { user: "me".into() };
            AuditRecord::new(at, &actor, Action::Create, Kind::Key.named("k")).to(&"x")
        };
        let (early, late) = (record(9), record(100));
        assert!(early.id < late.id);
        let text = serde_json::to_string(&early).unwrap();
        assert_eq!(serde_json::from_str::<AuditRecord>(&text).unwrap(), early);
    }
}
