//! Who may read a feed: everybody if it is public, else keys with `read:csv` whose tenant and plan
//! it names and whose clearance reaches as high as its rows.

use std::sync::Arc;

use lambda_http::http::StatusCode;
use serde_json::json;
use shared::access::{Caller, PlanName, Scope};
use shared::feed::{Edition, Feed};
use shared::http::{ApiError, AuthError, Call, authenticate};
use shared::services::{Defined, Services};
use shared::tlp::Tlp;

use crate::fault::Fault;

/// Who asks; `None` is somebody without a key. A wrong key is refused even where none is needed.
async fn caller(services: &Services, call: &Call) -> Result<Option<Caller>, AuthError> {
    match authenticate(services, call).await {
        Ok(caller) => Ok(Some(caller)),
        Err(AuthError::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A feed that may be read, and by whom it is.
pub struct Readable {
    /// The feed.
    pub feed: Feed,
    /// Its collection.
    pub collection: Arc<Defined>,
    /// The clearance of who asks; clear without a key.
    clearance: Tlp,
    /// Whether it is served to everybody.
    pub public: bool,
}

impl std::ops::Deref for Readable {
    type Target = Feed;

    fn deref(&self) -> &Feed {
        &self.feed
    }
}

/// The feed called `name`, if who asks may read it.
pub async fn readable(services: &Services, call: &Call, name: &str) -> Result<Readable, Fault> {
    let caller = caller(services, call).await?;
    let feed = services.store().feed(name).await?;
    let collection = match &feed {
        Some(feed) => services.collection_by_id(feed.collection).await?,
        None => None,
    };
    let found = feed.zip(collection);
    let public = |(feed, defined): &(Feed, Arc<Defined>)| {
        feed.settings.public && defined.collection.may_be_published()
    };
    let is_public = found.as_ref().is_some_and(public);
    let Some(caller) = caller else {
        let (feed, collection) = found.filter(public).ok_or(AuthError::Missing)?;
        return Ok(Readable { feed, collection, clearance: Tlp::Clear, public: true });
    };
    let known = found.filter(|found| is_public || is_known(&caller, &found.0, &found.1));
    let Some((feed, collection)) = known else {
        return Err(Fault::unknown_feed(name));
    };
    if !is_public {
        check_rights(&caller, &feed)?;
    }
    Ok(Readable { feed, collection, clearance: caller.clearance, public: is_public })
}

/// Whether the caller's tenant may know of the feed.
fn is_known(caller: &Caller, feed: &Feed, defined: &Defined) -> bool {
    let tenant = &caller.tenant;
    let settings = &feed.settings;
    let reads = defined.collection.settings.readers.as_ref();
    tenant.is_operator()
        || (settings.tenants.as_ref().is_none_or(|tenants| tenants.contains(tenant))
            && reads.is_none_or(|readers| readers.contains(tenant)))
}

fn check_rights(caller: &Caller, feed: &Feed) -> Result<(), ApiError> {
    caller.require(Scope::ReadCsv)?;
    let plans = feed.settings.plans.as_ref().filter(|_| !caller.tenant.is_operator());
    if let Some(plans) = plans.filter(|plans| !plans.contains(&caller.plan.name)) {
        let names: Vec<&str> = plans.iter().map(PlanName::as_str).collect();
        let message = format!(
            "the feed is read on the plans {}, your key is on {}",
            names.join(", "),
            caller.plan.name
        );
        let mut error = ApiError::new(StatusCode::FORBIDDEN, "plan_required", message);
        error.details = json!({"plans": plans});
        return Err(error);
    }
    Ok(())
}

/// Whether the caller's clearance reaches as high as the rows of an edition. What lowers the
/// collection's ceiling is not in the file before the next edition.
pub fn check_level(readable: &Readable, edition: &Edition) -> Result<(), Fault> {
    let level = edition.level.max(readable.collection.collection.level());
    // A public feed shows everybody what its collection may show everybody.
    let open = readable.public && edition.level <= readable.collection.collection.level();
    if open || readable.clearance >= level {
        return Ok(());
    }
    let message = format!(
        "the feed reaches up to TLP:{level}, you are cleared for TLP:{}",
        readable.clearance
    );
    Err(ApiError::new(StatusCode::FORBIDDEN, "clearance_required", message).into())
}
