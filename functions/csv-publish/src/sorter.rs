//! Sorts frames outside memory: sorted runs in temporary files, merged as they are read.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use shared::feed::{Frame, Window};

use crate::error::PublishError;
use crate::spool::{Effort, Spool, SpoolReader, SpoolWriter};

/// Bytes held in memory before they go to a file.
const BUDGET: usize = 24 << 20;
/// What a frame takes beside its bytes and its id.
const OVERHEAD: usize = 160;

/// Takes frames in any order.
#[derive(Debug)]
pub struct Sorter {
    window: Window,
    budget: usize,
    held: Vec<Frame>,
    bytes: usize,
    runs: Vec<Spool>,
}

impl Sorter {
    /// A sorter into the window's order.
    pub fn new(window: Window) -> Self {
        Self::with_budget(window, BUDGET)
    }

    fn with_budget(window: Window, budget: usize) -> Self {
        Self { window, budget, held: Vec::new(), bytes: 0, runs: Vec::new() }
    }

    /// Takes a frame.
    pub fn push(&mut self, frame: Frame) -> Result<(), PublishError> {
        self.bytes += frame.bytes().len() + frame.id.len() + OVERHEAD;
        self.held.push(frame);
        if self.bytes >= self.budget { self.spill() } else { Ok(()) }
    }

    fn sort(&mut self) {
        let window = self.window;
        self.held.sort_unstable_by(|one, other| compare(window, one, other));
    }

    fn spill(&mut self) -> Result<(), PublishError> {
        self.sort();
        let mut run = SpoolWriter::new(Effort::Little)?;
        for frame in self.held.drain(..) {
            run.push(&frame)?;
        }
        self.runs.push(run.finish()?);
        self.bytes = 0;
        Ok(())
    }

    /// All frames, in order.
    pub fn sorted(mut self) -> Result<Sorted, PublishError> {
        self.sort();
        let mut runs = Vec::with_capacity(self.runs.len() + 1);
        for run in &self.runs {
            runs.push(Run::File(Box::new(run.frames()?)));
        }
        runs.push(Run::Held(self.held.into_iter()));
        let mut sorted =
            Sorted { window: self.window, heads: BinaryHeap::new(), runs, fault: None };
        for run in 0..sorted.runs.len() {
            sorted.take_from(run);
        }
        Ok(sorted)
    }
}

fn compare(window: Window, one: &Frame, other: &Frame) -> Ordering {
    let by_place = window.compare((one.date, &one.id), (other.date, &other.id));
    by_place.then(one.position.cmp(&other.position))
}

enum Run {
    File(Box<SpoolReader>),
    Held(std::vec::IntoIter<Frame>),
}

/// The frames in order.
pub struct Sorted {
    window: Window,
    heads: BinaryHeap<Head>,
    runs: Vec<Run>,
    fault: Option<PublishError>,
}

struct Head {
    window: Window,
    frame: Frame,
    run: usize,
}

impl Sorted {
    fn take_from(&mut self, run: usize) {
        let next = match self.runs.get_mut(run) {
            Some(Run::File(reader)) => reader.next(),
            Some(Run::Held(frames)) => frames.next().map(Ok),
            None => None,
        };
        match next {
            Some(Ok(frame)) => self.heads.push(Head { window: self.window, frame, run }),
            Some(Err(fault)) => self.fault = Some(fault),
            None => {}
        }
    }
}

impl Iterator for Sorted {
    type Item = Result<Frame, PublishError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(fault) = self.fault.take() {
            self.heads.clear();
            return Some(Err(fault));
        }
        let Head { frame, run, .. } = self.heads.pop()?;
        self.take_from(run);
        Some(Ok(frame))
    }
}

impl Ord for Head {
    /// The heap gives the greatest first, and that is to be what stands first.
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.window, &other.frame, &self.frame)
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::feed::{Order, Record, frame};

    use super::*;

    fn record((date, id, position): (i64, u8, u64)) -> Frame {
        let id = format!("malware--{id:03}");
        let (until, skip, cells, iocs, facts) = (None, None, Vec::new(), Vec::new(), None);
        frame(&Record { date, id, position, until, rows: 0, skip, cells, iocs, facts }).unwrap()
    }

    proptest! {
        #[test]
        fn the_order_is_the_windows_whatever_went_to_files(
            all in prop::collection::vec((-5..5i64, 0..9u8, 1..9u64), 0..60),
            budget in 1..4000usize,
            newest in any::<bool>(),
        ) {
            let order = if newest { Order::NewestFirst } else { Order::OldestFirst };
            let window = Window { rolling_minutes: None, only_active: false, order };
            let mut sorter = Sorter::with_budget(window, budget);
            let mut expected: Vec<Frame> = all.into_iter().map(record).collect();
            for frame in &expected {
                sorter.push(frame.clone()).unwrap();
            }
            expected.sort_by(|one, other| compare(window, one, other));
            let sorted: Result<Vec<Frame>, _> = sorter.sorted().unwrap().collect();
            prop_assert_eq!(sorted.unwrap(), expected);
        }
    }
}
