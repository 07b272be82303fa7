mod backwards;
mod present;
mod table;

use std::collections::VecDeque;

use proptest::prelude::*;

use super::super::candidate::{LEAVES_KEPT_BUILT_IN_MICROS, LEAVES_KEPT_MICROS};
use super::*;
use crate::log::{Op, Place, Seen};
use table::{Note, Table, Write};

/// "Now" in these tests; entries lie up to twice the time that leaves are kept before it.
const NOW: Position = Position::from_micros(100 * LEAVES_KEPT_MICROS);

/// How long leaves are kept.
fn leaves_kept(retention: Retention) -> u64 {
    match retention {
        Retention::Versions => LEAVES_KEPT_MICROS,
        Retention::Current => LEAVES_KEPT_BUILT_IN_MICROS,
    }
}

/// What there is to do with `pages`, if the commits up to `last` are seen.
fn plan(
    retention: Retention,
    pages: impl Iterator<Item = (Commit, CommitMarks)>,
    last: u64,
) -> Vec<Step> {
    let mut planner = Planner::new(retention, NOW, 0);
    let mut steps = Vec::new();
    for (commit, marks) in pages.take_while(|(commit, _)| commit.seq <= last) {
        steps.extend(planner.push(commit, &marks));
    }
    steps.extend(planner.finish());
    steps
}

/// The writes of each step, one after the other.
fn writes(steps: Vec<Step>) -> VecDeque<Write> {
    let each = steps.into_iter().flat_map(|step| {
        let put = step.merged.into_iter().map(Write::Put);
        let commits = step.commits.into_iter().map(|(seq, n)| Write::DeleteCommit(seq, n));
        let marks = step.marks.into_iter().map(|(seq, marks)| Write::DeleteMarks(seq, marks));
        put.chain(commits).chain(marks).collect::<Vec<_>>()
    });
    each.collect()
}

fn compact(table: &mut Table, last: u64) {
    for write in writes(plan(table.retention, table.read(1), last)) {
        assert!(table.write(&write), "nobody else writes");
    }
}

/// What a reader may no longer be told: an entry that is dead by its marks or its age.
fn may_go(plain: &Table, seen: &Seen) -> bool {
    let place = place_of(plain, seen);
    let marks = plain.marks.get(&place.seq);
    let removed = marks.is_some_and(|marks| marks.removed.contains(&place.index));
    let superseded = marks.is_some_and(|marks| marks.superseded.contains(&place.index));
    let old = seen.entry.position < NOW.minus(leaves_kept(plain.retention));
    removed
        || match seen.entry.op {
            Op::Enter | Op::Update | Op::History => {
                superseded && plain.retention == Retention::Current
            }
            Op::Related => superseded,
            Op::Unrelate => superseded || old,
            Op::Leave => old,
        }
}

/// Everything that was seen `before` is seen `after`, in the same order and just the same, but for
/// what may go; and nothing else is.
fn assert_same(before: &[Seen], after: &[Seen], went: &dyn Fn(&Seen) -> bool) {
    let mut after = after.iter().peekable();
    for seen in before {
        if after.peek() == Some(&seen) {
            after.next();
        } else {
            assert!(went(seen), "lost or changed: {seen:?}, next is {:?}", after.peek());
        }
    }
    assert_eq!(after.next(), None, "seen after, and not before");
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => Just(Op::Enter),
        4 => Just(Op::Update),
        1 => Just(Op::Leave),
        1 => Just(Op::Related),
        1 => Just(Op::Unrelate),
        1 => Just(Op::History),
    ]
}

fn note() -> impl Strategy<Value = Note> {
    prop_oneof![
        4 => Just(Note::Superseded),
        4 => Just(Note::Removed),
        1 => (1..4u64).prop_map(Note::NotOldest),
        1 => (1..4u64).prop_map(Note::NowOldest),
    ]
}

/// How long a body is: few are long, so that the bound in bytes is met as well as that in number.
fn body() -> impl Strategy<Value = u16> {
    prop_oneof![200 => 0..20u16, 1 => 20_000..60_000u16]
}

fn table() -> impl Strategy<Value = Table> {
    let size = prop_oneof![6 => 0..4usize, 2 => 4..60usize, 1 => 100..128usize];
    let commit = size.prop_flat_map(|size| proptest::collection::vec((op(), body()), size..=size));
    let marks = proptest::collection::vec((any::<prop::sample::Index>(), note()), 0..200);
    let retention = prop_oneof![Just(Retention::Versions), Just(Retention::Current)];
    let commits = proptest::collection::vec(commit, 1..40);
    (retention, commits, marks).prop_map(|(retention, commits, marks)| {
        let mut table = Table::of(retention);
        for drafts in &commits {
            table.append(drafts);
        }
        add_marks(&mut table, &marks);
        table
    })
}

