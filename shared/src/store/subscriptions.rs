//! Subscriptions, in the access table: once by what is subscribed to, for those who feed them, and
//! once by tenant, for the tenant.

use std::num::NonZeroU32;

use super::access::access_key;
use super::item::{Item, ReadItem, number, text};
use super::transaction::{self, Condition, Made};
use super::{ChangeError, Store, StoreError};
use crate::access::TenantId;
use crate::audit::{Action, Actor, AuditRecord, Kind};
use crate::notification::SourceType;
use crate::subscription::{MAX_SUBSCRIPTIONS, Subscription, SubscriptionSource};
use crate::time::Position;

/// The partition that says of what types there ever were subscriptions.
const TYPES: &str = "SUBSCRIBED";

fn by_source(tenant: &TenantId, source: &SubscriptionSource) -> Item {
    access_key(subscribed(source), tenant.as_str())
}

fn by_tenant(tenant: &TenantId, source: &SubscriptionSource) -> Item {
    access_key(subscriptions_of(tenant), source.to_string())
}

fn subscribed(source: &SubscriptionSource) -> String {
    format!("SUBSCRIBED#{source}")
}

fn subscriptions_of(tenant: &TenantId) -> String {
    format!("SUBSCRIPTIONS#{tenant}")
}

/// The items that stand for a subscription.
fn places(subscription: &Subscription) -> [Item; 2] {
    let Subscription { tenant, source, since, retention_days } = subscription;
    [by_source(tenant, source), by_tenant(tenant, source)].map(|mut item| {
        item.insert("since".into(), number(since.micros()));
        item.insert("days".into(), number(retention_days.get().into()));
        item
    })
}

fn read(
    item: &Item,
    tenant: TenantId,
    source: SubscriptionSource,
) -> Result<Subscription, StoreError> {
    let since = Position::from_micros(item.required_number("since")?);
    let days = u32::try_from(item.required_number("days")?).ok().and_then(NonZeroU32::new);
    let retention_days =
        days.ok_or_else(|| StoreError::Damaged("days of a subscription".into()))?;
    Ok(Subscription { tenant, source, since, retention_days })
}

