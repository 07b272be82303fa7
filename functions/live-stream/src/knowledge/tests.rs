use proptest::prelude::*;
use shared::stix::SpecVersion;

use super::*;

fn at(micros: u64) -> Position {
    Position::from_micros(micros)
}

fn place(position: u64) -> Place {
    Place { seq: position, index: 0 }
}

/// An entry that stands at `position`, in a membership that began at `entered`.
fn seen(op: Op, position: u64, entered: u64, replaces: Option<u64>) -> Seen {
    let entry = Entry {
        op,
        id: "indicator--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69".into(),
        version: "2026-01-01T00:00:00Z".into(),
        spec_version: SpecVersion::V21,
        revision: 1,
        position: at(position),
        entered: at(entered),
        replaces: replaces.map(place),
        oldest: false,
        body: "{}".into(),
    };
    let present = op.holds_version();
    Seen {
        entry,
        seq: position,
        current: present && op != Op::History,
        present,
        oldest: false,
        superseded: false,
        place: place(position),
    }
}

fn skipped(seen: Seen) -> Seen {
    Seen { current: false, superseded: true, ..seen }
}

fn reader(start: u64) -> Knowledge {
    Knowledge::new(at(start), Position::default(), Position::default())
}

#[test]
fn a_change_is_an_update_to_who_has_the_version_it_replaces() {
    let change = seen(Op::Update, 30, 10, Some(10));
    assert_eq!(reader(20).tell(&change, false), Telling::Update(place(10)));
    assert_eq!(reader(5).tell(&change, false), Telling::Create);
    let mut connected = reader(5);
    connected.sent(&seen(Op::Enter, 10, 10, None));
    assert_eq!(connected.tell(&change, false), Telling::Update(place(10)));
}

#[test]
fn a_version_that_was_passed_over_cannot_be_compared_with() {
    let mut connected = reader(5);
    connected.skip(&skipped(seen(Op::Enter, 10, 10, None)));
    assert_eq!(connected.tell(&seen(Op::Update, 30, 10, Some(10)), false), Telling::Create);
    let mut resumed = reader(15);
    resumed.skip(&skipped(seen(Op::Update, 20, 10, Some(10))));
    assert_eq!(resumed.tell(&seen(Op::Update, 30, 10, Some(20)), false), Telling::Create);
    let replaying = Knowledge::new(at(20), at(100), Position::default());
    assert_eq!(replaying.tell(&seen(Op::Update, 30, 10, Some(10)), false), Telling::Create);
}

#[test]
fn who_passed_over_versions_whose_successors_lay_ahead_is_told_of_creates() {
    let mut first = reader(0);
    first.skip(&skipped(seen(Op::Enter, 10, 10, None)));
    assert!(first.has_passed(at(20)), "the version of 30 is still to come");
    let again = Knowledge::new(at(20), Position::default(), at(40));
    assert_eq!(again.tell(&seen(Op::Update, 30, 10, Some(10)), false), Telling::Create);
    assert!(again.has_passed(at(20)) && !again.has_passed(at(40)));
    // What came after the connection began replaces what was current before.
    assert_eq!(again.tell(&seen(Op::Update, 50, 10, Some(10)), false), Telling::Update(place(10)));
    first.sent(&seen(Op::Update, 30, 10, Some(10)));
    assert!(!first.has_passed(at(30)));
}

#[test]
fn a_leave_concerns_who_could_have_seen_the_object() {
    let leave = seen(Op::Leave, 30, 10, Some(10));
    assert_eq!(reader(10).tell(&leave, false), Telling::Delete);
    assert_eq!(reader(9).tell(&leave, false), Telling::Nothing);
    let mut connected = reader(5);
    connected.sent(&seen(Op::Enter, 10, 10, None));
    assert_eq!(connected.tell(&leave, false), Telling::Delete);
    connected.deleted(&leave.entry.id);
    assert_eq!(connected.tell(&leave, false), Telling::Nothing);
    let mut depends = reader(5);
    depends.sent_dependency(&leave.entry.id);
    assert_eq!(depends.tell(&leave, false), Telling::Nothing, "it was sent for another's sake");
    assert_eq!(reader(100).tell(&seen(Op::Leave, 30, 30, None), false), Telling::Nothing);
}

