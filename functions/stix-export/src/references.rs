//! What indicators refer to, as far as it is stored and the caller may see it: their authors, and
//! markings that are none of OASIS' own. Only what the operator wrote, or the caller's own tenant:
//! else whoever is the first to write an id that an indicator names would speak in its name.

use std::collections::{BTreeSet, HashMap};

use shared::access::TenantId;
use shared::id::ObjectId;
use shared::ingestion::level_of;
use shared::services::Services;
use shared::stix::{Marking, marking_defined_by, markings_to_resolve};
use shared::store::{Head, StoreError};
use shared::tlp::Tlp;

use crate::access::Admitted;
use crate::indicator::Indicator;
use crate::parameters::Ask;

/// What was found.
#[derive(Default)]
pub struct References {
    authors: HashMap<ObjectId, Author>,
    markings: HashMap<ObjectId, (Marking, String)>,
}

/// An identity that indicators name as their author.
pub struct Author {
    /// The object.
    pub json: String,
    /// Its level, as its markings give it, those of our own making included.
    pub level: Tlp,
}

impl References {
    /// Looks up what the indicators refer to: one read for each.
    pub async fn load(
        services: &Services,
        ask: &Ask,
        admitted: &Admitted,
        indicators: &[Indicator<'_>],
    ) -> Result<Self, StoreError> {
        let authors: BTreeSet<ObjectId> = indicators
            .iter()
            .filter_map(|indicator| indicator.author.clone())
            .filter(|author| ask.identity && author.object_type() == "identity")
            .collect();
        let mut markings: BTreeSet<ObjectId> =
            indicators.iter().flat_map(|indicator| indicator.markings.iter().cloned()).collect();
        let mut found = Self::default();
        let heads = services.store().heads(&Vec::from_iter(authors), false).await?;
        for head in heads.into_values().filter(|head| is_trusted(head, &admitted.tenant)) {
            let level = level_of(services, &head.facets, &head.owner, None).await?;
            if level <= admitted.clearance {
                markings.extend(markings_to_resolve(&head.facets).cloned());
                found.authors.insert(head.id().clone(), Author { json: head.json, level });
            }
        }
        // An object of another type defines no marking.
        markings.retain(|id| id.object_type() == "marking-definition");
        let heads = services.store().heads(&Vec::from_iter(markings), false).await?;
        for head in heads.into_values().filter(|head| is_trusted(head, &admitted.tenant)) {
            let marking = marking_defined_by(&head.json);
            found.markings.insert(head.id().clone(), (marking, head.json));
        }
        Ok(found)
    }

    /// The identity with this id.
    pub fn author(&self, id: &ObjectId) -> Option<&Author> {
        self.authors.get(id)
    }

    /// The definition of a marking without a level.
    pub fn statement(&self, id: &ObjectId) -> Option<&str> {
        let known = self.markings.get(id).filter(|(marking, _)| *marking == Marking::NoLevel);
        known.map(|(_, json)| json.as_str())
    }
}

/// Whether what is stored may be shown to a tenant as what an indicator refers to.
fn is_trusted(head: &Head, tenant: &TenantId) -> bool {
    !head.deleted && (head.owner.is_operator() || head.owner == *tenant)
}
