//! Deleting an object from a collection (TAXII 2.1, section 5.7). What is deleted is remembered
//! with the object, so that neither sending it again nor a rebuild brings it back.

use chrono::{DateTime, Utc};
use lambda_http::http::StatusCode;
use shared::http::{Answer, Call};
use shared::id::ObjectId;
use shared::log::CollectionId;
use shared::services::Services;
use shared::store::{Expected, Head, PutHead, StoreError};
use shared::time::Version;
use tracing::warn;

use crate::fault::Fault;
use crate::media;
use crate::members::{self, Held};
use crate::rights;
use crate::selection::{Selection, Versions};
use crate::visitor::Visitor;

/// Races a deletion may lose before it gives up.
const ATTEMPTS: u32 = 20;

/// `DELETE …/objects/{id}/`
pub async fn delete(
    services: &Services,
    call: &Call,
    visitor: &Visitor,
    name: &str,
    id: &str,
) -> Result<Answer, Fault> {
    let caller = visitor.known()?;
    let defined = rights::deletable(services, caller, name).await?;
    let selection = Selection::parse(&call.query()?)?;
    let shown: String = id.chars().take(80).collect();
    let unknown = || Fault::not_found(format!("the collection holds no such version of {shown:?}"));
    let id: ObjectId = id.parse().map_err(|_| unknown())?;
    let collection = defined.collection.id;
    for _ in 0..ATTEMPTS {
        let head = projected(services, &id).await?.ok_or_else(unknown)?;
        // Every version is looked at: which one is the oldest depends on all.
        let kept =
            members::versions_of(services.store(), collection, &head, &Versions::ALL).await?;
        let chosen: Vec<&Held> = members::choose(&kept, &selection.versions)
            .into_iter()
            .filter(|kept| selection.takes_spec(kept.spec_version()))
            .collect();
        if chosen.is_empty() {
            return Err(unknown());
        }
        let every = chosen.len() == kept.len() && selection.versions.all;
        let after = without(&head, collection, &chosen, every, services.store().now());
        match services.store().put_head(&after, Expected::from(Some(&head))).await? {
            // Somebody deleted the very same, or it was us and the answer was lost.
            PutHead::Changed(Some(now))
                if chosen.iter().all(|kept| now.removed_from(collection, &kept.version)) => {}
            PutHead::Changed(_) => continue,
            PutHead::Done => {}
        }
        // Once this is answered, no reader finds it any more. Should that fail, the deletion is
        // stored and the stream delivers it; asking the caller to try again would delete more.
        if let Err(error) = projected(services, &id).await {
            warn!(%error, %id, "deleted, but not projected yet");
        }
        return Ok(Answer::new(StatusCode::OK, media::TAXII, Vec::new()));
    }
    Err(StoreError::Throttled("too many writers of one object".into()).into())
}

/// The object once no revision of it waits for projection.
async fn projected(services: &Services, id: &ObjectId) -> Result<Option<Head>, StoreError> {
    for _ in 0..ATTEMPTS {
        let head = services.store().head(id).await?;
        if head.as_ref().is_none_or(|head| head.pending.is_none()) {
            return Ok(head);
        }
        let projection = services.projector().project(services, std::slice::from_ref(id));
        if let Some((_, error)) = projection.await.0.into_iter().next() {
            return Err(error);
        }
    }
    Err(StoreError::Throttled("too many writers of one object".into()))
}

/// The head that remembers that `chosen` versions are deleted from the collection.
fn without(
    head: &Head,
    collection: CollectionId,
    chosen: &[&Held],
    every: bool,
    now: DateTime<Utc>,
) -> Head {
    let mut after = head.next_revision(now);
    let removal = after.state.removals.entry(collection).or_default();
    let versions: Vec<Version> = chosen.iter().map(|kept| kept.version.clone()).collect();
    if every {
        removal.through = versions.into_iter().chain(removal.through.take()).max();
        let through = removal.through.clone();
        removal.versions.retain(|version| Some(version) > through.as_ref());
    } else {
        removal.versions.extend(versions);
    }
    after
}
