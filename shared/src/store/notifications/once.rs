//! Writing notifications, each at most once under its name.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use sha2::{Digest, Sha256};

use super::list::partition;
use super::{built, items};
use crate::access::TenantId;
use crate::notification::{Named, Notification, NotificationId};
use crate::store::item::{ReadItem, binary, key, number, text};
use crate::store::{Store, StoreError, batches};

/// What is written at most once for as long as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    name: String,
    /// Tells contents apart that come under the same name.
    pub content: [u8; 32],
}

impl Once {
    /// A subscriber is told of a source and an entity once.
    #[must_use]
    pub fn of_subscription(tenant: &TenantId, notification: &Notification) -> Self {
        let source = &notification.source;
        let kinds = [source.kind.name(), notification.entity.kind.name()];
        let parts = ["once", tenant.as_str(), kinds[0], &source.id, kinds[1]];
        let name = partition(&[&parts[..], &[notification.entity.id.as_str()]].concat());
        Self { name, content: [0; 32] }
    }

    /// What a client sends under a name of its own is taken once.
    #[must_use]
    pub fn named(tenant: &TenantId, name: &str, content: &[u8]) -> Self {
        let name = partition(&["named", tenant.as_str(), name]);
        Self { name, content: Sha256::digest(content).into() }
    }
}

/// What became of a notification that was to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutNotification {
    /// It is stored.
    Done,
    /// It was stored before, as this one; perhaps deleted since.
    Known {
        /// Its id.
        id: NotificationId,
        /// Whether the content was the same.
        same: bool,
    },
}

impl Store {
    /// Writes a notification with its place in every list, all or nothing. With `once`, only if
    /// nothing was written under that name within the time it is kept.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_notification(
        &self,
        tenant: &TenantId,
        notification: &Notification,
        once: Option<&Once>,
    ) -> Result<PutNotification, StoreError> {
        self.note_kinds(tenant, std::slice::from_ref(notification)).await?;
        let mut writes = Vec::new();
        if let Some(once) = once {
            writes.push(self.put_once(once, notification)?);
        }
        for item in items(tenant, notification)? {
            let put = Put::builder().table_name(&self.names().notifications).set_item(Some(item));
            writes.push(TransactWriteItem::builder().put(built(put.build())?).build());
        }
        match (self.transact_notification(writes).await, once) {
            (Err(StoreError::Conflict), Some(once)) => self.known(once, notification).await,
            (done, _) => done.map(|()| PutNotification::Done),
        }
    }

    fn put_once(
        &self,
        once: &Once,
        notification: &Notification,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut item = key(once.name.clone(), "O");
        item.insert("n".into(), text(notification.id.to_string()));
        item.insert("c".into(), binary(once.content));
        item.insert("ttl".into(), number(notification.expires));
        let put = Put::builder()
            .table_name(&self.names().notifications)
            .set_item(Some(item))
            // TTL deletes late: what is overdue counts as gone.
            .condition_expression("attribute_not_exists(id) OR #ttl < :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(self.seconds_now()));
        Ok(TransactWriteItem::builder().put(built(put.build())?).build())
    }

    /// What was written under a name before. The SDK may have sent this very write twice.
    async fn known(
        &self,
        once: &Once,
        notification: &Notification,
    ) -> Result<PutNotification, StoreError> {
        let item = self.get_notification_item(key(once.name.clone(), "O")).await?;
        let item = item.ok_or(StoreError::Conflict)?;
        let damaged = |_| StoreError::Damaged("a notification's name".into());
        let id: NotificationId = item.text("n")?.parse().map_err(damaged)?;
        let same = item.required_bytes("c")? == once.content;
        Ok(if id == notification.id && same {
            PutNotification::Done
        } else {
            PutNotification::Known { id, same }
        })
    }

    /// Writes notifications that are known to be new, many at once and at half the price of
    /// [`Store::put_notification`]: for loads that are sent again as a whole when they fail, as a
    /// reader may meanwhile find one by some filters and not by others.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn load_notifications(
        &self,
        tenant: &TenantId,
        notifications: &[Notification],
    ) -> Result<(), StoreError> {
        self.note_kinds(tenant, notifications).await?;
        let mut writes = Vec::new();
        for notification in notifications {
            for item in items(tenant, notification)? {
                writes.push(batches::put(item)?);
            }
        }
        self.write_batches(&self.names().notifications, writes).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notification::testing::notification;

    #[test]
    fn a_name_holds_for_its_tenant_source_and_entity() {
        let [a, b]: [TenantId; 2] = ["a".parse().unwrap(), "b".parse().unwrap()];
        let (one, other) = (notification(1), notification(4));
        assert_eq!(one.source, other.source);
        let again = Notification { id: other.id, ..one.clone() };
        assert_eq!(Once::of_subscription(&a, &one), Once::of_subscription(&a, &again));
        assert_ne!(Once::of_subscription(&a, &one), Once::of_subscription(&b, &one));
        assert_ne!(Once::of_subscription(&a, &one), Once::of_subscription(&a, &other));
    }
}
