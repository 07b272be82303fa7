//! The bucket's `feeds/`: the editions of each feed. The files of an edition never change; which
//! edition is the present one says a document that is exchanged under a condition.

use std::time::Duration;

use aws_sdk_s3::config::{Config, ResponseChecksumValidation};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::upload::Upload;
use super::{Store, StoreError};
use crate::feed::{Edition, FeedId};

/// The version of the document that says which edition is the present one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionTag(String);

/// The bytes of a published file, to be read as a stream.
pub type FileBody = ByteStream;

/// Documents read at the same time.
const CONCURRENCY: usize = 16;

/// No such document is larger.
const MAX_DOCUMENT: usize = 1 << 20;

fn document_key(feed: FeedId) -> String {
    format!("feeds/{feed}/edition.json")
}

fn file_key(feed: FeedId, edition: &str, name: &str) -> String {
    format!("feeds/{feed}/{edition}/{name}")
}

impl Store {
    /// The present edition of a feed, and the version by which it may be exchanged.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub async fn edition(&self, feed: FeedId) -> Result<Option<(Edition, EditionTag)>, StoreError> {
        // What the document says is checked as it is read. The embedded engine exchanges content
        // and checksum one after the other, and two publishers at once may leave it with both.
        let unchecked = Config::builder()
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        let get = self.s3().get_object().bucket(&self.names().bucket).key(document_key(feed));
        let answer = match get.customize().config_override(unchecked).send().await {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Ok(None);
            }
            Err(error) => return Err(StoreError::of(error)),
        };
        let tag = answer.e_tag;
        let bytes = answer.body.collect().await;
        let bytes = bytes.map_err(|error| StoreError::Unavailable(error.to_string()))?.to_vec();
        let damaged = |reason: String| StoreError::Damaged(format!("edition of {feed}: {reason}"));
        let tag = tag.ok_or_else(|| damaged("it has no ETag".to_owned()))?;
        if bytes.len() > MAX_DOCUMENT {
            return Err(damaged(format!("{} bytes", bytes.len())));
        }
        let edition = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
        Ok(Some((edition, EditionTag(tag))))
    }

    /// The present editions of feeds, in their order.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub async fn editions(&self, feeds: &[FeedId]) -> Result<Vec<Option<Edition>>, StoreError> {
        let read = feeds
            .iter()
            .map(|feed| async move { Ok(self.edition(*feed).await?.map(|(edition, _)| edition)) });
        stream::iter(read.collect::<Vec<_>>()).buffered(CONCURRENCY).try_collect().await
    }

    /// Makes an edition the present one in the place of the version `known` (absent: of none).
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else exchanged it meanwhile.
    pub async fn put_edition(
        &self,
        feed: FeedId,
        edition: &Edition,
        known: Option<&EditionTag>,
    ) -> Result<(), StoreError> {
        let json = serde_json::to_vec(edition).map_err(|e| StoreError::Damaged(e.to_string()))?;
        let put = self
            .s3()
            .put_object()
            .bucket(&self.names().bucket)
            .key(document_key(feed))
            .content_type("application/json")
            .body(ByteStream::from(json));
        let put = match known {
            Some(EditionTag(tag)) => put.if_match(tag),
            None => put.if_none_match("*"),
        };
        match put.send().await.map_err(StoreError::of) {
            // Its answer was lost and the SDK put it again: it stands there.
            Err(StoreError::Conflict)
                if self.edition(feed).await?.is_some_and(|(found, _)| found == *edition) =>
            {
                Ok(())
            }
            put => put.map(drop),
        }
    }

    /// Opens a file of an edition, all of it or the bytes from `range.0` to `range.1`, both
    /// included; `None` when it is gone.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub async fn open_feed_file(
        &self,
        feed: FeedId,
        edition: &str,
        name: &str,
        range: Option<(u64, u64)>,
    ) -> Result<Option<FileBody>, StoreError> {
        let get = self.s3().get_object().bucket(&self.names().bucket);
        let get = get
            .key(file_key(feed, edition, name))
            .set_range(range.map(|(first, last)| format!("bytes={first}-{last}")));
        match get.send().await {
            Ok(answer) => Ok(Some(answer.body)),
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                Ok(None)
            }
            Err(error) => Err(StoreError::of(error)),
        }
    }

    /// A URL by which anybody may read a file of an edition for as long as `span`.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub async fn feed_file_url(
        &self,
        feed: FeedId,
        edition: &str,
        name: &str,
        span: Duration,
    ) -> Result<String, StoreError> {
        let failed = |reason: String| StoreError::Unavailable(format!("presigning: {reason}"));
        let config = PresigningConfig::expires_in(span).map_err(|e| failed(e.to_string()))?;
        let get = self.s3().get_object().bucket(&self.names().bucket);
        let signed = get.key(file_key(feed, edition, name)).presigned(config).await;
        signed.map(|signed| signed.uri().to_owned()).map_err(|e| failed(e.to_string()))
    }

    /// Begins to write a file of an edition; nobody sees it before it is finished.
    #[must_use]
    pub fn upload_feed_file(
        &self,
        feed: FeedId,
        edition: &str,
        name: &str,
        content_type: &'static str,
    ) -> Upload {
        Upload::new(self.clone(), file_key(feed, edition, name), content_type)
    }

    /// Deletes the files of editions of a feed but for those of `keep`, and but for what was
    /// written since `since`: somebody may be at work on that.
    ///
    /// # Errors
    /// When the bucket fails.
    pub async fn delete_editions(
        &self,
        feed: FeedId,
        keep: &[&str],
        since: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let kept: Vec<String> = keep.iter().map(|edition| file_key(feed, edition, "")).collect();
        let document = document_key(feed);
        let old = |key: &str, at: Option<i64>| {
            key != document
                && !kept.iter().any(|prefix| key.starts_with(prefix))
                && at.is_some_and(|at| at < since.timestamp())
        };
        self.delete_feed_files(format!("feeds/{feed}/"), old).await
    }

    /// Deletes the files of one edition.
    ///
    /// # Errors
    /// When the bucket fails.
    pub async fn delete_edition(&self, feed: FeedId, edition: &str) -> Result<(), StoreError> {
        self.delete_feed_files(file_key(feed, edition, ""), |_, _| true).await
    }

    /// Deletes all that was published of a feed.
    ///
    /// # Errors
    /// When the bucket fails.
    pub async fn delete_all_editions(&self, feed: FeedId) -> Result<(), StoreError> {
        self.delete_feed_files(format!("feeds/{feed}/"), |_, _| true).await
    }

    async fn delete_feed_files(
        &self,
        prefix: String,
        goes: impl Fn(&str, Option<i64>) -> bool,
    ) -> Result<(), StoreError> {
        let mut from: Option<String> = None;
        loop {
            let list = self.s3().list_objects_v2().bucket(&self.names().bucket).prefix(&prefix);
            let listed = list.set_continuation_token(from.take()).send().await;
            let listed = listed.map_err(StoreError::of)?;
            for object in listed.contents() {
                let Some(key) = object.key() else { continue };
                let at = object.last_modified().map(aws_sdk_s3::primitives::DateTime::secs);
                if goes(key, at) {
                    let delete = self.s3().delete_object().bucket(&self.names().bucket).key(key);
                    delete.send().await.map_err(StoreError::of)?;
                }
            }
            from = listed.next_continuation_token;
            if from.is_none() {
                return Ok(());
            }
        }
    }
}
