//! Which feeds a run looks after.

use chrono::{DateTime, Utc};
use shared::feed::Feed;
use shared::services::Services;
use shared::store::StoreError;

/// Why a run looks after a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It does not.
    No,
    /// It is the feed's minute.
    Turn,
    /// There is no edition yet, and nobody makes one.
    First,
}

/// Whether a feed is due at the minute of `time`.
///
/// # Errors
/// When its edition cannot be looked for.
pub async fn due(services: &Services, feed: &Feed, time: DateTime<Utc>) -> Result<Due, StoreError> {
    let store = services.store();
    if store.edition(feed.id).await?.is_none() {
        // Every minute would begin the same again while a large one is made.
        let ours = store.claim_first_edition(feed.id).await?;
        return Ok(if ours { Due::First } else { Due::No });
    }
    Ok(if has_its_turn(feed, time) { Due::Turn } else { Due::No })
}

/// Feeds of one interval take turns, so that not all of them are due in the same minute.
fn has_its_turn(feed: &Feed, time: DateTime<Utc>) -> bool {
    let every = i64::from(feed.settings.publish_every_minutes.max(1));
    let turn = feed.id.0.as_u128() % u128::from(feed.settings.publish_every_minutes.max(1));
    time.timestamp().div_euclid(60).rem_euclid(every) == i64::try_from(turn).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_feed_has_one_turn_in_its_interval() {
        for (every, number) in [(1, 7), (5, 7), (5, 8), (1440, u128::MAX)] {
            let id = uuid::Uuid::from_u128(number);
            let feed: Feed = serde_json::from_value(json!({
                "id": id, "revision": 1, "collection": id,
                "settings": {"name": "n", "collection": "c", "publish_every_minutes": every},
            }))
            .unwrap();
            let turns = (0..2 * every).filter(|minute| {
                has_its_turn(&feed, DateTime::from_timestamp(minute * 60 + 59, 0).unwrap())
            });
            assert_eq!(turns.count(), 2, "every {every}");
        }
    }
}
