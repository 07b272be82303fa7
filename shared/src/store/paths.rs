//! Relationships that lead from indicators to threat actors, kept where either end finds them.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use super::item::{Item, ReadItem, key, text};
use super::{Store, StoreError};
use crate::id::ObjectId;
use crate::subscription::is_carrier;

/// Ways that are followed from one object.
pub const MAX_PATHS: usize = 500;

const ONWARD: &str = "P#";
const BACK: &str = "Q#";

/// A relationship that leads from an indicator, or from malware or a campaign, towards an actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Where it begins.
    pub from: ObjectId,
    /// Where it leads.
    pub to: ObjectId,
    /// Which relationship says so.
    pub relationship: ObjectId,
}

impl Path {
    /// The items that stand for it. The way back is only ever asked for from malware and
    /// campaigns.
    fn keys(&self) -> Vec<Item> {
        let onward = format!("{ONWARD}{}#{}", self.to, self.relationship);
        let mut keys = vec![key(self.from.as_str(), onward)];
        if is_carrier(&self.to) {
            keys.push(key(self.to.as_str(), self.back_key()));
        }
        keys
    }

    fn back_key(&self) -> String {
        format!("{BACK}{}#{}", self.from, self.relationship)
    }
}

fn far_end(item: &Item, prefix: &str) -> Option<(ObjectId, ObjectId)> {
    let (end, relationship) = item.text("sk").ok()?.strip_prefix(prefix)?.split_once('#')?;
    Some((end.parse().ok()?, relationship.parse().ok()?))
}

impl Store {
    /// Writes down that a relationship leads from one object to another, where indicators and
    /// actors are looked up.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn link_path(&self, path: &Path) -> Result<(), StoreError> {
        for key in path.keys() {
            let put = self.dynamodb().put_item().table_name(&self.names().objects);
            let answer = put
                .set_item(Some(key))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(StoreError::of)?;
            self.meter().write(answer.consumed_capacity());
        }
        Ok(())
    }

    /// The relationship leads there no longer.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn unlink_path(&self, path: &Path) -> Result<(), StoreError> {
        for key in path.keys() {
            let delete = self.dynamodb().delete_item().table_name(&self.names().objects);
            let answer = delete
                .set_key(Some(key))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(StoreError::of)?;
            self.meter().write(answer.consumed_capacity());
        }
        Ok(())
    }

    /// The ways that lead on from an object, `MAX_PATHS` at most.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn paths_from(&self, from: &ObjectId) -> Result<Vec<Path>, StoreError> {
        let (items, _) = self.query_paths(from, ONWARD, None, MAX_PATHS).await?;
        let paths = items.iter().filter_map(|item| {
            let (to, relationship) = far_end(item, ONWARD)?;
            Some(Path { from: from.clone(), to, relationship })
        });
        Ok(paths.collect())
    }

    /// The next ways that lead to an object from indicators, after `after`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn paths_to(
        &self,
        to: &ObjectId,
        after: Option<&Path>,
        count: usize,
    ) -> Result<(Vec<Path>, bool), StoreError> {
        let after = after.map(Path::back_key);
        let (items, more) = self.query_paths(to, BACK, after, count).await?;
        let paths = items.iter().filter_map(|item| {
            let (from, relationship) = far_end(item, BACK)?;
            Some(Path { from, to: to.clone(), relationship })
        });
        Ok((paths.collect(), more))
    }

    async fn query_paths(
        &self,
        id: &ObjectId,
        prefix: &str,
        after: Option<String>,
        count: usize,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let start = after.map(|sk| key(id.as_str(), sk));
        let answer = self
            .dynamodb()
            .query()
            .table_name(&self.names().objects)
            .key_condition_expression("id = :id AND begins_with(sk, :prefix)")
            .expression_attribute_values(":id", text(id.as_str()))
            .expression_attribute_values(":prefix", text(prefix))
            .consistent_read(true)
            .limit(i32::try_from(count).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::of)?;
        self.meter().read(answer.consumed_capacity());
        let more = answer.last_evaluated_key().is_some();
        Ok((answer.items.unwrap_or_default(), more))
    }
}
