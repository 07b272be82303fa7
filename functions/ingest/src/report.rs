//! The answer to a POST: counts, and what became of each object.

use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::http::{Answer, ApiError};
use shared::ingestion::{Candidate, Kind, MAX_OBJECTS, Outcome, Submission, submit};
use shared::services::Services;

#[derive(Serialize)]
struct Report {
    created: usize,
    updated: usize,
    unchanged: usize,
    stale: usize,
    deleted: usize,
    rejected: usize,
    results: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    /// Place in the request, from 0.
    index: usize,
    /// Line (CSV, NDJSON) or item (JSON array) of an IOC, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    content_differs: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Refuses a request with more objects than one may hold, before anything is written.
pub fn check_count(count: usize) -> Result<(), ApiError> {
    if count > MAX_OBJECTS {
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_many_objects",
            format!(
                "the request holds {count} objects, at most {MAX_OBJECTS} are taken: send them in parts, or drop them as a file"
            ),
        ));
    }
    Ok(())
}

/// Takes the candidates in and reports on each; `lines` are the lines they stood in, for IOCs.
pub async fn submit_and_report(
    services: &Services,
    submission: Submission<'_>,
    candidates: Vec<Candidate>,
    lines: Option<&[usize]>,
) -> Result<Answer, ApiError> {
    let outcomes = submit(services, submission, candidates).await?;
    let count = |wanted: Kind| {
        let is = |outcome: &&Outcome| matches!(outcome, Outcome::Accepted(a) if a.kind == wanted);
        outcomes.iter().filter(is).count()
    };
    let report = Report {
        created: count(Kind::Created),
        updated: count(Kind::Updated),
        unchanged: count(Kind::Unchanged),
        stale: count(Kind::Stale),
        deleted: count(Kind::Deleted),
        rejected: outcomes.iter().filter(|o| matches!(o, Outcome::Refused(_))).count(),
        results: outcomes
            .into_iter()
            .enumerate()
            .map(|(index, outcome)| {
                entry(index, lines.and_then(|lines| lines.get(index).copied()), outcome)
            })
            .collect(),
    };
    Ok(Answer::json(StatusCode::OK, &report))
}

fn entry(index: usize, line: Option<usize>, outcome: Outcome) -> Entry {
    match outcome {
        Outcome::Accepted(accepted) => Entry {
            index,
            line,
            id: Some(accepted.id.to_string()),
            version: Some(accepted.version.to_string()),
            outcome: accepted.kind.name(),
            content_differs: accepted.content_differs,
            code: None,
            reason: None,
        },
        Outcome::Refused(refused) => Entry {
            index,
            line,
            id: refused.id,
            version: refused.version,
            outcome: "rejected",
            content_differs: false,
            code: Some(refused.why.code()),
            reason: Some(refused.why.to_string()),
        },
    }
}
