//! `GET /api/v1/manage/audit`: what was changed, newest first.

use lambda_http::http::StatusCode;
use serde_json::{Value, json};
use shared::audit::Subject;
use shared::http::{Answer, ApiError, Call};

use crate::cursor::{self, Place};
use crate::operator::Operator;

/// The list; `resource` narrows it to a kind (`key`) or one thing (`key/<id>`).
pub async fn list(operator: &Operator<'_>, call: &Call) -> Result<Answer, ApiError> {
    if !call.reads() {
        return Err(ApiError::method_not_allowed("GET, HEAD"));
    }
    let query = call.query()?;
    let subject = query.one("resource")?.map(str::parse::<Subject>).transpose();
    let subject =
        subject.map_err(|error| ApiError::bad_request("invalid_parameter", error.to_string()))?;
    let place = Place::of(operator.services, &query, "audit", &["resource"]).await?;
    let (records, more) =
        operator.store().audit(subject.as_ref(), place.after(), place.limit).await?;
    let last = records.last().map(|record| record.id.clone()).filter(|_| more);
    let shown: Vec<Value> = records.iter().map(|record| json!(record)).collect();
    cursor::page(&place, "audit", shown, last)
}

/// `GET /api/v1/manage/audit/{id}`
pub async fn get(operator: &Operator<'_>, call: &Call, id: &str) -> Result<Answer, ApiError> {
    if !call.reads() {
        return Err(ApiError::method_not_allowed("GET, HEAD"));
    }
    let named: String = id.chars().take(80).collect();
    let found = if id.len() <= 64 { operator.store().audit_record(id).await? } else { None };
    let record =
        found.ok_or_else(|| ApiError::not_found(format!("there is no audit record {named:?}")))?;
    Ok(Answer::json(StatusCode::OK, &record))
}
