//! Deleting notifications, one or many.

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};

use super::built;
use super::list::{List, main_partition};
use crate::access::TenantId;
use crate::notification::{Notification, NotificationId};
use crate::store::item::key;
use crate::store::{Store, StoreError, batches};

impl Store {
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
            second.push(batches::delete(key(main_partition(tenant), id.clone()))?);
            for list in List::of(notification) {
                let delete = batches::delete(key(list.partition(tenant), id.clone()))?;
                if walked.contains(&list) { &mut last } else { &mut first }.push(delete);
            }
        }
        for id in gone {
            for list in walked {
                last.push(batches::delete(key(list.partition(tenant), id.to_string()))?);
            }
        }
        for stage in [first, second, last] {
            self.write_batches(&self.names().notifications, stage).await?;
        }
        Ok(())
    }
}
