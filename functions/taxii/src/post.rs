//! Adding objects (TAXII 2.1, section 5.5).

use std::collections::HashSet;
use std::time::{Duration, Instant};

use chrono::Utc;
use lambda_http::http::StatusCode;
use shared::http::{Answer, Call};
use shared::id::ObjectId;
use shared::ingestion::{Candidate, MAX_OBJECTS, Outcome, Submission, submit};
use shared::services::Services;
use shared::stix::splitter::{self, Kind, SplitError};
use shared::store::{Receipt, ReceiptFailure, ReceiptObject, StoreError};
use shared::time::Timestamp;
use uuid::Uuid;

use crate::fault::Fault;
use crate::visitor::Visitor;
use crate::{media, rights, status};

/// How long an answer waits for the objects to be readable, so that it usually says `complete`.
const PATIENCE: Duration = Duration::from_secs(2);

/// The id told for an object that has none.
const NO_ID: &str = "unknown--00000000-0000-4000-8000-000000000000";

/// `POST …/objects/`
pub async fn post(
    services: &Services,
    call: &Call,
    visitor: &Visitor,
    name: &str,
) -> Result<Answer, Fault> {
    let requested = services.store().now();
    let caller = visitor.known()?;
    let defined = rights::writable(services, caller, name).await?;
    media::check_content_type(call)?;
    let body = call.body()?;
    let candidates = envelope(&body)?;
    let submission = Submission {
        owner: &caller.tenant,
        clearance: caller.clearance,
        into: Some(&defined.collection),
    };
    let outcomes = submit(services, submission, candidates).await?;
    let mut receipt = receipt(caller.tenant.clone(), requested, outcomes);
    let pending = wait(services, &receipt).await?;
    receipt.complete = pending.is_empty();
    services.store().put_receipt(&receipt).await?;
    Ok(status::answer(StatusCode::ACCEPTED, &receipt, &pending))
}

/// The objects of an envelope or a bundle.
fn envelope(body: &[u8]) -> Result<Vec<Candidate>, Fault> {
    let no_envelope = |message: &str| {
        Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "no_envelope", message.to_owned())
    };
    let malformed =
        |message: &str| Fault::new(StatusCode::BAD_REQUEST, "malformed_json", message.to_owned());
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(malformed("the body is empty: send an envelope"));
    }
    if std::str::from_utf8(body).is_err() {
        return Err(malformed("the body is not UTF-8, as JSON must be"));
    }
    let (summary, pieces) = splitter::split(body).map_err(|error| match error {
        SplitError::NoEnvelope { .. } | SplitError::ObjectsNotArray { .. } => {
            no_envelope(&error.to_string())
        }
        _ => malformed(&error.to_string()),
    })?;
    if summary.kind == Kind::Array || (!summary.objects_seen && !is_empty_object(body)) {
        return Err(no_envelope(
            "the body is no envelope: send {\"objects\": [...]}, a TAXII envelope or a bundle",
        ));
    }
    if summary.count > MAX_OBJECTS {
        let message = format!(
            "the envelope holds {} objects, at most {MAX_OBJECTS} are taken: send them in parts",
            summary.count
        );
        return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_objects", message));
    }
    Ok(pieces.into_iter().map(Candidate::read).collect())
}

/// An envelope without objects is `{}` (section 3.7).
fn is_empty_object(body: &[u8]) -> bool {
    let dense: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    dense == b"{}"
}

fn receipt(
    tenant: shared::access::TenantId,
    requested: chrono::DateTime<Utc>,
    outcomes: Vec<Outcome>,
) -> Receipt {
    let (mut accepted, mut failures) = (Vec::new(), Vec::new());
    for (index, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            // What was deleted here at this version or later is not taken back.
            Outcome::Accepted(done) if done.kind == shared::ingestion::Kind::Deleted => {
                failures.push(ReceiptFailure {
                    id: done.id.to_string(),
                    version: done.version.to_string(),
                    message: "deleted here at this version or a later one".to_owned(),
                });
            }
            Outcome::Accepted(done) => accepted.push(ReceiptObject {
                id: done.id,
                version: done.version,
                revision: done.revision,
            }),
            // A status names identifiers and timestamps; what was sent instead of them, the
            // message says.
            Outcome::Refused(refused) => failures.push(ReceiptFailure {
                message: format!("object {}: {}", index + 1, refused.why),
                id: refused
                    .id
                    .filter(|id| id.parse::<ObjectId>().is_ok())
                    .unwrap_or_else(|| NO_ID.to_owned()),
                version: refused
                    .version
                    .filter(|version| version.parse::<Timestamp>().is_ok())
                    .unwrap_or_else(|| {
                        requested.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
                    }),
            }),
        }
    }
    Receipt { id: Uuid::new_v4(), tenant, requested, accepted, failures, complete: false }
}

/// Waits until the objects are readable, or patience ends; says which are not.
async fn wait(services: &Services, receipt: &Receipt) -> Result<HashSet<ObjectId>, StoreError> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(10);
    let mut waiting: Vec<ReceiptObject> = receipt.accepted.clone();
    loop {
        let pending = status::not_readable(services, &waiting).await?;
        if pending.is_empty() || begun.elapsed() + pause > PATIENCE {
            return Ok(pending);
        }
        waiting.retain(|object| pending.contains(&object.id));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}
