//! Whether a feed's next edition is overdue. An edition that is old is not: where nothing changed
//! and nothing aged out, none is made.

use chrono::{DateTime, TimeDelta, Utc};

use super::definition::Feed;
use super::edition::Edition;
use crate::time::Position;

/// Whoever publishes has this long, so what is due is not late before.
const AT_WORK: TimeDelta = TimeDelta::minutes(15);

/// Since when a new edition has been due, if one is: there is none, the definition makes another
/// one, something aged out of it or expired, or the log has gone on. `unread` is where in the log
/// the first entry stands that the edition was made without.
#[must_use]
pub fn due_since(
    feed: &Feed,
    edition: Option<&Edition>,
    unread: Option<Position>,
) -> Option<DateTime<Utc>> {
    let Some(edition) = edition else { return feed.saved };
    let state = &edition.state;
    let redefined = feed.saved.filter(|_| state.fingerprint != feed.fingerprint());
    [redefined, state.next, unread.map(Position::at)].into_iter().flatten().min()
}

/// Whether what has been due `since` then is late by `now`: it missed two of its turns, and the
/// time one publication may take.
#[must_use]
pub fn is_late(feed: &Feed, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let turns = TimeDelta::minutes(2 * i64::from(feed.settings.publish_every_minutes));
    now - since > turns + AT_WORK
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(minute: u32) -> DateTime<Utc> {
        format!("2026-11-22T10:{minute:02}:00Z").parse().unwrap()
    }

    fn feed() -> Feed {
        let id = "6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69";
        serde_json::from_value(json!({
            "id": id, "revision": 1, "collection": id, "saved": at(0),
            "settings": {"name": "n", "collection": id, "publish_every_minutes": 10},
        }))
        .unwrap()
    }

    fn edition(fingerprint: &str, next: Option<DateTime<Utc>>) -> Edition {
        serde_json::from_value(json!({
            "id": "e", "generated": at(0), "from": null, "level": "clear", "files": [],
            "previous": null,
            "state": {"reached": 0, "next_seq": 1, "as_of": at(0), "next": next,
                "fingerprint": fingerprint, "records": 0, "digest": ""},
        }))
        .unwrap()
    }

    #[test]
    fn what_is_due_is_due_since_the_first_cause() {
        let feed = feed();
        let same = feed.fingerprint();
        let position = Position::at_or_before(at(7));
        assert_eq!(due_since(&feed, None, None), Some(at(0)));
        assert_eq!(due_since(&feed, Some(&edition(&same, None)), None), None);
        assert_eq!(due_since(&feed, Some(&edition("other", None)), None), Some(at(0)));
        let ages = edition(&same, Some(at(9)));
        assert_eq!(due_since(&feed, Some(&ages), None), Some(at(9)));
        assert_eq!(due_since(&feed, Some(&ages), Some(position)), Some(at(7)));
    }

    #[test]
    fn two_turns_and_a_run_later_it_is_late() {
        assert!(!is_late(&feed(), at(0), at(35)));
        assert!(is_late(&feed(), at(0), at(36)));
        // What is due only later is not late.
        assert!(!is_late(&feed(), at(50), at(0)));
    }
}
