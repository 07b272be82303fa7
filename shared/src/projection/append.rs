//! Appending to one log: decide by what its tail holds, put the next commit if its number is
//! still free, else read what took it and decide again.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use thiserror::Error;

use super::decide::{self, Decision, Mark, Question};
use super::view::View;
use crate::id::ObjectId;
use crate::log::{
    Commit, Entry, LogId, MAX_BODY_BYTES, MAX_ENTRIES, Marks, Membership, Op, Origin, Place, pack,
};
use crate::store::{Head, OldVersion, Store, StoreError, Tail};
use crate::time::{Position, Version};

/// Clocks of machines differ by less; an entry for a revision stands no earlier in a log than
/// this before the moment the object became pending.
pub const CLOCK_MARGIN_MICROS: u64 = 10_000_000;

/// An appender that loses this many races in a row gives up, and tries again later.
const ATTEMPTS: u32 = 50;

/// Why nothing could be appended.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The collection was redefined: what was decided does not hold.
    #[error("the collection's definition changed")]
    DefinitionChanged,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An object that may have something to say in a log.
#[derive(Clone, Copy, Debug)]
// Each is a fact of its own, none a state of the others.
#[allow(clippy::struct_excessive_bools)]
pub struct Candidate<'a> {
    pub head: &'a Head,
    pub older: &'a [OldVersion],
    pub wanted: bool,
    pub related: bool,
    pub parted: bool,
    pub history: &'a HashSet<(LogId, Version)>,
    pub above: &'a HashSet<(LogId, Version)>,
    pub in_flight: bool,
}

/// Where an object stands in one log now.
#[derive(Debug, Default)]
pub struct Standing {
    obsolete: bool,
    membership: Option<Membership>,
    versions: Vec<(Version, Membership)>,
    lost: Vec<Version>,
    entered: Vec<Position>,
}

/// Where an object stands in all logs that were looked at.
#[derive(Debug, Default)]
pub struct Standings {
    /// A newer revision was projected meanwhile.
    pub obsolete: bool,
    /// Its memberships.
    pub memberships: BTreeMap<LogId, Membership>,
    /// Where versions other than the newest have their entries.
    pub version_entries: Vec<(LogId, Version, Membership)>,
    /// Where versions have their entries no longer.
    pub lost: Vec<(LogId, Version)>,
    /// Where it entered since it was last settled.
    pub entered: Vec<(LogId, Position)>,
}

impl Standings {
    /// Adds what one log says.
    pub fn add(&mut self, log: LogId, standing: Standing) {
        self.obsolete |= standing.obsolete;
        if let Some(membership) = standing.membership {
            self.memberships.insert(log, membership);
        }
        let versions = standing.versions.into_iter();
        self.version_entries.extend(versions.map(|(version, at)| (log, version, at)));
        self.lost.extend(standing.lost.into_iter().map(|version| (log, version)));
        self.entered.extend(standing.entered.into_iter().map(|at| (log, at)));
    }
}