fn add_marks(table: &mut Table, marks: &[(prop::sample::Index, Note)]) {
    let places = table.places();
    for (which, note) in marks.iter().filter(|_| !places.is_empty()) {
        table.mark(*which.get(&places), *note);
    }
}

/// One turn of a race: who writes next, or what is marked.
#[derive(Clone, Debug)]
enum Turn {
    Write(usize),
    Read(usize),
    ReadOn(usize),
    Die(usize),
    Mark(prop::sample::Index, Note),
}

/// A compactor in the midst of its work: what it has read so far, and what it has yet to write.
#[derive(Clone, Debug, Default)]
struct Compactor {
    read: Vec<(Commit, CommitMarks)>,
    writes: VecDeque<Write>,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        12 => (0..3usize).prop_map(Turn::Write),
        2 => (0..3usize).prop_map(Turn::Read),
        3 => (0..3usize).prop_map(Turn::ReadOn),
        1 => (0..3usize).prop_map(Turn::Die),
        2 => (any::<prop::sample::Index>(), note()).prop_map(|(which, note)| Turn::Mark(which, note)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whoever_reads_from_wherever_sees_the_same(table in table(), at_once in 1..5usize) {
        let last = table.commits.len() as u64 - 1;
        let mut after = table.clone();
        compact(&mut after, last);
        check(&table, &after, at_once);
        // Numbers are covered without a gap, and commits keep within their bounds.
        let mut next = 1;
        for commit in after.commits.values() {
            prop_assert_eq!(commit.from, next);
            prop_assert_eq!(commit.origins.len(), commit.entries.len());
            let bytes: usize = commit.entries.iter().map(|entry| entry.body.len()).sum();
            let alone = commit.rewrites == 0;
            prop_assert!(alone || commit.entries.len() <= MAX_ENTRIES);
            prop_assert!(alone || commit.from == commit.seq || bytes <= MAX_BODY_BYTES);
            prop_assert_eq!(commit.last, table.commits[&commit.seq].last);
            prop_assert_eq!(commit.first, table.commits[&commit.from].first);
            prop_assert_eq!(commit.generation, table.commits[&commit.seq].generation);
            next = commit.seq + 1;
        }
        prop_assert_eq!(next, last + 2);
        prop_assert_eq!(&after.commits[&(last + 1)], &table.commits[&(last + 1)]);
        // It has come to rest.
        prop_assert_eq!(plan(after.retention, after.read(1), last), vec![]);
    }

    /// Compactors at work side by side, each killed now and then in the midst, and marks set in
    /// between: after every single write readers see every entry once, and no mark is lost.
    #[test]
    fn compactors_at_once_that_die_anywhere_do_no_harm(
        table in table(),
        turns in proptest::collection::vec(turn(), 1..300),
    ) {
        let mut plain = table.clone();
        let mut table = table;
        let last = plain.commits.len() as u64;
        let mut at_work = vec![Compactor::default(); 3];
        let places = plain.places();
        for turn in turns {
            match turn {
                Turn::Read(who) => {
                    at_work[who] = Compactor::default();
                    at_work[who].read = table.read(1).collect();
                    let half = at_work[who].read.len() / 2;
                    at_work[who].read.truncate(half);
                }
                Turn::ReadOn(who) => {
                    let next = at_work[who].read.last().map_or(1, |(commit, _)| commit.seq + 1);
                    let mut pages = std::mem::take(&mut at_work[who].read);
                    pages.extend(table.read(next));
                    at_work[who].writes =
                        writes(plan(table.retention, pages.into_iter(), last - 1));
                }
                Turn::Write(who) => {
                    if let Some(write) = at_work[who].writes.pop_front()
                        && !table.write(&write)
                    {
                        at_work[who].writes.clear();
                    }
                }
                Turn::Die(who) => at_work[who] = Compactor::default(),
                Turn::Mark(which, note) if !places.is_empty() => {
                    plain.mark(*which.get(&places), note);
                    table.mark(*which.get(&places), note);
                }
                Turn::Mark(..) => {}
            }
        }
        check(&plain, &table, 3);
        compact(&mut table, last - 1);
        check(&plain, &table, 3);
    }
}

/// Where an entry that was seen was appended.
fn place_of(plain: &Table, seen: &Seen) -> Place {
    let first = plain.commits[&seen.seq].first;
    let index = seen.entry.position.micros() - first.micros();
    Place { seq: seen.seq, index: u16::try_from(index).unwrap() }
}

/// Whoever reads `table` sees what `plain`, which was never compacted, says.
fn check(plain: &Table, table: &Table, at_once: usize) {
    let went = |seen: &Seen| may_go(plain, seen);
    let all = plain.seen(Position::default(), 1, at_once);
    backwards::check(&all, table, at_once, &went);
    assert_same(&all, &table.seen(Position::default(), 1, at_once), &went);
    // A cursor, and a hint, at an entry: just before it, and just after it.
    for seen in all.iter().step_by(23) {
        let at = seen.entry.position;
        for position in [at.minus(1), at] {
            let before = plain.seen(position, seen.seq, at_once);
            assert_same(&before, &table.seen(position, seen.seq, at_once), &went);
        }
    }
}

fn singles(count: usize) -> Table {
    let mut table = Table::of(Retention::Versions);
    (0..count).for_each(|_| table.append(&[(Op::Enter, 500)]));
    table
}

#[test]
fn a_log_of_single_entries_becomes_one_of_full_commits() {
    let mut table = singles(301);
    compact(&mut table, 300);
    assert_eq!(table.numbers(), [(1, 128), (129, 256), (257, 300), (301, 301)]);
}

#[test]
fn a_run_of_dead_entries_becomes_a_commit_without_any() {
    let mut table = singles(4);
    table.places().into_iter().take(3).for_each(|place| table.mark(place, Note::Removed));
    compact(&mut table, 3);
    assert_eq!(table.numbers(), [(1, 3), (4, 4)]);
    assert!(table.commits[&3].entries.is_empty() && table.marks.is_empty());
}

#[test]
fn a_large_commit_is_not_written_again_for_every_small_one_that_follows() {
    let mut table = Table::of(Retention::Versions);
    table.append(&[(Op::Enter, 500); 100]);
    (0..7).for_each(|_| table.append(&[(Op::Enter, 500)]));
    assert_eq!(plan(table.retention, table.read(1), 8), vec![]);
    table.append(&[(Op::Enter, 500)]);
    compact(&mut table, 9);
    assert_eq!(table.numbers(), [(1, 9)]);
}

#[test]
fn marks_of_the_oldest_version_stay_beside_the_commit() {
    let mut table = singles(3);
    let place = Place { seq: 2, index: 0 };
    table.mark(place, Note::NotOldest(5));
    table.mark(place, Note::Superseded);
    table.mark(Place { seq: 1, index: 0 }, Note::Superseded);
    compact(&mut table, 2);
    assert_eq!(table.marks.keys().collect::<Vec<_>>(), [&2]);
    table.mark(place, Note::NowOldest(4));
    let seen = table.seen(Position::default(), 1, 9);
    assert!(!seen[1].oldest && !seen[1].current && !seen[0].current);
    table.mark(place, Note::NowOldest(6));
    assert!(table.seen(Position::default(), 1, 9)[1].oldest);
}

#[test]
fn superseded_versions_stay_in_collections_alone() {
    for (retention, left) in [(Retention::Versions, 9), (Retention::Current, 1)] {
        let mut table = Table { retention, ..singles(10) };
        for place in table.places().into_iter().take(8) {
            table.mark(place, Note::Superseded);
        }
        compact(&mut table, 9);
        assert_eq!(table.commits[&9].entries.len(), left, "{retention:?}");
        assert!(table.marks.is_empty());
    }
}

/// One compactor has read the first commits, where nothing was dead yet; then most of them was,
/// and another made one commit of all. What the first one finds there must stay for all of it.
#[test]
fn what_another_merged_goes_on_standing_for_all_it_stood_for() {
    let mut table = Table::of(Retention::Versions);
    for size in [60, 100, 1, 1] {
        table.append(&vec![(Op::Enter, 5); size]);
    }
    let mut pages: Vec<_> = table.read(1).take(2).collect();
    for index in 0..90 {
        table.mark(Place { seq: 2, index }, Note::Removed);
    }
    compact(&mut table, 3);
    assert_eq!(table.numbers(), [(1, 3), (4, 4)]);
    pages.extend(table.read(3));
    for write in writes(plan(table.retention, pages.into_iter(), 3)) {
        table.write(&write);
    }
    assert_eq!(table.numbers(), [(1, 3), (4, 4)]);
}
