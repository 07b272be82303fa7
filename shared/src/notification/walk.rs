//! Walking over those of a tenant's notifications that may match: over the list that holds the
//! fewest others.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use futures::future::try_join_all;

use super::filter::Selection;
use super::{Notification, NotificationId, Posting, Shelf};
use crate::access::TenantId;
use crate::store::{List, Range, Store, StoreError};
use crate::tlp::Tlp;

/// Postings of one read where several lists have to be compared: what one read unit brings.
const FIRST_READ: usize = 80;
/// Postings of one read at the most: below the 1 MB a Query reads.
const LARGEST_READ: usize = 2_000;

/// What may match, in order.
pub(super) struct Walk<'a> {
    store: &'a Store,
    tenant: &'a TenantId,
    selection: &'a Selection,
    clearance: Tlp,
    consistent: bool,
    until: Instant,
    over: Over,
}

enum Over {
    /// All of the tenant's notifications.
    Everything { range: Range, more: bool },
    /// Lists, merged.
    Lists(Vec<Lane>),
}

/// What was found at once.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Notifications, in order; whether they match is yet to be looked at.
    pub found: Vec<Notification>,
    /// Those that a list still names, though they are deleted.
    pub gone: Vec<NotificationId>,
    /// How far the walk came; absent at its end.
    pub reached: Option<NotificationId>,
}

/// One list, read as far as its range says.
struct Lane {
    list: List,
    range: Range,
    more: bool,
    read_next: usize,
    waiting: VecDeque<Posting>,
}

impl<'a> Walk<'a> {
    /// Begins to walk over what `selection` selects within `range`. Of the first postings about
    /// `count` are read at once. Nothing new is read after `until`.
    pub async fn begin(
        store: &'a Store,
        tenant: &'a TenantId,
        selection: &'a Selection,
        range: Range,
        clearance: Tlp,
        count: usize,
        until: Instant,
    ) -> Result<Walk<'a>, StoreError> {
        let walk = |over| {
            let consistent = range.consistent;
            Self { store, tenant, selection, clearance, consistent, until, over }
        };
        if selection.is_empty() || range.low > range.high {
            return Ok(walk(Over::Lists(Vec::new())));
        }
        let may_match =
            |shelf: &Shelf| selection.kinds.contains(shelf.kind) && shelf.level <= clearance;
        let mut facets: Vec<BTreeSet<List>> = Vec::new();
        for tag in &selection.tags {
            let shelves = store.notification_shelves(tenant, Some(tag), range.consistent).await?;
            let shelves = shelves.into_iter().filter(may_match);
            facets.push(shelves.map(|shelf| List::Tag(tag.clone(), shelf)).collect());
        }
        let named = !selection.entities.is_empty() || !selection.sources.is_empty();
        if named || facets.is_empty() {
            let known = store.notification_shelves(tenant, None, range.consistent).await?;
            let wanted: Vec<Shelf> = known.iter().copied().filter(may_match).collect();
            for id in &selection.entities {
                let list = |shelf: &Shelf| List::Entity(id.clone(), shelf.kind.source, shelf.level);
                facets.push(wanted.iter().map(list).collect());
            }
            for id in &selection.sources {
                let list = |shelf: &Shelf| List::Source(id.clone(), shelf.kind.entity, shelf.level);
                facets.push(wanted.iter().map(list).collect());
            }
            if facets.is_empty() && wanted == known {
                return Ok(walk(Over::Everything { range, more: true }));
            }
            if facets.is_empty() {
                facets.push(wanted.into_iter().map(List::Kind).collect());
            }
        }
        let alone = facets.len() == 1;
        let first_read = if alone { count } else { FIRST_READ };
        let lanes = |lists: BTreeSet<List>| -> Vec<Lane> {
            lists.into_iter().map(|list| Lane::new(list, range, first_read)).collect()
        };
        let mut ways: Vec<Vec<Lane>> = facets.into_iter().map(lanes).collect();
        let mut walk = walk(Over::Lists(Vec::new()));
        if !alone {
            walk.look_into(&mut ways).await?;
        }
        let best = ways.into_iter().max_by_key(|way| reach(way, range.ascending));
        walk.over = Over::Lists(best.unwrap_or_default());
        Ok(walk)
    }

    /// Reads once from every list: the one that comes furthest with it holds the fewest.
    async fn look_into(&self, ways: &mut [Vec<Lane>]) -> Result<(), StoreError> {
        let lanes = ways.iter_mut().flatten();
        try_join_all(lanes.map(|lane| lane.read(self))).await?;
        Ok(())
    }

    /// The lists that are walked; `None` when it is all notifications.
    pub fn lists(&self) -> Option<Vec<List>> {
        match &self.over {
            Over::Everything { .. } => None,
            Over::Lists(lanes) => Some(lanes.iter().map(|lane| lane.list.clone()).collect()),
        }
    }

    /// The next notifications, some `count`; none, and nowhere to go on, at the end.
    pub async fn next(&mut self, count: usize) -> Result<Batch, StoreError> {
        if let Over::Everything { range, more } = &mut self.over {
            if !*more {
                return Ok(Batch::default());
            }
            let part = self.store.notification_part(self.tenant, *range, count).await?;
            *more = part.more;
            if let Some(last) = part.last {
                *more &= range.go_on_after(last);
            }
            return Ok(Batch { found: part.found, gone: Vec::new(), reached: part.last });
        }
        let ids = self.next_ids(count).await?;
        let mut read = self.store.notifications(self.tenant, &ids, self.consistent).await?;
        let mut batch = Batch { reached: ids.last().copied(), ..Batch::default() };
        for id in ids {
            match read.remove(&id) {
                Some(notification) => batch.found.push(notification),
                None => batch.gone.push(id),
            }
        }
        Ok(batch)
    }

    async fn next_ids(&mut self, count: usize) -> Result<Vec<NotificationId>, StoreError> {
        let mut ids = Vec::with_capacity(count);
        let Over::Lists(mut lanes) = std::mem::replace(&mut self.over, Over::Lists(Vec::new()))
        else {
            return Ok(ids);
        };
        while ids.len() < count {
            let filled = try_join_all(lanes.iter_mut().map(|lane| lane.fill(self))).await;
            match filled {
                Ok(_) => {}
                // What was found in time is not lost.
                Err(StoreError::Throttled(_)) if !ids.is_empty() => break,
                Err(error) => return Err(error),
            }
            let Some(id) = pop_next(&mut lanes) else { break };
            ids.push(id);
        }
        self.over = Over::Lists(lanes);
        Ok(ids)
    }
}

