//! The names of the identities that objects name as their authors.

use std::collections::HashMap;

use shared::access::TenantId;
use shared::id::ObjectId;
use shared::ingestion::level_of;
use shared::services::Services;
use shared::store::StoreError;
use shared::tlp::Tlp;

/// Authors one run looks up. Objects of further ones have no name of an author: however many
/// authors objects name, a run ends.
const LOOKED_UP: usize = 1_000;

/// The authors that a run has met.
#[derive(Debug, Default)]
pub struct Authors(HashMap<ObjectId, Option<String>>);

impl Authors {
    /// The name of an identity that the operator wrote, if its level is at most `ceiling`. Whoever
    /// names somebody else's identity as an author learns nothing of it.
    pub async fn name(
        &mut self,
        services: &Services,
        id: &ObjectId,
        ceiling: Tlp,
    ) -> Result<Option<&str>, StoreError> {
        if !self.0.contains_key(id) {
            if self.0.len() >= LOOKED_UP || id.object_type() != "identity" {
                return Ok(None);
            }
            let name = look_up(services, id, ceiling).await?;
            self.0.insert(id.clone(), name);
        }
        Ok(self.0.get(id).and_then(Option::as_deref))
    }
}

async fn look_up(
    services: &Services,
    id: &ObjectId,
    ceiling: Tlp,
) -> Result<Option<String>, StoreError> {
    let mut heads = services.store().heads(std::slice::from_ref(id), false).await?;
    let Some(head) = heads.remove(id) else { return Ok(None) };
    if head.deleted || !head.owner.is_operator() {
        return Ok(None);
    }
    let level = level_of(services, &head.facets, &TenantId::operator(), None).await?;
    Ok(head.facets.name.filter(|name| level <= ceiling && !name.is_empty()))
}
