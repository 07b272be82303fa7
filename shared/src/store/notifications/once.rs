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

/// An id that another notification has is passed over for the next one, this often: of a million
/// with one cause some fifty share an id with another.
const NEIGHBOURS: u32 = 8;

/// The condition under which a notification may be put under an id: TTL deletes late, so what is
/// overdue counts as gone.
const FREE: &str = "attribute_not_exists(id) OR #ttl < :now";

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
    Done {
        /// Its id: its own, or the next that was free.
        id: NotificationId,
    },
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
        let mut made = notification.clone();
        for _ in 0..NEIGHBOURS {
            match self.put_told(tenant, &made, once).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(|()| PutNotification::Done { id: made.id }),
            }
            if let Some(once) = once
                && let Some(known) = self.known(tenant, once, &made).await?
            {
                return Ok(known);
            }
            let under_id = self.notification(tenant, made.id).await?;
            if under_id.as_ref() == Some(&made) {
                // The SDK sent this very write twice.
                return Ok(PutNotification::Done { id: made.id });
            }
            made.step_aside(under_id.as_ref());
        }
        Err(StoreError::Throttled("too many notifications with one cause and one hash".into()))
    }

    /// Writes it unless there is something under its name or its id.
    async fn put_told(
        &self,
        tenant: &TenantId,
        notification: &Notification,
        once: Option<&Once>,
    ) -> Result<(), StoreError> {
        let mut writes = Vec::new();
        if let Some(once) = once {
            writes.push(self.if_free(self.put_once(once, notification))?);
        }
        for (index, item) in items(tenant, notification)?.into_iter().enumerate() {
            let put = Put::builder().table_name(&self.names().notifications).set_item(Some(item));
            // The first is the notification itself: its places in the lists follow it.
            writes.push(if index == 0 {
                self.if_free(put)?
            } else {
                TransactWriteItem::builder().put(built(put.build())?).build()
            });
        }
        self.transact_notification(writes).await
    }

    fn if_free(&self, put: PutBuilder) -> Result<TransactWriteItem, StoreError> {
        let put = put
            .condition_expression(FREE)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(self.seconds_now()));
        Ok(TransactWriteItem::builder().put(built(put.build())?).build())
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

    /// What was written under a name before, perhaps just now, by this very write, sent twice;
    /// nothing, where there is nothing.
    async fn known(
        &self,
        tenant: &TenantId,
        once: &Once,
        notification: &Notification,
    ) -> Result<Option<PutNotification>, StoreError> {
        let mut made = notification.clone();
        for _ in 0..ATTEMPTS {
            let item = self.get_notification_item(key(once.name.clone(), "O")).await?;
            let now = self.seconds_now();
            let kept = |item: &Item| item.required_number("ttl").is_ok_and(|until| until >= now);
            let Some(item) = item.filter(kept) else { return Ok(None) };
            let id = told_as(&item)?;
            let same = item.required_bytes("c")? == once.content;
            let higher = item.number("l")?.filter(|known| *known > made.level as u64);
            if let Some(known) = higher {
                match self.replace(tenant, once, (id, known), |_| made.clone()).await {
                    // Told at another level, or deleted, meanwhile; or another has the id.
                    Err(StoreError::Conflict) => {
                        made.step_aside(self.notification(tenant, made.id).await?.as_ref());
                        continue;
                    }
                    Ok(true) => return Ok(Some(PutNotification::Done { id: made.id })),
                    Ok(false) => return Ok(Some(PutNotification::Known { id, same: true })),
                    Err(error) => return Err(error),
                }
            }
            return Ok(Some(if id == made.id && same {
                PutNotification::Done { id }
            } else {
                PutNotification::Known { id, same }
            }));
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
        let lowered = |told: &Notification| Notification {
            id: told.id,
            stored: told.stored,
            expires: told.expires,
            ..notification.clone()
        };
        let higher = |known| known > notification.level as u64;
        self.move_told(tenant, once, higher, lowered).await
    }

    /// What was told under a name at a lower level is at the level of `notification` from now on,
    /// and says what it said. What was not told, or is deleted, is let be.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn raise_notification(
        &self,
        tenant: &TenantId,
        notification: &Notification,
        once: &Once,
    ) -> Result<(), StoreError> {
        let level = notification.level;
        let raised = |told: &Notification| Notification { level, ..told.clone() };
        self.move_told(tenant, once, |known| known < level as u64, raised).await
    }

    async fn move_told(
        &self,
        tenant: &TenantId,
        once: &Once,
        from: impl Fn(u64) -> bool,
        told_now: impl Fn(&Notification) -> Notification,
    ) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let item = self.get_notification_item(key(once.name.clone(), "O")).await?;
            let Some(item) = item else { return Ok(()) };
            let Some(known) = item.number("l")?.filter(|known| from(*known)) else { return Ok(()) };
            let id = told_as(&item)?;
            match self.replace(tenant, once, (id, known), &told_now).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(drop),
            }
        }
        Err(at_many_levels())
    }

    /// Puts what a subscriber is told now in the place of what it was told at another level, all
    /// or nothing: so it has one of both. What it deleted stays deleted; says whether it was there.
    async fn replace(
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
            let put = Put::builder().table_name(&self.names().notifications).set_item(Some(item));
            writes.push(if index == 0 && !same_id {
                self.if_free(put)?
            } else {
                let put = put.set_condition_expression(there.clone().filter(|_| index == 0));
                TransactWriteItem::builder().put(built(put.build())?).build()
            });
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

impl Notification {
    /// Takes the next id where another notification has its own.
    fn step_aside(&mut self, under_id: Option<&Self>) {
        if under_id.is_some() {
            self.id = self.id.after().unwrap_or(NotificationId::MIN);
        }
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
