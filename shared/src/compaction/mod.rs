//! Compaction: small and mostly dead old commits of a log become one, and what nobody asks for
//! any more goes: entries of versions that left, relationships that were replaced, and leaves
//! past their time; of the built-in logs, of which only the present state is read, versions that
//! were superseded too.
//!
//! A merged commit is put over the last of those it holds; then the others are deleted, then the
//! marks that are folded in. There are no transactions: killed between any two of these, readers
//! see every entry once (they go by position), and the next run does the rest.
//!
//! An appender puts the number after the last one it knows, if that is free; a number that
//! compaction freed would be free too. But every appender's view of a log is read again after half
//! a minute, and its invocation ends within two. So a run touches only commits up to the one that
//! an earlier run, at least [`SETTLED`] before, found to be the log's last: by then every appender
//! knows that one or a later one, and freed numbers lie below it. How old a commit says it is would
//! not do: its position comes from the clock of the machine that appended it, which may be behind.
//! The last commit of a log is never touched.

mod candidate;
mod plan;

use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};

use crate::log::{Commit, CommitMarks, LogId};
use crate::services::Services;
use crate::store::{Consistency, Progress, Store, StoreError};
use crate::time::Position;
use candidate::Retention;
use plan::{Planner, Step};

/// How long a commit must have been known to compaction before it is touched.
pub const SETTLED: Duration = Duration::from_mins(10);

/// A pass over a whole log begins this long after the last one did: what died since goes then.
const FULL_PASS_MICROS: u64 = 7 * 24 * 3600 * 1_000_000;

/// The same for built-in logs: every new version of an indicator leaves a dead entry there, which
/// exports read past until then.
const FULL_PASS_BUILT_IN_MICROS: u64 = 24 * 3600 * 1_000_000;

/// Logs worked on at once.
const LOGS_AT_ONCE: usize = 8;

/// Items read at once.
const PAGE: i32 = 128;

/// What compaction did.
#[derive(Debug, Default)]
pub struct Compacted {
    /// Logs that were looked at.
    pub logs: usize,
    /// Logs for the rest of which there was no time.
    pub unfinished: usize,
    /// Commits written.
    pub written: usize,
    /// Commits deleted, as their entries are in those written.
    pub merged: usize,
    /// Entries dropped.
    pub dropped: usize,
    /// Logs that could not be compacted, and why. The next run tries again.
    pub failures: Vec<(LogId, StoreError)>,
}

impl Compacted {
    fn add(&mut self, log: &Self) {
        self.logs += log.logs;
        self.unfinished += log.unfinished;
        self.written += log.written;
        self.merged += log.merged;
        self.dropped += log.dropped;
    }
}

/// Compacts every log, as of `now` (which must not lie ahead of the true time), stopping at
/// `until`. What is left is done by the next run, and what was appended since the last run too.
///
/// # Errors
/// When the definitions cannot be read. The failure of one log is among what is answered, and
/// holds no other up.
pub async fn compact_all(
    services: &Services,
    now: Position,
    until: Instant,
) -> Result<Compacted, StoreError> {
    let definitions = services.definitions().await?;
    let collections = definitions.iter().map(|defined| LogId::Collection(defined.collection.id));
    let mut logs: Vec<LogId> = collections.chain(LogId::built_in()).collect();
    // Another one is first each time, so that a log that takes all the time delays no other for
    // ever.
    let turn = usize::try_from(now.micros() / 1_000_000).unwrap_or(0) % logs.len().max(1);
    logs.rotate_left(turn);
    let store = services.store();
    let work = logs.into_iter().map(|log| async move {
        // Boxed: many of these futures are held at once.
        (log, Box::pin(compact_log(store, log, now, until)).await)
    });
    let mut all = Compacted::default();
    let mut done = stream::iter(work).buffer_unordered(LOGS_AT_ONCE);
    while let Some((log, result)) = done.next().await {
        match result {
            Ok(compacted) => all.add(&compacted),
            Err(error) => all.failures.push((log, error)),
        }
    }
    Ok(all)
}

