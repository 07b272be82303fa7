//! Links under an object's partition: the relationships that touch it, and, under a marking
//! definition, the objects that name it.

use super::item::{Item, ReadItem, key, text};
use super::objects::id_in;
use super::sending::held;
use super::{Store, StoreError};
use crate::id::ObjectId;

/// The sort keys of a much-linked object are spread over this many ranges, so that `DynamoDB`
/// can split a hot partition between them.
const SHARDS: u32 = 16;

fn shard(id: &ObjectId) -> u32 {
    id.as_str().bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
        % SHARDS
}

/// An object that names a marking, and the level it was last projected with for it.
#[derive(Clone, Debug)]
pub struct MarkedObject {
    /// The object.
    pub id: ObjectId,
    /// What the marking stood for then, as text; absent when it was unknown.
    pub resolved: Option<String>,
}

fn relationship_key(end: &ObjectId, relationship: &ObjectId) -> Item {
    key(end.as_str(), format!("R#{:02x}#{relationship}", shard(relationship)))
}

fn identity_name(name: &str) -> String {
    format!("NAME#{}", name.trim().to_lowercase().chars().take(500).collect::<String>())
}

impl Store {
    /// Records that `relationship` touches `end`. Put before the relationship's own `HEAD`.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn link_relationship(
        &self,
        end: &ObjectId,
        relationship: &ObjectId,
    ) -> Result<(), StoreError> {
        self.put_link(relationship_key(end, relationship)).await
    }

    /// Records that `object` names `marking`. Put before the object's own `HEAD`, so that the
    /// definition, whenever it arrives, finds it.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn link_marked(
        &self,
        marking: &ObjectId,
        object: &ObjectId,
    ) -> Result<(), StoreError> {
        self.put_link(key(marking.as_str(), format!("M#{object}"))).await
    }

    /// Makes an identity findable by its name, for filters that name an author.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn link_identity(&self, name: &str, identity: &ObjectId) -> Result<(), StoreError> {
        self.put_link(key(identity_name(name), identity.as_str())).await
    }

    /// The identities with this name, in any letter case.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn identities_named(&self, name: &str) -> Result<Vec<ObjectId>, StoreError> {
        let items = self.query_partition(&identity_name(name), "identity--").await?;
        items.iter().map(|item| id_in(item, "sk")).collect()
    }

    async fn put_link(&self, item: Item) -> Result<(), StoreError> {
        let put = self
            .dynamodb()
            .put_item()
            .table_name(&self.names().objects)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(id)");
        held(self.put(put).await)?;
        Ok(())
    }

    /// The relationships and sightings that touch `end`, those that come after `after` in an order
    /// of their own: at most `limit` of them, and whether there are more. Read consistently.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn relationships_of(
        &self,
        end: &ObjectId,
        after: Option<&ObjectId>,
        limit: i32,
    ) -> Result<(Vec<ObjectId>, bool), StoreError> {
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().objects)
            .key_condition_expression("id = :id AND begins_with(sk, :prefix)")
            .expression_attribute_values(":id", text(end.as_str()))
            .expression_attribute_values(":prefix", text("R#"))
            .set_exclusive_start_key(after.map(|relationship| relationship_key(end, relationship)))
            .consistent_read(true)
            .limit(limit);
        let answer = self.query(query).await?;
        let linked = answer.items().iter().map(|item| {
            let id = item.text("sk")?.splitn(3, '#').nth(2).and_then(|id| id.parse().ok());
            id.ok_or_else(|| StoreError::Damaged("linked relationship".into()))
        });
        let linked = linked.collect::<Result<_, StoreError>>()?;
        Ok((linked, answer.last_evaluated_key().is_some()))
    }

    /// The objects that name `marking`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn marked_objects(
        &self,
        marking: &ObjectId,
    ) -> Result<Vec<MarkedObject>, StoreError> {
        let items = self.query_partition(marking.as_str(), "M#").await?;
        items
            .iter()
            .map(|item| {
                let object = item.text("sk")?.trim_start_matches("M#").parse();
                let id = object.map_err(|_| StoreError::Damaged("marked object".into()))?;
                Ok(MarkedObject { id, resolved: item.text("lvl").ok().map(str::to_owned) })
            })
            .collect()
    }

    /// Records what `marking` stood for when `object` was asked to be projected again.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn set_marked_level(
        &self,
        marking: &ObjectId,
        object: &ObjectId,
        resolved: &str,
    ) -> Result<(), StoreError> {
        let update = self
            .dynamodb()
            .update_item()
            .table_name(&self.names().objects)
            .set_key(Some(key(marking.as_str(), format!("M#{object}"))))
            .update_expression("SET lvl = :level")
            .expression_attribute_values(":level", text(resolved));
        self.update(update).await?;
        Ok(())
    }
}