/// Appends what `candidates` have to say in `log`, sets the marks that follow, and says where
/// each of them stands.
pub async fn append(
    store: &Store,
    view: &mut View,
    log: LogId,
    generation: u64,
    candidates: &[Candidate<'_>],
) -> Result<Vec<(ObjectId, LogId, Standing)>, AppendError> {
    let since = candidates.iter().filter_map(|candidate| candidate.head.pending).min();
    let since = since.unwrap_or_else(|| store.position_now()).minus(CLOCK_MARGIN_MICROS);
    // A revision that nobody settled may be in the log by somebody else's hand.
    let unsure = candidates.iter().any(|c| c.head.revision > c.head.projected + 1);
    if unsure {
        view.ensure(store, log, since).await?;
        view.catch_up(store, log).await?;
    }
    let mut lost = 0;
    while lost < ATTEMPTS {
        view.ensure(store, log, since).await?;
        // What was decided by an older definition than the log's must not enter it; a newer one
        // begins its generation here.
        if view.tail().seq > 0 && view.tail().generation > generation {
            return Err(AppendError::DefinitionChanged);
        }
        let before = view.tail().seq;
        let decided = candidates.iter().map(|candidate| decide_one(view, log, candidate)).collect();
        match put_all(store, view, log, generation, candidates, decided).await {
            Ok(placed) => {
                set_marks(store, log, candidates, &placed).await?;
                if !placed.iter().any(|one| one.decision.more) {
                    return Ok(standings(log, candidates, placed));
                }
            }
            Err(StoreError::Conflict) => {
                lost = if view.tail().seq > before { 0 } else { lost + 1 };
                tokio::time::sleep(jitter(store.position_now(), lost)).await;
                view.catch_up(store, log).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Throttled(format!("too many appenders to log {log}")).into())
}

/// A pause that spreads appenders out: longer after every race lost, never the same for two.
fn jitter(now: Position, lost: u32) -> Duration {
    let bound = 2_000 * u64::from(lost.clamp(1, 20));
    Duration::from_micros(now.micros().wrapping_mul(0x9e37_79b9) % bound)
}

fn decide_one<'a>(view: &View, log: LogId, candidate: &Candidate<'a>) -> Decision<'a> {
    let head = candidate.head;
    let question = Question {
        log,
        head,
        older: candidate.older,
        wanted: candidate.wanted,
        related: candidate.related,
        parted: candidate.parted,
        history: candidate.history,
        above: candidate.above,
        in_flight: candidate.in_flight,
    };
    decide::decide(question, &view.traces(head.id().as_str(), head.projected))
}

/// A decision, and where its drafts came to lie.
struct Placed<'a> {
    decision: Decision<'a>,
    entries: Vec<(Place, Position, Position)>,
}

/// Puts the drafts of all decisions, those of one object always in one commit. A conflict leaves
/// what was put before it; the next round finds it in the log.
async fn put_all<'a>(
    store: &Store,
    view: &mut View,
    log: LogId,
    generation: u64,
    candidates: &[Candidate<'a>],
    decided: Vec<Decision<'a>>,
) -> Result<Vec<Placed<'a>>, StoreError> {
    let mut placed: Vec<Placed<'a>> =
        decided.into_iter().map(|decision| Placed { decision, entries: Vec::new() }).collect();
    let mut next = 0;
    while next < placed.len() {
        let (until, count) = batch(&placed, next);
        if count > 0 {
            let tail = view.tail();
            let builder = CommitBuilder::new(store.position_now(), tail, generation, count);
            let commit = builder.build(&candidates[next..until], &mut placed[next..until]);
            let blob = pack(&commit.entries)?;
            let tail = put_commit(store, log, tail, &commit, blob).await?;
            view.extend(&Commit { since_hint: tail.since_hint, ..commit });
        }
        next = until;
    }
    Ok(placed)
}

async fn put_commit(
    store: &Store,
    log: LogId,
    before: Tail,
    commit: &Commit,
    blob: Vec<u8>,
) -> Result<Tail, StoreError> {
    let tail = Tail { since_hint: before.since_hint, ..commit.tail() };
    store.put_commit(log, tail, commit.first, Some(blob)).await
}

