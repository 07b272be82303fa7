//! Pages of a tenant's notifications.

use std::time::{Duration, Instant};

use super::filter::Selection;
use super::visibility::visible;
use super::walk::Walk;
use super::{Notification, NotificationId};
use crate::access::TenantId;
use crate::services::Services;
use crate::store::{Range, StoreError};
use crate::time::Position;
use crate::tlp::Tlp;

/// Notifications read at once where none of the last could be shown.
const LARGEST_STEP: usize = 200;
/// A page that takes longer to be found is cut short, within a function's time.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a client asks for.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Whose notifications.
    pub tenant: &'a TenantId,
    /// Which.
    pub selection: &'a Selection,
    /// After this one, in the order asked for.
    pub after: Option<NotificationId>,
    /// Oldest first.
    pub ascending: bool,
    /// How many at the most.
    pub limit: usize,
    /// The highest level that is seen.
    pub clearance: Tlp,
    /// Nothing caused before this.
    pub oldest: Position,
}

/// A page.
#[derive(Debug, Default)]
pub struct Page {
    /// The notifications, in the order asked for.
    pub found: Vec<Notification>,
    /// Whether there are more; never on an empty page.
    pub more: bool,
}

/// The range of ids in which a selection's notifications lie; `None` when there is none.
pub(super) fn range(
    selection: &Selection,
    after: Option<NotificationId>,
    ascending: bool,
    oldest: Position,
) -> Option<Range> {
    let from = NotificationId::first_at(selection.from.unwrap_or_default().max(oldest));
    let before = selection.before.map(|before| NotificationId::first_at(before).before());
    let mut range = Range {
        low: from,
        high: before.unwrap_or(Some(NotificationId::MAX))?,
        ascending,
        consistent: false,
    };
    match (after, ascending) {
        (Some(after), true) => range.low = range.low.max(after.after()?),
        (Some(after), false) => range.high = range.high.min(after.before()?),
        (None, _) => {}
    }
    (range.low <= range.high).then_some(range)
}

/// A page of what a client asks for.
///
/// # Errors
/// When the store fails, or nothing was found in time.
pub async fn page(services: &Services, request: Request<'_>) -> Result<Page, StoreError> {
    let Request { tenant, selection, clearance, limit, .. } = request;
    let range = range(selection, request.after, request.ascending, request.oldest);
    let Some(range) = range else { return Ok(Page::default()) };
    let until = Instant::now() + PATIENCE;
    // One more than asked for says whether there is a next page.
    let wanted = limit + 1;
    let walk = Walk::begin(services.store(), tenant, selection, range, clearance, wanted, until);
    let mut walk = walk.await?;
    let mut page = Page::default();
    let (mut step, mut passed) = (0, 0);
    while page.found.len() < wanted {
        let batch = match walk.next(step.max(wanted - page.found.len())).await {
            Ok(batch) => batch,
            // What took too long goes on with the next page, from the last that was found.
            Err(StoreError::Throttled(_)) if !page.found.is_empty() && Instant::now() >= until => {
                page.more = true;
                break;
            }
            Err(error) => return Err(error),
        };
        if batch.reached.is_none() {
            break;
        }
        let read = batch.found.len() + batch.gone.len();
        let matching = batch.found.into_iter().filter(|found| selection.matches(found)).collect();
        let shown = visible(services, matching, clearance).await?;
        passed += read.saturating_sub(shown.len());
        step = if shown.is_empty() { (2 * step.max(wanted)).min(LARGEST_STEP) } else { 0 };
        page.found.extend(shown);
        // What was raised since it was told of lies among what is seen. A page ends before it
        // costs more than twice what it was asked for beside it, but never without anything.
        if !page.found.is_empty() && passed > 2 * wanted {
            page.more = true;
            break;
        }
    }
    page.more |= page.found.len() > limit;
    page.found.truncate(limit);
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notification::testing::notification;

    #[test]
    fn a_range_is_half_open_in_time_and_goes_on_after_a_cursor() {
        let everything = Selection::everything();
        let at = |micros| Position::from_micros(micros);
        let window =
            Selection { from: Some(at(10)), before: Some(at(20)), ..Selection::everything() };
        let open = range(&window, None, true, at(0)).unwrap();
        assert_eq!((open.low.cause(), open.high.cause()), (at(10), at(19)));
        assert_eq!(range(&window, None, true, at(15)).unwrap().low.cause(), at(15));
        assert!(range(&window, None, true, at(20)).is_none());
        let nothing = Selection { before: Some(at(0)), ..Selection::everything() };
        assert!(range(&nothing, None, false, at(0)).is_none());
        let id = notification(1).id;
        let older = range(&everything, Some(id), false, at(0)).unwrap();
        assert_eq!(older.high.after(), Some(id));
        let newer = range(&everything, Some(id), true, at(0)).unwrap();
        assert_eq!(newer.low.before(), Some(id));
        assert!(range(&everything, Some(NotificationId::MAX), true, at(0)).is_none());
    }
}
