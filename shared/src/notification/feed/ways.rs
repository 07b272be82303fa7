//! The ways from an indicator to threat actors, part by part: however many there are, none is
//! passed over, and each part is bounded.

use std::collections::{BTreeMap, VecDeque};

use crate::id::ObjectId;
use crate::store::{
    Cause, Fed, FeedJob, FeedPlace, NotificationJob, Path, Store, StoreError, WalkJob, Way,
};
use crate::subscription::{SubscriptionSource, is_actor};
use crate::time::Position;

/// Indicators of one job.
const PER_JOB: usize = 100;
/// Ways of one indicator that are weighed against each other.
pub(super) const WAYS_AT_ONCE: usize = 20;
/// Paths read at once.
const PATHS: usize = 100;
/// Paths of one indicator that are looked at to find all its ways to one actor.
const WEIGHED: usize = 2_000;

/// What there is to tell, by the actor that is subscribed to.
pub(crate) type Ways = BTreeMap<ObjectId, Vec<Way>>;

impl WalkJob {
    /// The next ways, `count` or somewhat more at most; and what is left.
    pub(crate) async fn next(
        mut self,
        store: &Store,
        count: usize,
    ) -> Result<(Ways, Option<Self>), StoreError> {
        let mut ways = Ways::new();
        let mut found = 0;
        let mut waiting: VecDeque<Path> = VecDeque::new();
        while found < count {
            if let Some((path, after)) = self.within.take() {
                let (onward, more) = store.paths_from(&path.to, after.as_ref(), PATHS).await?;
                let last = onward.last().cloned();
                found += onward.len();
                for next in onward.into_iter().filter(|next| is_actor(&next.to)) {
                    let way = Way {
                        first: path.relationship.clone(),
                        onward: Some((path.to.clone(), next.relationship)),
                    };
                    ways.entry(next.to).or_default().push(way);
                }
                match last.filter(|_| more) {
                    Some(last) => self.within = Some((path, Some(last))),
                    None => self.done = Some(path),
                }
                continue;
            }
            if waiting.is_empty() {
                waiting.extend(self.next_paths(store, count - found).await?);
            }
            let Some(path) = waiting.pop_front() else { return Ok((ways, None)) };
            found += 1;
            if is_actor(&path.to) {
                let way = Way { first: path.relationship.clone(), onward: None };
                ways.entry(path.to.clone()).or_default().push(way);
                self.done = Some(path);
            } else {
                self.within = Some((path, None));
            }
        }
        Ok((ways, Some(self)))
    }

    /// The next paths from the indicator; none at the end.
    async fn next_paths(&self, store: &Store, count: usize) -> Result<Vec<Path>, StoreError> {
        if let Some(only) = &self.only {
            return Ok(Vec::from_iter(self.done.is_none().then(|| only.clone())));
        }
        let count = count.min(PATHS);
        Ok(store.paths_from(&self.object, self.done.as_ref(), count).await?.0)
    }

    /// What is to be told of all indicators of a malware or campaign, where some ways lead on from
    /// that.
    pub(crate) fn places(&self, ways: Ways) -> Vec<(SubscriptionSource, FeedPlace)> {
        let mut all = Vec::new();
        for (actor, ways) in ways {
            let source = SubscriptionSource::ThreatActor(actor);
            all.extend(ways.into_iter().map(|way| {
                let (carrier, cause) = (self.object.clone(), self.cause);
                let relationship = way.first;
                let place = FeedPlace::Carrier { carrier, relationship, cause, reached: None };
                (source.clone(), place)
            }));
        }
        all
    }

    /// What is to be told of the indicator by some ways, in portions that are weighed at once.
    pub(crate) fn fed(&self, ways: &Ways) -> Vec<(SubscriptionSource, Fed)> {
        let mut all = Vec::new();
        for (actor, ways) in ways {
            let source = SubscriptionSource::ThreatActor(actor.clone());
            for part in ways.chunks(WAYS_AT_ONCE) {
                let ways = part.to_vec();
                let fed = Fed { object: self.object.clone(), cause: self.cause, ways };
                all.push((source.clone(), fed));
            }
        }
        all
    }
}

/// All ways from an indicator to an actor; none where there are more than are weighed.
pub(super) async fn all_ways(
    store: &Store,
    indicator: &ObjectId,
    actor: &ObjectId,
) -> Result<Vec<Way>, StoreError> {
    let cause = Cause::Rose(Position::default());
    let object = indicator.clone();
    let mut left = Some(WalkJob { object, cause, only: None, done: None, within: None });
    let (mut all, mut looked) = (Vec::new(), 0);
    while let Some(walk) = left {
        if looked >= WEIGHED {
            tracing::warn!(%indicator, %actor, "has too many ways to be moved");
            return Ok(Vec::new());
        }
        let (mut ways, rest) = walk.next(store, PATHS).await?;
        all.extend(ways.remove(actor).unwrap_or_default());
        looked += PATHS;
        left = rest;
    }
    Ok(all)
}

/// Adds jobs that tell the subscribers of each source, where it has any, of indicators.
pub(crate) async fn add_feeds(
    store: &Store,
    fed: Vec<(SubscriptionSource, Fed)>,
) -> Result<(), StoreError> {
    let mut places = Vec::new();
    for (source, fed) in by_source(fed) {
        let parts = fed.chunks(PER_JOB).map(<[Fed]>::to_vec);
        places.extend(parts.map(|part| (source.clone(), FeedPlace::Objects(part))));
    }
    add_places(store, places).await
}

/// Adds jobs that tell the subscribers of each source, where it has any.
pub(crate) async fn add_places(
    store: &Store,
    places: Vec<(SubscriptionSource, FeedPlace)>,
) -> Result<(), StoreError> {
    for (source, places) in by_source(places) {
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

fn by_source<T>(all: Vec<(SubscriptionSource, T)>) -> BTreeMap<SubscriptionSource, Vec<T>> {
    let mut grouped: BTreeMap<SubscriptionSource, Vec<T>> = BTreeMap::new();
    for (source, one) in all {
        grouped.entry(source).or_default().push(one);
    }
    grouped
}