impl Store {
    /// Subscribes a tenant. A subscription that is there already stays, but for how long its
    /// notifications are kept from now on; what is there afterwards is returned, and whether it
    /// is new.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_subscription(
        &self,
        subscription: &Subscription,
    ) -> Result<(Subscription, bool), StoreError> {
        let (known, new) = self.subscribe(subscription, None).await?;
        let retention_days = subscription.retention_days;
        if new || known.retention_days == retention_days {
            return Ok((known, new));
        }
        let refreshed = Subscription { retention_days, ..known };
        let since = number(refreshed.since.micros());
        let mut items = Vec::new();
        for item in places(&refreshed) {
            let values = Item::from([(":since".to_owned(), since.clone())]);
            let same = Condition::with("since = :since", values);
            items.push(transaction::put(&self.names().access, item, same)?);
        }
        match self.transact(items).await? {
            Made::Done => Ok((refreshed, false)),
            // Ended meanwhile, and perhaps made anew.
            Made::Refused(_) => Err(StoreError::Conflict),
        }
    }

    /// Subscribes a tenant, for an operator.
    ///
    /// # Errors
    /// [`ChangeError::Exists`] when it has this subscription, or when the store fails.
    pub async fn create_subscription(
        &self,
        actor: &Actor,
        subscription: &Subscription,
    ) -> Result<Subscription, ChangeError> {
        let resource = Kind::Subscription.named(subscription.id());
        let record = AuditRecord::new(self.now(), actor, Action::Create, resource);
        let record = record.to(&subscription.shown());
        match self.subscribe(subscription, Some(&record)).await? {
            (made, true) => Ok(made),
            (_, false) => Err(ChangeError::Exists),
        }
    }

    async fn subscribe(
        &self,
        subscription: &Subscription,
        record: Option<&AuditRecord>,
    ) -> Result<(Subscription, bool), StoreError> {
        let Subscription { tenant, source, .. } = subscription;
        // First, so that nobody who looks for what is told of thinks that nothing is.
        let kind = access_key(TYPES, source.kind().to_string());
        self.put_access_item(kind, None).await?;
        let mut items = Vec::new();
        for item in places(subscription) {
            let absent = Condition::that("attribute_not_exists(pk)");
            items.push(transaction::put(&self.names().access, item, absent)?);
        }
        if let Some(record) = record {
            items.extend(self.audited(record)?);
        }
        if self.transact(items).await? == Made::Done {
            return Ok((subscription.clone(), true));
        }
        let known = self.subscription(tenant, source).await?.ok_or(StoreError::Conflict)?;
        // The SDK may have sent this very write twice.
        let new = known == *subscription;
        Ok((known, new))
    }

    /// A tenant's subscription to something, if it has one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn subscription(
        &self,
        tenant: &TenantId,
        source: &SubscriptionSource,
    ) -> Result<Option<Subscription>, StoreError> {
        let item = self.get_access_item(by_tenant(tenant, source)).await?;
        item.map(|item| read(&item, tenant.clone(), source.clone())).transpose()
    }

    /// Ends a subscription; says whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_subscription(
        &self,
        tenant: &TenantId,
        source: &SubscriptionSource,
    ) -> Result<bool, StoreError> {
        let there = self.subscription(tenant, source).await?.is_some();
        let items = [by_source(tenant, source), by_tenant(tenant, source)]
            .map(|place| transaction::delete(&self.names().access, place, Condition::none()));
        let _: Made = self.transact(items.into_iter().collect::<Result<_, _>>()?).await?;
        Ok(there)
    }

    /// Ends a subscription that is still as `known`, for an operator.
    ///
    /// # Errors
    /// [`ChangeError::Changed`] when it was ended, and perhaps made anew, meanwhile, or when the
    /// store fails.
    pub async fn end_subscription(
        &self,
        actor: &Actor,
        known: &Subscription,
    ) -> Result<(), ChangeError> {
        let Subscription { tenant, source, since, .. } = known;
        let mut items = Vec::new();
        for place in [by_tenant(tenant, source), by_source(tenant, source)] {
            let values = Item::from([(":since".to_owned(), number(since.micros()))]);
            let same = Condition::with("since = :since", values);
            items.push(transaction::delete(&self.names().access, place, same)?);
        }
        let resource = Kind::Subscription.named(known.id());
        let record = AuditRecord::new(self.now(), actor, Action::Delete, resource);
        items.extend(self.audited(&record.from(&known.shown()))?);
        match self.transact(items).await? {
            Made::Done => Ok(()),
            Made::Refused(_) => Err(ChangeError::Changed),
        }
    }

    /// Everything a tenant subscribes to, in the order of types and ids.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn subscriptions(&self, tenant: &TenantId) -> Result<Vec<Subscription>, StoreError> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (some, more) = self.subscriptions_after(tenant, after.as_ref(), 500).await?;
            found.extend(some);
            after = found.last().map(|last| last.source.clone());
            if !more || found.len() > MAX_SUBSCRIPTIONS {
                return Ok(found);
            }
        }
    }

    /// What a tenant subscribes to after `after` (absent: from the first on), in the order of
    /// types and ids, at most `limit`; and whether there may be more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn subscriptions_after(
        &self,
        tenant: &TenantId,
        after: Option<&SubscriptionSource>,
        limit: usize,
    ) -> Result<(Vec<Subscription>, bool), StoreError> {
        let after = after.map(ToString::to_string);
        let partition = subscriptions_of(tenant);
        let (items, more) = self.query_access(&partition, after.as_deref(), limit).await?;
        let subscription = |item: &Item| {
            let sk = item.text("sk")?;
            let damaged = || StoreError::Damaged(format!("subscription {sk}"));
            let (kind, id) = sk.split_once('#').ok_or_else(damaged)?;
            let source = SubscriptionSource::parse(kind, id).map_err(|_| damaged())?;
            read(item, tenant.clone(), source)
        };
        let found = items.iter().map(subscription).collect::<Result<Vec<_>, StoreError>>()?;
        Ok((found, more))
    }

    /// The next subscribers to something after a tenant, `count` at most, in the order of their
    /// names; and whether there may be more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn subscribers(
        &self,
        source: &SubscriptionSource,
        after: Option<&TenantId>,
        count: usize,
    ) -> Result<(Vec<Subscription>, bool), StoreError> {
        let after = after.map(TenantId::as_str);
        let (items, more) = self.query_access(&subscribed(source), after, count).await?;
        let subscription = |item: &Item| {
            let tenant = item.text("sk")?.parse();
            let tenant = tenant.map_err(|_| StoreError::Damaged("subscriber".into()))?;
            read(item, tenant, source.clone())
        };
        let found = items.iter().map(subscription).collect::<Result<Vec<_>, StoreError>>()?;
        Ok((found, more))
    }

    /// Whether anybody subscribes to something.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_subscribers(&self, source: &SubscriptionSource) -> Result<bool, StoreError> {
        Ok(!self.subscribers(source, None, 1).await?.0.is_empty())
    }

    /// Whether there ever was a subscription to anything of this type.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn was_subscribed_to(&self, kind: SourceType) -> Result<bool, StoreError> {
        Ok(self.get_access_item(access_key(TYPES, kind.to_string())).await?.is_some())
    }

    async fn query_access(
        &self,
        partition: &str,
        after: Option<&str>,
        count: usize,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let mut query = self
            .dynamodb()
            .query()
            .table_name(&self.names().access)
            .expression_attribute_values(":pk", text(partition))
            .consistent_read(true)
            .limit(i32::try_from(count).unwrap_or(i32::MAX));
        query = match after {
            Some(after) => query
                .key_condition_expression("pk = :pk AND sk > :after")
                .expression_attribute_values(":after", text(after)),
            None => query.key_condition_expression("pk = :pk"),
        };
        let answer = self.query(query).await?;
        let more = answer.last_evaluated_key().is_some();
        Ok((answer.items.unwrap_or_default(), more))
    }
}
