//! Reading notifications, by id and as parts of lists.

use std::collections::HashMap;

use super::list::{List, main_partition};
use super::{read_main, read_posting, readable};
use crate::access::TenantId;
use crate::notification::{Notification, NotificationId, Posting};
use crate::store::item::{Item, ReadItem, key, text};
use crate::store::{Store, StoreError};

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

fn last_id(items: &[Item]) -> Option<NotificationId> {
    items.last().and_then(|item| item.text("sk").ok()?.parse().ok())
}

impl Store {
    pub(super) async fn get_notification_item(
        &self,
        key: Item,
    ) -> Result<Option<Item>, StoreError> {
        self.read_notification_item(key, true).await
    }

    pub(super) async fn read_notification_item(
        &self,
        key: Item,
        consistent: bool,
    ) -> Result<Option<Item>, StoreError> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(&self.names().notifications)
            .set_key(Some(key))
            .consistent_read(consistent);
        self.get(get).await
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

    /// Those of a tenant's notifications that are still there, by id; at half the price where the
    /// read need not be consistent.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn notifications(
        &self,
        tenant: &TenantId,
        ids: &[NotificationId],
        consistent: bool,
    ) -> Result<HashMap<NotificationId, Notification>, StoreError> {
        let keys = ids.iter().map(|id| key(main_partition(tenant), id.to_string())).collect();
        let items = self.read_batches(&self.names().notifications, keys, consistent).await?;
        let now = self.seconds_now();
        let kept = items.iter().filter_map(readable).filter(|one| one.expires > now);
        Ok(kept.map(|one| (one.id, one)).collect())
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
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().notifications)
            .key_condition_expression("id = :id AND sk BETWEEN :low AND :high")
            .expression_attribute_values(":id", text(partition))
            .expression_attribute_values(":low", text(range.low.to_string()))
            .expression_attribute_values(":high", text(range.high.to_string()))
            .scan_index_forward(range.ascending)
            .consistent_read(range.consistent)
            .limit(i32::try_from(count).unwrap_or(i32::MAX));
        let answer = self.query(query).await?;
        let more = answer.last_evaluated_key().is_some();
        Ok((answer.items.unwrap_or_default(), more))
    }
}
