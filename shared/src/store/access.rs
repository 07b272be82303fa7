//! The access table: keys, tenants, and the secret that authenticates cursors.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::item::{Item, ReadItem, binary, number, text};
use super::sending::held;
use super::{ChangeError, Store, StoreError};
use crate::access::{
    ApiKey, KeyId, KeyText, NewKey, PlanName, Scope, SecretDigest, TenantId, TenantSettings,
};
use crate::audit::Actor;
use crate::tlp::Tlp;

pub(super) fn access_key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// A day, counted from the first of the common era as chrono does.
pub(super) fn day(number: u64) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(number).ok()?)
}

/// What a key item says beside its digest.
#[derive(Serialize, Deserialize)]
pub(super) struct KeyDocument {
    pub tenant: TenantId,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub plan: PlanName,
    pub clearance: Tlp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<chrono::DateTime<chrono::Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<chrono::DateTime<chrono::Utc>>,
}

impl Store {
    pub(super) async fn put_access_item(
        &self,
        item: Item,
        condition: Option<&str>,
    ) -> Result<(), StoreError> {
        let put = self
            .dynamodb()
            .put_item()
            .table_name(&self.names().access)
            .set_item(Some(item))
            .set_condition_expression(condition.map(str::to_owned));
        self.put(put).await
    }

    pub(super) async fn get_access_item(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(&self.names().access)
            .set_key(Some(key))
            .consistent_read(true);
        self.get(get).await
    }

    /// Makes a key, for the service itself. The text is shown to its owner and never stored.
    ///
    /// # Errors
    /// When the tenant is none, the store fails, or the machine has no randomness.
    pub async fn create_key(&self, key: NewKey) -> Result<KeyText, StoreError> {
        let made = self.create_key_as(&Actor::System, key).await;
        made.map(|(key, _)| key).map_err(|error| match error {
            ChangeError::Store(error) => error,
            _ => StoreError::Conflict,
        })
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
        let update = self
            .dynamodb()
            .update_item()
            .table_name(&self.names().access)
            .set_key(Some(access_key(format!("KEY#{id}"), "KEY")))
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(used) OR used < :day)",
            )
            .update_expression("SET used = :day")
            .expression_attribute_values(":day", number(days));
        held(self.update(update).await)?;
        Ok(())
    }

    /// Revokes a key, for the service itself: within a minute it works nowhere.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is no such key, or it changes at this moment.
    pub async fn revoke_key(&self, id: &KeyId) -> Result<(), StoreError> {
        let known = self.key_record(id).await?.ok_or(StoreError::Conflict)?;
        match self.revoke_key_as(&Actor::System, &known, None).await {
            Ok(_) | Err(ChangeError::Revoked) => Ok(()),
            Err(ChangeError::Store(error)) => Err(error),
            Err(_) => Err(StoreError::Conflict),
        }
    }

    /// Makes a tenant known, for the service itself; one that is known already stays as it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn create_tenant(&self, id: &TenantId) -> Result<(), StoreError> {
        if id.is_operator() || self.tenant(id).await?.is_some() {
            return Ok(());
        }
        match self.create_tenant_as(&Actor::System, id, TenantSettings::default()).await {
            Err(ChangeError::Store(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// The secret that authenticates cursors, made on first need and never changed: a cursor
    /// stays valid after a deploy and days later.
    ///
    /// # Errors
    /// When the store fails, or the machine has no randomness.
    pub async fn cursor_secret(&self) -> Result<[u8; 32], StoreError> {
        self.secret("cursor").await
    }

    /// The secret that turns submitters' ids into source keys where none is configured, made on
    /// first need and never changed: the same submitter keeps its key.
    ///
    /// # Errors
    /// When the store fails, or the machine has no randomness.
    pub async fn source_key_secret(&self) -> Result<[u8; 32], StoreError> {
        self.secret("source key").await
    }

    async fn secret(&self, name: &str) -> Result<[u8; 32], StoreError> {
        let key = || access_key("SECRET", name);
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
        let damaged = || StoreError::Damaged(format!("secret {name}"));
        let item = item.ok_or_else(damaged)?;
        item.required_bytes("secret")?.try_into().map_err(|_| damaged())
    }
}
