//! `POST /api/v1/objects`: a bundle, a TAXII envelope or a bare array of STIX objects.

use lambda_http::http::StatusCode;
use shared::http::{Answer, ApiError, Call};
use shared::ingestion::{Candidate, Submission};
use shared::services::Services;
use shared::stix::splitter::{self, SplitError};

use crate::report::{check_count, submit_and_report};
use crate::{target, writer};

const TYPES: [&str; 3] = ["application/stix+json", "application/json", "application/taxii+json"];

/// Takes objects in.
pub async fn post(services: &Services, call: &Call) -> Result<Answer, ApiError> {
    let caller = writer(services, call).await?;
    let essence = call.content_type().split(';').next().unwrap_or_default().trim();
    if !TYPES.iter().any(|known| known.eq_ignore_ascii_case(essence)) {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_type",
            format!("send STIX as {}", TYPES.join(" or ")),
        ));
    }
    let target = target::target(services, call, &caller).await?;
    let body = call.body()?;
    let (summary, pieces) = splitter::split(&body).map_err(|fault| malformed(&fault))?;
    if !summary.objects_seen {
        return Err(ApiError::bad_request(
            "no_objects",
            "the body holds no `objects`: send a bundle, a TAXII envelope or an array of objects",
        ));
    }
    check_count(summary.count)?;
    let candidates = pieces.into_iter().map(Candidate::read).collect();
    let submission = Submission {
        owner: &caller.tenant,
        clearance: caller.clearance,
        into: target.as_ref().map(|defined| &defined.collection),
    };
    submit_and_report(services, submission, candidates, None).await
}

fn malformed(error: &SplitError) -> ApiError {
    ApiError::bad_request("malformed_json", error.to_string())
}
