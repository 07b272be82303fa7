//! Sending batches to a service, several at a time, and taking down its answers.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use reqwest::{Client, Response};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;

use super::batch::{Batch, Record};
use super::batches::Found;
use super::report::{FileReport, Rejection};
use super::{Progress, Target};
use crate::http_client::{self, HttpClientError};

/// Requests in flight.
const IN_FLIGHT: usize = 4;
/// Tries of one request before giving up: about a minute and a half.
const TRIES: u32 = 24;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A service that asks for more patience than this gets this much.
const MOST_PATIENCE: Duration = Duration::from_mins(1);

/// Why sending had to end.
#[derive(Debug, Error)]
pub enum SendError {
    /// No answer.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// The service.
        url: String,
        /// The last error.
        reason: String,
    },
    /// An answer that trying again does not better.
    #[error("the service answered {status}: {message}")]
    Refused {
        /// The status.
        status: u16,
        /// What it says.
        message: String,
    },
    /// Still too busy.
    #[error("the service was too busy for too long (last answer {status}); try again later")]
    Busy {
        /// The last status.
        status: u16,
    },
    /// An answer in another form than agreed.
    #[error("the service answered something else than a report: {0}")]
    Odd(String),
}

#[derive(Debug, Deserialize)]
struct Answer {
    results: Vec<Outcome>,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    index: usize,
    #[serde(rename = "outcome")]
    fate: String,
    id: Option<String>,
    code: Option<String>,
    reason: Option<String>,
}

/// A batch and what the service said of it; nothing if it is a single object that is too long.
type Sent = (Batch, Option<Answer>);

#[derive(Clone)]
pub(super) struct Sender {
    client: Client,
    target: Arc<Target>,
}

impl Sender {
    pub(super) fn new(target: &Target) -> Result<Self, HttpClientError> {
        let mut target = target.clone();
        target.url.truncate(target.url.trim_end_matches('/').len());
        Ok(Self { client: http_client::to(&target.url)?, target: Arc::new(target) })
    }

    /// Sends what comes until nothing comes any more.
    pub(super) async fn send_all(
        &self,
        mut found: Receiver<Found>,
        report: &mut FileReport,
        progress: &Progress,
    ) -> Result<(), SendError> {
        let mut flying = Flying::default();
        while let Some(found) = found.recv().await {
            let batch = match found {
                Found::Rejected(rejection) => {
                    report.reject(rejection);
                    continue;
                }
                Found::Batch(batch) => batch,
            };
            // Two requests in flight arrive in any order; two versions of an object must not.
            while flying.tasks.len() >= IN_FLIGHT || flying.meets(&batch) {
                self.land(&mut flying, report, progress).await?;
            }
            self.launch(&mut flying, batch);
        }
        while !flying.tasks.is_empty() {
            self.land(&mut flying, report, progress).await?;
        }
        Ok(())
    }

    fn launch(&self, flying: &mut Flying, batch: Batch) {
        flying.ids.extend(batch.records.iter().filter_map(|record| record.id.clone()));
        let sender = self.clone();
        flying.tasks.spawn(async move { sender.send(batch).await });
    }

