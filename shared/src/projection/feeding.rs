//! What subscribers must be told of becomes a job, before the object's projection is called done:
//! killed in between, it becomes one again, and tells nobody twice. What was told when an earlier
//! revision was settled is not told anew.

use std::collections::HashMap;

use super::Subject;
use super::append::Standings;
use crate::id::ObjectId;
use crate::log::LogId;
use crate::notification::SourceType;
use crate::notification::feed::{add_feeds, add_places};
use crate::store::{
    Cause, Fed, FeedPlace, Head, NotificationJob, OldVersion, Path, Store, StoreError, WalkJob,
};
use crate::subscription::{SubscriptionSource, is_actor, is_carrier};
use crate::tlp::Tlp;

/// Ways of one object that are looked at while it is projected; what is left becomes a job.
const WAYS_AT_ONCE: usize = 100;

/// Adds jobs for what entered collections and for what became related to threat actors, and notes
/// in the heads what is told by it. They are settled afterwards.
pub async fn enqueue(
    store: &Store,
    subjects: &mut [Subject],
    results: &HashMap<ObjectId, Standings>,
) -> Result<(), StoreError> {
    // A relationship that belongs in no log stands nowhere, and leads to actors all the same.
    let nowhere = Standings::default();
    let mut entered = Vec::new();
    let mut news = News::default();
    for subject in subjects {
        let standings = results.get(subject.head.id()).unwrap_or(&nowhere);
        if standings.obsolete {
            continue;
        }
        let moved = moved(subject);
        if subject.head.facets.is_indicator() && !subject.head.deleted {
            entered.extend(entries(&subject.head, standings));
            entered.extend(returns(subject, standings));
            entered.extend(
                moved.into_iter().flat_map(|cause| present(&subject.head, standings, cause)),
            );
        }
        news.take_in(store, subject, moved).await?;
    }
    if !entered.is_empty() && store.was_subscribed_to(SourceType::Collection).await? {
        add_feeds(store, entered).await?;
    }
    news.add_jobs(store).await
}

fn entries<'a>(
    head: &'a Head,
    standings: &'a Standings,
) -> impl Iterator<Item = (SubscriptionSource, Fed)> + 'a {
    standings.entered.iter().filter_map(|(log, position)| {
        let LogId::Collection(id) = log else { return None };
        let cause = Cause::Came(*position);
        let fed = Fed { object: head.id().clone(), cause, ways: Vec::new() };
        Some((SubscriptionSource::Collection(*id), fed))
    })
}

/// The collections whose subscribers were told of it: those in which it stands, and, where it rose,
/// those that it left by that.
fn present<'a>(
    head: &'a Head,
    standings: &'a Standings,
    cause: Cause,
) -> impl Iterator<Item = (SubscriptionSource, Fed)> + 'a {
    let left = head.memberships.keys().filter(move |log| {
        matches!(cause, Cause::Rose(_)) && !standings.memberships.contains_key(log)
    });
    standings.memberships.keys().chain(left).filter_map(move |log| {
        let LogId::Collection(id) = log else { return None };
        let fed = Fed { object: head.id().clone(), cause, ways: Vec::new() };
        Some((SubscriptionSource::Collection(*id), fed))
    })
}

/// Collections it stands in all the time, though a version that did not belong there was the newest
/// for a while before anybody projected it: whoever was to tell of it in that while told nothing.
fn returns<'a>(
    subject: &'a Subject,
    standings: &'a Standings,
) -> impl Iterator<Item = (SubscriptionSource, Fed)> + 'a {
    let head = &subject.head;
    head.memberships.iter().filter_map(move |(log, known)| {
        let LogId::Collection(id) = log else { return None };
        let stayed = standings.memberships.get(log)?.entered == known.entered;
        let stood = head.version_in(known);
        let astray = head.state.history.iter().filter(|version| *version >= stood).any(|version| {
            let belonged = subject.history.contains(&(*log, version.clone()));
            !belonged || head.removed_from(*id, version)
        });
        let cause = Cause::Came(head.pending.unwrap_or_default());
        let fed = Fed { object: head.id().clone(), cause, ways: Vec::new() };
        (stayed && astray).then_some((SubscriptionSource::Collection(*id), fed))
    })
}

/// What may complete ways from indicators to actors. Each is written down where the others are
/// looked for before it looks for them: so of an indicator, what it indicates and the
/// relationships between them, whichever comes last finds the others, and of two that come at the
/// same time at least one does.
#[derive(Default)]
struct News {
    /// Walks over the ways from indicators, malware and campaigns: all of those that arrived, and
    /// of other indicators those that begin with a new relationship.
    walks: Vec<WalkJob>,
    /// New ways onward from malware and campaigns, each since a moment.
    onward: Vec<(SubscriptionSource, FeedPlace)>,
}

