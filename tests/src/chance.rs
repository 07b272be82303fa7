//! Chance that a seed repeats.

/// A row of numbers that look like chance and are the same for the same seed (`SplitMix64`).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The row of this seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// A row of its own for a part of the test; parts with other names have other rows.
    #[must_use]
    pub fn part(&self, name: u64) -> Self {
        let mut part = Self(self.0 ^ name.wrapping_mul(0xd6e8_feb8_6659_fd93));
        part.number();
        part
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `bound`, which is above 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % bound as u64).unwrap()
    }
}

/// What an environment variable asks for, or `default` where it is not set.
pub fn asked_for(variable: &str, default: usize) -> usize {
    let value = std::env::var(variable).ok();
    value.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable}: a number")))
}

/// The seed of a test's round: what `IOCAST_SEED` says, or always the same one where it says
/// nothing, plus the round. A change is not to be refused by chance; long runs look further.
pub fn seed(round: usize) -> u64 {
    let asked = std::env::var("IOCAST_SEED").ok();
    let first = asked.map_or(20_261_122, |text| text.parse().expect("IOCAST_SEED: a number"));
    first + round as u64
}

/// The seed of a draw of which each run may look at another part: what `IOCAST_SEED` says, or the
/// day. Whoever draws prints it, so that a run can be had again.
pub fn seed_of_the_day() -> u64 {
    match std::env::var("IOCAST_SEED") {
        Ok(_) => seed(0),
        Err(_) => u64::try_from(chrono::Utc::now().timestamp().div_euclid(86_400)).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_row_and_a_part_has_its_own() {
        let row = |mut chance: Chance| [chance.number(), chance.number(), chance.number()];
        assert_eq!(row(Chance::of(7)), row(Chance::of(7)));
        assert_ne!(row(Chance::of(7)), row(Chance::of(8)));
        assert_ne!(row(Chance::of(7).part(1)), row(Chance::of(7).part(2)));
    }
}
