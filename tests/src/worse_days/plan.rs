//! Faults as they are carried out: by chance, and as far as they are not used up.

use std::sync::Mutex;
use std::time::Duration;

use super::dice::Dice;
use super::faults::{Faults, Kind};
use super::key::Key;

/// The faults of one [`super::Proxy::set`].
#[derive(Debug)]
pub(super) struct Plan {
    faults: Faults,
    left: Mutex<Vec<Left>>,
    pub(super) dice: Dice,
}

#[derive(Debug)]
struct Left {
    spare: usize,
    times: Option<usize>,
}

impl Plan {
    pub(super) fn new(faults: Faults) -> Self {
        let left = faults.faults.iter();
        let left = left.map(|fault| Left { spare: fault.spare, times: fault.times }).collect();
        Self { dice: Dice::new(faults.seed), left: Mutex::new(left), faults }
    }

    /// How far back an eventually consistent read may see; `None` when none sees back.
    pub(super) fn lag(&self) -> Option<Duration> {
        let sees_back = self.faults.faults.iter().any(|fault| fault.kind == Kind::StaleRead);
        sees_back.then_some(self.faults.lag)
    }

    /// The first fault among those that can befall a request and that strikes it.
    pub(super) fn first(
        &self,
        operation: &str,
        keys: &[&Key],
        can: impl Fn(Kind) -> bool,
    ) -> Option<Kind> {
        let faults = self.faults.faults.iter().enumerate();
        let struck = faults.filter(|(_, fault)| can(fault.kind)).find(|(index, fault)| {
            let means = |key: &&Key| fault.only.means(operation, &key.table, &key.spelt());
            keys.iter().any(means)
                && self.dice.draw((fault.kind, index, operation, keys)) < fault.chance
                && self.take(*index)
        });
        struck.map(|(_, fault)| fault.kind)
    }

    /// Whether the fault is to happen still; if so, it has now happened once more.
    fn take(&self, index: usize) -> bool {
        let mut left = self.left.lock().unwrap();
        let left = &mut left[index];
        if left.times == Some(0) {
            return false;
        }
        if left.spare > 0 {
            left.spare -= 1;
            return false;
        }
        left.times = left.times.map(|times| times - 1);
        true
    }

    /// How long a slow answer, or a late write, to this request takes.
    pub(super) fn delay(&self, keys: &[&Key]) -> Duration {
        let (least, most) = (*self.faults.slow.start(), *self.faults.slow.end());
        least + most.saturating_sub(least).mul_f64(self.dice.draw(("delay", keys)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worse_days::{Fault, Only};

    fn struck(fault: Fault, requests: usize) -> Vec<bool> {
        let plan = Plan::new(Faults::only(fault));
        let key = Key { table: "things".into(), partition: "a".into(), sort: "HEAD".into() };
        (0..requests).map(|_| plan.first("PutItem", &[&key], |_| true).is_some()).collect()
    }

    #[test]
    fn a_schedule_is_kept_exactly() {
        let fault = Kind::LostWrite.once();
        assert_eq!(struck(fault.clone(), 3), [true, false, false]);
        assert_eq!(struck(fault.clone().after(1), 3), [false, true, false]);
        assert_eq!(struck(fault.times(2), 3), [true, true, false]);
    }

    #[test]
    fn a_fault_keeps_to_the_requests_it_is_for() {
        let only = Only::everything().operation("PutItem").table("thing").key("a/HEAD");
        assert_eq!(struck(Kind::Throttled.always().on(only.clone()), 1), [true]);
        for other in [only.clone().table("x"), only.clone().key("b/")] {
            assert_eq!(struck(Kind::Throttled.always().on(other), 1), [false]);
        }
        let reads = Only::everything().operation("GetItem").operation("Query");
        assert_eq!(struck(Kind::Throttled.always().on(reads), 1), [false]);
    }

    #[test]
    fn chance_is_kept_roughly() {
        let struck = struck(Kind::LostAnswer.at(0.2), 1000);
        let count = struck.iter().filter(|struck| **struck).count();
        assert!((140..260).contains(&count), "{count}");
    }
}
