//! What the tables charged, as `ReturnConsumedCapacity` reports it.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::ConsumedCapacity;

use crate::work;

/// Read and write request units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    /// Read request units.
    pub read: f64,
    /// Write request units.
    pub write: f64,
}

impl std::ops::Sub for Units {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self { read: self.read - earlier.read, write: self.write - earlier.write }
    }
}

/// Adds up what calls consumed: those of a store since it was made, or those of one request.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    // Units come in halves; whole numbers of halves add up without rounding.
    read_halves: AtomicU64,
    write_halves: AtomicU64,
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn halves(consumed: Option<&ConsumedCapacity>) -> u64 {
    let units = consumed.and_then(|consumed| consumed.capacity_units).unwrap_or(0.0);
    (units * 2.0).round() as u64
}

impl Meter {
    pub(super) fn read(&self, consumed: Option<&ConsumedCapacity>) {
        let halves = halves(consumed);
        self.everywhere(|meter| meter.read_halves.fetch_add(halves, Ordering::Relaxed));
    }

    pub(super) fn write(&self, consumed: Option<&ConsumedCapacity>) {
        let halves = halves(consumed);
        self.everywhere(|meter| meter.write_halves.fetch_add(halves, Ordering::Relaxed));
    }

    /// A write whose condition did not hold is charged too, and says so nowhere.
    pub(super) fn refused_write(&self) {
        self.everywhere(|meter| meter.write_halves.fetch_add(2, Ordering::Relaxed));
    }

    /// Here, and in the request that is under way.
    fn everywhere(&self, add: impl Fn(&Self) -> u64) {
        add(self);
        if let Some(work) = work::present() {
            add(work.meter());
        }
    }

    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn units(&self) -> Units {
        Units {
            read: self.read_halves.load(Ordering::Relaxed) as f64 / 2.0,
            write: self.write_halves.load(Ordering::Relaxed) as f64 / 2.0,
        }
    }
}
