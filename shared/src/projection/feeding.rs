//! What subscribers must be told of becomes a job, before the object's projection is called done:
//! killed in between, it becomes one again, and tells nobody twice.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Subject;
use super::append::Standings;
use crate::id::ObjectId;
use crate::log::LogId;
use crate::notification::SourceType;
use crate::store::{Fed, FeedJob, FeedPlace, Head, NotificationJob, Path, Store, StoreError};
use crate::subscription::{SubscriptionSource, is_actor, is_carrier};

/// Indicators of one job.
const PER_JOB: usize = 100;

/// Relationships that lead from an indicator to an actor.
const LEADING: [&str; 2] = ["indicates", "attributed-to"];

/// What there is to tell, by what is subscribed to.
type Tidings = BTreeMap<SubscriptionSource, Vec<FeedPlace>>;

/// Adds jobs for what entered collections and for what became related to threat actors.
pub async fn enqueue(
    store: &Store,
    subjects: &[Subject],
    results: &HashMap<ObjectId, Standings>,
    ends: &HashMap<ObjectId, Head>,
) -> Result<(), StoreError> {
    // A relationship that belongs in no log stands nowhere, and leads to actors all the same.
    let nowhere = Standings::default();
    let live: Vec<(&Head, &Standings)> = subjects
        .iter()
        .map(|subject| (&subject.head, results.get(subject.head.id()).unwrap_or(&nowhere)))
        .filter(|(_, standings)| !standings.obsolete)
        .collect();
    let mut entered: BTreeMap<SubscriptionSource, Vec<Fed>> = BTreeMap::new();
    for (head, standings) in &live {
        if head.facets.is_indicator() && !head.deleted && !head.quiet {
            for (source, fed) in entries(head, standings) {
                entered.entry(source).or_default().push(fed);
            }
        }
    }
    if !entered.is_empty() && store.was_subscribed_to(SourceType::Collection).await? {
        add(store, in_jobs(entered)).await?;
    }
    let related = related(store, &live, ends).await?;
    add(store, related).await
}

fn entries<'a>(
    head: &'a Head,
    standings: &'a Standings,
) -> impl Iterator<Item = (SubscriptionSource, Fed)> + 'a {
    standings.entered.iter().filter_map(|(log, position)| {
        let LogId::Collection(id) = log else { return None };
        let fed = Fed { object: head.id().clone(), cause: *position, through: Vec::new() };
        Some((SubscriptionSource::Collection(*id), fed))
    })
}

fn in_jobs(told: BTreeMap<SubscriptionSource, Vec<Fed>>) -> Tidings {
    told.into_iter()
        .map(|(source, fed)| {
            let parts = fed.chunks(PER_JOB).map(|part| FeedPlace::Objects(part.to_vec()));
            (source, parts.collect())
        })
        .collect()
}

async fn add(store: &Store, tidings: Tidings) -> Result<(), StoreError> {
    for (source, places) in tidings {
        if !store.has_subscribers(&source).await? {
            continue;
        }
        for place in places {
            let job = NotificationJob::Feed(FeedJob::new(source.clone(), place)?);
            store.add_notification_job(&job).await?;
        }
    }
    Ok(())
}

/// What became related to actors by these objects, but for those that are projected again because
/// a collection's definition changed. Each writes down its own ways before it looks
/// for those of others, so of two that complete one at the same time at least one sees it whole.
async fn related(
    store: &Store,
    live: &[(&Head, &Standings)],
    ends: &HashMap<ObjectId, Head>,
) -> Result<Tidings, StoreError> {
    let mut leading = Vec::new();
    for (head, _) in live {
        let Some(path) = path(head) else { continue };
        if head.deleted || head.facets.revoked {
            store.unlink_path(&path).await?;
        } else {
            store.link_path(&path).await?;
            if !head.quiet {
                leading.push((*head, path));
            }
        }
    }
    let arrived: Vec<&Head> = live
        .iter()
        .map(|(head, _)| *head)
        .filter(|head| head.facets.is_indicator() && !head.deleted && !head.quiet)
        .filter(|head| head.memberships.is_empty())
        .collect();
    if (leading.is_empty() && arrived.is_empty())
        || !store.was_subscribed_to(SourceType::ThreatActor).await?
    {
        return Ok(Tidings::new());
    }
    let mut told: BTreeMap<SubscriptionSource, Vec<Fed>> = BTreeMap::new();
    let mut carriers = Tidings::new();
    for (head, path) in leading {
        let cause = head.pending.unwrap_or_default();
        if is_carrier(&path.from) {
            let place = FeedPlace::Carrier {
                carrier: path.from,
                relationship: path.relationship,
                cause,
                reached: None,
            };
            carriers.entry(SubscriptionSource::ThreatActor(path.to)).or_default().push(place);
        } else if ends.get(&path.from).is_some_and(|indicator| !indicator.deleted) {
            for (actor, through) in to_actors(store, &path).await? {
                let object = path.from.clone();
                told.entry(actor).or_default().push(Fed { object, cause, through });
            }
        }
    }
    for head in arrived {
        let cause = head.pending.unwrap_or_default();
        for path in store.paths_from(head.id()).await? {
            for (actor, through) in to_actors(store, &path).await? {
                let object = head.id().clone();
                told.entry(actor).or_default().push(Fed { object, cause, through });
            }
        }
    }
    let mut all = in_jobs(told);
    for (source, places) in carriers {
        all.entry(source).or_default().extend(places);
    }
    Ok(all)
}

/// The actors that a way from an indicator leads to, and by which relationships.
async fn to_actors(
    store: &Store,
    path: &Path,
) -> Result<Vec<(SubscriptionSource, Vec<ObjectId>)>, StoreError> {
    let first = path.relationship.clone();
    if is_actor(&path.to) {
        return Ok(vec![(SubscriptionSource::ThreatActor(path.to.clone()), vec![first])]);
    }
    let mut seen = HashSet::new();
    let onward = store.paths_from(&path.to).await?.into_iter();
    let actors = onward.filter(|next| is_actor(&next.to) && seen.insert(next.to.clone()));
    Ok(actors
        .map(|next| {
            let through = vec![first.clone(), next.relationship];
            (SubscriptionSource::ThreatActor(next.to), through)
        })
        .collect())
}

/// The way that a relationship is part of, if it is one that leads towards an actor.
fn path(head: &Head) -> Option<Path> {
    let ends = head.facets.ends.as_ref()?;
    if !LEADING.contains(&ends.relationship_type.as_str()) {
        return None;
    }
    let (from, to) = (ends.sources.first()?, ends.targets.first()?);
    let indicator = from.object_type() == "indicator" && (is_actor(to) || is_carrier(to));
    let attributed = is_carrier(from) && is_actor(to);
    (indicator || attributed).then(|| Path {
        from: from.clone(),
        to: to.clone(),
        relationship: head.id().clone(),
    })
}
