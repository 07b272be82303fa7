//! Of which kinds and levels a tenant's notifications are: a list is read only if it may hold
//! something.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

use super::list::partition;
use crate::access::TenantId;
use crate::notification::{Notification, Shelf};
use crate::store::item::{Item, ReadItem, key, number};
use crate::store::sending::held;
use crate::store::{Store, StoreError};

/// What a list of kinds is kept for beyond the notifications it speaks of.
const KINDS_KEPT_LONGER: u64 = 7 * 86_400;

/// Where it is written of which kinds and levels a tenant's notifications are, or those with one
/// tag.
pub(super) fn kinds_key(tenant: &TenantId, tag: Option<&str>) -> Item {
    let words = ["kinds", tenant.as_str(), tag.unwrap_or_default()];
    key(partition(&words[..if tag.is_some() { 3 } else { 2 }]), "K")
}

impl Store {
    /// Writes down which kinds and levels there are before there are any: a list is read only if it may hold
    /// something.
    pub(super) async fn note_kinds(
        &self,
        tenant: &TenantId,
        notifications: &[Notification],
    ) -> Result<(), StoreError> {
        let mut fresh: HashMap<(Option<&str>, Shelf), u64> = HashMap::new();
        for notification in notifications {
            let place = notification.shelf();
            let tags = notification.tags.iter().map(|tag| Some(tag.as_str()));
            for tag in std::iter::once(None).chain(tags) {
                let until = fresh.entry((tag, place)).or_default();
                *until = notification.expires.max(*until);
            }
        }
        for ((tag, place), until) in fresh {
            let key = kinds_key(tenant, tag);
            let name = format!("{} {}", key.text("id")?, place.number());
            if self.noted_kinds().knows(&name, until) {
                continue;
            }
            let until = until.saturating_add(KINDS_KEPT_LONGER);
            self.note_shelf(key, place, until).await?;
            self.noted_kinds().note(name, until);
        }
        Ok(())
    }

    /// Adds a shelf, and keeps the list until `until` at the least: what speaks of notifications
    /// that are kept for longer is kept as long as those.
    async fn note_shelf(&self, key: Item, place: Shelf, until: u64) -> Result<(), StoreError> {
        let raise = self
            .adding(key.clone(), place)
            .update_expression("ADD k :shelf SET #ttl = :until")
            .condition_expression("attribute_not_exists(#ttl) OR #ttl < :until")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":until", number(until));
        if !held(self.update(raise).await)? {
            self.update(self.adding(key, place).update_expression("ADD k :shelf")).await?;
        }
        Ok(())
    }

    fn adding(&self, key: Item, place: Shelf) -> UpdateItemFluentBuilder {
        let place = AttributeValue::Ns(vec![place.number().to_string()]);
        self.dynamodb()
            .update_item()
            .table_name(&self.names().notifications)
            .set_key(Some(key))
            .expression_attribute_values(":shelf", place)
    }

    /// The kinds and levels of a tenant's notifications, or of those with a tag, in order; perhaps
    /// some more, as none is ever taken away.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn notification_shelves(
        &self,
        tenant: &TenantId,
        tag: Option<&str>,
        consistent: bool,
    ) -> Result<Vec<Shelf>, StoreError> {
        let item = self.read_notification_item(kinds_key(tenant, tag), consistent).await?;
        let numbers = item.map(|item| item.numbers("k")).unwrap_or_default();
        let mut shelves: Vec<Shelf> = numbers
            .into_iter()
            .filter_map(|number| Shelf::numbered(number.try_into().ok()?))
            .collect();
        shelves.sort();
        Ok(shelves)
    }
}
