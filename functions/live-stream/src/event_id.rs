//! Event ids: `<ms>-<n>`, unique and increasing in a stream.

use std::fmt;
use std::ops::RangeInclusive;

use shared::time::Position;

/// The place of the last event of a group: who has it, has the whole group.
pub const LAST_PLACE: u16 = 999;

/// Microseconds of a day.
const DAY_MICROS: u64 = 86_400 * 1_000_000;

/// Days that an id may name: from 2020 for some 150 years. What names another is no id of ours.
const DAYS: RangeInclusive<u64> = 18_262..=73_000;

/// Where an event stands: the position of the log's entry that it comes from, and its place among
/// the events sent for that entry. Written `<ms>-<n>`, `n` being the microseconds within the
/// millisecond × 1000 + the place. `n` begins with a zero while versions were passed over whose
/// successors lie ahead: who comes again with such an id was not sent all that lies before it. To
/// everybody else it is the same number.
///
/// Of a position that is no longer recent, `n` has a million more for each day up to the one from
/// whose beginning on the reader lacks nothing but what was appended since: it began with the
/// present state on that day, or had read all there was. By its position alone it would seem to
/// lack leaves that are not kept any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventId {
    position: Position,
    place: u16,
    day: u64,
    passed_over: bool,
}

impl EventId {
    /// The beginning of every stream, `0-0`.
    pub const START: Self =
        Self { position: Position::from_micros(0), place: 0, day: 0, passed_over: false };

    /// The event at a place (at most [`LAST_PLACE`]) of the group at a position.
    #[must_use]
    pub fn new(position: Position, place: u16) -> Self {
        Self { position, place: place.min(LAST_PLACE), ..Self::START }
    }

    /// The same, of a reader for which versions may have been passed over whose successors lie
    /// ahead.
    #[must_use]
    pub fn having_passed(self, passed_over: bool) -> Self {
        Self { passed_over, ..self }
    }

    /// Whether versions may have been passed over before it.
    #[must_use]
    pub fn has_passed(self) -> bool {
        self.passed_over
    }

    /// The same, of a reader that lacks no leave before the day of `moment`; none: that is not
    /// known, or the position tells enough.
    #[must_use]
    pub fn current_at(self, moment: Option<Position>) -> Self {
        let day = moment.map(|moment| moment.micros() / DAY_MICROS);
        Self { day: day.filter(|day| DAYS.contains(day)).unwrap_or(0), ..self }
    }

    /// No leave before this is one the reader lacks: its position, or the beginning of a later day
    /// that the id names.
    #[must_use]
    pub fn lacks_none_before(self) -> Position {
        self.position.max(Position::from_micros(self.day * DAY_MICROS))
    }

    /// The day the id names, by its beginning.
    #[must_use]
    pub fn day(self) -> Option<Position> {
        (self.day > 0).then(|| Position::from_micros(self.day * DAY_MICROS))
    }

    /// The whole group at a position, and all before it.
    #[must_use]
    pub fn through(position: Position) -> Self {
        if position == Position::default() { Self::START } else { Self::new(position, LAST_PLACE) }
    }

    /// The position of its group.
    #[must_use]
    pub fn position(self) -> Position {
        self.position
    }

    /// The position after which who has this event reads on: a group it has only a part of comes
    /// again.
    #[must_use]
    pub fn read_after(self) -> Position {
        if self.place == LAST_PLACE { self.position } else { self.position.minus(1) }
    }

    /// Reads `<ms>-<n>`, or `<ms>` for that very moment.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| {
            let plain =
                (1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            if plain { digits.parse::<u64>().ok() } else { None }
        };
        let Some((millis, rest)) = text.split_once('-') else {
            let micros = number(text)?.checked_mul(1000)?;
            return Some(Self::through(Position::from_micros(micros)));
        };
        let passed_over = rest.len() > 1 && rest.starts_with('0');
        let (millis, rest) = (number(millis)?, number(rest)?);
        let (day, rest) = (rest / 1_000_000, rest % 1_000_000);
        let (micros, place) = (rest / 1000, u16::try_from(rest % 1000).ok()?);
        let position = millis.checked_mul(1000)?.checked_add(micros)?;
        let position = Position::from_micros(position);
        (day == 0 || DAYS.contains(&day)).then_some(Self { position, place, day, passed_over })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.position.micros();
        let zero = if self.passed_over { "0" } else { "" };
        let n = self.day * 1_000_000 + micros % 1000 * 1000 + u64::from(self.place);
        write!(f, "{}-{zero}{n}", micros / 1000)
    }
}

/// A position that is older than this says by itself too little of what its reader lacks.
const RECENT_MICROS: u64 = 7 * DAY_MICROS;

/// What is known only when it is over: a read that is a moment behind, a clock that is.
const MARGIN_MICROS: u64 = 3_600 * 1_000_000;

/// What the ids of a connection say beside where they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Positions before this are not recent: of one millisecond all or none.
    old_before: Position,
    /// The reader lacks no leave before this, as far as is known.
    current: Option<Position>,
}

