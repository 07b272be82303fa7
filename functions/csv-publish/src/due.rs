//! Which feeds a run looks after.

use chrono::{DateTime, Utc};
use shared::feed::{Edition, Feed, due_since, is_late};
use shared::services::Services;
use shared::store::StoreError;

/// A turn nobody came to, or came to in vain, is caught up from this many minutes later on, until
/// somebody does: not at once, as whoever came may not have claimed the feed yet.
const CAUGHT_UP: i64 = 2;

/// Whether a feed is due at the minute of `time`, and whether its next edition is late, as far as
/// that is seen without its log: what is new there and fails to be published is told as a failure.
///
/// # Errors
/// When its edition, or who claimed it, cannot be looked for.
pub async fn due(
    services: &Services,
    feed: &Feed,
    time: DateTime<Utc>,
) -> Result<(bool, bool), StoreError> {
    let store = services.store();
    let edition = store.edition(feed.id).await?.map(|(edition, _)| edition);
    let late = overdue(feed, edition.as_ref(), time);
    // What was found to be new enough is not written down where it is the same as before.
    let new = edition.map(|edition| edition.state.as_of).max(services.feed_was_new_at(feed.id));
    let due = match turn(feed, new, time) {
        Turn::Now => true,
        Turn::Missed => !store.is_feed_claimed(feed.id).await?,
        Turn::Taken => false,
    };
    Ok((due, late))
}

fn overdue(feed: &Feed, edition: Option<&Edition>, time: DateTime<Utc>) -> bool {
    due_since(feed, edition, None).is_some_and(|since| is_late(feed, since, time))
}

/// How a feed's last turn stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It is the feed's minute.
    Now,
    /// Nobody came, or who came failed.
    Missed,
    /// It was taken, or may be under way.
    Taken,
}

/// How the turn before `time` stands of a feed that was as new as it could be at `new`. Without
/// any edition there was no turn that was not missed.
fn turn(feed: &Feed, new: Option<DateTime<Utc>>, time: DateTime<Utc>) -> Turn {
    let ago = minutes_since_turn(feed, time);
    let minute = time.timestamp().div_euclid(60) - ago;
    match new.map(|new| new.timestamp().div_euclid(60)) {
        _ if ago == 0 => Turn::Now,
        None => Turn::Missed,
        Some(new) if ago >= CAUGHT_UP && new < minute => Turn::Missed,
        Some(_) => Turn::Taken,
    }
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
            // As new as it could be just before.
            let mut new = Some(at(-1));
            let mut turns = 0;
            for minute in 0..2 * every {
                if turn(&feed, new, at(minute)) == Turn::Now {
                    turns += 1;
                    new = Some(at(minute));
                }
            }
            assert_eq!(turns, 2, "every {every}");
        }
    }

    #[test]
    fn a_turn_nobody_came_to_is_due_until_somebody_does() {
        // Its turns are at the minutes 3, 63, 123.
        let feed = feed(60, 63);
        let due = |new: Option<i64>| -> Vec<i64> {
            let due = |minute: &i64| turn(&feed, new.map(at), at(*minute)) != Turn::Taken;
            (4..124).filter(due).collect()
        };
        let missed: Vec<i64> = [63].into_iter().chain(65..124).collect();
        assert_eq!(due(Some(3)), missed);
        assert_eq!(due(Some(63)), [63, 123], "somebody came");
        assert_eq!(due(Some(66)), [63, 123], "somebody came late");
        let longer: Vec<i64> = (5..64).chain(65..124).collect();
        assert_eq!(due(Some(-57)), longer, "however long ago that was");
        assert_eq!(due(None), (4..124).collect::<Vec<_>>(), "there is no edition yet");
    }

    #[test]
    fn a_day_is_caught_up_after_bad_minutes_at_its_turn() {
        let feed = feed(1440, 5);
        let day = 1440;
        assert_eq!(turn(&feed, Some(at(5)), at(day + 5)), Turn::Now);
        for minute in [day + 7, day + 11, day + 700, 2 * day + 4] {
            assert_eq!(turn(&feed, Some(at(5)), at(minute)), Turn::Missed, "{minute}");
            assert_eq!(turn(&feed, Some(at(day + 6)), at(minute)), Turn::Taken, "{minute}");
        }
    }
}
