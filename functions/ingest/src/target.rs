//! `?collection=`: the collection that takes what comes in explicitly.

use std::sync::Arc;

use lambda_http::http::StatusCode;
use shared::access::{Caller, Scope};
use shared::http::{ApiError, Call};
use shared::services::{Defined, Services};

/// The collection the request names by id or alias, if it names one.
///
/// # Errors
/// 404 when the caller may not know of it, 403 when it may not write to it.
pub async fn target(
    services: &Services,
    call: &Call,
    caller: &Caller,
) -> Result<Option<Arc<Defined>>, ApiError> {
    let query = call.query()?;
    let Some(name) = query.one("collection")? else {
        return Ok(None);
    };
    let found = services.collection(name).await?;
    let rights = |defined: &Defined| defined.collection.rights(Some(caller), Scope::ReadTaxii);
    let shown: String = name.chars().take(80).collect();
    let Some(defined) = found.filter(|defined| rights(defined).any()) else {
        return Err(ApiError::not_found(format!("there is no collection {shown:?}")));
    };
    if !rights(&defined).write {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "collection_not_writable",
            format!("your tenant may not write to the collection {shown:?}"),
        ));
    }
    Ok(Some(defined))
}
