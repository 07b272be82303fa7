//! What an instance knows of a log's end: enough to append without asking, and to tell what was
//! appended for an object already.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::said::Said;
use crate::log::{Commit, Entry, LogId, Op, Place};
use crate::store::{Consistency, Store, StoreError, Tail};
use crate::time::Position;

/// A view older than this is brought up to date before it is used.
const STALE: Duration = Duration::from_secs(30);

/// A log that is compacted while it is read backwards is read again, this often.
const ATTEMPTS: u32 = 5;

/// More traces than this are gone through for those that nobody needs any more.
const MANY_TRACES: usize = 10_000;

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
    /// How many there were after the last time they were gone through; none: nothing was
    /// forgotten since the view was loaded.
    pruned: Option<usize>,
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

    /// What the entries at or after `since` say, object by object.
    pub fn said_since(&self, since: Position) -> Vec<Said> {
        let said = self.traces.iter().filter_map(|(id, traces)| {
            let mut traces: Vec<&Trace> =
                traces.iter().filter(|trace| trace.position >= since).collect();
            traces.sort_by_key(|trace| trace.position);
            Said::of(id, &traces)
        });
        said.collect()
    }

    /// Makes sure that the view is fresh and holds every entry since `since`.
    pub async fn ensure(
        &mut self,
        store: &Store,
        log: LogId,
        since: Position,
    ) -> Result<(), StoreError> {
        // What was forgotten lies between what is known: only a fresh start finds it again.
        if self.pruned.is_some() && self.covers_from > since {
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
        self.prune(since);
        Ok(())
    }

    /// Forgets what lies before `since`, once there is much: as much again as was needed last
    /// time, so that going through it costs little for each entry.
    fn prune(&mut self, since: Position) {
        if self.count <= MANY_TRACES.max(2 * self.pruned.unwrap_or_default()) {
            return;
        }
        self.traces.retain(|_, traces| {
            traces.retain(|trace| trace.position >= since);
            !traces.is_empty()
        });
        self.count = self.traces.values().map(Vec::len).sum();
        self.covers_from = self.covers_from.max(since);
        self.pruned = Some(self.count);
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
            // Most objects have one: a vector grows to four at once.
            let traces = self.traces.entry(entry.id.clone());
            traces.or_insert_with(|| Vec::with_capacity(1)).push(Trace {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Origin;
    use crate::stix::SpecVersion;

    fn entry(n: u64) -> Entry {
        let position = Position::from_micros(n * 1_000);
        Entry {
            op: Op::Enter,
            id: format!("indicator--{n}"),
            version: "2026-01-01T00:00:00Z".into(),
            spec_version: SpecVersion::V21,
            revision: 1,
            position,
            entered: position,
            replaces: None,
            oldest: true,
            body: "{}".into(),
        }
    }

    /// A view that has seen entries 1 to `count`, a hundred a commit.
    fn view(count: u64) -> View {
        let mut view = View { loaded: true, ..View::default() };
        for seq in 1..=count / 100 {
            let entries: Vec<Entry> = (seq * 100 - 99..=seq * 100).map(entry).collect();
            view.extend(&Commit {
                seq,
                from: seq,
                rewrites: 0,
                generation: 1,
                first: entries[0].position,
                last: entries[99].position,
                since_hint: 0,
                origins: Origin::own(seq, entries.len()),
                entries,
            });
        }
        view
    }

    #[test]
    fn what_is_needed_is_kept_however_much_it_is() {
        let mut view = view(30_000);
        view.prune(Position::from_micros(5_000_000));
        assert_eq!((view.count, view.pruned), (25_001, Some(25_001)));
        assert_eq!(view.covers_from, Position::from_micros(5_000_000));
        assert!(view.traces("indicator--4999", 0).is_empty());
        assert_eq!(view.traces("indicator--5000", 0).len(), 1);
        // Not gone through again before it is twice as much.
        view.prune(Position::from_micros(29_000_000));
        assert_eq!(view.count, 25_001);
    }

    #[test]
    fn few_traces_are_left_alone() {
        let mut view = view(10_000);
        view.prune(Position::from_micros(9_000_000));
        assert_eq!((view.count, view.pruned), (10_000, None));
    }
}
