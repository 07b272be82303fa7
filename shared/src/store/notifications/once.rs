//! Writing notifications, each at most once under its name.

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use sha2::{Digest, Sha256};

use super::list::partition;
use super::{built, items};
use crate::access::TenantId;
use crate::notification::{Named, Notification, NotificationId};
use crate::store::item::{Item, ReadItem, binary, key, number, text};
use crate::store::{Store, StoreError, batches};

/// How often it is looked again what was told, where others tell the same at other levels.
const ATTEMPTS: u32 = 5;

/// What is written at most once for as long as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    name: String,
    /// Whether what comes at a lower level later takes the place of what was told.
    lowers: bool,
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
        Self { name, lowers: true, content: [0; 32] }
    }

    /// What a client sends under a name of its own is taken once.
    #[must_use]
    pub fn named(tenant: &TenantId, name: &str, content: &[u8]) -> Self {
        let name = partition(&["named", tenant.as_str(), name]);
        Self { name, lowers: false, content: Sha256::digest(content).into() }
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
    /// nothing was written under that name within the time it is kept; what a subscriber was told
    /// at a higher level moves to where, and for whom, it is told now.
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
            // TTL deletes late: what is overdue counts as gone.
            let free = "attribute_not_exists(id) OR #ttl < :now";
            let put = self.put_once(once, notification);
            let put = put
                .condition_expression(free)
                .expression_attribute_names("#ttl", "ttl")
                .expression_attribute_values(":now", number(self.seconds_now()));
            writes.push(TransactWriteItem::builder().put(built(put.build())?).build());
        }
        for item in items(tenant, notification)? {
            let put = Put::builder().table_name(&self.names().notifications).set_item(Some(item));
            writes.push(TransactWriteItem::builder().put(built(put.build())?).build());
        }
        match (self.transact_notification(writes).await, once) {
            (Err(StoreError::Conflict), Some(once)) => self.known(tenant, once, notification).await,
            (done, _) => done.map(|()| PutNotification::Done),
        }
    }

    fn put_once(&self, once: &Once, notification: &Notification) -> PutBuilder {
        let mut item = key(once.name.clone(), "O");
        item.insert("n".into(), text(notification.id.to_string()));
        item.insert("c".into(), binary(once.content));
        item.insert("ttl".into(), number(notification.expires));
        if once.lowers {
            item.insert("l".into(), number(notification.level as u64));
        }
        Put::builder().table_name(&self.names().notifications).set_item(Some(item))
    }

    /// What was written under a name before. The SDK may have sent this very write twice.
    async fn known(
        &self,
        tenant: &TenantId,
        once: &Once,
        notification: &Notification,
    ) -> Result<PutNotification, StoreError> {
        for _ in 0..ATTEMPTS {
            let item = self.get_notification_item(key(once.name.clone(), "O")).await?;
            let item = item.ok_or(StoreError::Conflict)?;
            let id = told_as(&item)?;
            let same = item.required_bytes("c")? == once.content;
            let higher = item.number("l")?.filter(|known| *known > notification.level as u64);
            if let Some(known) = higher {
                match self.lower(tenant, once, (id, known), |_| notification.clone()).await {
                    // Told at another level, or deleted, meanwhile.
                    Err(StoreError::Conflict) => continue,
                    Ok(true) => return Ok(PutNotification::Done),
                    Ok(false) => return Ok(PutNotification::Known { id, same: true }),
                    Err(error) => return Err(error),
                }
            }
            return Ok(if id == notification.id && same {
                PutNotification::Done
            } else {
                PutNotification::Known { id, same }
            });
        }
        Err(at_many_levels())
    }

    /// What was told under a name at a higher level says what `notification` does from now on, at
    /// the level of that: nothing of what it said above. It stays where it is, and is kept as long
    /// as it was. What was not told, or is deleted, is let be.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn lower_notification(
        &self,
        tenant: &TenantId,
        notification: &Notification,
        once: &Once,
    ) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let item = self.get_notification_item(key(once.name.clone(), "O")).await?;
            let Some(item) = item else { return Ok(()) };
            let higher = item.number("l")?.filter(|known| *known > notification.level as u64);
            let Some(known) = higher else { return Ok(()) };
            let id = told_as(&item)?;
            let lowered = |told: &Notification| Notification {
                id: told.id,
                stored: told.stored,
                expires: told.expires,
                ..notification.clone()
            };
            match self.lower(tenant, once, (id, known), lowered).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(drop),
            }
        }
        Err(at_many_levels())
    }

    /// Puts what a subscriber is told now in the place of what it was told at a higher level, all
    /// or nothing: so it has one of both. What it deleted stays deleted; says whether it was there.
    async fn lower(
        &self,
        tenant: &TenantId,
        once: &Once,
        (id, level): (NotificationId, u64),
        told_now: impl FnOnce(&Notification) -> Notification,
    ) -> Result<bool, StoreError> {
        let Some(told) = self.notification(tenant, id).await? else { return Ok(false) };
        let notification = &told_now(&told);
        self.note_kinds(tenant, std::slice::from_ref(notification)).await?;
        let put = self.put_once(once, notification);
        let put = put
            .condition_expression("n = :told AND l = :level")
            .expression_attribute_values(":told", text(id.to_string()))
            .expression_attribute_values(":level", number(level));
        let mut writes = vec![TransactWriteItem::builder().put(built(put.build())?).build()];
        let there = Some("attribute_exists(id)".to_owned());
        let same_id = id == notification.id;
        for (index, item) in items(tenant, notification)?.into_iter().enumerate() {
            let put = Put::builder()
                .table_name(&self.names().notifications)
                .set_item(Some(item))
                .set_condition_expression(there.clone().filter(|_| index == 0 && same_id));
            writes.push(TransactWriteItem::builder().put(built(put.build())?).build());
        }
        // The first is the notification itself, then come its places in the lists.
        for (index, item) in items(tenant, &told)?.into_iter().enumerate() {
            if index == 0 && same_id {
                continue;
            }
            let delete = Delete::builder()
                .table_name(&self.names().notifications)
                .set_key(Some(key(item.text("id")?, item.text("sk")?)))
                .set_condition_expression(there.clone().filter(|_| index == 0));
            writes.push(TransactWriteItem::builder().delete(built(delete.build())?).build());
        }
        self.transact_notification(writes).await.map(|()| true)
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

fn told_as(item: &Item) -> Result<NotificationId, StoreError> {
    let damaged = |_| StoreError::Damaged("a notification's name".into());
    item.text("n")?.parse().map_err(damaged)
}

fn at_many_levels() -> StoreError {
    StoreError::Throttled("one notification is told at many levels at once".into())
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
