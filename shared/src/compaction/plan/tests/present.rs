//! A log of which only the present state is read says the same before and after, whatever objects
//! went through, though most of what it holds goes.

use super::backwards::Reading;
use super::*;
use crate::log::Entry;

/// What happens to an object: the body of its next version, or none where it leaves; and whether
/// whoever appends it dies before setting its marks.
type Event = (usize, Option<u16>, bool);

fn event() -> impl Strategy<Value = Event> {
    (0..6usize, proptest::option::weighted(0.8, 0..9u16), proptest::bool::weighted(0.3))
}

/// The log after `events`, and the entries that are current in it, newest first. A projector that
/// dies is followed by another, which sets the marks first; where the object has left, within the
/// time that leaves are kept.
fn log_of(events: &[Event]) -> (Table, Vec<Entry>) {
    let mut table = Table::of(Retention::Current);
    let mut standing: [Option<Place>; 6] = [None; 6];
    let mut unmarked: Vec<(usize, Place, Note)> = Vec::new();
    for (object, next, dies) in events {
        let known = standing[*object];
        let op = match (next, known) {
            (None, None) => continue,
            (None, Some(_)) => Op::Leave,
            (Some(_), None) => Op::Enter,
            (Some(_), Some(_)) => Op::Update,
        };
        table.append(&[(op, next.unwrap_or_default())]);
        let seq = table.commits.len() as u64;
        let entry = &mut table.commits.get_mut(&seq).unwrap().entries[0];
        entry.id = format!("indicator--{object}");
        entry.replaces = known;
        let young = entry.position > NOW.minus(LEAVES_KEPT_BUILT_IN_MICROS);
        standing[*object] = next.map(|_| Place { seq, index: 0 });
        let (late, due): (Vec<_>, Vec<_>) =
            unmarked.into_iter().partition(|(other, ..)| other != object);
        unmarked = late;
        for (_, place, note) in due {
            table.mark(place, note);
        }
        let Some(known) = known else { continue };
        let note = if op == Op::Leave { Note::Removed } else { Note::Superseded };
        if *dies && (op == Op::Update || young) {
            unmarked.push((*object, known, note));
        } else {
            table.mark(known, note);
        }
    }
    let mut current: Vec<Place> = standing.into_iter().flatten().collect();
    current.sort_unstable_by(|one, other| other.cmp(one));
    let entries = current.iter().map(|place| table.commits[&place.seq].entries[0].clone());
    let entries = entries.collect();
    (table, entries)
}

proptest! {
    #[test]
    fn the_present_state_stays_as_it_is(
        events in proptest::collection::vec(event(), 1..64),
        at_once in 1..5usize,
    ) {
        let (table, current) = log_of(&events);
        let last = (table.commits.len() as u64).saturating_sub(1);
        let mut table = table;
        let read = |table: &Table| Reading::new(None, None).read_to_the_end(table, at_once);
        prop_assert_eq!(&read(&table), &current);
        for write in writes(plan(table.retention, table.read(1), last)) {
            prop_assert!(table.write(&write));
            prop_assert_eq!(&read(&table), &current);
        }
    }

    /// What is left follows what there is: current entries, what the last commit and those who
    /// died left unmarked, leaves that are young, and no more dead ones than living.
    #[test]
    fn what_is_kept_follows_what_is_current(
        updates in 1..60usize,
        leaves in any::<bool>(),
    ) {
        let mut events: Vec<Event> = (0..updates).map(|_| (0, Some(5), false)).collect();
        if leaves {
            events.insert(updates / 2, (0, None, false));
        }
        let (mut table, current) = log_of(&events);
        let last = table.commits.len() as u64 - 1;
        compact(&mut table, last);
        let held: usize = table.commits.values().map(|commit| commit.entries.len()).sum();
        let young = usize::from(leaves);
        prop_assert!(held <= 2 * (current.len() + young + 1), "{held} are held");
    }
}
