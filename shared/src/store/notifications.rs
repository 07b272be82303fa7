//! The notifications table: a tenant's notifications in the order of their ids, and lists of them
//! by facet, split so that what a filter asks for lies together.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, KeysAndAttributes, Put, ReturnConsumedCapacity, TransactWriteItem,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::item::{Item, ReadItem, binary, key, number, text};
use super::{Store, StoreError, codec};
use crate::access::TenantId;
use crate::notification::{
    EntityType, Kind, Kinds, Named, Notification, NotificationId, Posting, SourceType,
};

/// A transaction that meets another on the same items is sent again, this often.
const ATTEMPTS: u32 = 8;
/// What a list of kinds is kept for beyond the notifications it speaks of.
const KINDS_KEPT_LONGER: u64 = 7 * 86_400;
/// Keys one read of several takes.
const READ_AT_ONCE: usize = 100;

/// A list of a tenant's notifications.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// All of one kind.
    Kind(Kind),
    /// Those about one entity, from sources of one type.
    Entity(String, SourceType),
    /// Those from one source, about entities of one type.
    Source(String, EntityType),
    /// Those of one kind with a tag.
    Tag(String, Kind),
}

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

/// A part of a list or of all notifications.
#[derive(Debug)]
pub struct Part<T> {
    /// What was found, in the order asked for.
    pub found: Vec<T>,
    /// How far was looked: what is found begins after it next time.
    pub last: Option<NotificationId>,
    /// Whether there may be more.
    pub more: bool,
}

/// Ids from one to another, both included, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The lowest.
    pub low: NotificationId,
    /// The highest.
    pub high: NotificationId,
    /// Oldest first.
    pub ascending: bool,
    /// Read consistently, at twice the price.
    pub consistent: bool,
}

/// The partition that belongs to these words, in 22 characters: a posting has 100 bytes at most.
fn partition(words: &[&str]) -> String {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(u64::try_from(word.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(word);
    }
    let digest = hash.finalize();
    URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default())
}

fn main_partition(tenant: &TenantId) -> String {
    format!("N#{tenant}")
}

impl List {
    fn partition(&self, tenant: &TenantId) -> String {
        let tenant = tenant.as_str();
        match self {
            Self::Kind(kind) => {
                partition(&["kind", tenant, kind.source.name(), kind.entity.name()])
            }
            Self::Entity(id, source) => partition(&["entity", tenant, id, source.name()]),
            Self::Source(id, entity) => partition(&["source", tenant, id, entity.name()]),
            Self::Tag(tag, kind) => {
                partition(&["tag", tenant, tag, kind.source.name(), kind.entity.name()])
            }
        }
    }

    /// Every list a notification stands in.
    #[must_use]
    pub fn of(notification: &Notification) -> Vec<Self> {
        let kind = notification.kind();
        let mut lists = vec![
            Self::Kind(kind),
            Self::Entity(notification.entity.id.clone(), kind.source),
            Self::Source(notification.source.id.clone(), kind.entity),
        ];
        lists.extend(notification.tags.iter().map(|tag| Self::Tag(tag.clone(), kind)));
        lists
    }
}

/// Where it is written which kinds a tenant's notifications are of, or those with one tag.
fn kinds_key(tenant: &TenantId, tag: Option<&str>) -> Item {
    let words = ["kinds", tenant.as_str(), tag.unwrap_or_default()];
    key(partition(&words[..if tag.is_some() { 3 } else { 2 }]), "K")
}

fn main_item(tenant: &TenantId, notification: &Notification) -> Result<Item, StoreError> {
    let mut item = key(main_partition(tenant), notification.id.to_string());
    item.insert("z".into(), binary(codec::compress(&postcard::to_allocvec(notification)?)?));
    item.insert("ttl".into(), number(notification.expires));
    Ok(item)
}

fn posting_item(tenant: &TenantId, list: &List, posting: &Posting) -> Item {
    let mut item = key(list.partition(tenant), posting.id.to_string());
    item.insert("f".into(), binary(posting.to_bytes()));
    item.insert("ttl".into(), number(posting.expires));
    item
}

fn items(tenant: &TenantId, notification: &Notification) -> Result<Vec<Item>, StoreError> {
    let posting = Posting::of(notification);
    let lists = List::of(notification);
    let postings = lists.iter().map(|list| posting_item(tenant, list, &posting));
    Ok(std::iter::once(main_item(tenant, notification)?).chain(postings).collect())
}

fn read_main(item: &Item) -> Result<Notification, StoreError> {
    Ok(postcard::from_bytes(&codec::expand(item.required_bytes("z")?)?)?)
}

