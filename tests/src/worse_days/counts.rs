//! How often each fault really happened.

use std::sync::atomic::{AtomicU64, Ordering};

use super::faults::Kind;

/// Counters that all connections share.
#[derive(Debug, Default)]
pub(super) struct Counters {
    requests: AtomicU64,
    happened: [AtomicU64; Kind::ALL.len()],
}

impl Counters {
    pub(super) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn happened(&self, kind: Kind) {
        self.happened[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Counts {
        Counts {
            requests: self.requests.load(Ordering::Relaxed),
            happened: std::array::from_fn(|index| self.happened[index].load(Ordering::Relaxed)),
        }
    }
}

/// How often each fault happened since the proxy started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Requests that arrived, those of the SDK's own repetitions included.
    pub requests: u64,
    happened: [u64; Kind::ALL.len()],
}

impl Counts {
    /// How often this fault happened: requests it befell, or, for [`Kind::StaleRead`], items
    /// that were shown as they no longer are.
    pub fn of(&self, kind: Kind) -> u64 {
        self.happened[kind as usize]
    }

    /// The kinds among `kinds` that did not happen.
    pub fn missing<'a>(&self, kinds: &'a [Kind]) -> Vec<&'a Kind> {
        kinds.iter().filter(|kind| self.of(**kind) == 0).collect()
    }
}
