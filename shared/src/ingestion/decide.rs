//! What to do with an object, given what is stored under its id. Pure.

use chrono::{DateTime, Datelike, TimeDelta, Utc};

use super::{Kind, Refusal};
use crate::access::TenantId;
use crate::log::CollectionId;
use crate::stix::StixObject;
use crate::store::{Head, State};
use crate::time::{Position, Timestamp, Version};

/// What to write.
#[derive(Debug)]
pub enum Decision {
    /// A new `HEAD`; the version that stood there is kept first, if there was one.
    Put {
        /// What to put.
        head: Box<Head>,
        /// What it means.
        kind: Kind,
        /// Keep the version it replaces.
        keep: bool,
    },
    /// An older version, and a `HEAD` that asks for its projection, if it is not there yet.
    Older,
    /// Nothing.
    Nothing {
        /// What it means.
        kind: Kind,
        /// The same version stands there with other content.
        content_differs: bool,
    },
    /// Refused.
    Refuse(Refusal),
}

/// The circumstances of a decision.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Who writes.
    pub owner: &'a TenantId,
    /// The collection that takes the object explicitly.
    pub into: Option<CollectionId>,
    /// The present moment.
    pub now: DateTime<Utc>,
}

/// Decides about `object`. Its version is replaced by a later one than stored if it has none of
/// its own and its content changed.
pub fn decide(stored: Option<&Head>, object: &mut StixObject, context: Context<'_>) -> Decision {
    let Some(stored) = stored else {
        return put(new_head(object, context), Kind::Created, false);
    };
    let same_content = stored.content == object.content;
    give_version(stored, object, context.now);
    let newer = object.facets.version > stored.facets.version;
    let same = object.facets.version == stored.facets.version;
    if stored.deleted {
        return match newer {
            false => Decision::Nothing { kind: Kind::Deleted, content_differs: false },
            true if stored.owner != *context.owner => Decision::Refuse(Refusal::NotOwner),
            true => put(recreated(stored, object, context), Kind::Created, true),
        };
    }
    // Another owner may say again what is known, and add to its own collection what the operator
    // owns, if it knows the very content. Anything else would change or reveal an object.
    if stored.owner != *context.owner {
        let addable = same_content && stored.owner.is_operator();
        let harmless = same && (addable || context.into.is_none());
        if !harmless {
            return Decision::Refuse(Refusal::NotOwner);
        }
    }
    if newer {
        put(updated(stored, object, context), Kind::Updated, true)
    } else if same {
        match with_posted(stored, context) {
            Some(head) => put(head, Kind::Unchanged, false),
            None => Decision::Nothing { kind: Kind::Unchanged, content_differs: !same_content },
        }
    } else {
        Decision::Older
    }
}

/// Gives an object that has no version of its own that of what is `stored`, if it says the same,
/// or a later one.
pub fn give_version(stored: &Head, object: &mut StixObject, now: DateTime<Utc>) {
    if object.own_version {
        return;
    }
    object.facets.version = if stored.content == object.content {
        stored.facets.version.clone()
    } else {
        version_after(&stored.facets.version, now)
    };
}

fn put(head: Head, kind: Kind, keep: bool) -> Decision {
    Decision::Put { head: Box::new(head), kind, keep }
}

fn version_after(stored: &Version, now: DateTime<Utc>) -> Version {
    let after = stored.0.at() + TimeDelta::milliseconds(1);
    // A timestamp has four digits for the year: at their end nothing comes after.
    let after = if after.year() > 9999 { stored.0.at() } else { after };
    Version(Timestamp::millis(now.max(after)))
}

fn new_head(object: &StixObject, context: Context<'_>) -> Head {
    Head {
        facets: object.facets.clone(),
        json: object.json.clone(),
        content: object.content,
        owner: context.owner.clone(),
        revision: 1,
        projected: 0,
        pending: Some(Position::at_or_before(context.now)),
        quiet: 0,
        deleted: false,
        memberships: std::collections::BTreeMap::new(),
        state: State { posted: context.into.into_iter().collect(), ..State::default() },
        known_at: std::time::Instant::now(),
    }
}

fn updated(stored: &Head, object: &StixObject, context: Context<'_>) -> Head {
    let mut head = stored.next_revision(context.now);
    // What stands in the logs is the version that now becomes an older one.
    for membership in head.memberships.values_mut() {
        membership.version.get_or_insert_with(|| stored.facets.version.clone());
    }
    // A version nobody projected yet would be skipped: its turn comes with this revision.
    if stored.pending.is_some() && !head.state.history.contains(stored.version()) {
        head.state.history.push(stored.facets.version.clone());
    }
    head.state.has_older = true;
    head.state.posted.extend(context.into);
    head.facets = object.facets.clone();
    head.json.clone_from(&object.json);
    head.content = object.content;
    head
}

fn recreated(stored: &Head, object: &StixObject, context: Context<'_>) -> Head {
    let mut head = updated(stored, object, context);
    head.deleted = false;
    // What the deleted object was posted to does not hold for the new one.
    head.state.posted = context.into.into_iter().collect();
    head.state.history.clear();
    head.state.left = stored.pending.is_some().then_some(head.revision);
    head
}

fn with_posted(stored: &Head, context: Context<'_>) -> Option<Head> {
    let collection = context.into?;
    if stored.state.posted.contains(&collection) {
        return None;
    }
    let mut head = stored.next_revision(context.now);
    head.state.posted.insert(collection);
    Some(head)
}

/// The tombstone of `stored`.
pub fn tombstone(stored: &Head, now: DateTime<Utc>) -> Head {
    let mut head = stored.next_revision(now);
    head.deleted = true;
    head.state.posted.clear();
    head.state.history.clear();
    head
}

/// `stored`, asking for an older version to be projected.
pub fn with_history(stored: &Head, older: &Version, context: Context<'_>) -> Head {
    let mut head = stored.next_revision(context.now);
    if !head.state.history.contains(older) {
        head.state.history.push(older.clone());
    }
    head.state.has_older = true;
    head.state.posted.extend(context.into);
    head
}

#[cfg(test)]
mod tests;
