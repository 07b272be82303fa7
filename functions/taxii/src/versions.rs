//! An object's versions (TAXII 2.1, section 5.8).

use shared::http::{Answer, Call};
use shared::services::Services;

use crate::fault::Fault;
use crate::objects::read_every_version;
use crate::page;
use crate::rights;
use crate::visitor::Visitor;

/// `GET …/objects/{id}/versions/`
pub async fn get(
    services: &Services,
    call: &Call,
    visitor: &Visitor,
    name: &str,
    id: &str,
) -> Result<Answer, Fault> {
    let defined = rights::readable(services, visitor, name).await?;
    let (ask, page) = read_every_version(services, call, &defined, id).await?;
    let next = ask.next(services, &page).await?;
    // A version is a timestamp and needs no escapes.
    let versions: Vec<String> =
        page.items.iter().map(|item| format!("\"{}\"", item.version)).collect();
    let versions = versions.iter().map(String::as_str);
    Ok(ask.answer(&page, page::body(next.as_deref(), "versions", versions)))
}
