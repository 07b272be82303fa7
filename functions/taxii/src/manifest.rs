//! Object manifests (TAXII 2.1, section 5.3).

use serde::Serialize;
use shared::http::{Answer, Call};
use shared::services::Services;
use shared::stix::SpecVersion;

use crate::fault::Fault;
use crate::page::{self, Ask, Item};
use crate::rights;
use crate::visitor::Visitor;

#[derive(Serialize)]
struct Record<'a> {
    id: &'a str,
    date_added: String,
    version: &'a str,
    media_type: &'static str,
}

/// `GET …/manifest/`
pub async fn get(
    services: &Services,
    call: &Call,
    visitor: &Visitor,
    name: &str,
) -> Result<Answer, Fault> {
    let defined = rights::readable(services, visitor, name).await?;
    let ask = Ask::parse(services, call, visitor.caller(), &defined, None).await?;
    let page = ask.read(services).await?;
    let next = ask.next(services, &page).await?;
    let records = page.items.iter().map(record).collect::<Result<Vec<_>, _>>();
    let records = records.map_err(|e| shared::store::StoreError::Damaged(e.to_string()))?;
    let records = records.iter().map(String::as_str);
    Ok(ask.answer(&page, page::body(next.as_deref(), "objects", records)))
}

fn record(item: &Item) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Record {
        id: &item.id,
        date_added: item.position.to_string(),
        version: &item.version,
        media_type: match item.spec_version {
            SpecVersion::V20 => "application/stix+json;version=2.0",
            SpecVersion::V21 => "application/stix+json;version=2.1",
        },
    })
}
