//! Status resources (TAXII 2.1, section 4.3): computed from what can be read now.

use std::collections::HashSet;

use chrono::SecondsFormat;
use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::http::Answer;
use shared::id::ObjectId;
use shared::services::Services;
use shared::store::{Receipt, ReceiptObject, StoreError};
use uuid::Uuid;

use crate::fault::Fault;
use crate::media;
use crate::visitor::Visitor;

#[derive(Serialize)]
struct Status<'a> {
    id: Uuid,
    #[serde(rename = "status")]
    state: &'static str,
    request_timestamp: String,
    total_count: usize,
    success_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    successes: Vec<Detail<'a>>,
    failure_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Detail<'a>>,
    pending_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pendings: Vec<Detail<'a>>,
}

#[derive(Serialize)]
struct Detail<'a> {
    id: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

/// `GET …/status/{id}/`
pub async fn get(services: &Services, visitor: &Visitor, id: &str) -> Result<Answer, Fault> {
    let caller = visitor.known()?;
    let unknown = || Fault::not_found("there is no such status, or it is no longer kept");
    let id: Uuid = id.parse().map_err(|_| unknown())?;
    let receipt = services.store().receipt(id).await?;
    // Another tenant's status is as one that does not exist.
    let receipt = receipt.filter(|receipt| receipt.tenant == caller.tenant).ok_or_else(unknown)?;
    let pending = if receipt.complete {
        HashSet::new()
    } else {
        let pending = not_readable(services, &receipt.accepted).await?;
        if pending.is_empty() {
            services.store().complete_receipt(id).await?;
        }
        pending
    };
    Ok(answer(StatusCode::OK, &receipt, &pending))
}

/// Those of the accepted objects that are not readable at their revision yet.
pub async fn not_readable(
    services: &Services,
    accepted: &[ReceiptObject],
) -> Result<HashSet<ObjectId>, StoreError> {
    let ids: Vec<ObjectId> = accepted
        .iter()
        .map(|object| object.id.clone())
        .collect::<HashSet<_>>()
        .into_iter()
        .collect();
    let heads = services.store().heads(&ids, true).await?;
    let waits = |object: &&ReceiptObject| {
        heads.get(&object.id).is_some_and(|head| head.projected < object.revision)
    };
    Ok(accepted.iter().filter(waits).map(|object| object.id.clone()).collect())
}

/// The status resource of a receipt.
pub fn answer(status: StatusCode, receipt: &Receipt, pending: &HashSet<ObjectId>) -> Answer {
    let (pendings, successes): (Vec<&ReceiptObject>, Vec<&ReceiptObject>) =
        receipt.accepted.iter().partition(|object| pending.contains(&object.id));
    let failures: Vec<Detail<'_>> = receipt
        .failures
        .iter()
        .map(|failure| Detail {
            id: &failure.id,
            version: &failure.version,
            message: Some(&failure.message),
        })
        .collect();
    let body = Status {
        id: receipt.id,
        state: if pendings.is_empty() { "complete" } else { "pending" },
        request_timestamp: receipt.requested.to_rfc3339_opts(SecondsFormat::Micros, true),
        total_count: receipt.accepted.len() + failures.len(),
        success_count: successes.len(),
        successes: successes.into_iter().map(named).collect(),
        failure_count: failures.len(),
        failures,
        pending_count: pendings.len(),
        pendings: pendings.into_iter().map(named).collect(),
    };
    media::answer(status, &body)
}

fn named(object: &ReceiptObject) -> Detail<'_> {
    Detail { id: object.id.as_str(), version: object.version.as_str(), message: None }
}
