//! Objects (TAXII 2.1, sections 5.4 and 5.6).

use shared::http::{Answer, Call};
use shared::id::ObjectId;
use shared::services::{Defined, Services};

use crate::fault::Fault;
use crate::members;
use crate::page::{self, Ask, Page};
use crate::rights;
use crate::selection::{Selection, Versions};
use crate::visitor::Visitor;

/// `GET …/objects/`
pub async fn get(
    services: &Services,
    call: &Call,
    visitor: &Visitor,
    name: &str,
) -> Result<Answer, Fault> {
    let defined = rights::readable(services, visitor, name).await?;
    let ask = Ask::parse(services, call, visitor.caller(), &defined, None).await?;
    let page = ask.read(services).await?;
    respond(services, &ask, &page).await
}

/// `GET …/objects/{id}/`
pub async fn get_one(
    services: &Services,
    call: &Call,
    visitor: &Visitor,
    name: &str,
    id: &str,
) -> Result<Answer, Fault> {
    let defined = rights::readable(services, visitor, name).await?;
    let (ask, page) = read_one(services, call, &defined, id, None).await?;
    respond(services, &ask, &page).await
}

async fn respond(services: &Services, ask: &Ask, page: &Page) -> Result<Answer, Fault> {
    let next = ask.next(services, page).await?;
    let bodies = page.items.iter().map(|item| item.body.as_str());
    Ok(ask.answer(page, page::body(next.as_deref(), "objects", bodies)))
}

/// Reads every version of one object, whatever `match[version]` says.
pub async fn read_every_version(
    services: &Services,
    call: &Call,
    defined: &Defined,
    id: &str,
) -> Result<(Ask, Page), Fault> {
    read_one(services, call, defined, id, Some(Versions::ALL)).await
}

/// Reads versions of one object; 404 when the collection does not hold it at all.
async fn read_one(
    services: &Services,
    call: &Call,
    defined: &Defined,
    id: &str,
    versions: Option<Versions>,
) -> Result<(Ask, Page), Fault> {
    let shown: String = id.chars().take(80).collect();
    let unknown = || Fault::not_found(format!("the collection holds no object {shown:?}"));
    let id: ObjectId = id.parse().map_err(|_| unknown())?;
    let mut ask = Ask::parse(services, call, None, defined, Some(id.clone())).await?;
    if let Some(versions) = versions {
        ask.selection.versions = versions;
    }
    let page = ask.read(services).await?;
    if page.items.is_empty() && !holds(services, defined, &id).await? {
        return Err(unknown());
    }
    Ok((ask, page))
}

/// Whether the collection holds any version of the object.
async fn holds(services: &Services, defined: &Defined, id: &ObjectId) -> Result<bool, Fault> {
    let any = Selection {
        added_after: None,
        ids: None,
        types: None,
        versions: Versions::LAST,
        spec_versions: None,
    };
    let ids = std::slice::from_ref(id);
    let held = members::members(services, defined.collection.id, ids, &any).await?;
    Ok(!held.is_empty())
}