/// Takes the next of what waits. A notification that moved to another list while these were read
/// may stand in both: it is taken from all of them, and said once.
fn pop_next(lanes: &mut [Lane]) -> Option<NotificationId> {
    let fronts = lanes.iter().filter_map(|lane| Some((lane.front()?, lane.range.ascending)));
    let (next, _) = fronts.reduce(|a, b| if (a.0 < b.0) == a.1 { a } else { b })?;
    for lane in lanes.iter_mut().filter(|lane| lane.front() == Some(next)) {
        lane.waiting.pop_front();
    }
    Some(next)
}

impl Lane {
    fn new(list: List, range: Range, first_read: usize) -> Self {
        Self { list, range, more: true, read_next: first_read, waiting: VecDeque::new() }
    }

    fn front(&self) -> Option<NotificationId> {
        self.waiting.front().map(|posting| posting.id)
    }

    /// Reads on until something waits or the list is at its end.
    async fn fill(&mut self, walk: &Walk<'_>) -> Result<(), StoreError> {
        while self.waiting.is_empty() && self.more {
            if Instant::now() >= walk.until {
                return Err(StoreError::Throttled("too much to look through in time".into()));
            }
            self.read(walk).await?;
        }
        Ok(())
    }

    async fn read(&mut self, walk: &Walk<'_>) -> Result<(), StoreError> {
        let count = self.read_next;
        let part = walk.store.list_part(walk.tenant, &self.list, self.range, count).await?;
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
    fn reach(&self, ascending: bool) -> u128 {
        match (self.more, ascending) {
            (false, _) => u128::MAX,
            (true, true) => self.range.low.number(),
            (true, false) => u128::MAX - 1 - self.range.high.number(),
        }
    }
}

fn reach(lanes: &[Lane], ascending: bool) -> u128 {
    lanes.iter().map(|lane| lane.reach(ascending)).min().unwrap_or(u128::MAX)
}

impl Range {
    /// What is left after `last`; says whether there is anything.
    fn go_on_after(&mut self, last: NotificationId) -> bool {
        let next = if self.ascending { last.after() } else { last.before() };
        let Some(next) = next else { return false };
        if self.ascending {
            self.low = next;
        } else {
            self.high = next;
        }
        self.low <= self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notification::testing::notification;

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
            let mut lanes = [
                lane(Tlp::Red, &[1, 3, 4, 6], ascending),
                lane(Tlp::Green, &[2, 3, 6], ascending),
                lane(Tlp::Amber, &[3, 5], ascending),
            ];
            let found: Vec<NotificationId> = std::iter::from_fn(|| pop_next(&mut lanes)).collect();
            let mut expected: Vec<_> = (1..=6).map(|number| notification(number).id).collect();
            if !ascending {
                expected.reverse();
            }
            assert_eq!(found, expected);
        }
    }
}
