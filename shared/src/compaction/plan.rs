//! Which commits become one, and what is kept of them. Pure.

use super::candidate::{Candidate, Retention};
use crate::log::{Commit, CommitMarks, MAX_BODY_BYTES, MAX_ENTRIES, Marks};
use crate::time::Position;

/// Commits that become one at the most: what one step does is bounded, also where nearly every
/// entry is dead.
const MAX_RUN: usize = 512;

/// A run that saves fewer items than this is merged only if that makes a difference to what its
/// largest commit costs: else a growing commit would be written again for every one that follows.
const FEW_ITEMS: usize = 8;

/// What is to be done, in this order. The whole of it may be repeated, or be left off anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// To be put over the commit with its number, if that was not rewritten since.
    pub(super) merged: Option<Commit>,
    /// Commits whose entries it holds, by number and rewrites: the highest number first, so that
    /// a reader who finds one missing finds all that follow missing too, up to the merged one.
    pub(super) commits: Vec<(u64, u64)>,
    /// Marks that are folded in, to be deleted if there are no more than these.
    pub(super) marks: Vec<(u64, Marks)>,
    /// How many entries it drops.
    pub(super) dropped: usize,
}

/// Takes the commits of a log in order and says what is to be done.
#[derive(Debug)]
pub(super) struct Planner {
    retention: Retention,
    now: Position,
    run: Vec<Candidate>,
    /// Whether commits of the run hold the same entries: leftovers of an earlier compaction.
    overlaps: bool,
    /// The last number that was taken.
    taken: u64,
    /// The last number that no later commit may join any more.
    through: u64,
}

impl Planner {
    /// A planner for the commits after number `through` of a log of which this is kept.
    pub(super) fn new(retention: Retention, now: Position, through: u64) -> Self {
        Self { retention, now, run: Vec::new(), overlaps: false, taken: through, through }
    }

    /// Commits up to this number are as they shall be.
    pub(super) fn through(&self) -> u64 {
        self.through
    }

    /// Takes the next commit, with its marks. Says what is to be done with those before it.
    pub(super) fn push(&mut self, commit: Commit, marks: &CommitMarks) -> Vec<Step> {
        let from = commit.from.max(self.taken + 1);
        let shared = self.run.partition_point(|before| before.seq() < commit.from);
        for before in self.run.iter_mut().skip(shared) {
            before.agree_with(&commit);
        }
        let overlaps = shared < self.run.len();
        self.taken = commit.seq;
        let next = Candidate::new(commit, marks, from, (self.retention, self.now));
        let mut steps = Vec::new();
        if overlaps && !self.has_room_for(&next) {
            // What was to be one commit before shall be, without what has gathered before it.
            let rest = self.run.split_off(shared);
            steps.extend(self.close());
            self.run = rest;
        }
        if !self.has_room_for(&next) {
            steps.extend(self.close());
        }
        self.overlaps |= overlaps && !self.run.is_empty();
        self.run.push(next);
        steps
    }

    /// What is to be done with the last commits. What follows later may join them still.
    pub(super) fn finish(mut self) -> Option<Step> {
        self.close()
    }

    fn has_room_for(&self, next: &Candidate) -> bool {
        let (entries, bytes) = self
            .run
            .iter()
            .fold((0, 0), |(entries, bytes), one| (entries + one.kept(), bytes + one.bytes()));
        self.run.is_empty()
            || (self.run.len() < MAX_RUN
                && entries + next.kept() <= MAX_ENTRIES
                && bytes + next.bytes() <= MAX_BODY_BYTES)
    }

    fn close(&mut self) -> Option<Step> {
        let run = std::mem::take(&mut self.run);
        let overlaps = std::mem::take(&mut self.overlaps);
        self.through = run.last().map_or(self.through, Candidate::seq);
        // What a commit stands for must never become less: where somebody else merged it with what
        // was closed here already, the rest is left as it is.
        let from = run.first().map_or(0, |first| first.from);
        if run.iter().any(|one| one.covers < from) {
            return None;
        }
        (overlaps || is_worth_it(&run)).then(|| merge(run)).flatten()
    }
}

/// Whether writing these as one saves as much as it costs.
fn is_worth_it(run: &[Candidate]) -> bool {
    let held: usize = run.iter().map(Candidate::held).sum();
    let kept: usize = run.iter().map(Candidate::kept).sum();
    let largest = run.iter().map(Candidate::kept).max().unwrap_or(0);
    let spent: usize = run.iter().map(|one| one.spent_marks().count()).sum();
    let mostly_dead = held > kept && (held - kept) * 2 >= held;
    let saved = run.len().saturating_sub(1) + spent;
    let alike = run.len() > 1 && (kept - largest) * 4 >= largest;
    mostly_dead || alike || saved >= FEW_ITEMS
}

fn merge(run: Vec<Candidate>) -> Option<Step> {
    let mut commits: Vec<(u64, u64)> =
        run.iter().map(|candidate| (candidate.seq(), candidate.rewrites())).collect();
    commits.pop();
    commits.reverse();
    let merged = run.into_iter().reduce(Candidate::append)?;
    Some(Step {
        commits,
        marks: merged.spent_marks().map(|(seq, marks)| (seq, marks.clone())).collect(),
        dropped: merged.held() - merged.kept(),
        merged: Some(merged.into_commit()),
    })
}

#[cfg(test)]
mod tests;
