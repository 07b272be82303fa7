//! What a visitor may do with a collection, and how a refusal is told: 404 for what it may not
//! know of, 403 for the rest, 401 where a key would help.

use std::sync::Arc;

use lambda_http::http::StatusCode;
use shared::access::{Caller, Scope};
use shared::services::{Defined, Services};

use crate::fault::Fault;
use crate::visitor::Visitor;

fn unknown(name: &str) -> Fault {
    let shown: String = name.chars().take(80).collect();
    Fault::not_found(format!("there is no collection {shown:?}"))
}

async fn find(services: &Services, name: &str) -> Result<Option<Arc<Defined>>, Fault> {
    let found = services.collection(name).await?;
    Ok(found.filter(|defined| defined.collection.settings.taxii))
}

/// The collection, if the visitor may read or write it.
pub async fn visible(
    services: &Services,
    visitor: &Visitor,
    name: &str,
) -> Result<Arc<Defined>, Fault> {
    let found = find(services, name).await?;
    let seen =
        |defined: &Defined| defined.collection.rights(visitor.caller(), Scope::ReadTaxii).any();
    match (found.filter(|defined| seen(defined)), visitor) {
        (Some(defined), _) => Ok(defined),
        (None, Visitor::Anonymous) => Err(Fault::unauthenticated()),
        (None, Visitor::Key(_)) => Err(unknown(name)),
    }
}

/// The collection, if the visitor may read it.
pub async fn readable(
    services: &Services,
    visitor: &Visitor,
    name: &str,
) -> Result<Arc<Defined>, Fault> {
    let found = find(services, name).await?;
    let caller = match visitor {
        Visitor::Key(caller) => caller,
        Visitor::Anonymous => {
            let public = found.filter(|defined| defined.collection.settings.public);
            return public.ok_or_else(Fault::unauthenticated);
        }
    };
    let defined = known(found, caller, name)?;
    let collection = &defined.collection;
    if collection.rights(Some(caller), Scope::ReadTaxii).read {
        return Ok(defined);
    }
    caller.require(Scope::ReadTaxii)?;
    if caller.clearance < collection.settings.ceiling {
        return Err(Fault::new(
            StatusCode::FORBIDDEN,
            "clearance_required",
            format!(
                "the collection reaches up to TLP:{}, your key is cleared for TLP:{}",
                collection.settings.ceiling, caller.clearance
            ),
        ));
    }
    Err(Fault::new(
        StatusCode::FORBIDDEN,
        "collection_not_readable",
        "your tenant may write to this collection, but not read it",
    ))
}

/// The collection, if the caller may write to it.
pub async fn writable(
    services: &Services,
    caller: &Caller,
    name: &str,
) -> Result<Arc<Defined>, Fault> {
    let defined = known(find(services, name).await?, caller, name)?;
    if defined.collection.rights(Some(caller), Scope::ReadTaxii).write {
        return Ok(defined);
    }
    caller.require(Scope::WriteObjects)?;
    Err(Fault::new(
        StatusCode::FORBIDDEN,
        "collection_not_writable",
        "your tenant may not write to this collection",
    ))
}

/// The collection, if the caller may both read and write it (DELETE): with neither right it is
/// not there, with one it is forbidden.
pub async fn deletable(
    services: &Services,
    caller: &Caller,
    name: &str,
) -> Result<Arc<Defined>, Fault> {
    let visitor = Visitor::Key(caller.clone());
    let defined = visible(services, &visitor, name).await?;
    readable(services, &visitor, name).await?;
    writable(services, caller, name).await?;
    Ok(defined)
}

/// A collection is known to the tenants that are its readers or writers, whatever their key may.
fn known(found: Option<Arc<Defined>>, caller: &Caller, name: &str) -> Result<Arc<Defined>, Fault> {
    found
        .filter(|defined| defined.collection.is_known_to(&caller.tenant))
        .ok_or_else(|| unknown(name))
}
