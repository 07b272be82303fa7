//! Projection: from pending objects to the logs (design: invariants 1 to 3).
//!
//! An object is pending from the write that changed it until every log says what that write
//! means. The steps may be repeated at any point, by anybody, at the same time: the conditional
//! put of a commit decides, and what a log already says of a revision is not said again.

mod append;
mod belonging;
mod decide;
mod definitions;
mod draft;
mod expirations;
mod feeding;
mod said;
mod settling;
mod subject;
mod view;
mod wanted;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt};
use tokio::sync::Mutex;
use tracing::warn;

use crate::id::ObjectId;
use crate::log::LogId;
use crate::services::{Definitions, Services};
use crate::store::{Head, Store, StoreError};
pub(crate) use append::CLOCK_MARGIN_MICROS;
use append::{Candidate, Standings};
pub(crate) use belonging::{belongs, holds_above};
pub(crate) use expirations::stand_active;
pub(crate) use said::said_since;
use subject::Subject;
use view::View;

/// Updates of heads under way at once.
const CONCURRENCY: usize = 48;

/// Definitions that turn out to be older than a log's are read again, this often.
const DEFINITION_ATTEMPTS: u32 = 5;

/// The pause before objects are projected again that the store had no answer for; it doubles each
/// time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Why objects could not be projected.
#[derive(Debug, Default)]
pub struct Failures(pub Vec<(ObjectId, StoreError)>);

/// Projects objects, remembering where the logs end.
#[derive(Debug)]
pub struct Projector {
    store: Store,
    views: Mutex<HashMap<LogId, Arc<Mutex<View>>>>,
}

