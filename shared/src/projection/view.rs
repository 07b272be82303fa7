//! What an instance knows of a log's end: enough to append without asking, and to tell what was
//! appended for an object already.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::log::{Commit, LogId, Op, Place};
use crate::store::{Consistency, Store, StoreError, Tail};
use crate::time::Position;

/// A view older than this is brought up to date before it is used.
const STALE: Duration = Duration::from_secs(30);

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
    synced: Option<Instant>,
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
        } else if self.synced.is_none_or(|at| at.elapsed() > STALE) {
            self.catch_up(store, log).await?;
        }
        while self.covers_from > since && self.lowest > 1 {
            let earlier = store.last_commits(log, Some(self.lowest), 8).await?;
            self.reach_back(&earlier);
        }
        Ok(())
    }

    async fn load(&mut self, store: &Store, log: LogId) -> Result<(), StoreError> {
        let last = store.last_commits(log, None, 2).await?;
        self.loaded = true;
        self.synced = Some(Instant::now());
        self.tail = last.first().map_or_else(Tail::default, Commit::tail);
        self.reach_back(&last);
        Ok(())
    }

    /// Takes commits that lie before what is known, newest first; none: the log begins here.
    fn reach_back(&mut self, commits: &[Commit]) {
        for commit in commits {
            self.remember(commit);
            self.lowest = commit.from;
            self.covers_from = commit.first;
        }
        if commits.is_empty() || self.lowest <= 1 {
            self.lowest = 1;
            self.covers_from = Position::default();
        }
    }

    /// Reads what others appended.
    pub async fn catch_up(&mut self, store: &Store, log: LogId) -> Result<(), StoreError> {
        let asked = Instant::now();
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

    /// Takes the commit that follows the tail.
    pub fn extend(&mut self, commit: &Commit) {
        self.tail = commit.tail();
        self.remember(commit);
    }

    fn remember(&mut self, commit: &Commit) {
        for (index, entry) in commit.entries.iter().enumerate() {
            let Ok(index) = u16::try_from(index) else { continue };
            self.count += 1;
            self.traces.entry(entry.id.clone()).or_default().push(Trace {
                revision: entry.revision,
                op: entry.op,
                version: entry.version.clone(),
                place: Place { seq: commit.seq, index },
                position: entry.position,
                entered: entry.entered,
                replaces: entry.replaces,
                oldest: entry.oldest,
            });
        }
    }
}
