//! `DELETE /api/v1/objects/{id}`: the owner takes an object back.

use lambda_http::http::StatusCode;
use serde_json::json;
use shared::http::{Answer, ApiError, Call};
use shared::id::ObjectId;
use shared::ingestion::{self, Outcome};
use shared::services::Services;

use crate::writer;

/// Deletes an object from every collection.
pub async fn delete(services: &Services, call: &Call, id: &str) -> Result<Answer, ApiError> {
    let caller = writer(services, call).await?;
    let id: ObjectId =
        id.parse().map_err(|fault| ApiError::bad_request("invalid_id", format!("{fault}")))?;
    match ingestion::delete(services, &caller.tenant, &id).await? {
        Some(Outcome::Accepted(accepted)) => Ok(Answer::json(
            StatusCode::OK,
            &json!({
                "id": accepted.id,
                "version": accepted.version,
                "outcome": accepted.kind.name(),
            }),
        )),
        Some(Outcome::Refused(refused)) => {
            let why = refused.why;
            Err(ApiError::new(StatusCode::FORBIDDEN, why.code(), why.to_string()))
        }
        None => Err(ApiError::not_found(format!("there is no object {id}"))),
    }
}
