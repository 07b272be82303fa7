//! Relationships that lead from indicators to threat actors, kept where either end finds them.

use serde::{Deserialize, Serialize};

use super::item::{Item, ReadItem, key, number, text};
use super::sending::held;
use super::{Store, StoreError};
use crate::id::ObjectId;
use crate::stix::Facets;
use crate::subscription::{is_actor, is_carrier};

/// Relationships that lead from an indicator to an actor.
const LEADING: [&str; 2] = ["indicates", "attributed-to"];

const ONWARD: &str = "P#";
const BACK: &str = "Q#";

/// Holds where no later revision of the relationship wrote.
const NOT_LATER: &str = "attribute_not_exists(rev) OR rev <= :rev";

/// A relationship that leads from an indicator, or from malware or a campaign, towards an actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// Where it begins.
    pub from: ObjectId,
    /// Where it leads.
    pub to: ObjectId,
    /// Which relationship says so.
    pub relationship: ObjectId,
}

impl Path {
    /// The path that an object is, if it is a relationship that leads towards an actor.
    #[must_use]
    pub fn of(facets: &Facets) -> Option<Self> {
        let ends = facets.ends.as_ref()?;
        let (from, to) = (ends.sources.first()?, ends.targets.first()?);
        let indicates = from.object_type() == "indicator" && (is_actor(to) || is_carrier(to));
        let leads = indicates || (is_carrier(from) && is_actor(to));
        (leads && LEADING.contains(&ends.relationship_type.as_str())).then(|| Self {
            from: from.clone(),
            to: to.clone(),
            relationship: facets.id.clone(),
        })
    }

    /// The items that stand for it. The way back is only ever asked for from malware and
    /// campaigns.
    fn keys(&self) -> Vec<Item> {
        let mut keys = vec![key(self.from.as_str(), self.onward_key())];
        if is_carrier(&self.to) {
            keys.push(key(self.to.as_str(), self.back_key()));
        }
        keys
    }

    fn onward_key(&self) -> String {
        format!("{ONWARD}{}#{}", self.to, self.relationship)
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
    /// Writes down that a relationship leads from one object to another by a revision of it, where
    /// indicators and actors are looked up. A later revision may have been faster: it stays.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn link_path(&self, path: &Path, revision: u64) -> Result<(), StoreError> {
        for mut item in path.keys() {
            item.insert("rev".into(), number(revision));
            let put = self
                .dynamodb()
                .put_item()
                .table_name(&self.names().objects)
                .set_item(Some(item))
                .condition_expression(NOT_LATER)
                .expression_attribute_values(":rev", number(revision));
            held(self.put(put).await)?;
        }
        Ok(())
    }

    /// By this revision the relationship leads there no longer. Where a later one says that it
    /// does, it stays; where an earlier one does so afterwards, what is found has to be looked at.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn unlink_path(&self, path: &Path, revision: u64) -> Result<(), StoreError> {
        for key in path.keys() {
            let delete = self
                .dynamodb()
                .delete_item()
                .table_name(&self.names().objects)
                .set_key(Some(key))
                .condition_expression(NOT_LATER)
                .expression_attribute_values(":rev", number(revision));
            held(self.delete(delete).await)?;
        }
        Ok(())
    }

    /// The next ways that lead on from an object, after `after`, `count` at most; and whether
    /// there may be more. The relationship may lead there no longer.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn paths_from(
        &self,
        from: &ObjectId,
        after: Option<&Path>,
        count: usize,
    ) -> Result<(Vec<Path>, bool), StoreError> {
        let after = after.map(Path::onward_key);
        let (items, more) = self.query_paths(from, ONWARD, after, count).await?;
        let paths = items.iter().filter_map(|item| {
            let (to, relationship) = far_end(item, ONWARD)?;
            Some(Path { from: from.clone(), to, relationship })
        });
        Ok((paths.collect(), more))
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
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().objects)
            .key_condition_expression("id = :id AND begins_with(sk, :prefix)")
            .expression_attribute_values(":id", text(id.as_str()))
            .expression_attribute_values(":prefix", text(prefix))
            .consistent_read(true)
            .limit(i32::try_from(count).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start);
        let answer = self.query(query).await?;
        let more = answer.last_evaluated_key().is_some();
        Ok((answer.items.unwrap_or_default(), more))
    }
}
