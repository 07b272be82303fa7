//! Who may see a notification: what it is made from may have got another level since.

use std::collections::{HashMap, HashSet};

use super::Notification;
use crate::id::ObjectId;
use crate::ingestion::level_of;
use crate::services::Services;
use crate::store::StoreError;
use crate::tlp::Tlp;

/// Those of the notifications whose level, and the present level of the indicator they were made
/// from, do not lie above `clearance`.
pub(super) async fn visible(
    services: &Services,
    mut found: Vec<Notification>,
    clearance: Tlp,
) -> Result<Vec<Notification>, StoreError> {
    found.retain(|notification| notification.level <= clearance);
    if clearance == Tlp::Red {
        return Ok(found);
    }
    let objects: HashSet<&ObjectId> =
        found.iter().filter_map(|notification| notification.object.as_ref()).collect();
    if objects.is_empty() {
        return Ok(found);
    }
    let objects: Vec<ObjectId> = objects.into_iter().cloned().collect();
    let heads = services.store().heads(&objects, false).await?;
    let mut levels: HashMap<&ObjectId, Tlp> = HashMap::with_capacity(heads.len());
    for (id, head) in &heads {
        levels.insert(id, level_of(services, &head.facets, &head.owner, None).await?);
    }
    found.retain(|notification| {
        let present = notification.object.as_ref().and_then(|id| levels.get(id));
        present.is_none_or(|level| *level <= clearance)
    });
    Ok(found)
}
