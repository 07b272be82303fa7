//! The bucket's `feeds/<feed>/claimed`: who is at work on a feed. It saves work twice done; two
//! that work at once do no harm.

use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Store, StoreError};
use crate::feed::FeedId;

/// Whoever publishes has ended after this long, one way or another: no function runs longer.
const CLAIM: TimeDelta = TimeDelta::minutes(15);

/// That somebody is at work on a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    by: Uuid,
    at: DateTime<Utc>,
}

impl Claim {
    /// Whether who made it may still be at work. One from the future is a clock gone wrong.
    fn holds(&self, now: DateTime<Utc>) -> bool {
        (now - self.at).abs() < CLAIM
    }
}

fn claim_key(feed: FeedId) -> String {
    format!("feeds/{feed}/claimed")
}

impl Store {
    /// Claims a feed for the caller; `None` when somebody else did within the last 15 minutes.
    ///
    /// # Errors
    /// When the bucket fails; then nothing of the claim is left, as far as the bucket can be
    /// reached.
    pub async fn claim_feed(&self, feed: FeedId) -> Result<Option<Claim>, StoreError> {
        let found = self.read_claim(feed).await?;
        if found.as_ref().is_some_and(|(claim, _)| self.is_held(claim.as_ref())) {
            return Ok(None);
        }
        let tag = found.map(|(_, tag)| tag);
        self.put_claim(feed, |put| match tag {
            Some(tag) => put.if_match(tag),
            None => put.if_none_match("*"),
        })
        .await
    }

    /// Claims a feed, whoever else did.
    ///
    /// # Errors
    /// When the bucket fails.
    pub async fn claim_feed_anyway(&self, feed: FeedId) -> Result<Option<Claim>, StoreError> {
        self.put_claim(feed, |put| put).await
    }

    /// Whether somebody claimed a feed and may still be at work on it.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub async fn is_feed_claimed(&self, feed: FeedId) -> Result<bool, StoreError> {
        let found = self.read_claim(feed).await?;
        Ok(found.is_some_and(|(claim, _)| self.is_held(claim.as_ref())))
    }

    /// Gives a claim back, unless it has become somebody else's.
    ///
    /// # Errors
    /// When the bucket fails.
    pub async fn unclaim_feed(&self, feed: FeedId, claim: &Claim) -> Result<(), StoreError> {
        match self.read_claim(feed).await? {
            Some((Some(found), _)) if found == *claim => {
                let delete = self.s3().delete_object().bucket(&self.names().bucket);
                delete.key(claim_key(feed)).send().await.map(drop).map_err(StoreError::of)
            }
            _ => Ok(()),
        }
    }

    fn is_held(&self, claim: Option<&Claim>) -> bool {
        claim.is_some_and(|claim| claim.holds(self.now()))
    }

    /// What stands there, if it can be read as a claim, and its version.
    async fn read_claim(
        &self,
        feed: FeedId,
    ) -> Result<Option<(Option<Claim>, String)>, StoreError> {
        let get = self.s3().get_object().bucket(&self.names().bucket).key(claim_key(feed));
        let answer = match get.send().await {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Ok(None);
            }
            Err(error) => return Err(StoreError::of(error)),
        };
        let tag = answer.e_tag.unwrap_or_default();
        let bytes = answer.body.collect().await;
        let bytes = bytes.map_err(|error| StoreError::Unavailable(error.to_string()))?.to_vec();
        Ok(Some((serde_json::from_slice(&bytes).ok(), tag)))
    }

    async fn put_claim(
        &self,
        feed: FeedId,
        condition: impl FnOnce(PutClaim) -> PutClaim,
    ) -> Result<Option<Claim>, StoreError> {
        let claim = Claim { by: Uuid::new_v4(), at: self.now() };
        let json = serde_json::to_vec(&claim).map_err(|e| StoreError::Damaged(e.to_string()))?;
        let put = self.s3().put_object().bucket(&self.names().bucket).key(claim_key(feed));
        let put = put.content_type("application/json").body(ByteStream::from(json));
        match condition(put).send().await.map_err(StoreError::of) {
            Ok(_) => Ok(Some(claim)),
            // Its answer was lost and the SDK put it again: it may stand there.
            Err(StoreError::Conflict) => {
                let found = self.read_claim(feed).await?;
                Ok(found.and_then(|(found, _)| found).filter(|found| *found == claim))
            }
            Err(error) => {
                // It may stand there unknown to us, and hold up the next run.
                if let Err(error) = self.unclaim_feed(feed, &claim).await {
                    tracing::warn!(%feed, %error, "a claim may stay for a while");
                }
                Err(error)
            }
        }
    }
}

type PutClaim = aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
