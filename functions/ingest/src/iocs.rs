//! `POST /api/v1/iocs`: plain IOCs as NDJSON, JSON array or CSV.

use lambda_http::http::StatusCode;
use shared::http::{Answer, ApiError, Call};
use shared::ingestion::{Candidate, Submission};
use shared::ioc;
use shared::services::Services;

use crate::report::{check_count, submit_and_report};
use crate::{target, writer};

enum Format {
    Ndjson,
    Json,
    Csv,
}

/// Takes IOCs in.
pub async fn post(services: &Services, call: &Call) -> Result<Answer, ApiError> {
    let caller = writer(services, call).await?;
    let format = format(call)?;
    let target = target::target(services, call, &caller).await?;
    let body = call.body()?;
    let records = match format {
        Format::Csv => ioc::csv(&body),
        // One object, or one a line, sent as plain JSON: what is meant is plain.
        Format::Json if !is_array(&body) => ioc::ndjson(&body),
        Format::Json => ioc::json_array(&body)
            .map_err(|e| ApiError::bad_request("malformed_json", e.to_string()))?,
        Format::Ndjson => ioc::ndjson(&body),
    };
    check_count(records.len())?;
    let lines: Vec<usize> = records.iter().map(|(line, _)| *line).collect();
    let candidates = records.into_iter().map(|(_, record)| Candidate::of_ioc(record)).collect();
    let submission = Submission {
        owner: &caller.tenant,
        clearance: caller.clearance,
        into: target.as_ref().map(|defined| &defined.collection),
    };
    submit_and_report(services, submission, candidates, Some(&lines)).await
}

fn format(call: &Call) -> Result<Format, ApiError> {
    let essence = call.content_type().split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Format::Ndjson),
        "application/json" => Ok(Format::Json),
        "text/csv" => Ok(Format::Csv),
        _ => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_type",
            "send IOCs as application/x-ndjson, application/json (an array) or text/csv",
        )),
    }
}

fn is_array(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}
