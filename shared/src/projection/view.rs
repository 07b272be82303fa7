//! What an instance knows of a log's end: enough to append without asking, and to tell what was
//! appended for an object already.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::log::{Commit, Entry, LogId, Op, Place};
use crate::store::{Consistency, Store, StoreError, Tail};
use crate::time::Position;

/// A view older than this is brought up to date before it is used.
const STALE: Duration = Duration::from_secs(30);

/// A log that is compacted while it is read backwards is read again, this often.
const ATTEMPTS: u32 = 5;

/// More traces than this are forgotten; what is needed of them is read again.
const MAX_TRACES: usize = 50_000;

/// What an entry near the end of the log says of an object.
#[derive(Clone, Debug)]
pub struct Trace {
    pub revision: u64,
    pub op: Op,
    pub version: String,
    pub place: Place,
    pub position: Position,
    pub entered: Position,
    pub replaces: Option<Place>,
    pub oldest: bool,
}

/// The end of one log.
#[derive(Debug, Default)]
pub struct View {
    loaded: bool,
    tail: Tail,
    /// Every entry at or after this position has its trace.
    covers_from: Position,
    /// The lowest sequence number that was read.
    lowest: u64,
    traces: HashMap<String, Vec<Trace>>,
    count: usize,
    synced: Option<Synced>,
}

/// When a view was last brought up to date, by two clocks: the monotonic one may stand still while
/// an instance is frozen, the other may be set. A number that compaction freed must never be
/// filled again, so no view may be older than it thinks.
#[derive(Clone, Copy, Debug)]
struct Synced {
    monotonic: Instant,
    clock: Position,
}

impl Synced {
    fn now(store: &Store) -> Self {
        Self { monotonic: Instant::now(), clock: store.position_now() }
    }

    fn is_stale(self, store: &Store) -> bool {
        let now = store.position_now();
        let stale = u64::try_from(STALE.as_micros()).unwrap_or(u64::MAX);
        self.monotonic.elapsed() > STALE || now.minus(stale) > self.clock || now < self.clock
    }
}

impl View {
    /// Where the log ends, as far as is known.
    pub fn tail(&self) -> Tail {
        self.tail
    }

    /// Traces of an object with a revision above `projected`, in order.
    pub fn traces(&self, id: &str, projected: u64) -> Vec<&Trace> {
        let mut traces: Vec<&Trace> = self
            .traces
            .get(id)
            .into_iter()
            .flatten()
            .filter(|trace| trace.revision > projected)
            .collect();
        traces.sort_by_key(|trace| trace.position);
        traces
    }

    /// Makes sure that the view is fresh and holds every entry since `since`.
    pub async fn ensure(
        &mut self,
        store: &Store,
        log: LogId,
        since: Position,
    ) -> Result<(), StoreError> {
        if self.count > MAX_TRACES {
            *self = Self::default();
        }
        if !self.loaded {
            self.load(store, log).await?;
        } else if self.synced.is_none_or(|at| at.is_stale(store)) {
            self.catch_up(store, log).await?;
        }
        let mut attempts = 0;
        while self.covers_from > since && self.lowest > 1 {
            let earlier = store.last_commits(log, Some(self.lowest), 8).await?;
            if self.reach_back(&earlier) {
                continue;
            }
            // What lies before is now part of a commit whose number is not below.
            attempts += 1;
            if attempts > ATTEMPTS {
                let lowest = self.lowest;
                return Err(StoreError::Damaged(format!(
                    "log {log} lacks what is before {lowest}"
                )));
            }
            *self = Self::default();
            self.load(store, log).await?;
        }
        Ok(())
    }

    async fn load(&mut self, store: &Store, log: LogId) -> Result<(), StoreError> {
        let asked = Synced::now(store);
        let last = store.last_commits(log, None, 2).await?;
        self.loaded = true;
        self.synced = Some(asked);
        self.tail = last.first().map_or_else(Tail::default, Commit::tail);
        self.lowest = self.tail.seq + 1;
        self.covers_from = self.tail.last.next();
        // Where the log changed meanwhile, reaching back further finds out.
        self.reach_back(&last);
        Ok(())
    }

    /// Takes commits that lie before what is known, newest first. Says no when they do not reach
    /// up to what is known.
    fn reach_back(&mut self, commits: &[Commit]) -> bool {
        let mut reached = self.lowest <= 1;
        for commit in commits {
            // Its entries are in a later, compacted commit; it is not deleted yet.
            if commit.seq >= self.lowest {
                continue;
            }
            if commit.seq + 1 < self.lowest {
                break;
            }
            let known = self.covers_from;
            self.remember(commit, |entry| entry.position < known);
            self.lowest = commit.from;
            self.covers_from = known.min(commit.first);
            reached = true;
        }
        if self.lowest <= 1 {
            self.covers_from = Position::default();
        }
        reached
    }

    /// Reads what others appended.
    pub async fn catch_up(&mut self, store: &Store, log: LogId) -> Result<(), StoreError> {
        let asked = Synced::now(store);
        loop {
            let next = self.tail.seq + 1;
            let (commits, more) = store.commits_from(log, next, 64, Consistency::Strong).await?;
            let read = commits.len();
            for (commit, _) in &commits {
                // A number that another appender is about to fill: what follows waits for it.
                if commit.from > self.tail.seq + 1 {
                    break;
                }
                self.extend(commit);
            }
            if !more || read == 0 {
                self.synced = Some(asked);
                return Ok(());
            }
        }
    }

    /// Takes the commit that follows the tail. Compacted, it may hold entries that are known.
    pub fn extend(&mut self, commit: &Commit) {
        let known = self.tail.last;
        self.tail = commit.tail();
        self.remember(commit, |entry| entry.position > known);
    }

    fn remember(&mut self, commit: &Commit, new: impl Fn(&Entry) -> bool) {
        for (origin, entry) in commit.placed().filter(|(_, entry)| new(entry)) {
            self.count += 1;
            self.traces.entry(entry.id.clone()).or_default().push(Trace {
                revision: entry.revision,
                op: entry.op,
                version: entry.version.clone(),
                place: origin.place,
                position: entry.position,
                entered: entry.entered,
                replaces: entry.replaces,
                oldest: entry.oldest,
            });
        }
    }
}