/// One that cannot be read is passed over, and told to the operator: it never fails a page.
fn readable(item: &Item) -> Option<Notification> {
    match read_main(item) {
        Ok(notification) => Some(notification),
        Err(error) => {
            tracing::error!(%error, id = item.text("sk").unwrap_or_default(), "a notification cannot be read");
            None
        }
    }
}

fn last_id(items: &[Item]) -> Option<NotificationId> {
    items.last().and_then(|item| item.text("sk").ok()?.parse().ok())
}

fn read_posting(item: &Item) -> Option<Posting> {
    let id = item.text("sk").ok()?.parse().ok()?;
    let expires = item.required_number("ttl").ok()?;
    Posting::from_bytes(id, expires, item.bytes("f")?)
}

impl Store {
    fn seconds_now(&self) -> u64 {
        u64::try_from(self.now().timestamp()).unwrap_or(0)
    }

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
                writes.push(super::batches::put(item)?);
            }
        }
        self.write_batches(&self.names().notifications, writes).await
    }

    /// Writes down which kinds there are before there are any: a list is read only if it may hold
    /// something.
    async fn note_kinds(
        &self,
        tenant: &TenantId,
        notifications: &[Notification],
    ) -> Result<(), StoreError> {
        let mut fresh: HashMap<(Option<&str>, Kind), u64> = HashMap::new();
        for notification in notifications {
            let kind = notification.kind();
            let tags = notification.tags.iter().map(|tag| Some(tag.as_str()));
            for tag in std::iter::once(None).chain(tags) {
                let until = fresh.entry((tag, kind)).or_default();
                *until = notification.expires.max(*until);
            }
        }
        for ((tag, kind), until) in fresh {
            let key = kinds_key(tenant, tag);
            let name = format!("{} {}", key.text("id")?, kind.number());
            if self.noted_kinds().knows(&name, until) {
                continue;
            }
            let until = until.saturating_add(KINDS_KEPT_LONGER);
            self.note_kind(key, kind, until).await?;
            self.noted_kinds().note(name, until);
        }
        Ok(())
    }

    async fn note_kind(&self, key: Item, kind: Kind, until: u64) -> Result<(), StoreError> {
        let answer = self
            .dynamodb()
            .update_item()
            .table_name(&self.names().notifications)
            .set_key(Some(key))
            .update_expression("ADD k :kind SET #ttl = :until")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(
                ":kind",
                AttributeValue::Ns(vec![kind.number().to_string()]),
            )
            .expression_attribute_values(":until", number(until))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::of)?;
        self.meter().write(answer.consumed_capacity());
        Ok(())
    }

    /// The kinds of a tenant's notifications, or of those with a tag; perhaps some more, as none
    /// is ever taken away.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn notification_kinds(
        &self,
        tenant: &TenantId,
        tag: Option<&str>,
    ) -> Result<Kinds, StoreError> {
        let item = self.read_notification_item(kinds_key(tenant, tag), false).await?;
        let numbers = item.map(|item| item.numbers("k")).unwrap_or_default();
        let kinds =
            numbers.into_iter().filter_map(|number| Kind::numbered(number.try_into().ok()?));
        Ok(kinds.fold(Kinds::NONE, Kinds::with))
    }

    async fn get_notification_item(&self, key: Item) -> Result<Option<Item>, StoreError> {
        self.read_notification_item(key, true).await
    }

    async fn read_notification_item(
        &self,
        key: Item,
        consistent: bool,
    ) -> Result<Option<Item>, StoreError> {
        let answer = self
            .dynamodb()
            .get_item()
            .table_name(&self.names().notifications)
            .set_key(Some(key))
            .consistent_read(consistent)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::of)?;
        self.meter().read(answer.consumed_capacity());
        Ok(answer.item)
    }

    /// A tenant's notification with this id, unless its time is over.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn notification(
        &self,
        tenant: &TenantId,
        id: NotificationId,
    ) -> Result<Option<Notification>, StoreError> {
        let item = self.get_notification_item(key(main_partition(tenant), id.to_string())).await?;
        let found = item.as_ref().map(read_main).transpose()?;
        Ok(found.filter(|found| found.expires > self.seconds_now()))
    }

    /// Those of a tenant's notifications that are still there, by id. Read eventually consistent,
    /// at half the price.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn notifications(
        &self,
        tenant: &TenantId,
        ids: &[NotificationId],
        consistent: bool,
    ) -> Result<HashMap<NotificationId, Notification>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(READ_AT_ONCE) {
            let keys = ids.iter().map(|id| key(main_partition(tenant), id.to_string())).collect();
            let items = self.get_notification_items(keys, consistent).await?;
            let kept = items.iter().filter_map(readable);
            let kept = kept.filter(|one| one.expires > self.seconds_now());
            found.extend(kept.map(|one| (one.id, one)));
        }
        Ok(found)
    }

    async fn get_notification_items(
        &self,
        mut keys: Vec<Item>,
        consistent: bool,
    ) -> Result<Vec<Item>, StoreError> {
        let table = &self.names().notifications;
        let mut items = Vec::with_capacity(keys.len());
        let mut patience = Duration::from_millis(20);
        while !keys.is_empty() {
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(std::mem::take(&mut keys)))
                .consistent_read(consistent)
                .build();
            let answer = self
                .dynamodb()
                .batch_get_item()
                .request_items(table, built(wanted)?)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(StoreError::of)?;
            answer.consumed_capacity().iter().for_each(|used| self.meter().read(Some(used)));
            if let Some(mut tables) = answer.responses {
                items.extend(tables.remove(table).unwrap_or_default());
            }
            let rest = answer.unprocessed_keys.and_then(|mut tables| tables.remove(table));
            keys = rest.map(|rest| rest.keys).unwrap_or_default();
            if !keys.is_empty() {
                super::batches::wait(&mut patience, "BatchGetItem leaves keys unread").await?;
            }
        }
        Ok(items)
    }

    /// The next postings of a list within a range, `count` at most.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list_part(
        &self,
        tenant: &TenantId,
        list: &List,
        range: Range,
        count: usize,
    ) -> Result<Part<Posting>, StoreError> {
        let (items, more) = self.query_range(list.partition(tenant), range, count).await?;
        let now = self.seconds_now();
        let found = items.iter().filter_map(read_posting).filter(|one| one.expires > now).collect();
        Ok(Part { found, last: last_id(&items), more })
    }

    /// The next notifications of a tenant within a range, `count` at most.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn notification_part(
        &self,
        tenant: &TenantId,
        range: Range,
        count: usize,
    ) -> Result<Part<Notification>, StoreError> {
        let (items, more) = self.query_range(main_partition(tenant), range, count).await?;
        let now = self.seconds_now();
        let found = items.iter().filter_map(readable).filter(|one| one.expires > now).collect();
        Ok(Part { found, last: last_id(&items), more })
    }

    async fn query_range(
        &self,
        partition: String,
        range: Range,
        count: usize,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        if range.low > range.high || count == 0 {
            return Ok((Vec::new(), false));
        }
        let answer = self
            .dynamodb()
            .query()
            .table_name(&self.names().notifications)
            .key_condition_expression("id = :id AND sk BETWEEN :low AND :high")
            .expression_attribute_values(":id", text(partition))
            .expression_attribute_values(":low", text(range.low.to_string()))
            .expression_attribute_values(":high", text(range.high.to_string()))
            .scan_index_forward(range.ascending)
            .consistent_read(range.consistent)
            .limit(i32::try_from(count).unwrap_or(i32::MAX))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::of)?;
        self.meter().read(answer.consumed_capacity());
        let more = answer.last_evaluated_key().is_some();
        Ok((answer.items.unwrap_or_default(), more))
    }

    /// Deletes a notification from everywhere, all or nothing; says whether it was there.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete_notification(
        &self,
        tenant: &TenantId,
        notification: &Notification,
    ) -> Result<bool, StoreError> {
        let id = notification.id.to_string();
        let lists = List::of(notification);
        let partitions = lists.iter().map(|list| list.partition(tenant));
        let mut deletes = Vec::new();
        for (index, place) in std::iter::once(main_partition(tenant)).chain(partitions).enumerate()
        {
            let delete = Delete::builder()
                .table_name(&self.names().notifications)
                .set_key(Some(key(place, id.clone())))
                .set_condition_expression((index == 0).then(|| "attribute_exists(id)".to_owned()));
            deletes.push(TransactWriteItem::builder().delete(built(delete.build())?).build());
        }
        match self.transact_notification(deletes).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes notifications from everywhere, many at once. `walked` is the list they were found
    /// in (absent: all of the tenant's): they leave it last, so that who dies on the way finds
    /// them again. Of those in `gone`, only their place in `walked` is left.
    ///
    /// # Errors
    /// When the table cannot be written: then the same is to be done again.
    pub async fn delete_notifications(
        &self,
        tenant: &TenantId,
        walked: Option<&[List]>,
        found: &[Notification],
        gone: &[NotificationId],
    ) -> Result<(), StoreError> {
        let walked = walked.unwrap_or_default();
        let (mut first, mut second, mut last) = (Vec::new(), Vec::new(), Vec::new());
        for notification in found {
            let id = notification.id.to_string();
            second.push(super::batches::delete(key(main_partition(tenant), id.clone()))?);
            for list in List::of(notification) {
                let delete = super::batches::delete(key(list.partition(tenant), id.clone()))?;
                if walked.contains(&list) { &mut last } else { &mut first }.push(delete);
            }
        }
        for id in gone {
            for list in walked {
                last.push(super::batches::delete(key(list.partition(tenant), id.to_string()))?);
            }
        }
        for stage in [first, second, last] {
            self.write_batches(&self.names().notifications, stage).await?;
        }
        Ok(())
    }

    async fn transact_notification(
        &self,
        writes: Vec<TransactWriteItem>,
    ) -> Result<(), StoreError> {
        let mut patience = Duration::from_millis(10);
        for _ in 0..ATTEMPTS {
            let sent = self
                .dynamodb()
                .transact_write_items()
                .set_transact_items(Some(writes.clone()))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            let error = match sent {
                Ok(answer) => {
                    answer
                        .consumed_capacity()
                        .iter()
                        .for_each(|used| self.meter().write(Some(used)));
                    return Ok(());
                }
                Err(error) => error,
            };
            match error.as_service_error().map(cancelled_by) {
                Some(Cancelled::Condition) => return Err(StoreError::Conflict),
                Some(Cancelled::Meanwhile) => {
                    super::batches::wait(&mut patience, "transactions on the same items").await?;
                }
                _ => return Err(StoreError::of(error)),
            }
        }
        Err(StoreError::Throttled("transactions on the same items".into()))
    }
}

