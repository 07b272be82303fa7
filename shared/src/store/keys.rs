//! The access table: keys as operators manage them. A key's own item is what authentication
//! reads; a line in a partition of all keys, by tenant, is what lists them.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::access::{KeyDocument, access_key, day};
use super::item::{Item, ReadItem, binary, number, text};
use super::transaction::{self, Condition, Made};
use super::{ChangeError, Store, StoreError};
use crate::access::{KeyId, KeyRecord, KeySettings, KeyText, NewKey, TenantId};
use crate::audit::{Action, Actor, AuditRecord, Kind};

const LISTED: &str = "KEYS";

/// Keys read at once for a list.
const CONCURRENCY: usize = 16;

/// Keys of before revisions were counted have the first one.
const UNCHANGED: &str = "attribute_exists(pk) AND (attribute_not_exists(rev) OR rev = :known)";

fn key_key(id: &KeyId) -> Item {
    access_key(format!("KEY#{id}"), "KEY")
}

fn line_key(tenant: &TenantId, id: &KeyId) -> Item {
    access_key(LISTED, format!("{tenant}#{id}"))
}

fn document_of(record: &KeyRecord) -> Result<String, StoreError> {
    let KeySettings { name, scopes, plan, clearance, expires } = record.settings.clone();
    let document = KeyDocument {
        tenant: record.tenant.clone(),
        name,
        scopes,
        plan,
        clearance,
        expires,
        created: record.created,
    };
    serde_json::to_string(&document).map_err(|e| StoreError::Damaged(e.to_string()))
}

fn record_of(id: &KeyId, item: &Item) -> Result<KeyRecord, StoreError> {
    let document: KeyDocument = serde_json::from_str(item.text("doc")?)
        .map_err(|_| StoreError::Damaged(format!("key {id}")))?;
    let KeyDocument { tenant, name, scopes, plan, clearance, expires, created } = document;
    Ok(KeyRecord {
        id: id.clone(),
        revision: item.number("rev")?.unwrap_or(1),
        created,
        tenant,
        revoked: matches!(item.get("revoked"), Some(AttributeValue::Bool(true))),
        last_used: item.number("used")?.and_then(day),
        settings: KeySettings { name, scopes, plan, clearance, expires },
    })
}

