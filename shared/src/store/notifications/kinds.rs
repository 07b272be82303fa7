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

/// Some of a tenant's notifications, of which it is written down of which kinds and levels they
/// are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Noted<'a> {
    /// All of them.
    All,
    /// Those from one source.
    Source(&'a str),
    /// Those with one tag.
    Tag(&'a str),
}

/// Where that is written.
pub(super) fn kinds_key(tenant: &TenantId, of: Noted<'_>) -> Item {
    let tenant = tenant.as_str();
    let partition = match of {
        Noted::All => partition(&["kinds", tenant]),
        Noted::Source(id) => partition(&["kinds", tenant, "source", id]),
        Noted::Tag(tag) => partition(&["kinds", tenant, "tag", tag]),
    };
    key(partition, "K")
}

impl Store {
    /// Writes down which kinds and levels there are before there are any: a list is read only if it may hold
    /// something.
    pub(super) async fn note_kinds(
        &self,
        tenant: &TenantId,
        notifications: &[Notification],
    ) -> Result<(), StoreError> {
        let mut fresh: HashMap<(Noted<'_>, Shelf), u64> = HashMap::new();
        for notification in notifications {
            let place = notification.shelf();
            let tags = notification.tags.iter().map(|tag| Noted::Tag(tag));
            for of in [Noted::All, Noted::Source(&notification.source.id)].into_iter().chain(tags) {
                let until = fresh.entry((of, place)).or_default();
                *until = notification.expires.max(*until);
            }
        }
        for ((of, place), until) in fresh {
            let key = kinds_key(tenant, of);
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

    /// The kinds and levels of some of a tenant's notifications, in order; perhaps some more, as
    /// none is ever taken away.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn notification_shelves(
        &self,
        tenant: &TenantId,
        of: Noted<'_>,
        consistent: bool,
    ) -> Result<Vec<Shelf>, StoreError> {
        let item = self.read_notification_item(kinds_key(tenant, of), consistent).await?;
        let numbers = item.map(|item| item.numbers("k")).unwrap_or_default();
        let mut shelves: Vec<Shelf> = numbers
            .into_iter()
            .filter_map(|number| Shelf::numbered(number.try_into().ok()?))
            .collect();
        shelves.sort();
        Ok(shelves)
    }
}
