use super::*;

const NOW: u64 = 1_800_000_000_000_000;
const DAY: u64 = 86_400 * 1_000_000;

fn ends() -> Ends {
    Ends {
        id: CollectionId(Uuid::nil()),
        first: Position::from_micros(NOW - 300 * DAY),
        last: Position::from_micros(NOW - 1000),
        seq: 7,
    }
}

fn ask(cursor: Option<EventId>, recover: Option<u64>) -> Ask {
    let recover = recover.map(Position::from_micros);
    Ask { cursor, recover, dependencies: None, deletes: true, finite: false }
}

fn begin(cursor: Option<EventId>, recover: Option<u64>) -> Start {
    start(&ask(cursor, recover), &ends(), Position::from_micros(NOW))
}

fn at(micros: u64) -> EventId {
    EventId::through(Position::from_micros(micros))
}

#[test]
fn without_a_start_only_what_comes_is_sent() {
    let start = begin(None, None);
    assert_eq!((start.after, start.reset), (ends().last, false));
    assert_eq!(start.cursor, EventId::through(ends().last));
}

#[test]
fn a_recent_position_is_gone_on_from() {
    let start = begin(Some(at(NOW - DAY)), None);
    assert_eq!((start.after.micros(), start.reset), (NOW - DAY, false));
    let inside = EventId::new(Position::from_micros(NOW - DAY), 3);
    assert_eq!(begin(Some(inside), None).after.micros(), NOW - DAY - 1);
    assert_eq!(begin(Some(inside), None).cursor, inside);
}

#[test]
fn a_position_ahead_of_the_log_misses_nothing() {
    assert_eq!(begin(Some(at(NOW + DAY)), None).after, ends().last);
}

#[test]
fn an_old_position_starts_anew_and_says_so() {
    let start = begin(Some(at(NOW - 31 * DAY)), None);
    assert_eq!((start.after, start.reset), (Position::default(), true));
    assert!(!begin(Some(EventId::START), None).reset, "it began at the beginning");
    // Its first replay is under way.
    let replaying = begin(Some(at(NOW - 200 * DAY)), Some(NOW - DAY));
    assert_eq!((replaying.after.micros(), replaying.reset), (NOW - 200 * DAY, false));
    assert!(begin(Some(at(NOW - 200 * DAY)), Some(NOW - 40 * DAY)).reset);
    assert!(begin(Some(at(NOW - 35 * DAY)), Some(NOW - 36 * DAY)).reset, "the replay was over");
}

#[test]
fn a_replay_goes_up_to_where_it_was_asked_for() {
    assert_eq!(begin(Some(EventId::START), None).replay, ends().last);
    assert_eq!(begin(Some(at(NOW - 2 * DAY)), Some(NOW - DAY)).replay.micros(), NOW - DAY);
    assert_eq!(begin(Some(at(NOW - DAY)), Some(NOW - 2 * DAY)).replay, Position::default());
}

#[test]
fn who_passed_over_versions_is_sure_of_what_comes_after_the_present_end() {
    let passed = at(NOW - DAY).having_passed(true);
    assert_eq!(begin(Some(passed), None).unsure, ends().last);
    assert_eq!(begin(Some(passed), None).cursor.to_string(), passed.to_string());
    assert_eq!(begin(Some(at(NOW - DAY)), None).unsure, Position::default());
}

/// A log whose last entry is `days` old.
fn quiet(days: u64) -> Ends {
    Ends { last: Position::from_micros(NOW - days * DAY), ..ends() }
}

#[test]
fn who_is_up_to_date_is_not_reset_however_long_nothing_happened() {
    let now = Position::from_micros(NOW);
    let end = quiet(40);
    for cursor in [EventId::through(end.last), at(NOW - 35 * DAY), EventId::new(end.last, 3)] {
        let start = start(&ask(Some(cursor), None), &end, now);
        assert!(!start.reset, "{cursor}");
        assert!(start.after >= end.last.minus(1), "{cursor}");
    }
    assert!(start(&ask(Some(at(NOW - 41 * DAY)), None), &end, now).reset, "there is something new");
    // What it is given says that it was up to date, whatever is appended before it comes again.
    for cursor in [None, Some(at(NOW - 35 * DAY))] {
        let given = start(&ask(cursor, None), &end, now).cursor;
        let again = start(&ask(Some(given), None), &ends(), Position::from_micros(NOW + DAY));
        assert_eq!((again.after, again.reset), (end.last, false), "{given}");
    }
    let beat = start(&ask(Some(EventId::through(end.last)), None), &end, now).stamp;
    let beat = beat.id(EventId::through(end.last));
    assert!(!start(&ask(Some(beat), None), &ends(), Position::from_micros(NOW + 28 * DAY)).reset);
    assert!(start(&ask(Some(beat), None), &ends(), Position::from_micros(NOW + 31 * DAY)).reset);
}

#[test]
fn a_replay_of_an_old_log_goes_on_where_it_was() {
    let begun = begin(Some(EventId::START), None);
    let within = begun.stamp.id(at(NOW - 200 * DAY));
    assert_eq!(begun.stamp.id(at(NOW - DAY)), at(NOW - DAY), "recent ones are as they are");
    let again = begin(Some(within), None);
    assert_eq!((again.after.micros(), again.reset), (NOW - 200 * DAY, false));
    // The day goes with it from connection to connection, and no further.
    let further = again.stamp.id(at(NOW - 100 * DAY));
    assert_eq!(further.day(), within.day());
    let late = |days| {
        start(&ask(Some(further), None), &ends(), Position::from_micros(NOW + days * DAY)).reset
    };
    assert!(!late(28));
    assert!(late(32));
}
