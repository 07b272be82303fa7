//! A notification's id: decimal, and in the order of time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::access::TenantId;
use crate::time::Position;

use super::{Entity, Source};

/// Digits of the microseconds: enough until the year 2286.
const TIME_DIGITS: usize = 16;
const TAIL_DIGITS: usize = 10;
/// Ten digits.
const TAILS: u64 = 10_000_000_000;
/// Sixteen digits.
const TIMES: u64 = 10_000_000_000_000_000;

/// The microseconds of the notification's cause, and digits of a hash of tenant, source and
/// entity: the same cause makes the same id again, and two of one microsecond differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NotificationId {
    micros: u64,
    tail: u64,
}

/// Why a text is no notification id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a notification id is {digits} decimal digits: {0:?}", digits = TIME_DIGITS + TAIL_DIGITS)]
pub struct NotificationIdError(String);

impl NotificationId {
    /// The lowest id.
    pub const MIN: Self = Self { micros: 0, tail: 0 };
    /// The highest id.
    pub const MAX: Self = Self { micros: TIMES - 1, tail: TAILS - 1 };

    /// The id of what `source` has to tell `tenant` of `entity`, because of something at `cause`.
    #[must_use]
    pub fn new(cause: Position, tenant: &TenantId, source: &Source, entity: &Entity) -> Self {
        let mut hash = Sha256::new();
        for part in
            [tenant.as_str(), source.kind.to_string().as_str(), &source.id, entity.id.as_str()]
        {
            hash.update(part);
            hash.update([0]);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let tail = digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte)) % TAILS;
        Self { micros: cause.micros().min(TIMES - 1), tail }
    }

    /// The first id that anything caused at `position` may have.
    #[must_use]
    pub fn first_at(position: Position) -> Self {
        Self { micros: position.micros().min(TIMES - 1), tail: 0 }
    }

    /// When it was caused.
    #[must_use]
    pub const fn cause(self) -> Position {
        Position::from_micros(self.micros)
    }

    /// Its digits as a number.
    #[must_use]
    pub fn number(self) -> u128 {
        u128::from(self.micros) * u128::from(TAILS) + u128::from(self.tail)
    }

    /// When it was caused, in Unix seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.micros / 1_000_000
    }

    /// The id right before this one; the lowest has none.
    #[must_use]
    pub const fn before(self) -> Option<Self> {
        match (self.micros, self.tail) {
            (0, 0) => None,
            (micros, 0) => Some(Self { micros: micros - 1, tail: TAILS - 1 }),
            (micros, tail) => Some(Self { micros, tail: tail - 1 }),
        }
    }

    /// The id right after this one; the highest has none.
    #[must_use]
    pub const fn after(self) -> Option<Self> {
        if self.tail + 1 < TAILS {
            return Some(Self { micros: self.micros, tail: self.tail + 1 });
        }
        if self.micros + 1 < TIMES {
            return Some(Self { micros: self.micros + 1, tail: 0 });
        }
        None
    }
}

impl fmt::Display for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016}{:010}", self.micros, self.tail)
    }
}

impl FromStr for NotificationId {
    type Err = NotificationIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || NotificationIdError(text.chars().take(40).collect());
        let digits = text.len() == TIME_DIGITS + TAIL_DIGITS
            && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            return Err(bad());
        }
        let (micros, tail) = text.split_at(TIME_DIGITS);
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| bad());
        Ok(Self { micros: number(micros)?, tail: number(tail)? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_reads_back_and_sorts_as_its_text(
            a in (0..TIMES, 0..TAILS), b in (0..TIMES, 0..TAILS)
        ) {
            let [a, b] = [a, b].map(|(micros, tail)| NotificationId { micros, tail });
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(a.before().and_then(NotificationId::after), a.before().map(|_| a));
            prop_assert_eq!(a.after().and_then(NotificationId::before), a.after().map(|_| a));
        }
    }

    #[test]
    fn the_ends_have_no_neighbour() {
        assert_eq!(NotificationId::MIN.before(), None);
        assert_eq!(NotificationId::MAX.after(), None);
        for bad in ["", "1", "+0000000000000000000000000", "0000000000000000000000000x"] {
            assert!(bad.parse::<NotificationId>().is_err(), "{bad}");
        }
    }
}