impl Stamp {
    /// Of a connection that begins at `now`, and whose reader lacks no leave before `current`.
    #[must_use]
    pub fn new(now: Position, current: Option<Position>) -> Self {
        let old = now.minus(RECENT_MICROS).micros();
        Self { old_before: Position::from_micros(old - old % 1000), current }
    }

    /// Of one whose reader has, or is about to be sent, all there is at `now`.
    #[must_use]
    pub fn anew(now: Position) -> Self {
        let mut stamp = Self::new(now, None);
        stamp.is_current_at(now);
        stamp
    }

    /// The reader has all there was at `moment`.
    pub fn is_current_at(&mut self, moment: Position) {
        self.current = self.current.max(Some(moment.minus(MARGIN_MICROS)));
    }

    /// An id as it is sent.
    #[must_use]
    pub fn id(self, id: EventId) -> EventId {
        let old = id.position() < self.old_before && id.position() > Position::default();
        if old { id.current_at(self.current) } else { id }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_are_read_in_every_form() {
        let at = |micros| Position::from_micros(micros);
        let id = EventId::parse("1700000000000-5003").unwrap();
        assert_eq!(id, EventId::new(at(1_700_000_000_000_005), 3));
        assert_eq!(id.read_after(), at(1_700_000_000_000_004), "its group comes again");
        let whole = EventId::parse("1700000000000-5999").unwrap();
        assert_eq!(whole.read_after(), at(1_700_000_000_000_005));
        let moment = EventId::parse("1700000000000").unwrap();
        assert_eq!(moment.read_after(), at(1_700_000_000_000_000));
        for start in ["0", "0-0"] {
            assert_eq!(EventId::parse(start), Some(EventId::START), "{start}");
        }
        for bad in ["", "-", "1-", "-1", "1-2-3", "x", "1-x", "+1", "1.5", "1-1000000", " 1"] {
            assert_eq!(EventId::parse(bad), None, "{bad:?}");
        }
        assert_eq!(EventId::parse("99999999999999999999-0"), None);
        assert!(EventId::parse("1700000000000-00").unwrap().has_passed());
        let passed = EventId::parse("1700000000000-05999").unwrap();
        assert!(passed.has_passed() && !whole.has_passed());
        assert_eq!(passed.having_passed(false), whole, "the same number");
    }

    #[test]
    fn an_id_may_name_the_day_on_which_its_reader_was_current() {
        let position = Position::from_micros(1_700_000_000_000_005);
        let plain = EventId::new(position, LAST_PLACE);
        assert_eq!(plain.lacks_none_before(), position);
        let moment = Position::from_micros(1_800_000_000_000_000);
        let current = plain.current_at(Some(moment));
        assert_eq!(current.to_string(), "1700000000000-20833005999");
        assert_eq!(current.lacks_none_before().micros(), 20_833 * 86_400 * 1_000_000);
        assert_eq!(EventId::parse("1700000000000-20833005999"), Some(current));
        assert_eq!((current.position(), current.read_after()), (position, position));
        let passed = current.having_passed(true);
        assert_eq!(passed.to_string(), "1700000000000-020833005999");
        assert_eq!(EventId::parse(&passed.to_string()), Some(passed));
        assert_eq!(current.current_at(None), plain);
        let before = Position::from_micros(1_600_000_000_000_000);
        assert_eq!(plain.current_at(Some(before)).lacks_none_before(), position);
        assert_eq!(EventId::parse("1700000000000-999999005999"), None, "no day of ours");
    }

    proptest! {
        #[test]
        fn ids_sort_as_they_are_written(a in 0_u64..4_000_000, b in 0_u64..4_000_000, p in 0..=999_u16, q in 0..=999_u16, passed: bool) {
            let (one, other) =
                (EventId::new(Position::from_micros(a), p), EventId::new(Position::from_micros(b), q));
            let written = |id: EventId| {
                let text = id.to_string();
                let (ms, n) = text.split_once('-').unwrap();
                (ms.parse::<u64>().unwrap(), n.parse::<u64>().unwrap())
            };
            prop_assert_eq!(one.cmp(&other), written(one).cmp(&written(other)));
            let marked = one.having_passed(passed);
            prop_assert_eq!(EventId::parse(&marked.to_string()), Some(marked));
            prop_assert_eq!(written(marked), written(one));
            // Of one connection, whose readers are current at one day or at later ones.
            let on = |id: EventId, day: u64| id.current_at(Some(Position::from_micros((20_000 + day) * DAY_MICROS)));
            let dated = on(one, 0).having_passed(passed);
            prop_assert_eq!(EventId::parse(&dated.to_string()), Some(dated));
            prop_assert_eq!(on(one, 0).cmp(&on(other, 0)), written(on(one, 0)).cmp(&written(on(other, 0))));
            prop_assert!(written(one) < written(dated) && written(dated) < written(on(one, 1)));
        }
    }
}
