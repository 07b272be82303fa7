//! Who reads from the end to the beginning meets the same as who reads forward.

use super::*;
use crate::log::{Backwards, Chain, Entry};
use crate::store::{LogPart, UpTo};

/// The place of a key in the table's order: marks stand before the commit with their number.
fn rank(to: UpTo) -> (u64, u8) {
    match to {
        UpTo::End => (u64::MAX, 1),
        UpTo::Commit(seq) => (seq, 1),
        UpTo::Marks(seq) => (seq, 0),
        UpTo::Before(seq) => (seq - 1, 1),
    }
}

/// A reader on its way, that reads a table which may change between its pages.
struct Reading {
    walk: Backwards,
    unread: Option<UpTo>,
    met: VecDeque<Entry>,
}

impl Reading {
    fn new(below: Option<Position>, hint: Option<u64>) -> Self {
        let unread = Some(hint.map_or(UpTo::End, UpTo::Commit));
        Self { walk: Backwards::new(below, hint), unread, met: VecDeque::new() }
    }

    /// Reads a page of `at_once` items.
    fn read(&mut self, table: &Table, at_once: usize) {
        let Some(to) = self.unread else { return };
        let commits = table.commits.keys().map(|seq| (*seq, 1));
        let mut keys: Vec<(u64, u8)> =
            commits.chain(table.marks.keys().map(|seq| (*seq, 0))).collect();
        keys.retain(|key| *key <= rank(to));
        keys.sort_unstable_by(|one, other| other.cmp(one));
        let more = keys.len() > at_once;
        let part = |(seq, kind): &(u64, u8)| match kind {
            1 => LogPart::Commit(table.commits[seq].clone()),
            _ => LogPart::Marks(*seq, table.marks[seq].clone()),
        };
        let parts: Vec<LogPart> = keys.iter().take(at_once).map(part).collect();
        let last = parts.last().map(LogPart::before);
        let mut chain = self.walk.take(parts, &mut self.met);
        if chain == Chain::Whole && !more {
            chain = self.walk.end(1, &mut self.met);
        }
        self.unread = match chain {
            Chain::Whole => last.filter(|_| more),
            Chain::Gap => {
                let next = self.walk.next().expect("a gap is before a number");
                let (_, cover) = table.commits.range(next..).next().expect("it is covered");
                assert!(cover.from <= next, "{next} is in no commit");
                Some(UpTo::Commit(cover.seq))
            }
        };
    }

    fn read_to_the_end(mut self, table: &Table, at_once: usize) -> Vec<Entry> {
        let mut pages = 0;
        while self.unread.is_some() {
            self.read(table, at_once);
            pages += 1;
            assert!(pages < 10_000, "reading does not end");
        }
        self.met.into()
    }
}

/// Of what a reader sees that goes forward, what one meets that goes backwards from `below`, or
/// from the end: there what was superseded meanwhile still counts.
fn expected(all: &[Seen], below: Option<Position>) -> Vec<Entry> {
    let told = all.iter().filter(|seen| {
        let version = matches!(seen.entry.op, Op::Enter | Op::Update);
        version && below.map_or(seen.present, |below| seen.current && seen.entry.position < below)
    });
    told.rev().map(|seen| seen.entry.clone()).collect()
}

/// Whoever reads `table` backwards meets what was seen forward.
pub(super) fn check(all: &[Seen], table: &Table, at_once: usize) {
    let met = Reading::new(None, None).read_to_the_end(table, at_once);
    assert_eq!(met, expected(all, None));
    for seen in all.iter().step_by(101) {
        let below = Some(seen.entry.position);
        let wanted = expected(all, below);
        for hint in [None, Some(seen.seq)] {
            assert_eq!(Reading::new(below, hint).read_to_the_end(table, at_once), wanted);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn who_reads_backwards_while_it_is_compacted_meets_the_same(
        table in table(),
        at_once in 1..5usize,
        pace in 0..4usize,
    ) {
        let wanted = expected(&table.seen(Position::default(), 1, 5), None);
        let mut writes = writes(plan(table.read(1), table.commits.len() as u64 - 1));
        let mut table = table;
        let mut reading = Reading::new(None, None);
        while reading.unread.is_some() {
            reading.read(&table, at_once);
            for write in writes.drain(..pace.min(writes.len())).collect::<Vec<_>>() {
                prop_assert!(table.write(&write));
            }
        }
        prop_assert_eq!(Vec::from(reading.met), wanted);
    }
}

#[test]
fn an_object_is_met_once_at_its_newest() {
    let mut table = Table::default();
    table.append(&[(Op::Enter, 1), (Op::Enter, 1), (Op::Enter, 1)]);
    table.append(&[(Op::Update, 2), (Op::Leave, 2)]);
    // No mark is set yet: the entries that come first tell.
    let first: Vec<String> =
        table.commits[&1].entries.iter().map(|entry| entry.id.clone()).collect();
    let second = table.commits.get_mut(&2).unwrap();
    for (entry, id) in second.entries.iter_mut().zip(&first) {
        entry.id.clone_from(id);
    }
    let met = Reading::new(None, None).read_to_the_end(&table, 1);
    let met: Vec<(&str, usize)> = met.iter().map(|e| (e.id.as_str(), e.body.len())).collect();
    assert_eq!(met, [(first[0].as_str(), 2), (first[2].as_str(), 1)]);
}