impl News {
    async fn take_in(
        &mut self,
        store: &Store,
        subject: &mut Subject,
        moved: Option<Cause>,
    ) -> Result<(), StoreError> {
        let Subject { head, older, .. } = subject;
        let came = Cause::Came(head.pending.unwrap_or_default());
        self.take_in_relationship(store, head, older, moved).await?;
        let object = head.id().clone();
        if let Some(cause) = moved.filter(|_| is_actor(&object)) {
            let source = SubscriptionSource::ThreatActor(object.clone());
            self.onward.push((source, FeedPlace::Actor { cause, reached: None }));
        }
        if !head.facets.is_indicator() && !is_carrier(&object) {
            return Ok(());
        }
        let arrived = arrives(head).then_some(came);
        head.state.gone = head.deleted;
        self.walks.extend(arrived.into_iter().chain(moved).map(|cause| WalkJob {
            object: object.clone(),
            cause,
            only: None,
            done: None,
            within: None,
        }));
        Ok(())
    }

    async fn take_in_relationship(
        &mut self,
        store: &Store,
        head: &mut Head,
        older: &[OldVersion],
        moved: Option<Cause>,
    ) -> Result<(), StoreError> {
        let path = Path::of(&head.facets);
        let relationship = head.id().clone();
        let known = head.state.leads.take();
        let known = known.map(|(from, to)| Path { from, to, relationship });
        let over = head.deleted || head.facets.revoked;
        let leads = path.clone().filter(|_| !over);
        // Revisions that were overtaken may have been linked, or be about to be unlinked.
        let overtaken = head.revision > head.projected + 1;
        let mut before: Vec<Path> = known.iter().chain(&path).cloned().collect();
        before.retain(|path| leads.as_ref() != Some(path));
        for path in before {
            store.unlink_path(&path, head.revision).await?;
        }
        if let Some(path) = leads {
            if known.as_ref() != Some(&path) || overtaken {
                store.link_path(&path, head.revision).await?;
            }
            head.state.leads = Some((path.from.clone(), path.to.clone()));
            if known.as_ref() != Some(&path) || was_broken(head, older, &path) {
                self.add_path(path.clone(), Cause::Came(head.pending.unwrap_or_default()));
            }
            if let Some(cause) = moved {
                self.add_path(path, cause);
            }
        }
        Ok(())
    }

    fn add_path(&mut self, path: Path, cause: Cause) {
        if is_carrier(&path.from) {
            let Path { from: carrier, to, relationship } = path;
            let place = FeedPlace::Carrier { carrier, relationship, cause, reached: None };
            self.onward.push((SubscriptionSource::ThreatActor(to), place));
        } else {
            let object = path.from.clone();
            let only = Some(path);
            self.walks.push(WalkJob { object, cause, only, done: None, within: None });
        }
    }

    async fn add_jobs(self, store: &Store) -> Result<(), StoreError> {
        let Self { walks, mut onward } = self;
        let nothing = walks.is_empty() && onward.is_empty();
        if nothing || !store.was_subscribed_to(SourceType::ThreatActor).await? {
            return Ok(());
        }
        let mut fed = Vec::new();
        for walk in walks {
            let (ways, left) = walk.clone().next(store, WAYS_AT_ONCE).await?;
            if is_carrier(&walk.object) {
                onward.extend(walk.places(ways));
            } else {
                fed.extend(walk.fed(&ways));
            }
            if let Some(left) = left {
                store.add_notification_job(&NotificationJob::Walk(left)).await?;
            }
        }
        add_feeds(store, fed).await?;
        add_places(store, onward).await
    }
}

/// Notes the level at which subscribers are told of what the object is a part of; says why what
/// they were told moves, where that is lower than what is settled, or than what was the newest
/// version for a while before anybody projected it; or where it is higher.
fn moved(subject: &mut Subject) -> Option<Cause> {
    let Subject { head, level, passed, .. } = subject;
    let part = head.facets.is_indicator() || is_carrier(head.id()) || is_actor(head.id());
    let told = (part || Path::of(&head.facets).is_some()) && !head.deleted;
    let before = std::mem::replace(
        &mut head.state.told_at,
        Some(*level).filter(|level| told && *level > Tlp::Clear),
    );
    let at = head.pending.unwrap_or_default();
    if !told {
        None
    } else if before.max(*passed).is_some_and(|before| *level < before) {
        Some(Cause::Fell(at))
    } else {
        let rose = head.projected > 0 && *level > before.unwrap_or(Tlp::Clear);
        rose.then_some(Cause::Rose(at))
    }
}

/// Whether an object comes that was not there: the first time, or after a deletion, be it one that
/// nobody projected.
fn arrives(head: &Head) -> bool {
    let anew = head.projected == 0 || head.state.gone || head.state.left.is_some();
    anew && !head.deleted
}

/// Whether a relationship that leads somewhere did not for a while that nobody projected: who
/// looked at it in that while found no way.
fn was_broken(head: &Head, older: &[OldVersion], path: &Path) -> bool {
    let unseen = older.iter().filter(|old| head.state.history.contains(&old.facets.version));
    let leads =
        |old: &OldVersion| !old.facets.revoked && Path::of(&old.facets).as_ref() == Some(path);
    head.state.left.is_some() || !unseen.into_iter().all(leads)
}