/// Compacts one log, as of `now`, stopping at `until`.
///
/// # Errors
/// When the log cannot be read or written, or lacks a commit.
pub async fn compact_log(
    store: &Store,
    log: LogId,
    now: Position,
    until: Instant,
) -> Result<Compacted, StoreError> {
    let mut done = Compacted { logs: 1, unfinished: 1, ..Compacted::default() };
    if Instant::now() >= until {
        return Ok(done);
    }
    let known = store.compaction_progress(log).await?;
    let mut progress = known.unwrap_or(Progress { full_pass: now, ..Progress::default() });
    let settled = now.minus(u64::try_from(SETTLED.as_micros()).unwrap_or(u64::MAX));
    let ripe = if progress.seen_at <= settled { progress.seen } else { progress.considered };
    if progress.full_pass < now.minus(full_pass_micros(log)) {
        progress = Progress { through: 0, considered: 0, full_pass: now, ..progress };
    }
    done.unfinished = 0;
    if ripe > progress.considered {
        let mut pass = Pass { store, log, now, until, last: ripe, done: &mut done };
        progress.through = pass.run(progress.through).await?;
        if done.unfinished == 0 {
            progress.considered = ripe;
        }
    }
    if progress.considered == progress.seen {
        observe(store, log, now, &mut progress).await?;
    }
    // A log that holds nothing needs no note.
    if known != Some(progress) && progress.seen > 0 {
        store.put_compaction_progress(log, progress).await?;
    }
    Ok(done)
}

fn full_pass_micros(log: LogId) -> u64 {
    match Retention::of(log) {
        Retention::Versions => FULL_PASS_MICROS,
        Retention::Current => FULL_PASS_BUILT_IN_MICROS,
    }
}

/// Notes the last commit of the log, for a later run.
async fn observe(
    store: &Store,
    log: LogId,
    now: Position,
    progress: &mut Progress,
) -> Result<(), StoreError> {
    let last = store.last_commits(log, None, 1).await?;
    if let Some(last) = last.first().filter(|last| last.seq > progress.seen) {
        progress.seen = last.seq;
        // The latest of three clocks (the schedule's, this machine's, and of those who appended):
        // the wait must not be shorter than it seems.
        progress.seen_at = now.max(store.position_now()).max(last.last);
    }
    Ok(())
}

/// One pass over a log, or over its end.
struct Pass<'a> {
    store: &'a Store,
    log: LogId,
    now: Position,
    until: Instant,
    /// The last commit that may be touched.
    last: u64,
    done: &'a mut Compacted,
}

impl Pass<'_> {
    /// Compacts what lies after commit `through`. Answers up to which commit that is done.
    async fn run(&mut self, mut through: u64) -> Result<u64, StoreError> {
        self.done.unfinished = 1;
        let mut planner = Planner::new(Retention::of(self.log), self.now, through);
        let mut next = through + 1;
        let mut held: Option<(Commit, CommitMarks)> = None;
        loop {
            if Instant::now() >= self.until {
                return Ok(through);
            }
            let page = self.store.commits_from(self.log, next, PAGE, Consistency::Strong);
            let (commits, more) = page.await?;
            if let Some((first, _)) = commits.first()
                && held.is_none()
                && first.from < next
            {
                // Another pass merged what lies on both sides: its marks lie before this number.
                next = first.from;
                through = next - 1;
                planner = Planner::new(Retention::of(self.log), self.now, through);
                continue;
            }
            for (commit, marks) in commits {
                if commit.from > next {
                    return Err(StoreError::Damaged(format!(
                        "log {} lacks commit {next}",
                        self.log
                    )));
                }
                next = commit.seq + 1;
                // The last commit of the log is none that another follows.
                let Some((commit, marks)) = held.replace((commit, marks)) else { continue };
                if commit.seq > self.last {
                    return self.finish(planner).await;
                }
                for step in planner.push(commit, &marks) {
                    if !self.act(step).await? {
                        return Ok(through);
                    }
                }
                through = planner.through();
            }
            if !more {
                return self.finish(planner).await;
            }
        }
    }

    /// Does what the planner still holds; later commits may join that, so it counts as not done.
    async fn finish(&mut self, planner: Planner) -> Result<u64, StoreError> {
        let through = planner.through();
        let whole = match planner.finish() {
            Some(step) => self.act(step).await?,
            None => true,
        };
        self.done.unfinished = usize::from(!whole);
        Ok(through)
    }

    /// Does a step. Says no when somebody else was at work on the same commits, or the time is
    /// up: what is left is harmless, and the next run finds it.
    async fn act(&mut self, step: Step) -> Result<bool, StoreError> {
        match self.try_act(step).await {
            Ok(whole) => Ok(whole),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn try_act(&mut self, step: Step) -> Result<bool, StoreError> {
        if Instant::now() >= self.until {
            return Ok(false);
        }
        if let Some(merged) = &step.merged {
            self.store.rewrite_commit(self.log, merged).await?;
            self.done.written += 1;
            self.done.dropped += step.dropped;
        }
        // One after the other: what readers rely on is the order.
        for (seq, rewrites) in step.commits {
            if Instant::now() >= self.until {
                return Ok(false);
            }
            self.store.delete_commit(self.log, seq, rewrites).await?;
            self.done.merged += 1;
        }
        for (seq, marks) in &step.marks {
            match self.store.delete_marks(self.log, *seq, marks).await {
                // A mark was added: it goes on naming the entry where that was appended.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}
