//! The bucket's notifications: a function called for each object put, with S3's event.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::DisplayErrorContext;
use chrono::Utc;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::engines::ObjectCreated;
use crate::functions::EventHandler;
use crate::parked::Parked;
use crate::stopping::Stop;
use crate::template::{BucketTrigger, REGION};

/// What the drop function appends to a key for the file that says what became of it.
pub const RESULT_SUFFIX: &str = ".result.json";
/// Lambda calls a failed asynchronous event twice more.
const RETRIES: u32 = 2;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// What S3 leaves as it is in the keys of its events; a space becomes `+`.
const KEPT_IN_KEYS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');

/// One notification of the template and the function behind it.
pub struct DropTrigger {
    /// Which objects.
    pub trigger: BucketTrigger,
    /// The function.
    pub handler: EventHandler,
    /// Reaches the bucket.
    pub client: Client,
    /// What is put from now on.
    pub created: UnboundedReceiver<ObjectCreated>,
    /// Told that writes are to be expected.
    pub writes: Arc<Notify>,
    /// Where events go that fail again and again.
    pub parked: Parked,
}

impl DropTrigger {
    /// Calls the function for what is put, one object at a time, first for what lies there
    /// without a result, until told to stop.
    pub async fn run(mut self, mut stop: Stop) {
        for left in self.left_behind().await {
            if stop.is_stopped() {
                return;
            }
            self.handle(&left, &mut stop).await;
        }
        loop {
            let object = tokio::select! {
                object = self.created.recv() => object,
                () = stop.stopped() => return,
            };
            let Some(object) = object else { return };
            if self.concerns(&object) {
                self.handle(&object, &mut stop).await;
            }
        }
    }

    fn concerns(&self, object: &ObjectCreated) -> bool {
        let trigger = &self.trigger;
        object.bucket == trigger.bucket
            && object.key.starts_with(&trigger.prefix)
            && object.key.ends_with(&trigger.suffix)
    }

    /// What was put while nobody was there to take it.
    async fn left_behind(&self) -> Vec<ObjectCreated> {
        let mut keys = std::collections::BTreeSet::new();
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(&self.trigger.bucket)
            .prefix(&self.trigger.prefix)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => keys.extend(page.contents.into_iter().flatten().filter_map(|o| o.key)),
                Err(error) => {
                    tracing::warn!(error = %DisplayErrorContext(error), "cannot list the bucket");
                    break;
                }
            }
        }
        keys.iter()
            .filter(|key| !key.ends_with(RESULT_SUFFIX) && !key.ends_with('/'))
            .filter(|key| !keys.contains(&format!("{key}{RESULT_SUFFIX}")))
            .map(|key| ObjectCreated {
                bucket: self.trigger.bucket.clone(),
                key: key.clone(),
                event: "ObjectCreated:Put",
            })
            .filter(|object| self.concerns(object))
            .collect()
    }

    async fn handle(&self, object: &ObjectCreated, stop: &mut Stop) {
        let Some(event) = self.event(object).await else { return };
        self.writes.notify_one();
        for failed in 0..=RETRIES {
            // A task of its own: a panic in the function is a failed call, as it is in Lambda.
            let reason = match tokio::spawn((self.handler)(event.clone())).await {
                Ok(Ok(_)) => return,
                Ok(Err(reason)) => reason,
                Err(error) => error.to_string(),
            };
            if failed == RETRIES {
                self.parked.park(&self.trigger.function, &event, &reason);
                return;
            }
            tracing::warn!(key = object.key, reason, "drop failed, again");
            tokio::select! {
                () = tokio::time::sleep(FIRST_PAUSE * (failed + 1)) => {}
                () = stop.stopped() => return,
            }
        }
    }

    /// S3's event for an object; none when the object is gone again.
    async fn event(&self, object: &ObjectCreated) -> Option<Value> {
        let request = self.client.head_object().bucket(&object.bucket).key(&object.key);
        let head = request.send().await;
        let head = head.inspect_err(|error| {
            let error = DisplayErrorContext(error);
            tracing::warn!(key = object.key, %error, "cannot look at a dropped file");
        });
        let head = head.ok()?;
        Some(event(object, head.content_length().unwrap_or(0), head.e_tag().unwrap_or_default()))
    }
}

fn event(object: &ObjectCreated, size: i64, etag: &str) -> Value {
    let key = utf8_percent_encode(&object.key, KEPT_IN_KEYS).to_string().replace(' ', "+");
    json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "eventName": object.event,
        "userIdentity": { "principalId": "local" },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": {},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "local",
            "bucket": {
                "name": object.bucket,
                "ownerIdentity": { "principalId": "local" },
                "arn": format!("arn:aws:s3:::{}", object.bucket),
            },
            "object": {
                "key": key,
                "size": size,
                "eTag": etag.trim_matches('"'),
                "sequencer": format!("{:016X}", Utc::now().timestamp_micros()),
            },
        },
    }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_as_s3_does() {
        let object = ObjectCreated {
            bucket: "b".into(),
            key: "inbox/a b+c/é.json".into(),
            event: "ObjectCreated:Put",
        };
        let event = event(&object, 7, "\"abc\"");
        let s3 = &event["Records"][0]["s3"];
        assert_eq!(s3["object"]["key"], "inbox/a+b%2Bc/%C3%A9.json");
        assert_eq!(s3["object"]["eTag"], "abc");
        assert_eq!(s3["object"]["size"], 7);
    }
}