enum Cancelled {
    /// A condition did not hold.
    Condition,
    /// Somebody else wrote at the same time, or the table is busy.
    Meanwhile,
    /// It failed for another reason.
    Otherwise,
}

fn cancelled_by(error: &TransactWriteItemsError) -> Cancelled {
    let reasons = match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            cancelled.cancellation_reasons()
        }
        TransactWriteItemsError::TransactionInProgressException(_) => return Cancelled::Meanwhile,
        _ => return Cancelled::Otherwise,
    };
    let any = |codes: &[&str]| {
        reasons.iter().filter_map(|reason| reason.code()).any(|code| codes.contains(&code))
    };
    if any(&["ConditionalCheckFailed"]) {
        Cancelled::Condition
    } else if any(&["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]) {
        Cancelled::Meanwhile
    } else {
        Cancelled::Otherwise
    }
}

/// What a builder made: it fails only when a required member was forgotten.
fn built<T, E: std::fmt::Display>(made: Result<T, E>) -> Result<T, StoreError> {
    made.map_err(|error| StoreError::Unavailable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notification::testing::notification;

    /// What an item's attributes count, as `DynamoDB` counts them.
    fn size(item: &Item) -> usize {
        let value = |value: &AttributeValue| match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::B(bytes) => bytes.as_ref().len(),
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
            _ => 0,
        };
        item.iter().map(|(name, attribute)| name.len() + value(attribute)).sum()
    }

    #[test]
    fn a_posting_has_a_hundred_bytes_at_most_whatever_it_is_of() {
        let tenant: TenantId = "t".repeat(63).parse().unwrap();
        let mut one = notification(1);
        one.tags = (0..40).map(|number| format!("{number}-{}", "x".repeat(190))).collect();
        let posting = Posting::of(&one);
        for list in List::of(&one) {
            let item = posting_item(&tenant, &list, &posting);
            assert!(size(&item) <= 100, "{list:?}: {}", size(&item));
            assert_eq!(read_posting(&item), Some(posting));
        }
    }

    #[test]
    fn lists_of_different_things_lie_apart() {
        let [a, b]: [TenantId; 2] = ["a".parse().unwrap(), "b".parse().unwrap()];
        let one = notification(1);
        let mut places: Vec<String> = List::of(&one)
            .iter()
            .flat_map(|list| [list.partition(&a), list.partition(&b)])
            .chain(
                [kinds_key(&a, None), kinds_key(&a, Some("")), kinds_key(&b, Some("all"))]
                    .map(|key| key.text("id").unwrap().to_owned()),
            )
            .collect();
        let count = places.len();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), count);
    }

    #[test]
    fn a_notification_reads_back() {
        let one = notification(3);
        let item = main_item(&"acme".parse().unwrap(), &one).unwrap();
        assert_eq!(read_main(&item).unwrap(), one);
        assert!(readable(&key("N#acme", one.id.to_string())).is_none());
    }

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
