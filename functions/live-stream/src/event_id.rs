//! Event ids: `<ms>-<n>`, unique and increasing in a stream.

use std::fmt;

use shared::time::Position;

/// The place of the last event of a group: who has it, has the whole group.
pub const LAST_PLACE: u16 = 999;

/// Where an event stands: the position of the log's entry that it comes from, and its place among
/// the events sent for that entry. Written `<ms>-<n>`, `n` being the microseconds within the
/// millisecond × 1000 + the place. `n` begins with a zero while versions were passed over whose
/// successors lie ahead: who comes again with such an id was not sent all that lies before it. To
/// everybody else it is the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventId {
    position: Position,
    place: u16,
    passed_over: bool,
}

impl EventId {
    /// The beginning of every stream, `0-0`.
    pub const START: Self =
        Self { position: Position::from_micros(0), place: 0, passed_over: false };

    /// The event at a place (at most [`LAST_PLACE`]) of the group at a position.
    #[must_use]
    pub fn new(position: Position, place: u16) -> Self {
        Self { position, place: place.min(LAST_PLACE), passed_over: false }
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
        let (micros, place) = (rest / 1000, u16::try_from(rest % 1000).ok()?);
        let position = millis.checked_mul(1000)?.checked_add(micros)?;
        let position = Position::from_micros(position);
        (micros < 1000).then_some(Self { position, place, passed_over })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.position.micros();
        let zero = if self.passed_over { "0" } else { "" };
        write!(f, "{}-{zero}{}", micros / 1000, micros % 1000 * 1000 + u64::from(self.place))
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
        }
    }
}
