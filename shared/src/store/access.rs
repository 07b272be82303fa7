//! The access table: keys, tenants, and the secret that authenticates cursors.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::item::{Item, ReadItem, binary, number, text};
use super::{Store, StoreError};
use crate::access::{ApiKey, KeyId, KeyText, NewKey, PlanName, Scope, SecretDigest, TenantId};
use crate::tlp::Tlp;

pub(super) fn access_key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// A day, counted from the first of the common era as chrono does.
fn day(number: u64) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(number).ok()?)
}

/// What a key item says beside its digest.
#[derive(Serialize, Deserialize)]
struct KeyDocument {
    tenant: TenantId,
    name: String,
    scopes: Vec<Scope>,
    plan: PlanName,
    clearance: Tlp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<chrono::DateTime<chrono::Utc>>,
}

impl Store {
    pub(super) async fn put_access_item(
        &self,
        item: Item,
        condition: Option<&str>,
    ) -> Result<(), StoreError> {
        let answer = self
            .dynamodb()
            .put_item()
            .table_name(&self.names().access)
            .set_item(Some(item))
            .set_condition_expression(condition.map(str::to_owned))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::of)?;
        self.meter().write(answer.consumed_capacity());
        Ok(())
    }

    pub(super) async fn get_access_item(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let answer = self
            .dynamodb()
            .get_item()
            .table_name(&self.names().access)
            .set_key(Some(key))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::of)?;
        self.meter().read(answer.consumed_capacity());
        Ok(answer.item)
    }

    /// Makes a key. The text is shown to its owner and never stored.
    ///
    /// # Errors
    /// When the store fails, or the machine has no randomness.
    pub async fn create_key(&self, key: NewKey) -> Result<KeyText, StoreError> {
        let text_of_key = KeyText::random().map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let document = KeyDocument {
            tenant: key.tenant,
            name: key.name,
            scopes: key.scopes,
            plan: key.plan,
            clearance: key.clearance,
            expires: key.expires,
        };
        let document =
            serde_json::to_string(&document).map_err(|e| StoreError::Damaged(e.to_string()))?;
        let mut item = access_key(format!("KEY#{}", text_of_key.id()), "KEY");
        item.insert("digest".into(), binary(text_of_key.digest().0));
        item.insert("doc".into(), text(document));
        self.put_access_item(item, Some("attribute_not_exists(pk)")).await?;
        Ok(text_of_key)
    }

    /// The stored key with this public id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key(&self, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
        let Some(item) = self.get_access_item(access_key(format!("KEY#{id}"), "KEY")).await? else {
            return Ok(None);
        };
        let damaged = || StoreError::Damaged(format!("key {id}"));
        let digest = item.required_bytes("digest")?.try_into().map_err(|_| damaged())?;
        let document: KeyDocument =
            serde_json::from_str(item.text("doc")?).map_err(|_| damaged())?;
        Ok(Some(ApiKey {
            id: id.clone(),
            digest: SecretDigest(digest),
            key: NewKey {
                tenant: document.tenant,
                name: document.name,
                scopes: document.scopes,
                plan: document.plan,
                clearance: document.clearance,
                expires: document.expires,
            },
            revoked: matches!(item.get("revoked"), Some(AttributeValue::Bool(true))),
            last_used: item.number("used")?.and_then(day),
        }))
    }

    /// Writes down that a key was used on a day, if no later one is written down.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn note_use(&self, id: &KeyId, on: NaiveDate) -> Result<(), StoreError> {
        let days = u64::try_from(on.num_days_from_ce()).unwrap_or(0);
        let answer = self
            .dynamodb()
            .update_item()
            .table_name(&self.names().access)
            .set_key(Some(access_key(format!("KEY#{id}"), "KEY")))
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(used) OR used < :day)",
            )
            .update_expression("SET used = :day")
            .expression_attribute_values(":day", number(days))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::of);
        match answer {
            Ok(answer) => self.meter().write(answer.consumed_capacity()),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Revokes a key: within a minute it works nowhere.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is no such key.
    pub async fn revoke_key(&self, id: &KeyId) -> Result<(), StoreError> {
        let answer = self
            .dynamodb()
            .update_item()
            .table_name(&self.names().access)
            .set_key(Some(access_key(format!("KEY#{id}"), "KEY")))
            .condition_expression("attribute_exists(pk)")
            .update_expression("SET revoked = :yes")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::of)?;
        self.meter().write(answer.consumed_capacity());
        Ok(())
    }

    /// Makes a tenant known; one that is known already stays as it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn create_tenant(&self, id: &TenantId) -> Result<(), StoreError> {
        let item = access_key(format!("TENANT#{id}"), "TENANT");
        match self.put_access_item(item, Some("attribute_not_exists(pk)")).await {
            Err(StoreError::Conflict) => Ok(()),
            other => other,
        }
    }

    /// The secret that authenticates cursors, made on first need and never changed: a cursor
    /// stays valid after a deploy and days later.
    ///
    /// # Errors
    /// When the store fails, or the machine has no randomness.
    pub async fn cursor_secret(&self) -> Result<[u8; 32], StoreError> {
        let key = || access_key("SECRET", "cursor");
        if self.get_access_item(key()).await?.is_none() {
            let mut fresh = [0; 32];
            getrandom::fill(&mut fresh).map_err(|e| StoreError::Unavailable(e.to_string()))?;
            let mut item = key();
            item.insert("secret".into(), binary(fresh));
            match self.put_access_item(item, Some("attribute_not_exists(pk)")).await {
                // Somebody else made it at the same moment: theirs holds.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        let item = self.get_access_item(key()).await?;
        let item = item.ok_or_else(|| StoreError::Damaged("cursor secret".into()))?;
        item.required_bytes("secret")?
            .try_into()
            .map_err(|_| StoreError::Damaged("cursor secret".into()))
    }
}
