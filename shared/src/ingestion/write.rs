//! Writing one object: decide, put under the condition that nothing changed, else decide again.

use std::time::Instant;

use chrono::TimeDelta;

use super::decide::{self, Context, Decision};
use super::{Accepted, Candidate, Kind, Outcome, Refusal, Submission};
use crate::access::TenantId;
use crate::id::ObjectId;
use crate::ioc::{self, Ioc};
use crate::services::Services;
use crate::stix::{Facets, SpecVersion, StixObject, level, markings_to_resolve};
use crate::store::{Expected, Head, PutHead, StoreError};
use crate::tlp::Tlp;

/// A writer that loses this many races in a row gives up.
const ATTEMPTS: u32 = 20;

/// Versions made here differ by at least this.
const ONE_MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

/// Takes one candidate in; returns what stands in the store then, as far as it is known.
pub(super) async fn take(
    services: &Services,
    submission: Submission<'_>,
    mut stored: Option<Head>,
    candidate: Candidate,
) -> Result<(Outcome, Option<Head>), StoreError> {
    for _ in 0..ATTEMPTS {
        let now = services.store().now();
        let context = Context {
            owner: submission.owner,
            into: submission.into.map(|collection| collection.id),
            now,
        };
        let mut object = match &candidate {
            Candidate::Refused(refused) => return Ok((Outcome::Refused(refused.clone()), stored)),
            Candidate::Object(object) => object.as_ref().clone(),
            Candidate::Ioc(ioc) => match indicator(ioc, stored.as_ref(), context) {
                Ok(Some(object)) => object,
                Ok(None) => {
                    let Some(head) = stored else { continue };
                    if let Some(why) = refusal(services, submission, &head.facets).await? {
                        return Ok((refuse_ioc(ioc, submission, why), Some(head)));
                    }
                    match settle_unchanged(services, head, context).await? {
                        Settled::Done(outcome, head) => return Ok((outcome, Some(head))),
                        Settled::Changed(present) => {
                            stored = present;
                            continue;
                        }
                    }
                }
                Err(why) => return Ok((refuse_ioc(ioc, submission, why), stored)),
            },
        };
        if let Some(stored) = &stored {
            decide::give_version(stored, &mut object, now);
        }
        let refused = match refusal(services, submission, &object.facets).await? {
            None => removed_here(stored.as_ref(), &object.facets, context),
            refused => refused,
        };
        if let Some(why) = refused {
            let outcome = Outcome::refused(&object.facets.id, &object.facets.version, why);
            return Ok((outcome, stored));
        }
        let decision = decide::decide(stored.as_ref(), &mut object, context);
        match carry_out(services, stored, object, decision, context).await? {
            Settled::Done(outcome, head) => return Ok((outcome, Some(head))),
            Settled::Changed(present) => stored = present,
        }
    }
    Err(StoreError::Throttled("too many writers of one object".into()))
}

enum Settled {
    Done(Outcome, Head),
    Changed(Option<Head>),
}

/// The indicator an IOC makes or becomes part of; `None` when what is stored says it all.
fn indicator(
    ioc: &Ioc,
    stored: Option<&Head>,
    context: Context<'_>,
) -> Result<Option<StixObject>, Refusal> {
    // The id can be foretold, so somebody else may have taken it.
    if stored.is_some_and(|head| head.owner != *context.owner) {
        return Err(Refusal::NotOwner);
    }
    let json = match stored {
        Some(head) if !head.deleted => ioc::merge_into(&head.json, ioc, context.now)
            .map_err(|e| Refusal::Merge(e.to_string()))?,
        // A deleted indicator comes again as a new one, later than its tombstone.
        deleted => {
            let after = deleted.map(|head| head.facets.version.0.at() + ONE_MILLISECOND);
            let now = after.map_or(context.now, |after| context.now.max(after));
            Some(ioc::new_indicator(ioc, context.owner.as_str(), now)?)
        }
    };
    json.map(|json| StixObject::parse(json.as_bytes(), context.now))
        .transpose()
        .map_err(Refusal::Object)
}

fn refuse_ioc(ioc: &Ioc, submission: Submission<'_>, why: Refusal) -> Outcome {
    let id = ioc::indicator_id(submission.owner.as_str(), ioc.kind(), ioc.value());
    Outcome::Refused(super::Refused { id: Some(id.to_string()), version: None, why })
}

