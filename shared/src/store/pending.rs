//! Which objects wait for their projection: who asks for it, and who says that it is done.

use aws_sdk_dynamodb::types::AttributeValue;

use super::head::{memberships_value, state_value};
use super::item::{key, number};
use super::sending::held;
use super::{Head, Store, StoreError};
use crate::id::ObjectId;
use crate::time::Position;

impl Store {
    /// Writes a projection's result and clears the pending mark, unless the object was written
    /// anew meanwhile; says whether it held.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn settle(&self, head: &Head) -> Result<bool, StoreError> {
        let mut update = self
            .dynamodb()
            .update_item()
            .table_name(&self.names().objects)
            .set_key(Some(key(head.id().as_str(), "HEAD")))
            .condition_expression("rev = :rev AND attribute_exists(pending)")
            .expression_attribute_values(":rev", number(head.revision));
        let mut set = "SET prj = :rev".to_owned();
        let mut remove = " REMOVE pending, quiet".to_owned();
        if head.memberships.is_empty() {
            remove.push_str(", mem");
        } else {
            set.push_str(", mem = :mem");
            update =
                update.expression_attribute_values(":mem", memberships_value(&head.memberships)?);
        }
        if head.state == super::State::default() {
            remove.push_str(", st");
        } else {
            set.push_str(", st = :st");
            update = update.expression_attribute_values(":st", state_value(&head.state)?);
        }
        held(self.update(update.update_expression(set + &remove)).await)
    }

    /// Asks for an object to be projected again, as something it depends on changed; nothing
    /// happens when there is no such object.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn reproject(&self, id: &ObjectId, now: Position) -> Result<(), StoreError> {
        let update = "SET rev = rev + :one, pending = if_not_exists(pending, :now)";
        let now = ("now", number(now.micros()));
        self.raise(id, update, "attribute_exists(id)", &[now]).await.map(drop)
    }

    /// The same because a collection's definition changed: unless the object is pending for
    /// another reason, nobody is notified of what follows.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn reproject_quietly(&self, id: &ObjectId, now: Position) -> Result<(), StoreError> {
        let update = "SET rev = rev + :one, pending = :now, quiet = rev + :one";
        let settled = "attribute_exists(id) AND attribute_not_exists(pending)";
        let now_micros = ("now", number(now.micros()));
        if self.raise(id, update, settled, &[now_micros]).await? {
            return Ok(());
        }
        self.reproject(id, now).await
    }

    /// The same for an object of which a log says, in entries of `revision` and later that stand
    /// no earlier than `since`, what the `HEAD` does not know: what was settled from that revision
    /// on is settled anew.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn reproject_since(
        &self,
        id: &ObjectId,
        revision: u64,
        since: Position,
    ) -> Result<(), StoreError> {
        let settled = ("settled", number(revision.saturating_sub(1)));
        let now = ("now", number(since.micros()));
        let update = "SET rev = rev + :one, prj = :settled, pending = :now";
        let later = "prj > :settled AND (attribute_not_exists(pending) OR pending > :now)";
        if self.raise(id, update, later, &[settled.clone(), now]).await? {
            return Ok(());
        }
        let update = "SET rev = rev + :one, prj = :settled";
        let pending = "prj > :settled AND attribute_exists(pending)";
        if self.raise(id, update, pending, &[settled]).await? {
            return Ok(());
        }
        // Not settled that far: a new revision is all it takes.
        self.reproject(id, since).await
    }

    /// Raises an object's revision; says whether the condition held.
    async fn raise(
        &self,
        id: &ObjectId,
        update: &str,
        condition: &str,
        values: &[(&str, AttributeValue)],
    ) -> Result<bool, StoreError> {
        let one = ("one", number(1));
        let values = values.iter().chain([&one]);
        let values = values.map(|(name, value)| (format!(":{name}"), value.clone())).collect();
        let update = self
            .dynamodb()
            .update_item()
            .table_name(&self.names().objects)
            .set_key(Some(key(id.as_str(), "HEAD")))
            .condition_expression(condition)
            .update_expression(update)
            .set_expression_attribute_values(Some(values));
        held(self.update(update).await)
    }
}
