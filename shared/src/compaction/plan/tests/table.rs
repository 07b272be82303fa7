//! A log's commits and marks as the store holds them, for the planner's tests.

use std::collections::{BTreeMap, VecDeque};

use super::{NOW, Retention, leaves_kept};
use crate::log::{Commit, CommitMarks, Entry, Marks, Op, Origin, Place, Seen, Taken, Walk};
use crate::stix::SpecVersion;
use crate::time::Position;

/// What a mark says of an entry, drawn at random.
#[derive(Clone, Copy, Debug)]
pub enum Note {
    Superseded,
    Removed,
    NotOldest(u64),
    NowOldest(u64),
}

/// A log as the table holds it: every write is conditional, as the store's are.
#[derive(Clone, Debug)]
pub struct Table {
    pub retention: Retention,
    pub commits: BTreeMap<u64, Commit>,
    pub marks: BTreeMap<u64, Marks>,
}

/// One write of a step.
#[derive(Clone, Debug)]
pub enum Write {
    Put(Commit),
    DeleteCommit(u64, u64),
    DeleteMarks(u64, Marks),
}

impl Table {
    /// A log of which this is kept.
    pub fn of(retention: Retention) -> Self {
        Self { retention, commits: BTreeMap::new(), marks: BTreeMap::new() }
    }

    pub fn append(&mut self, drafts: &[(Op, u16)]) {
        let seq = self.commits.len() as u64 + 1;
        let kept = leaves_kept(self.retention);
        let step = 2 * kept / 64;
        let base = NOW.micros() - 2 * kept + seq * step / 1000 * 1000;
        let position = |index: u64| Position::from_micros(base + index);
        let entries: Vec<Entry> = (0..)
            .zip(drafts)
            .map(|(index, (op, body))| Entry {
                op: *op,
                id: format!("indicator--{seq}-{index}"),
                version: "2026-01-01T00:00:00Z".into(),
                spec_version: SpecVersion::V21,
                revision: 1,
                position: position(index),
                entered: position(index),
                replaces: None,
                oldest: index % 2 == 0,
                body: "x".repeat(usize::from(*body)),
            })
            .collect();
        let commit = Commit {
            seq,
            from: seq,
            rewrites: 0,
            generation: seq / 5,
            first: position(0),
            last: position(999),
            since_hint: seq,
            origins: Origin::own(seq, entries.len()),
            entries,
        };
        self.commits.insert(seq, commit);
    }

    pub fn mark(&mut self, place: Place, note: Note) {
        let marks = self.marks.entry(place.seq).or_default();
        let plain = |marks: &mut Vec<u16>| {
            if !marks.contains(&place.index) {
                marks.push(place.index);
            }
        };
        match note {
            Note::Superseded => plain(&mut marks.superseded),
            Note::Removed => plain(&mut marks.removed),
            Note::NotOldest(revision) => marks.not_oldest.push((place.index, revision)),
            Note::NowOldest(revision) => marks.now_oldest.push((place.index, revision)),
        }
    }

    /// What a Query from `from` on brings.
    pub fn read(&self, from: u64) -> impl Iterator<Item = (Commit, CommitMarks)> {
        let mut marks = CommitMarks::default();
        for (seq, of) in self.marks.range(from..) {
            marks.insert(*seq, of.clone());
        }
        let commits = self.commits.range(from..).map(|(_, commit)| commit.clone());
        commits.map(move |one| {
            let marks = marks.within(one.from, one.seq);
            (one, marks)
        })
    }

    /// Does a write, unless its condition does not hold.
    pub fn write(&mut self, write: &Write) -> bool {
        match write {
            Write::Put(commit) => {
                let known = self.commits.get(&commit.seq);
                let holds = known.is_some_and(|known| known.rewrites == commit.rewrites);
                if holds {
                    let rewrites = commit.rewrites + 1;
                    self.commits.insert(commit.seq, Commit { rewrites, ..commit.clone() });
                }
                holds
            }
            Write::DeleteCommit(seq, rewrites) => {
                let known = self.commits.get(seq);
                let holds = known.is_some_and(|known| known.rewrites == *rewrites);
                if holds {
                    self.commits.remove(seq);
                }
                holds
            }
            Write::DeleteMarks(seq, marks) => {
                if self.marks.get(seq) == Some(marks) {
                    self.marks.remove(seq);
                }
                // That a mark was added stops nothing.
                true
            }
        }
    }

    pub fn places(&self) -> Vec<Place> {
        self.commits
            .values()
            .flat_map(|one| one.origins.iter().map(|origin| origin.place))
            .collect()
    }

    /// What a reader of the entries after `after` sees that begins with commit `seq`, reading
    /// `at_once` commits at a time.
    pub fn seen(&self, after: Position, seq: u64, at_once: usize) -> Vec<Seen> {
        let mut walk = Walk::new(after, seq);
        let mut ready = VecDeque::new();
        loop {
            let page = self.read(walk.next_seq()).take(at_once);
            match walk.take(page, &mut ready) {
                Taken::Nothing => return ready.into(),
                Taken::Gap => panic!("a gap before {} in {:?}", walk.next_seq(), self.numbers()),
                Taken::Some { .. } => {}
            }
        }
    }

    pub fn numbers(&self) -> Vec<(u64, u64)> {
        self.commits.values().map(|commit| (commit.from, commit.seq)).collect()
    }
}