    async fn land(
        &self,
        flying: &mut Flying,
        report: &mut FileReport,
        progress: &Progress,
    ) -> Result<(), SendError> {
        let Some(landed) = flying.tasks.join_next().await else { return Ok(()) };
        for (batch, answer) in landed.map_err(|error| SendError::Odd(error.to_string()))?? {
            for id in batch.records.iter().filter_map(|record| record.id.as_ref()) {
                flying.ids.remove(id);
            }
            progress.add_sent(batch.records.len() as u64);
            match answer {
                Some(answer) => take_down(&batch, answer, report)?,
                None => {
                    for record in batch.records {
                        report.reject(too_long(record));
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends a batch, in parts if the service finds it too long, one after the other.
    async fn send(&self, batch: Batch) -> Result<Vec<Sent>, SendError> {
        let mut sent = Vec::new();
        // The last goes next.
        let mut waiting = vec![batch];
        while let Some(batch) = waiting.pop() {
            match self.exchange(&batch).await? {
                Some(answer) => sent.push((batch, Some(answer))),
                None => match batch.halve() {
                    Ok((first, second)) => waiting.extend([second, first]),
                    Err(single) => sent.push((single, None)),
                },
            }
        }
        Ok(sent)
    }

    /// One request, tried again while that may help; nothing if it is too long.
    async fn exchange(&self, batch: &Batch) -> Result<Option<Answer>, SendError> {
        let (path, content_type, body) = batch.request();
        let body = bytes::Bytes::from(body);
        let mut tried = 0;
        loop {
            tried += 1;
            let mut request = self
                .client
                .post(format!("{}{path}", self.target.url))
                .header("X-API-Key", &self.target.key)
                .header("Content-Type", content_type)
                .body(body.clone());
            if let Some(collection) = &self.target.collection {
                request = request.query(&[("collection", collection)]);
            }
            let pause = match request.send().await {
                Ok(response) => match self.judge(response, tried).await? {
                    Judged::Answered(answer) => return Ok(Some(answer)),
                    Judged::TooLarge => return Ok(None),
                    Judged::Again(pause) => pause,
                },
                Err(error) if tried >= TRIES || error.is_builder() => {
                    return Err(self.unreachable(&error));
                }
                Err(_) => pause(tried),
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn judge(&self, response: Response, tried: u32) -> Result<Judged, SendError> {
        let status = response.status();
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            return Ok(Judged::TooLarge);
        }
        let busy = matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504);
        if busy && tried < TRIES {
            let asked = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
            let asked = asked.and_then(|value| value.parse().ok()).map(Duration::from_secs);
            return Ok(Judged::Again(asked.unwrap_or(pause(tried)).min(MOST_PATIENCE)));
        }
        if busy {
            return Err(SendError::Busy { status: status.as_u16() });
        }
        let body = match response.bytes().await {
            Ok(body) => body,
            // Cut off in the middle: what was sent may be in, and sending it again is harmless.
            Err(_) if tried < TRIES => return Ok(Judged::Again(pause(tried))),
            Err(error) => return Err(self.unreachable(&error)),
        };
        if !status.is_success() {
            return Err(SendError::Refused { status: status.as_u16(), message: message(&body) });
        }
        let answer = serde_json::from_slice(&body);
        answer.map(Judged::Answered).map_err(|error| SendError::Odd(error.to_string()))
    }

    fn unreachable(&self, error: &reqwest::Error) -> SendError {
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            reason = inner.to_string();
            source = inner.source();
        }
        SendError::Unreachable { url: self.target.url.clone(), reason }
    }
}

enum Judged {
    Answered(Answer),
    TooLarge,
    Again(Duration),
}

#[derive(Default)]
struct Flying {
    tasks: JoinSet<Result<Vec<Sent>, SendError>>,
    ids: HashSet<String>,
}

impl Flying {
    /// Whether an object of the batch is in flight already.
    fn meets(&self, batch: &Batch) -> bool {
        batch.records.iter().filter_map(|record| record.id.as_ref()).any(|id| self.ids.contains(id))
    }
}

fn too_long(record: Record) -> Rejection {
    let reason = "the service takes no request this long".to_owned();
    Rejection::here(record.place, record.id, "object_too_large", reason)
}

fn pause(tried: u32) -> Duration {
    (FIRST_PAUSE * 2_u32.saturating_pow(tried.saturating_sub(1).min(10))).min(LONGEST_PAUSE)
}

/// The service's sentence, if it is one of its own errors.
fn message(body: &[u8]) -> String {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let sentence = document.pointer("/error/message").and_then(Value::as_str);
    sentence
        .map_or_else(|| String::from_utf8_lossy(body).chars().take(300).collect(), str::to_owned)
}

fn take_down(batch: &Batch, answer: Answer, report: &mut FileReport) -> Result<(), SendError> {
    if answer.results.len() != batch.records.len() {
        let (answers, sent) = (answer.results.len(), batch.records.len());
        return Err(SendError::Odd(format!("{answers} results for {sent} objects")));
    }
    let counts = &mut report.counts;
    let mut rejections = Vec::new();
    for outcome in answer.results {
        match outcome.fate.as_str() {
            "created" => counts.created += 1,
            "updated" => counts.updated += 1,
            "stale" => counts.stale += 1,
            "unchanged" => counts.unchanged += 1,
            other => {
                let record = batch.records.get(outcome.index);
                let Some(record) = record else {
                    return Err(SendError::Odd(format!("a result for object {}", outcome.index)));
                };
                let deleted = "was deleted here; a newer version would create it again";
                rejections.push(Rejection {
                    place: record.place,
                    id: outcome.id.or_else(|| record.id.clone()),
                    code: outcome.code.unwrap_or_else(|| other.to_owned()),
                    reason: outcome.reason.unwrap_or_else(|| deleted.to_owned()),
                });
            }
        }
    }
    counts.accepted = counts.created + counts.updated + counts.stale;
    for rejection in rejections {
        report.reject(rejection);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
