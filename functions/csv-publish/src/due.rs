//! Which feeds a run looks after.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use shared::feed::{Edition, Feed, due_since, is_late};
use shared::services::Services;
use shared::store::StoreError;

/// A turn nobody came to is caught up this many minutes later: not at once, as whoever came may
/// still be at work, and not for long, as one that fails every time would be begun all the time.
const CAUGHT_UP: RangeInclusive<i64> = 2..=4;

/// Why a run looks after a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It does not.
    No,
    /// It is the feed's minute, or was a moment ago and nobody came.
    Turn,
    /// There is no edition yet, and nobody makes one.
    First,
}

/// Whether a feed is due at the minute of `time`, and whether its next edition is late, as far as
/// that is seen without its log: what is new there and fails to be published is told as a failure.
///
/// # Errors
/// When its edition cannot be looked for.
pub async fn due(
    services: &Services,
    feed: &Feed,
    time: DateTime<Utc>,
) -> Result<(Due, bool), StoreError> {
    let store = services.store();
    let edition = store.edition(feed.id).await?.map(|(edition, _)| edition);
    let late = overdue(feed, edition.as_ref(), time);
    let Some(edition) = edition else {
        // Every minute would begin the same again while a large one is made.
        let ours = store.claim_first_edition(feed.id).await?;
        return Ok((if ours { Due::First } else { Due::No }, late));
    };
    let due = has_its_turn(feed, edition.state.as_of, time);
    Ok((if due { Due::Turn } else { Due::No }, late))
}

fn overdue(feed: &Feed, edition: Option<&Edition>, time: DateTime<Utc>) -> bool {
    due_since(feed, edition, None).is_some_and(|since| is_late(feed, since, time))
}

/// Whether it is the feed's minute; or was some minutes ago, and nothing was written since: then
/// nobody came, or nothing was new, which costs next to nothing to find again.
fn has_its_turn(feed: &Feed, as_of: DateTime<Utc>, time: DateTime<Utc>) -> bool {
    let ago = minutes_since_turn(feed, time);
    let minute = time.timestamp().div_euclid(60) - ago;
    ago == 0 || (CAUGHT_UP.contains(&ago) && as_of.timestamp().div_euclid(60) < minute)
}

/// Feeds of one interval take turns, so that not all of them are due in the same minute.
fn minutes_since_turn(feed: &Feed, time: DateTime<Utc>) -> i64 {
    let every = i64::from(feed.settings.publish_every_minutes.max(1));
    let turn = feed.id.0.as_u128() % u128::from(feed.settings.publish_every_minutes.max(1));
    let turn = i64::try_from(turn).unwrap_or(0);
    (time.timestamp().div_euclid(60) - turn).rem_euclid(every)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn feed(every: i64, number: u128) -> Feed {
        let id = uuid::Uuid::from_u128(number);
        serde_json::from_value(json!({
            "id": id, "revision": 1, "collection": id,
            "settings": {"name": "n", "collection": "c", "publish_every_minutes": every},
        }))
        .unwrap()
    }

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minute * 60 + 59, 0).unwrap()
    }

    #[test]
    fn each_feed_has_one_turn_in_its_interval() {
        for (every, number) in [(1, 7), (5, 7), (5, 8), (1440, u128::MAX)] {
            let feed = feed(every, number);
            let mut as_of = at(-1);
            let mut turns = 0;
            for minute in 0..2 * every {
                if has_its_turn(&feed, as_of, at(minute)) {
                    turns += 1;
                    as_of = at(minute);
                }
            }
            assert_eq!(turns, 2, "every {every}");
        }
    }

    #[test]
    fn a_turn_nobody_came_to_is_caught_up_minutes_later_not_an_interval_later() {
        // Its turns are at the minutes 3, 63, 123.
        let feed = feed(60, 63);
        let due = |as_of| -> Vec<i64> {
            (4..124).filter(|minute| has_its_turn(&feed, at(as_of), at(*minute))).collect()
        };
        assert_eq!(due(3), [63, 65, 66, 67, 123]);
        assert_eq!(due(63), [63, 123], "somebody came");
        assert_eq!(due(66), [63, 123], "somebody came late");
        assert_eq!(due(-57), [5, 6, 7, 63, 65, 66, 67, 123], "and again after that");
    }
}