/// How many decisions from `start` on fit in one commit, and how many drafts they hold.
fn batch(placed: &[Placed<'_>], start: usize) -> (usize, usize) {
    let (mut count, mut bytes) = (0, 0);
    for (index, one) in placed.iter().enumerate().skip(start) {
        let drafts = one.decision.drafts.len();
        let size: usize = one.decision.drafts.iter().map(|draft| draft.body.len()).sum();
        let full = count + drafts > MAX_ENTRIES || bytes + size > MAX_BODY_BYTES;
        if count > 0 && full {
            return (index, count);
        }
        count += drafts;
        bytes += size;
    }
    (placed.len(), count)
}

/// Gives drafts their places and positions.
struct CommitBuilder {
    seq: u64,
    generation: u64,
    first: Position,
    next: Position,
    left: usize,
    entries: Vec<Entry>,
}

impl CommitBuilder {
    fn new(now: Position, tail: Tail, generation: u64, count: usize) -> Self {
        let first = now.max(tail.last.next());
        // The last position of every commit is a whole millisecond.
        let first = if count == 1 { first.round_up_to_millisecond() } else { first };
        Self {
            seq: tail.seq + 1,
            generation,
            first,
            next: first,
            left: count,
            entries: Vec::with_capacity(count),
        }
    }

    fn build(mut self, candidates: &[Candidate<'_>], placed: &mut [Placed<'_>]) -> Commit {
        for (candidate, one) in candidates.iter().zip(placed) {
            let mut entered = Position::default();
            for draft in &one.decision.drafts {
                let position = self.position();
                if draft.op == Op::Enter || entered == Position::default() {
                    entered = draft.entered.unwrap_or(position);
                }
                let index = u16::try_from(self.entries.len()).unwrap_or(u16::MAX);
                let entry = draft.entry(candidate.head.revision, position, entered);
                one.entries.push((Place { seq: self.seq, index }, position, entry.entered));
                self.entries.push(entry);
            }
        }
        let last = self.entries.last().map_or(self.first, |entry| entry.position);
        Commit {
            seq: self.seq,
            from: self.seq,
            rewrites: 0,
            generation: self.generation,
            first: self.first,
            last,
            since_hint: 0,
            origins: Origin::own(self.seq, self.entries.len()),
            entries: self.entries,
        }
    }

    fn position(&mut self) -> Position {
        self.left = self.left.saturating_sub(1);
        let position = if self.left == 0 { self.next.round_up_to_millisecond() } else { self.next };
        self.next = position.next();
        position
    }
}

async fn set_marks(
    store: &Store,
    log: LogId,
    candidates: &[Candidate<'_>],
    placed: &[Placed<'_>],
) -> Result<(), StoreError> {
    let mut by_commit: BTreeMap<u64, Marks> = BTreeMap::new();
    for (candidate, one) in candidates.iter().zip(placed) {
        let revision = candidate.head.revision;
        for (Place { seq, index }, mark) in &one.decision.marks {
            let marks = by_commit.entry(*seq).or_default();
            match mark {
                Mark::Superseded => marks.superseded.push(*index),
                Mark::Removed => marks.removed.push(*index),
                Mark::NotOldest => marks.not_oldest.push((*index, revision)),
                Mark::NowOldest => marks.now_oldest.push((*index, revision)),
            }
        }
    }
    let all = by_commit.iter().map(|(seq, marks)| store.add_marks(log, *seq, marks));
    futures::future::try_join_all(all).await?;
    Ok(())
}

fn standings(
    log: LogId,
    candidates: &[Candidate<'_>],
    placed: Vec<Placed<'_>>,
) -> Vec<(ObjectId, LogId, Standing)> {
    let pairs = candidates.iter().zip(placed);
    pairs
        .map(|(candidate, one)| (candidate.head.id().clone(), log, stand(candidate.head, one)))
        .collect()
}

fn stand(head: &Head, placed: Placed<'_>) -> Standing {
    let Placed { decision, entries } = placed;
    let mut standing = Standing {
        obsolete: decision.obsolete,
        membership: decision.current,
        versions: decision.found,
        lost: decision.lost,
        entered: decision.entered,
    };
    for (draft, (place, position, entered)) in decision.drafts.iter().zip(entries) {
        let after = decide::membership_after(head, draft, place, position, entered);
        if draft.op != Op::History {
            standing.membership.clone_from(&after);
        }
        if draft.op == Op::Enter && head.revision > head.quiet {
            standing.entered.push(position);
        }
        if let Some(at) = after.filter(|at| !at.related) {
            standing.versions.push((draft.version().clone(), at));
        }
    }
    let lost = std::mem::take(&mut standing.lost);
    standing.versions.retain(|(version, _)| !lost.contains(version));
    standing.lost = lost;
    // The newest version's place is the membership itself.
    standing.versions.retain(|(version, _)| version != head.version());
    if let Some(membership) = &mut standing.membership
        && membership.version.as_ref() == Some(head.version())
    {
        membership.version = None;
    }
    standing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_position_of_a_commit_is_a_whole_millisecond() {
        let tail = Tail { last: Position::from_micros(u64::MAX / 2), ..Tail::default() };
        let mut builder = CommitBuilder::new(Position::default(), tail, 1, 3);
        let positions = [builder.position(), builder.position(), builder.position()];
        assert!(
            positions[0] > tail.last && positions[0] < positions[1] && positions[1] < positions[2]
        );
        assert_eq!(positions[2].micros() % 1000, 0);
    }
}