impl Projector {
    /// A projector over `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, views: Mutex::default() }
    }

    /// Projects those of `ids` that are pending. Relationships come after what they join, which
    /// is projected too if it is pending.
    ///
    /// # Errors
    /// Never as a whole: names each object whose projection failed and must be tried again.
    pub async fn project(&self, services: &Services, ids: &[ObjectId]) -> Failures {
        self.project_within(services, ids, None).await
    }

    /// Does the same until a moment, and waits for a store that throttles or fails: such failures
    /// are tried again, with growing pauses and in smaller batches, as long as there is time. What
    /// is not done by then has failed.
    ///
    /// # Errors
    /// As [`Projector::project`].
    pub async fn project_until(
        &self,
        services: &Services,
        ids: &[ObjectId],
        until: Instant,
    ) -> Failures {
        let (mut left, mut size) = (ids.to_vec(), ids.len().max(1));
        let mut pause = FIRST_PAUSE;
        let mut lasting = Vec::new();
        loop {
            let mut passing = Vec::new();
            for batch in left.chunks(size) {
                let failed = self.project_within(services, batch, Some(until)).await.0;
                let (passes, lasts): (Vec<_>, Vec<_>) =
                    failed.into_iter().partition(|(_, error)| error.passes());
                passing.extend(passes);
                lasting.extend(lasts);
            }
            if passing.is_empty() || Instant::now() + pause >= until {
                lasting.extend(passing);
                return Failures(lasting);
            }
            warn!(objects = passing.len(), ?pause, "store not available, projecting again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            size = size.div_ceil(2);
            left = passing.into_iter().map(|(id, _)| id).collect();
            left.sort();
            left.dedup();
        }
    }

    async fn project_within(
        &self,
        services: &Services,
        ids: &[ObjectId],
        until: Option<Instant>,
    ) -> Failures {
        let mut failures = Failures::default();
        let mut batches = vec![ids.to_vec()];
        while let Some(batch) = batches.pop() {
            let (joins, plain): (Vec<_>, Vec<_>) = batch.iter().cloned().partition(is_sro);
            // Boxed: the future is large, and callers hold it within theirs.
            let work = Box::pin(self.project_all(services, plain, joins, &mut failures));
            let done = match until {
                Some(until) => tokio::time::timeout_at(until.into(), work).await,
                None => Ok(work.await),
            };
            let Ok(done) = done else {
                // Whatever was under way is as after any interruption.
                let left = batches.into_iter().flatten().chain(batch);
                failures.0.extend(left.map(|id| (id, out_of_time())));
                return failures;
            };
            let Err(error) = done else { continue };
            // Nothing is gained by asking a store for less at once that answers nothing.
            if until.is_some() && error.passes() {
                failures.0.extend(batch.into_iter().map(|id| (id, error.clone())));
                continue;
            }
            // One object, or the log it goes to, must not hold its neighbours up: halve until it
            // stands alone.
            if let [id] = batch.as_slice() {
                failures.0.push((id.clone(), error));
            } else {
                warn!(%error, objects = batch.len(), "projection failed, trying by halves");
                let (left, right) = batch.split_at(batch.len() / 2);
                batches.extend([left.to_vec(), right.to_vec()]);
            }
        }
        failures
    }

    async fn project_all(
        &self,
        services: &Services,
        plain: Vec<ObjectId>,
        joins: Vec<ObjectId>,
        failures: &mut Failures,
    ) -> Result<(), StoreError> {
        let mut first = self.pending(&plain).await?;
        let joins = self.pending(&joins).await?;
        let ends = self.ends_of(&joins, &first).await?;
        let known: HashSet<ObjectId> = first.iter().map(|head| head.id().clone()).collect();
        let waiting = ends.values().filter(|end| end.pending.is_some() && !is_sro(end.id()));
        first.extend(waiting.filter(|end| !known.contains(end.id())).cloned());
        self.wave(services, first, &HashMap::new(), failures).await?;
        if joins.is_empty() {
            return Ok(());
        }
        // Read again: the first wave may just have brought an end into a collection.
        let ends = self.ends_of(&joins, &[]).await?;
        self.wave(services, joins, &ends, failures).await
    }

    async fn pending(&self, ids: &[ObjectId]) -> Result<Vec<Head>, StoreError> {
        let heads = self.store.heads(ids, true).await?;
        Ok(heads.into_values().filter(|head| head.pending.is_some()).collect())
    }

    async fn ends_of(
        &self,
        joins: &[Head],
        except: &[Head],
    ) -> Result<HashMap<ObjectId, Head>, StoreError> {
        let except: HashSet<&ObjectId> = except.iter().map(Head::id).collect();
        let ends: HashSet<&ObjectId> = joins
            .iter()
            .filter_map(|head| head.facets.ends.as_ref())
            .flat_map(|ends| ends.sources.iter().chain(&ends.targets))
            .filter(|id| !except.contains(id))
            .collect();
        let ends: Vec<ObjectId> = ends.into_iter().cloned().collect();
        self.store.heads(&ends, true).await
    }

    /// Projects objects none of which waits for another.
    async fn wave(
        &self,
        services: &Services,
        heads: Vec<Head>,
        ends: &HashMap<ObjectId, Head>,
        failures: &mut Failures,
    ) -> Result<(), StoreError> {
        if heads.is_empty() {
            return Ok(());
        }
        // One moment for all attempts: none must judge otherwise what an earlier one appended.
        let now = self.store.now();
        let heads = expirations::renew_overtaken(&self.store, heads, now).await?;
        let (mut subjects, mut results) =
            self.append_by_definitions(services, heads, ends, now, failures).await?;
        expirations::list(&self.store, &mut subjects, &results).await?;
        feeding::enqueue(&self.store, &mut subjects, &results).await?;
        let settled = stream::iter(subjects)
            .map(|subject| {
                let result = results.remove(subject.head.id()).unwrap_or_default();
                async move {
                    let id = subject.head.id().clone();
                    (id, self.settle(services, subject, result).await)
                }
            })
            .buffer_unordered(CONCURRENCY);
        let failed = settled.filter_map(|(id, done)| async move { done.err().map(|e| (id, e)) });
        failures.0.extend(failed.collect::<Vec<_>>().await);
        Ok(())
    }

    /// Works out where objects belong, and appends what has to be said, by definitions that still
    /// hold when that is done.
    async fn append_by_definitions(
        &self,
        services: &Services,
        mut heads: Vec<Head>,
        ends: &HashMap<ObjectId, Head>,
        now: DateTime<Utc>,
        failures: &mut Failures,
    ) -> Result<(Vec<Subject>, HashMap<ObjectId, Standings>), StoreError> {
        let mut definitions = definitions::for_heads(services, &heads).await?;
        for _ in 0..DEFINITION_ATTEMPTS {
            let since = Instant::now();
            let (subjects, failed) =
                self.describe(services, &definitions, heads, ends, now).await?;
            failures.0.extend(failed);
            match self.append_all(&definitions, &subjects).await {
                Ok(results) => {
                    if definitions::hold(services, &definitions, since).await? {
                        return Ok((subjects, results));
                    }
                }
                Err(append::AppendError::DefinitionChanged) => {}
                Err(append::AppendError::Store(error)) => return Err(error),
            }
            definitions = services.definitions_within(Duration::ZERO).await?;
            heads = subjects.into_iter().map(|subject| subject.head).collect();
        }
        Err(StoreError::Unavailable("a collection's definition changes too often".into()))
    }

    /// Works out where each object belongs.
    async fn describe(
        &self,
        services: &Services,
        definitions: &Definitions,
        heads: Vec<Head>,
        ends: &HashMap<ObjectId, Head>,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Subject>, Vec<(ObjectId, StoreError)>), StoreError> {
        let described = stream::iter(heads)
            .map(|head| async move {
                let id = head.id().clone();
                (id, Subject::describe(services, definitions, head, ends, now).await)
            })
            .buffer_unordered(CONCURRENCY);
        let mut subjects = Vec::new();
        let mut failed = Vec::new();
        for (id, described) in described.collect::<Vec<_>>().await {
            match described {
                Ok(subject) => subjects.push(subject),
                Err(error) => failed.push((id, error)),
            }
        }
        Ok((subjects, failed))
    }

    /// Appends what has to be said, log by log, logs side by side.
    async fn append_all(
        &self,
        definitions: &Definitions,
        subjects: &[Subject],
    ) -> Result<HashMap<ObjectId, Standings>, append::AppendError> {
        let mut by_log: BTreeMap<LogId, Vec<Candidate<'_>>> = BTreeMap::new();
        for subject in subjects {
            for log in subject.logs_to_look_at(definitions) {
                by_log.entry(log).or_default().push(Candidate {
                    head: &subject.head,
                    older: &subject.older,
                    wanted: subject.wanted.contains(&log),
                    related: subject.related.contains(&log),
                    parted: subject.parted.contains(&log),
                    history: &subject.history,
                    above: &subject.above,
                    in_flight: subject.in_flight.contains(&log),
                });
            }
        }
        let work: Vec<_> = by_log
            .into_iter()
            .map(|(log, candidates)| self.append_in(definitions, log, candidates))
            .collect();
        let appended = stream::iter(work).buffer_unordered(8).collect::<Vec<_>>().await;
        let mut results: HashMap<ObjectId, Standings> = HashMap::new();
        for outcomes in appended {
            for (id, log, outcome) in outcomes? {
                results.entry(id).or_default().add(log, outcome);
            }
        }
        Ok(results)
    }

    async fn append_in(
        &self,
        definitions: &Definitions,
        log: LogId,
        candidates: Vec<Candidate<'_>>,
    ) -> Result<Vec<(ObjectId, LogId, append::Standing)>, append::AppendError> {
        let view = self.view(log).await;
        let mut view = view.lock().await;
        let generation = definitions::generation_of(definitions, log);
        append::append(&self.store, &mut view, log, generation, &candidates).await
    }

    async fn view(&self, log: LogId) -> Arc<Mutex<View>> {
        self.views.lock().await.entry(log).or_default().clone()
    }
}

fn out_of_time() -> StoreError {
    StoreError::Unavailable("not done in time".into())
}

fn is_sro(id: &ObjectId) -> bool {
    matches!(id.object_type(), "relationship" | "sighting")
}