#[test]
fn relationships_that_are_no_members_concern_who_wants_them() {
    let related = seen(Op::Related, 30, 30, None);
    assert_eq!(reader(5).tell(&related, false), Telling::Nothing);
    assert_eq!(reader(5).tell(&related, true), Telling::Create);
    assert_eq!(reader(5).tell(&skipped(related), true), Telling::Nothing);
    let gone = seen(Op::Unrelate, 40, 30, Some(30));
    assert_eq!(reader(5).tell(&gone, true), Telling::Nothing);
    assert_eq!(reader(35).tell(&gone, true), Telling::Delete);
    assert_eq!(reader(35).tell(&gone, false), Telling::Nothing);
    let alone = seen(Op::Unrelate, 40, 40, None);
    assert_eq!(reader(35).tell(&alone, true), Telling::Delete, "it may have come with its end");
    assert_eq!(reader(0).tell(&alone, true), Telling::Nothing);
    let mut knows = reader(5);
    knows.sent_dependency(&gone.entry.id);
    assert_eq!(knows.tell(&gone, true), Telling::Delete);
}

#[test]
fn history_concerns_nobody() {
    assert_eq!(reader(5).tell(&seen(Op::History, 30, 10, None), true), Telling::Nothing);
}

/// What happens to one object: versions, leaves, entries anew.
fn log(changes: &[bool]) -> Vec<(u64, Op, u64, Option<u64>)> {
    let mut entries = Vec::new();
    let mut member: Option<(u64, u64)> = None;
    for (number, stays) in changes.iter().enumerate() {
        let position = 10 * (number as u64 + 1);
        match (member, stays) {
            (None, _) => {
                entries.push((position, Op::Enter, position, None));
                member = Some((position, position));
            }
            (Some((entered, last)), true) => {
                entries.push((position, Op::Update, entered, Some(last)));
                member = Some((entered, position));
            }
            (Some((entered, last)), false) => {
                entries.push((position, Op::Leave, entered, Some(last)));
                member = None;
            }
        }
    }
    entries
}

proptest! {
    /// A reader connects when some of it has happened, reads, drops and comes again with the last
    /// position it has; whatever it is told, it ends with what there is, is told of an update only
    /// with the version replaced in hand, and of a delete only of what it has.
    #[test]
    fn a_reader_that_comes_and_goes_ends_with_what_there_is(
        changes in proptest::collection::vec(any::<bool>(), 1..12),
        visits in proptest::collection::vec((0_usize..13, 0_usize..13), 1..6),
    ) {
        let entries = log(&changes);
        let mut cursor = 0;
        let mut passed = false;
        let mut has: Option<u64> = None;
        let mut known = 0;
        let ends = std::iter::once((entries.len(), entries.len()));
        for (until, reads) in visits.into_iter().chain(ends) {
            known = known.max(until.min(entries.len()));
            let end = entries.get(known.wrapping_sub(1)).map_or(0, |last| last.0);
            let unsure = at(if passed { end } else { 0 });
            let mut knowledge = Knowledge::new(at(cursor), Position::default(), unsure);
            let visible = &entries[..known];
            let begun = cursor;
            let after = visible.iter().filter(|(position, ..)| *position > begun);
            for (position, op, entered, replaces) in after.take(reads) {
                let later = visible.iter().find(|other| other.3 == Some(*position));
                let mut entry = seen(*op, *position, *entered, *replaces);
                entry.current &= later.is_none();
                entry.superseded = later.is_some();
                match knowledge.tell(&entry, false) {
                    Telling::Nothing => knowledge.skip(&entry),
                    Telling::Delete => {
                        knowledge.deleted(&entry.entry.id);
                        has = None;
                    }
                    told @ (Telling::Create | Telling::Update(_)) => {
                        if let Telling::Update(replaced) = told {
                            prop_assert_eq!(has, Some(replaced.seq), "it has what is replaced");
                        }
                        knowledge.sent(&entry);
                        has = Some(*position);
                    }
                }
                cursor = *position;
                passed = knowledge.has_passed(at(cursor));
            }
        }
        let present = entries.last().filter(|last| last.1 != Op::Leave).map(|last| last.0);
        prop_assert_eq!(has, present);
    }
}