/// Nothing new was said; but the collection may still have to be told.
async fn settle_unchanged(
    services: &Services,
    stored: Head,
    context: Context<'_>,
) -> Result<Settled, StoreError> {
    let posted = context.into.is_none_or(|into| stored.state.posted.contains(&into));
    if posted {
        return Ok(done(Kind::Unchanged, false, stored));
    }
    let mut head = stored.next_revision(context.now);
    head.state.posted.extend(context.into);
    put(services, &stored, head, Kind::Unchanged).await
}

fn done(kind: Kind, content_differs: bool, head: Head) -> Settled {
    let accepted = Accepted {
        kind,
        id: head.facets.id.clone(),
        version: head.facets.version.clone(),
        revision: head.revision,
        content_differs,
    };
    Settled::Done(Outcome::Accepted(accepted), head)
}

async fn put(
    services: &Services,
    stored: &Head,
    head: Head,
    kind: Kind,
) -> Result<Settled, StoreError> {
    match services.store().put_head(&head, Expected::from(Some(stored))).await? {
        PutHead::Done => Ok(done(kind, false, head)),
        PutHead::Changed(present) => Ok(Settled::Changed(present.map(|head| *head))),
    }
}

/// Why `facets` may not go where the submission sends it.
async fn refusal(
    services: &Services,
    submission: Submission<'_>,
    facets: &Facets,
) -> Result<Option<Refusal>, StoreError> {
    let Some(collection) = submission.into else {
        return Ok(None);
    };
    let settings = &collection.settings;
    if !settings.spec_versions.contains(&facets.spec_version) {
        return Ok(Some(Refusal::SpecVersion(match facets.spec_version {
            SpecVersion::V20 => "2.0 (it has no spec_version)",
            SpecVersion::V21 => "2.1",
        })));
    }
    let level = level_of(services, facets, submission.owner, None).await?;
    Ok(if level > settings.ceiling {
        Some(Refusal::AboveCeiling { level, ceiling: settings.ceiling })
    } else if level > submission.clearance {
        Some(Refusal::AboveClearance { level, clearance: submission.clearance })
    } else {
        None
    })
}

/// Whether the collection would not show the object, as it was deleted from there.
fn removed_here(stored: Option<&Head>, facets: &Facets, context: Context<'_>) -> Option<Refusal> {
    let (stored, into) = (stored?, context.into?);
    let log = crate::log::LogId::Collection(into);
    let newest_removed =
        stored.removed_from(into, stored.version()) && !stored.memberships.contains_key(&log);
    let removed = stored.removed_from(into, &facets.version)
        || (newest_removed && facets.version <= *stored.version());
    (removed && !stored.deleted).then_some(Refusal::RemovedHere)
}

/// The TLP level of an object of `owner`, its markings looked up as they are at `since` or later
/// (absent: within the last minute).
///
/// # Errors
/// When the store fails.
pub async fn level_of(
    services: &Services,
    facets: &Facets,
    owner: &TenantId,
    since: Option<Instant>,
) -> Result<Tlp, StoreError> {
    let mut resolved = std::collections::HashMap::new();
    for id in markings_to_resolve(facets) {
        resolved.insert(id.clone(), services.marking(id, owner, since).await?);
    }
    Ok(level(facets, |id| resolved.get(id).copied().unwrap_or(crate::stix::Marking::Unknown)))
}

async fn carry_out(
    services: &Services,
    stored: Option<Head>,
    object: StixObject,
    decision: Decision,
    context: Context<'_>,
) -> Result<Settled, StoreError> {
    let store = services.store();
    match (decision, stored) {
        (Decision::Refuse(why), stored) => {
            let outcome = Outcome::refused(&object.facets.id, &object.facets.version, why);
            Ok(match stored {
                Some(head) => Settled::Done(outcome, head),
                None => Settled::Changed(None),
            })
        }
        (Decision::Nothing { kind, content_differs }, Some(stored)) => {
            let Settled::Done(outcome, head) = done(kind, content_differs, stored) else {
                return Ok(Settled::Changed(None));
            };
            Ok(Settled::Done(as_sent(outcome, &object), head))
        }
        (Decision::Put { head, kind, keep }, stored) => {
            if let (Some(stored), true) = (&stored, keep) {
                store.keep_version(stored).await?;
            }
            link(services, stored.as_ref(), &object.facets).await?;
            match store.put_head(&head, Expected::from(stored.as_ref())).await? {
                PutHead::Done => {
                    if head.facets.object_type() == "marking-definition" {
                        services.forget_marking(head.id());
                    }
                    let content_differs = kind == Kind::Unchanged && head.content != object.content;
                    Ok(done(kind, content_differs, *head))
                }
                PutHead::Changed(present) => Ok(Settled::Changed(present.map(|head| *head))),
            }
        }
        (Decision::Older, Some(stored)) => older(services, stored, &object, context).await,
        // Nothing and older only ever follow from something stored.
        (Decision::Nothing { .. } | Decision::Older, None) => Ok(Settled::Changed(None)),
    }
}

