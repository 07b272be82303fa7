//! Chance that can be repeated.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

/// Draws that depend on the seed, on what is drawn for, and on how often that was asked before;
/// not on the order in which requests of different items happen to arrive.
#[derive(Debug)]
pub(super) struct Dice {
    seed: u64,
    asked: Mutex<HashMap<u64, u32>>,
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, asked: Mutex::default() }
    }

    /// A number from 0 up to but not 1.
    pub(super) fn draw(&self, what: impl Hash) -> f64 {
        let bits = u32::try_from(self.number(what) >> 32).unwrap();
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }

    /// A number below `bound`, which is above 0.
    pub(super) fn below(&self, what: impl Hash, bound: usize) -> usize {
        usize::try_from(self.number(what) % bound as u64).unwrap()
    }

    fn number(&self, what: impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, what).hash(&mut hasher);
        let of_this = hasher.finish();
        let mut asked = self.asked.lock().unwrap();
        let count = asked.entry(of_this).or_default();
        *count += 1;
        mixed(of_this.wrapping_add(u64::from(*count).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }
}

/// The finisher of `SplitMix64`: every bit of the result depends on every bit of `bits`.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_repeated_by_the_seed_whatever_their_order() {
        let (first, second) = (Dice::new(7), Dice::new(7));
        let one = [first.number("a"), first.number("a"), first.number("b")];
        let other = [second.number("b"), second.number("a"), second.number("a")];
        assert_eq!(one, [other[1], other[2], other[0]]);
        assert_ne!(one[0], one[1]);
        assert_ne!(Dice::new(8).number("a"), one[0]);
    }

    #[test]
    fn draws_are_spread_evenly() {
        let dice = Dice::new(1);
        let low = (0..10_000).filter(|_| dice.draw("same") < 0.1).count();
        assert!((800..1200).contains(&low), "{low}");
    }
}
