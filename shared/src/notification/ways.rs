//! The lists that hold whatever matches, by facet, and which of them are walked: those that turn
//! out to hold the fewest others.

use std::collections::{BTreeSet, VecDeque};

use futures::future::try_join_all;

use super::walk::Walk;
use super::{NotificationId, Posting};
use crate::store::{List, Range, StoreError};

/// Postings of one read at the most: below the 1 MB a Query reads.
const LARGEST_READ: usize = 2_000;

/// The lists of each facet: whatever matches stands in one list of each. Those of one are walked,
/// merged; the others are read as far as they are, so that a list that only began well is left.
#[derive(Default)]
pub(super) struct Ways {
    facets: Vec<Vec<Lane>>,
    walked: usize,
    /// The last that was taken.
    taken: Option<NotificationId>,
}

/// One list, read as far as its range says.
struct Lane {
    list: List,
    range: Range,
    more: bool,
    read_next: usize,
    /// Postings that were read.
    read: usize,
    waiting: VecDeque<Posting>,
}

impl Ways {
    /// Those over the lists of each facet, none of which is read.
    pub fn new(facets: Vec<BTreeSet<List>>, range: Range, first_read: usize) -> Self {
        let lanes = |lists: BTreeSet<List>| {
            lists.into_iter().map(|list| Lane::new(list, range, first_read)).collect()
        };
        Self { facets: facets.into_iter().map(lanes).collect(), walked: 0, taken: None }
    }

    /// The lists that are walked.
    pub fn walked(&self) -> Vec<List> {
        self.lanes().iter().map(|lane| lane.list.clone()).collect()
    }

    /// Whether something has to be read before the next is known.
    pub fn is_hungry(&self) -> bool {
        self.lanes().iter().any(Lane::is_hungry)
    }

    /// Whether other lists may be walked after the next read.
    pub fn may_turn(&self) -> bool {
        self.facets.len() > 1
    }

    /// Takes the next of what waits. A notification that moved to another list while these were
    /// read may stand in both: it is taken from all of them, and said once.
    pub fn pop(&mut self) -> Option<NotificationId> {
        let lanes = self.facets.get_mut(self.walked)?;
        let fronts = lanes.iter().filter_map(|lane| Some((lane.front()?, lane.range.ascending)));
        let (next, _) = fronts.reduce(|a, b| if (a.0 < b.0) == a.1 { a } else { b })?;
        for lane in lanes.iter_mut().filter(|lane| lane.front() == Some(next)) {
            lane.waiting.pop_front();
        }
        self.taken = Some(next);
        Some(next)
    }

    /// Reads on. Where there are several ways, no other stays behind the one that is walked, and
    /// the one that came furthest is walked on.
    pub async fn read(&mut self, walk: &Walk<'_>) -> Result<(), StoreError> {
        if self.may_turn() {
            let (walked, most) = (self.walked, read_of(self.lanes()));
            let ways = self.facets.iter_mut().enumerate();
            let behind =
                ways.filter(
                    |(index, way)| {
                        if *index == walked { most == 0 } else { read_of(way) <= most }
                    },
                );
            let lanes = behind.flat_map(|(_, way)| way).filter(|lane| lane.more);
            try_join_all(lanes.map(|lane| lane.read(walk))).await?;
            self.turn();
        }
        let lanes = self.facets.get_mut(self.walked).into_iter().flatten();
        let hungry = lanes.filter(|lane| lane.is_hungry());
        try_join_all(hungry.map(|lane| lane.read(walk))).await?;
        Ok(())
    }

    /// Goes on along the way that came furthest, after what was taken.
    fn turn(&mut self) {
        let reaches = self.facets.iter().map(|way| way.iter().map(Lane::reach).min());
        let reaches: Vec<u128> = reaches.map(|reach| reach.unwrap_or(u128::MAX)).collect();
        let own = reaches.get(self.walked).copied().unwrap_or_default();
        let best = reaches.into_iter().enumerate().max_by_key(|(_, reach)| *reach);
        let Some((best, _)) = best.filter(|(_, reach)| *reach > own) else { return };
        self.walked = best;
        let Some(taken) = self.taken else { return };
        for lane in self.facets.get_mut(best).into_iter().flatten() {
            let ascending = lane.range.ascending;
            let ahead = |id: NotificationId| if ascending { id > taken } else { id < taken };
            lane.waiting.retain(|posting| ahead(posting.id));
        }
    }

    fn lanes(&self) -> &[Lane] {
        self.facets.get(self.walked).map_or(&[], Vec::as_slice)
    }
}

/// Postings that were read of a way.
fn read_of(way: &[Lane]) -> usize {
    way.iter().map(|lane| lane.read).sum()
}

impl Lane {
    fn new(list: List, range: Range, first_read: usize) -> Self {
        let waiting = VecDeque::new();
        Self { list, range, more: true, read_next: first_read, read: 0, waiting }
    }

    fn front(&self) -> Option<NotificationId> {
        self.waiting.front().map(|posting| posting.id)
    }

    fn is_hungry(&self) -> bool {
        self.more && self.waiting.is_empty()
    }

    async fn read(&mut self, walk: &Walk<'_>) -> Result<(), StoreError> {
        let count = self.read_next;
        let part = walk.store.list_part(walk.tenant, &self.list, self.range, count).await?;
        self.read += count;
        self.read_next = (count * 4).min(LARGEST_READ);
        self.more = part.more;
        if let Some(last) = part.last {
            self.more &= self.range.go_on_after(last);
        }
        let visible = |posting: &Posting| {
            posting.level <= walk.clearance && posting.may_match(walk.selection)
        };
        self.waiting.extend(part.found.into_iter().filter(visible));
        Ok(())
    }

    /// How far it was read, the further the higher.
    fn reach(&self) -> u128 {
        match (self.more, self.range.ascending) {
            (false, _) => u128::MAX,
            (true, true) => self.range.low.number(),
            (true, false) => u128::MAX - 1 - self.range.high.number(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notification::Shelf;
    use crate::notification::testing::notification;
    use crate::tlp::Tlp;

    /// A list that was read to its end.
    fn lane(level: Tlp, numbers: &[u64], ascending: bool) -> Lane {
        let shelf = Shelf { level, ..notification(0).shelf() };
        let low = NotificationId::first_at(crate::time::Position::default());
        let range = Range { low, high: NotificationId::MAX, ascending, consistent: true };
        let mut waiting: VecDeque<Posting> =
            numbers.iter().map(|number| Posting::of(&notification(*number))).collect();
        if !ascending {
            waiting = waiting.into_iter().rev().collect();
        }
        Lane { more: false, waiting, ..Lane::new(List::Kind(shelf), range, 1) }
    }

    #[test]
    fn what_moved_from_list_to_list_meanwhile_is_found_once_in_either_order() {
        for ascending in [true, false] {
            let lanes = vec![
                lane(Tlp::Red, &[1, 3, 4, 6], ascending),
                lane(Tlp::Green, &[2, 3, 6], ascending),
                lane(Tlp::Amber, &[3, 5], ascending),
            ];
            let mut ways = Ways { facets: vec![lanes], ..Ways::default() };
            let found: Vec<NotificationId> = std::iter::from_fn(|| ways.pop()).collect();
            let mut expected: Vec<_> = (1..=6).map(|number| notification(number).id).collect();
            if !ascending {
                expected.reverse();
            }
            assert_eq!(found, expected);
        }
    }
}
