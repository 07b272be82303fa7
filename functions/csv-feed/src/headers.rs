//! What every answer about an edition says.

use chrono::SecondsFormat;
use lambda_http::http::HeaderName;
use lambda_http::http::header::{CACHE_CONTROL, ETAG, LAST_MODIFIED};
use shared::feed::Edition;
use shared::http::Answer;

use crate::access::Readable;
use crate::condition::Validators;

/// Adds what tells which representation this is, and for how long it may be kept.
pub fn with_validators(answer: Answer, feed: &Readable, validators: &Validators) -> Answer {
    with_validators_for(answer, feed, validators, u64::MAX)
}

/// The same, of what may be kept for so many seconds at the most.
pub fn with_validators_for(
    answer: Answer,
    feed: &Readable,
    validators: &Validators,
    at_most: u64,
) -> Answer {
    let seconds = (u64::from(feed.settings.publish_every_minutes) * 60).min(at_most);
    let who = if feed.public { "public" } else { "private" };
    answer
        .with(ETAG, &validators.etag)
        .with(LAST_MODIFIED, &validators.last_modified())
        .with(CACHE_CONTROL, &format!("{who}, max-age={seconds}"))
}

/// Adds rows, moment and window of a file.
pub fn with_edition(answer: Answer, edition: &Edition, rows: u64) -> Answer {
    let at = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let generated = at(edition.generated);
    let from = edition.from.map_or_else(|| "..".to_owned(), at);
    answer
        .with(HeaderName::from_static("x-feed-rows"), &rows.to_string())
        .with(HeaderName::from_static("x-feed-window"), &format!("{from}/{generated}"))
        .with(HeaderName::from_static("x-feed-generated"), &generated)
}
