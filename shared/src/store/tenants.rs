//! The access table: tenants, all in one partition, so that one Query brings them.

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::access::access_key;
use super::item::{Item, ReadItem, number, text};
use super::jobs::{Job, JobKind};
use super::transaction::{self, Condition, Made};
use super::{ChangeError, Store, StoreError};
use crate::access::{Closed, TenantId, TenantRecord, TenantSettings};
use crate::audit::{Action, Actor, AuditRecord, Kind};

const PARTITION: &str = "TENANTS";

fn tenant_key(id: &TenantId) -> Item {
    access_key(PARTITION, id.as_str())
}

fn to_item(tenant: &TenantRecord) -> Result<Item, StoreError> {
    let document = serde_json::to_string(tenant).map_err(|e| StoreError::Damaged(e.to_string()))?;
    let mut item = tenant_key(&tenant.id);
    item.insert("doc".into(), text(document));
    item.insert("rev".into(), number(tenant.revision));
    if tenant.closed.is_some() {
        item.insert("closed".into(), number(1));
    }
    Ok(item)
}

fn from_item(item: &Item) -> Result<TenantRecord, StoreError> {
    serde_json::from_str(item.text("doc")?).map_err(|e| StoreError::Damaged(format!("tenant: {e}")))
}

impl Store {
    /// The tenant with this id, also if it was deleted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tenant(&self, id: &TenantId) -> Result<Option<TenantRecord>, StoreError> {
        self.get_access_item(tenant_key(id)).await?.as_ref().map(from_item).transpose()
    }

    /// Tenants after `after`, in order of id, at most `limit`. Says whether there are more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tenants(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<TenantRecord>, bool), StoreError> {
        let (items, more) = self.access_items(PARTITION, "", after, limit).await?;
        Ok((items.iter().map(from_item).collect::<Result<_, _>>()?, more))
    }

    /// Makes a tenant.
    ///
    /// # Errors
    /// [`ChangeError::Exists`], [`ChangeError::TenantClosed`], or when the store fails.
    pub async fn create_tenant_as(
        &self,
        actor: &Actor,
        id: &TenantId,
        settings: TenantSettings,
    ) -> Result<TenantRecord, ChangeError> {
        let now = self.now();
        let tenant =
            TenantRecord { id: id.clone(), revision: 1, created: now, closed: None, settings };
        let record = AuditRecord::new(now, actor, Action::Create, Kind::Tenant.named(id));
        let absent = Condition::that("attribute_not_exists(pk)");
        let mut items = vec![transaction::put(&self.names().access, to_item(&tenant)?, absent)?];
        items.extend(self.audited(&record.to(&tenant))?);
        if self.transact(items).await? == Made::Done {
            return Ok(tenant);
        }
        match self.tenant(id).await? {
            Some(known) if known.closed.is_some() => Err(ChangeError::TenantClosed(id.clone())),
            _ => Err(ChangeError::Exists),
        }
    }

    /// Changes a tenant that is still as `known`.
    ///
    /// # Errors
    /// [`ChangeError::TenantClosed`], [`ChangeError::Changed`], or when the store fails.
    pub async fn change_tenant(
        &self,
        actor: &Actor,
        known: &TenantRecord,
        settings: TenantSettings,
    ) -> Result<TenantRecord, ChangeError> {
        if known.closed.is_some() {
            return Err(ChangeError::TenantClosed(known.id.clone()));
        }
        let changed = TenantRecord { revision: known.revision + 1, settings, ..known.clone() };
        let resource = Kind::Tenant.named(&known.id);
        let record = AuditRecord::new(self.now(), actor, Action::Update, resource);
        self.put_tenant(known, &changed, record, None).await?;
        Ok(changed)
    }

    /// Deletes a tenant that is still as `known`: no key can be made for it any more, and the job
    /// that is added revokes those it has.
    ///
    /// # Errors
    /// [`ChangeError::Changed`], or when the store fails.
    pub async fn close_tenant(
        &self,
        actor: &Actor,
        known: &TenantRecord,
    ) -> Result<TenantRecord, ChangeError> {
        let now = self.now();
        let changed = TenantRecord {
            revision: known.revision + 1,
            closed: Some(Closed { at: now, by: actor.clone() }),
            ..known.clone()
        };
        let record = AuditRecord::new(now, actor, Action::Delete, Kind::Tenant.named(&known.id));
        let at = self.position_now();
        let job = Job::new(JobKind::CloseTenant { tenant: known.id.clone() }, at, at);
        let job = transaction::put(&self.names().collections, job.to_item(), Condition::none())?;
        self.put_tenant(known, &changed, record, Some(job)).await?;
        Ok(changed)
    }

    async fn put_tenant(
        &self,
        known: &TenantRecord,
        changed: &TenantRecord,
        record: AuditRecord,
        beside: Option<TransactWriteItem>,
    ) -> Result<(), ChangeError> {
        let unchanged = Condition::with(
            "rev = :known",
            Item::from([(":known".to_owned(), number(known.revision))]),
        );
        let mut items = vec![transaction::put(&self.names().access, to_item(changed)?, unchanged)?];
        let record = record.from(known);
        let record = if changed.closed.is_some() { record } else { record.to(changed) };
        items.extend(self.audited(&record)?);
        items.extend(beside);
        match self.transact(items).await? {
            Made::Done => Ok(()),
            Made::Refused(_) => Err(ChangeError::Changed),
        }
    }

    /// Part of a transaction: the tenant is there and not deleted. The operator always is.
    pub(super) fn tenant_is_open(
        &self,
        id: &TenantId,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        if id.is_operator() {
            return Ok(None);
        }
        let open = "attribute_exists(pk) AND attribute_not_exists(closed)";
        transaction::check(&self.names().access, tenant_key(id), open).map(Some)
    }

    /// Items of a partition of the access table whose sort keys begin with `prefix`, after
    /// `after`, at most `limit`. Says whether there are more.
    pub(super) async fn access_items(
        &self,
        partition: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let (mut items, wanted) = (Vec::new(), limit.saturating_add(1));
        let mut from = after.map(|after| access_key(partition, after));
        while items.len() < wanted {
            let left = i32::try_from(wanted - items.len()).unwrap_or(i32::MAX);
            let mut query = self
                .dynamodb()
                .query()
                .table_name(&self.names().access)
                .expression_attribute_values(":pk", text(partition));
            query = if prefix.is_empty() {
                query.key_condition_expression("pk = :pk")
            } else {
                query
                    .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                    .expression_attribute_values(":prefix", text(prefix))
            };
            let query =
                query.consistent_read(true).limit(left).set_exclusive_start_key(from.take());
            let answer = self.query(query).await?;
            items.extend(answer.items.unwrap_or_default());
            from = answer.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        let more = items.len() > limit;
        items.truncate(limit);
        Ok((items, more))
    }
}