/// The answer speaks of the version that was sent, not of the one that is stored.
fn as_sent(outcome: Outcome, object: &StixObject) -> Outcome {
    match outcome {
        Outcome::Accepted(accepted) => {
            Outcome::Accepted(Accepted { version: object.facets.version.clone(), ..accepted })
        }
        refused @ Outcome::Refused(_) => refused,
    }
}

/// An older version than the stored one: kept, and projected as history. A version that is kept
/// but whose projection was never asked for (the writer died between the two) is asked for now.
async fn older(
    services: &Services,
    stored: Head,
    object: &StixObject,
    context: Context<'_>,
) -> Result<Settled, StoreError> {
    let store = services.store();
    let version = &object.facets.version;
    let new = store.put_older_version(&object.facets, &object.json).await?;
    let known = if new { None } else { store.older_version(stored.id(), version).await? };
    let asked = stored.state.history.contains(version);
    let waiting = !asked && known.as_ref().is_some_and(|known| !known.projected);
    // Where it has an entry it may have had it before the object left, so that alone says nothing.
    let elsewhere = |into| {
        !stored.state.posted.contains(&into)
            || known.as_ref().is_some_and(|known| !known.is_in(into))
    };
    // What waits was never answered for: it was kept by this call before it lost a race, or by
    // one that died.
    let kind = if new || waiting { Kind::Stale } else { Kind::Unchanged };
    let outcome = |head: Head| match done(kind, false, head) {
        Settled::Done(outcome, head) => Settled::Done(as_sent(outcome, object), head),
        changed @ Settled::Changed(_) => changed,
    };
    if !new && !waiting && !context.into.is_some_and(elsewhere) {
        return Ok(outcome(stored));
    }
    let head = decide::with_history(&stored, version, context);
    match store.put_head(&head, Expected::from(Some(&stored))).await? {
        PutHead::Done => Ok(outcome(head)),
        PutHead::Changed(present) => Ok(Settled::Changed(present.map(|head| *head))),
    }
}

/// Puts the links that must be found once the object is: under the ends of a relationship,
/// under markings that have to be looked up, under the name of an identity.
async fn link(
    services: &Services,
    stored: Option<&Head>,
    facets: &Facets,
) -> Result<(), StoreError> {
    let store = services.store();
    let known = stored.map(|head| &head.facets);
    if let Some(ends) = &facets.ends
        && known.and_then(|known| known.ends.as_ref()) != Some(ends)
    {
        for end in ends.sources.iter().chain(&ends.targets) {
            store.link_relationship(end, &facets.id).await?;
        }
    }
    for marking in markings_to_resolve(facets) {
        if !known.is_some_and(|known| known.markings.contains(marking)) {
            store.link_marked(marking, &facets.id).await?;
        }
    }
    if let (Some(name), "identity") = (&facets.name, facets.object_type())
        && known.and_then(|known| known.name.as_ref()) != Some(name)
    {
        store.link_identity(name, &facets.id).await?;
    }
    Ok(())
}

/// Puts a tombstone.
pub(super) async fn delete(
    services: &Services,
    owner: &TenantId,
    id: &ObjectId,
) -> Result<Option<Outcome>, StoreError> {
    let store = services.store();
    let mut stored = store.head(id).await?;
    for _ in 0..ATTEMPTS {
        let Some(head) = stored else {
            return Ok(None);
        };
        if head.owner != *owner {
            let outcome = Outcome::refused(id, head.version(), Refusal::NotOwner);
            return Ok(Some(outcome));
        }
        let settled = if head.deleted {
            done(Kind::Deleted, false, head)
        } else {
            let tombstone = decide::tombstone(&head, store.now());
            services.forget_marking(id);
            put(services, &head, tombstone, Kind::Deleted).await?
        };
        match settled {
            Settled::Done(outcome, _) => return Ok(Some(outcome)),
            Settled::Changed(present) => stored = present,
        }
    }
    Err(StoreError::Throttled("too many writers of one object".into()))
}
