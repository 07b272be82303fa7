//! Who may see a notification: what it is made from may have got another level since.

use std::collections::{HashMap, HashSet};

use super::{Notification, SourceType};
use crate::id::ObjectId;
use crate::ingestion::level_of;
use crate::services::Services;
use crate::store::StoreError;
use crate::tlp::Tlp;

/// Those of the notifications whose level, and the present level of the indicator they were made
/// from and of the actor they name, do not lie above `clearance`.
pub(super) async fn visible(
    services: &Services,
    mut found: Vec<Notification>,
    clearance: Tlp,
) -> Result<Vec<Notification>, StoreError> {
    found.retain(|notification| notification.level <= clearance);
    if clearance == Tlp::Red {
        return Ok(found);
    }
    let objects: HashSet<ObjectId> = found.iter().flat_map(made_from).collect();
    if objects.is_empty() {
        return Ok(found);
    }
    let objects: Vec<ObjectId> = objects.into_iter().collect();
    let heads = services.store().heads(&objects, false).await?;
    let mut levels: HashMap<&ObjectId, Tlp> = HashMap::with_capacity(heads.len());
    for (id, head) in &heads {
        levels.insert(id, level_of(services, &head.facets, &head.owner, None).await?);
    }
    found.retain(|notification| {
        let mut present = made_from(notification).filter_map(|id| levels.get(&id));
        present.all(|level| *level <= clearance)
    });
    Ok(found)
}

/// What a notification shows of: its indicator, and the actor whose name it bears.
fn made_from(notification: &Notification) -> impl Iterator<Item = ObjectId> + use<> {
    let source = &notification.source;
    let actor = (source.kind == SourceType::ThreatActor).then(|| source.id.parse().ok()).flatten();
    notification.object.clone().into_iter().chain(actor)
}
