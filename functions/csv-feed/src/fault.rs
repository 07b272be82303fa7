//! Errors of this surface: those of every surface, and one that says when to come again.

use lambda_http::http::StatusCode;
use lambda_http::http::header::RETRY_AFTER;
use shared::feed::{Edition, FeedSettings, File};
use shared::http::{Answer, ApiError, AuthError, Call, Refusal};
use shared::store::StoreError;

/// A feed without an edition is looked after every minute.
const FIRST_EDITION: u32 = 60;

/// An error as a client sees it.
#[derive(Debug)]
pub struct Fault {
    error: ApiError,
    retry_after: Option<u32>,
}

impl Fault {
    /// 404 of a feed nobody published yet.
    pub fn not_published_yet() -> Self {
        let message = "the feed has no edition yet: its first one is made within two minutes";
        let error = ApiError::new(StatusCode::NOT_FOUND, "not_published_yet", message);
        Self { error, retry_after: Some(FIRST_EDITION) }
    }

    /// 404 of a file that the feed's next edition has.
    pub fn file_not_published_yet(suffix: &str, settings: &FeedSettings) -> Self {
        let minutes = settings.publish_every_minutes;
        let message = format!(
            "the feed has no .{suffix} yet: its next edition does, which is made within {minutes} \
             minutes"
        );
        let error = ApiError::new(StatusCode::NOT_FOUND, "not_published_yet", message);
        Self { error, retry_after: Some(minutes.saturating_mul(60)) }
    }

    /// 404 of a feed that is not there, as far as this caller may know.
    pub fn unknown_feed(name: &str) -> Self {
        let shown: String = name.chars().take(80).collect();
        ApiError::not_found(format!("there is no feed {shown:?}")).into()
    }

    /// 404 of a file the feed is not published as.
    pub fn unknown_file(suffix: &str, edition: &Edition) -> Self {
        let shown: String = suffix.chars().take(40).collect();
        let files = edition.files.iter().map(|published| published.file);
        let files: Vec<&str> = files.map(File::suffix).chain(["sha256"]).collect();
        let message = format!(
            "the feed is not published as {shown:?}; its files end in .{}",
            files.join(", .")
        );
        ApiError::new(StatusCode::NOT_FOUND, "format_not_published", message).into()
    }

    /// The answer.
    pub fn answer(self, call: &Call) -> Answer {
        let answer = self.error.answer(call);
        match self.retry_after {
            Some(seconds) => answer.with(RETRY_AFTER, &seconds.to_string()),
            None => answer,
        }
    }
}

impl Refusal for Fault {
    fn answer(self, call: &Call) -> Answer {
        Self::answer(self, call)
    }
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        Self { error, retry_after: None }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        ApiError::from(error).into()
    }
}

impl From<AuthError> for Fault {
    fn from(error: AuthError) -> Self {
        ApiError::from(error).into()
    }
}