impl Store {
    /// The key with this public id, as operators see it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key_record(&self, id: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        let item = self.get_access_item(key_key(id)).await?;
        item.map(|item| record_of(id, &item)).transpose()
    }

    /// Keys of `tenant`, or of all, after the line `after`, at most `limit`, and the line after
    /// which there are more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key_records(
        &self,
        tenant: Option<&TenantId>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<KeyRecord>, Option<String>), StoreError> {
        let prefix = tenant.map(|tenant| format!("{tenant}#")).unwrap_or_default();
        let (lines, more) = self.access_items(LISTED, &prefix, after, limit).await?;
        let lines: Vec<&str> =
            lines.iter().map(|line| line.text("sk")).collect::<Result<_, StoreError>>()?;
        let next = lines.last().filter(|_| more).map(|line| (*line).to_owned());
        let ids = lines.iter().map(|line| line.rsplit('#').next().unwrap_or_default());
        let read = ids.map(|id| {
            let id = KeyId(id.to_owned());
            async move { self.key_record(&id).await }
        });
        // One that is deleted at this moment is none.
        let read: Vec<Option<KeyRecord>> =
            stream::iter(read.collect::<Vec<_>>()).buffered(CONCURRENCY).try_collect().await?;
        Ok((read.into_iter().flatten().collect(), next))
    }

    /// Makes a key. Its text is shown to its owner and never stored.
    ///
    /// # Errors
    /// [`ChangeError::NoTenant`], [`ChangeError::TenantClosed`], or when the store fails or the
    /// machine has no randomness.
    pub async fn create_key_as(
        &self,
        actor: &Actor,
        new: NewKey,
    ) -> Result<(KeyText, KeyRecord), ChangeError> {
        let (key, record, items) = self.new_key(actor, new, None)?;
        match self.transact(items).await? {
            Made::Done => Ok((key, record)),
            Made::Refused(_) => Err(self.why_no_key(&record.tenant).await?),
        }
    }

    /// The writes that make a key.
    fn new_key(
        &self,
        actor: &Actor,
        new: NewKey,
        note: Option<String>,
    ) -> Result<(KeyText, KeyRecord, Vec<TransactWriteItem>), StoreError> {
        let key = KeyText::random().map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let NewKey { tenant, name, scopes, plan, clearance, expires } = new;
        let now = self.now();
        let record = KeyRecord {
            id: key.id().clone(),
            revision: 1,
            created: Some(now),
            tenant,
            revoked: false,
            last_used: None,
            settings: KeySettings { name, scopes, plan, clearance, expires },
        };
        let mut item = key_key(&record.id);
        item.insert("digest".into(), binary(key.digest().0));
        item.insert("doc".into(), text(document_of(&record)?));
        item.insert("rev".into(), number(1));
        let table = &self.names().access;
        let absent = Condition::that("attribute_not_exists(pk)");
        let mut items = vec![
            transaction::put(table, item, absent)?,
            transaction::put(table, line_key(&record.tenant, &record.id), Condition::none())?,
        ];
        items.extend(self.tenant_is_open(&record.tenant)?);
        let mut audit = AuditRecord::new(now, actor, Action::Create, Kind::Key.named(&record.id));
        audit.note = note;
        items.extend(self.audited(&audit.to(&record))?);
        Ok((key, record, items))
    }

    async fn why_no_key(&self, tenant: &TenantId) -> Result<ChangeError, StoreError> {
        Ok(match self.tenant(tenant).await? {
            None => ChangeError::NoTenant(tenant.clone()),
            Some(known) if known.closed.is_some() => ChangeError::TenantClosed(tenant.clone()),
            // A new key's id that is taken, or a tenant made this moment.
            Some(_) => ChangeError::Changed,
        })
    }

    /// Changes a key that is still as `known`.
    ///
    /// # Errors
    /// [`ChangeError::Revoked`], [`ChangeError::Changed`], or when the store fails.
    pub async fn change_key(
        &self,
        actor: &Actor,
        known: &KeyRecord,
        settings: KeySettings,
    ) -> Result<KeyRecord, ChangeError> {
        let changed = KeyRecord { settings, ..known.clone() };
        self.write_key(actor, Action::Update, known, changed, Vec::new(), None).await
    }

    /// Revokes a key that is still as `known`: within a minute it works nowhere.
    ///
    /// # Errors
    /// [`ChangeError::Revoked`], [`ChangeError::Changed`], or when the store fails.
    pub async fn revoke_key_as(
        &self,
        actor: &Actor,
        known: &KeyRecord,
        note: Option<String>,
    ) -> Result<KeyRecord, ChangeError> {
        let changed = KeyRecord { revoked: true, ..known.clone() };
        self.write_key(actor, Action::Revoke, known, changed, Vec::new(), note).await
    }

    /// Replaces a key that is still as `known` by a new one that may do the same. The old one
    /// works until `until`, or no longer if that is absent.
    ///
    /// # Errors
    /// [`ChangeError::Revoked`], [`ChangeError::Changed`], [`ChangeError::TenantClosed`], or when
    /// the store fails.
    pub async fn rotate_key(
        &self,
        actor: &Actor,
        known: &KeyRecord,
        until: Option<chrono::DateTime<chrono::Utc>>,
    ) -> Result<(KeyText, KeyRecord), ChangeError> {
        let new = known.settings.clone().of(known.tenant.clone());
        let note = format!("replaces {}", known.id);
        let (key, record, items) = self.new_key(actor, new, Some(note))?;
        let mut changed = known.clone();
        match until {
            None => changed.revoked = true,
            Some(until) => {
                let before = known.settings.expires;
                changed.settings.expires = Some(before.map_or(until, |before| before.min(until)));
            }
        }
        let note = Some(format!("replaced by {}", record.id));
        match self.write_key(actor, Action::Rotate, known, changed, items, note).await {
            Err(ChangeError::Changed) => match self.why_no_key(&known.tenant).await? {
                closed @ (ChangeError::TenantClosed(_) | ChangeError::NoTenant(_)) => Err(closed),
                _ => Err(ChangeError::Changed),
            },
            done => done.map(|_| (key, record)),
        }
    }

    async fn write_key(
        &self,
        actor: &Actor,
        action: Action,
        known: &KeyRecord,
        mut changed: KeyRecord,
        beside: Vec<TransactWriteItem>,
        note: Option<String>,
    ) -> Result<KeyRecord, ChangeError> {
        if known.revoked {
            return Err(ChangeError::Revoked);
        }
        changed.revision = known.revision + 1;
        // The rest of the item, the day of its last use, is not this write's business.
        let values = Item::from([
            (":known".to_owned(), number(known.revision)),
            (":next".to_owned(), number(changed.revision)),
            (":doc".to_owned(), text(document_of(&changed)?)),
            (":revoked".to_owned(), AttributeValue::Bool(changed.revoked)),
        ]);
        let mut items = vec![transaction::update(
            &self.names().access,
            key_key(&known.id),
            "SET doc = :doc, rev = :next, revoked = :revoked",
            Condition::with(UNCHANGED, values),
        )?];
        items.extend(beside);
        let mut audit =
            AuditRecord::new(self.now(), actor, action, Kind::Key.named(&known.id)).from(known);
        audit.note = note;
        items.extend(self.audited(&audit.to(&changed))?);
        match self.transact(items).await? {
            Made::Done => Ok(changed),
            Made::Refused(_) => Err(ChangeError::Changed),
        }
    }

    /// Deletes a key that is still as `known`: its use is told from that of an unknown one no
    /// longer.
    ///
    /// # Errors
    /// [`ChangeError::Changed`], or when the store fails.
    pub async fn delete_key(&self, actor: &Actor, known: &KeyRecord) -> Result<(), ChangeError> {
        let table = &self.names().access;
        let unchanged =
            Condition::with(UNCHANGED, Item::from([(":known".to_owned(), number(known.revision))]));
        let mut items = vec![
            transaction::delete(table, key_key(&known.id), unchanged)?,
            transaction::delete(table, line_key(&known.tenant, &known.id), Condition::none())?,
        ];
        let resource = Kind::Key.named(&known.id);
        let audit = AuditRecord::new(self.now(), actor, Action::Delete, resource).from(known);
        items.extend(self.audited(&audit)?);
        match self.transact(items).await? {
            Made::Done => Ok(()),
            Made::Refused(_) => Err(ChangeError::Changed),
        }
    }
}
