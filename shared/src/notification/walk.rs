//! Walking over those of a tenant's notifications that may match: over the list that holds the
//! fewest others.

use std::collections::BTreeSet;
use std::time::Instant;

use super::filter::Selection;
use super::ways::Ways;
use super::{Notification, NotificationId, Shelf};
use crate::access::TenantId;
use crate::store::{List, Noted, Range, Store, StoreError};
use crate::tlp::Tlp;

/// Postings of one read where several lists have to be compared: what one read unit brings.
const FIRST_READ: usize = 80;

/// What may match, in order.
pub(super) struct Walk<'a> {
    pub(super) store: &'a Store,
    pub(super) tenant: &'a TenantId,
    pub(super) selection: &'a Selection,
    pub(super) clearance: Tlp,
    consistent: bool,
    until: Instant,
    over: Over,
}

enum Over {
    /// All of the tenant's notifications.
    Everything { range: Range, more: bool },
    /// Lists.
    Lists(Ways),
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
            return Ok(walk(Over::Lists(Ways::default())));
        }
        let may_match =
            |shelf: &Shelf| selection.kinds.contains(shelf.kind) && shelf.level <= clearance;
        let shelves = async |of| {
            let shelves = store.notification_shelves(tenant, of, range.consistent).await?;
            Ok::<_, StoreError>(shelves.into_iter().partition::<Vec<Shelf>, _>(may_match))
        };
        let mut facets: Vec<BTreeSet<List>> = Vec::new();
        for tag in &selection.tags {
            let (wanted, _) = shelves(Noted::Tag(tag)).await?;
            facets.push(wanted.into_iter().map(|shelf| List::Tag(tag.clone(), shelf)).collect());
        }
        for id in &selection.sources {
            let (wanted, _) = shelves(Noted::Source(id)).await?;
            facets.push(wanted.into_iter().map(|shelf| List::Source(id.clone(), shelf)).collect());
        }
        if !selection.entities.is_empty() || facets.is_empty() {
            let (wanted, others) = shelves(Noted::All).await?;
            for id in &selection.entities {
                let list = |shelf: &Shelf| List::Entity(id.clone(), shelf.kind.source, shelf.level);
                facets.push(wanted.iter().map(list).collect());
            }
            if facets.is_empty() && others.is_empty() {
                return Ok(walk(Over::Everything { range, more: true }));
            }
            if facets.is_empty() {
                facets.push(wanted.into_iter().map(List::Kind).collect());
            }
        }
        let first_read = if facets.len() == 1 { count } else { FIRST_READ };
        Ok(walk(Over::Lists(Ways::new(facets, range, first_read))))
    }

    /// The lists that the last notifications were found in; `None` when it is all notifications.
    pub fn lists(&self) -> Option<Vec<List>> {
        match &self.over {
            Over::Everything { .. } => None,
            Over::Lists(ways) => Some(ways.walked()),
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
        let nowhere = Over::Lists(Ways::default());
        let Over::Lists(mut ways) = std::mem::replace(&mut self.over, nowhere) else {
            return Ok(ids);
        };
        while ids.len() < count {
            if ways.is_hungry() {
                // What was found in time is not lost, and all of it was found in the same lists.
                let late = Instant::now() >= self.until;
                if !ids.is_empty() && (late || ways.may_turn()) {
                    break;
                }
                if late {
                    return Err(StoreError::Throttled("too much to look through in time".into()));
                }
                ways.read(self).await?;
                continue;
            }
            let Some(id) = ways.pop() else { break };
            ids.push(id);
        }
        self.over = Over::Lists(ways);
        Ok(ids)
    }
}

impl Range {
    /// What is left after `last`; says whether there is anything.
    pub(super) fn go_on_after(&mut self, last: NotificationId) -> bool {
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
