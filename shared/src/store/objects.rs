//! The objects table: heads and older versions.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};

use super::head::{body_blob, memberships_value};
use super::item::{Item, ReadItem, key, number, text};
use super::sending::held;
use super::{Head, OldVersion, Store, StoreError};
use crate::id::ObjectId;
use crate::log::{LogId, Membership};
use crate::time::Version;

/// What a `HEAD` must still be for a write to it to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// There is none.
    Absent,
    /// It has this revision, projected this far.
    At {
        /// The revision.
        revision: u64,
        /// The last projected revision.
        projected: u64,
    },
}

impl From<Option<&Head>> for Expected {
    fn from(head: Option<&Head>) -> Self {
        head.map_or(Self::Absent, |head| Self::At {
            revision: head.revision,
            projected: head.projected,
        })
    }
}

/// How a conditional put of a `HEAD` went.
#[derive(Debug)]
pub enum PutHead {
    /// It is stored.
    Done,
    /// Somebody else wrote first; this is what stands there now.
    Changed(Option<Box<Head>>),
}

fn version_key(version: &Version) -> String {
    format!("V#{}", version.sort_key())
}

impl Store {
    /// The heads of `ids`, those that exist.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn heads(
        &self,
        ids: &[ObjectId],
        consistent: bool,
    ) -> Result<HashMap<ObjectId, Head>, StoreError> {
        let keys = ids.iter().map(|id| key(id.as_str(), "HEAD")).collect();
        let read = self.read_batches(&self.names().objects, keys, consistent).await?;
        read.iter()
            .map(|item| Head::from_item(item).map(|head| (head.id().clone(), head)))
            .collect()
    }

    /// The head of one object, read consistently.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn head(&self, id: &ObjectId) -> Result<Option<Head>, StoreError> {
        let item = self.get_object_item(id, "HEAD".into()).await?;
        item.as_ref().map(Head::from_item).transpose()
    }

    async fn get_object_item(&self, id: &ObjectId, sk: String) -> Result<Option<Item>, StoreError> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(&self.names().objects)
            .set_key(Some(key(id.as_str(), sk)))
            .consistent_read(true);
        self.get(get).await
    }

    /// Puts a `HEAD` if what stands there is still as `expected`.
    ///
    /// # Errors
    /// When the table cannot be written. A failed condition is no error.
    pub async fn put_head(&self, head: &Head, expected: Expected) -> Result<PutHead, StoreError> {
        let mut put = self
            .dynamodb()
            .put_item()
            .table_name(&self.names().objects)
            .set_item(Some(head.to_item()?))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        put = match expected {
            Expected::Absent => put.condition_expression("attribute_not_exists(id)"),
            Expected::At { revision, projected: 0 } => put
                .condition_expression("rev = :rev AND attribute_not_exists(prj)")
                .expression_attribute_values(":rev", number(revision)),
            Expected::At { revision, projected } => put
                .condition_expression("rev = :rev AND prj = :prj")
                .expression_attribute_values(":rev", number(revision))
                .expression_attribute_values(":prj", number(projected)),
        };
        match put.send().await {
            Ok(answer) => {
                self.meter().write(answer.consumed_capacity());
                Ok(PutHead::Done)
            }
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    self.meter().refused_write();
                    let present = failed.item().map(Head::from_item).transpose()?;
                    // The answer to this very put was lost, and the SDK sent it again.
                    if present.as_ref().is_some_and(|present| present.is_write_of(head)) {
                        return Ok(PutHead::Done);
                    }
                    Ok(PutHead::Changed(present.map(Box::new)))
                }
                _ => Err(StoreError::of(error)),
            },
        }
    }

    /// Keeps the version a `HEAD` holds, before a newer one takes its place. Entries of logs that
    /// show this very version go with it. A slower writer that read an older state of the same
    /// `HEAD` never overwrites what a faster one kept.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn keep_version(&self, head: &Head) -> Result<(), StoreError> {
        let entries: BTreeMap<LogId, Membership> = head
            .memberships
            .iter()
            .filter(|(_, membership)| membership.version.is_none() && !membership.related)
            .map(|(log, membership)| (*log, membership.clone()))
            .collect();
        let mut item = key(head.id().as_str(), version_key(head.version()));
        item.insert("z".into(), super::item::binary(body_blob(&head.facets, &head.json)?));
        item.insert("rev".into(), number(head.revision));
        item.insert("prj".into(), number(head.projected));
        if !entries.is_empty() {
            item.insert("mem".into(), memberships_value(&entries)?);
        }
        let put = self
            .dynamodb()
            .put_item()
            .table_name(&self.names().objects)
            .set_item(Some(item))
            .condition_expression(
                "attribute_not_exists(id) OR rev < :rev OR (rev = :rev AND prj < :prj)",
            )
            .expression_attribute_values(":rev", number(head.revision))
            .expression_attribute_values(":prj", number(head.projected));
        held(self.put(put).await)?;
        Ok(())
    }

    /// Stores a version that is older than the `HEAD`'s, if it is not stored already; says
    /// whether it was new.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_older_version(
        &self,
        facets: &crate::stix::Facets,
        json: &str,
    ) -> Result<bool, StoreError> {
        let mut item = key(facets.id.as_str(), version_key(&facets.version));
        item.insert("z".into(), super::item::binary(body_blob(facets, json)?));
        item.insert("rev".into(), number(0));
        item.insert("prj".into(), number(0));
        let put = self
            .dynamodb()
            .put_item()
            .table_name(&self.names().objects)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(id)");
        held(self.put(put).await)
    }

    /// Records where an older version's own entries lie, if they were `known` till now.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody recorded others meanwhile.
    pub async fn set_version_entries(
        &self,
        id: &ObjectId,
        version: &Version,
        known: &BTreeMap<LogId, Membership>,
        entries: &BTreeMap<LogId, Membership>,
    ) -> Result<(), StoreError> {
        let update = self
            .dynamodb()
            .update_item()
            .table_name(&self.names().objects)
            .set_key(Some(key(id.as_str(), version_key(version))))
            .condition_expression(
                "attribute_exists(id) AND (attribute_not_exists(mem) OR mem = :known)",
            )
            .update_expression("SET mem = :mem")
            .expression_attribute_values(":mem", memberships_value(entries)?)
            .expression_attribute_values(":known", memberships_value(known)?);
        self.update(update).await?;
        Ok(())
    }

    /// One older version.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn older_version(
        &self,
        id: &ObjectId,
        version: &Version,
    ) -> Result<Option<OldVersion>, StoreError> {
        let item = self.get_object_item(id, version_key(version)).await?;
        item.as_ref().map(OldVersion::from_item).transpose()
    }

    /// All older versions of an object, oldest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn older_versions(&self, id: &ObjectId) -> Result<Vec<OldVersion>, StoreError> {
        let items = self.query_partition(id.as_str(), "V#").await?;
        items.iter().map(OldVersion::from_item).collect()
    }

    /// All items of a partition whose sort key begins with `prefix`.
    pub(super) async fn query_partition(
        &self,
        id: &str,
        prefix: &str,
    ) -> Result<Vec<Item>, StoreError> {
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().objects)
            .key_condition_expression("id = :id AND begins_with(sk, :prefix)")
            .expression_attribute_values(":id", text(id))
            .expression_attribute_values(":prefix", text(prefix))
            .consistent_read(true);
        self.query_all(query).await
    }
}

/// The object a stream record or link item names.
pub(super) fn id_in(item: &Item, name: &str) -> Result<ObjectId, StoreError> {
    item.text(name)?.parse().map_err(|_| StoreError::Damaged(format!("{name} is no object id")))
}
