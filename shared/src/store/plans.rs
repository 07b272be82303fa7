//! Plans' rows in the access table.

use super::access::access_key;
use super::item::{Item, ReadItem, number, text};
use super::transaction::{self, Condition, Made};
use super::{ChangeError, Store, StoreError};
use crate::access::{Plan, PlanName, PlanTerms};
use crate::audit::{Action, Actor, AuditRecord, Kind};

const PLANS: &str = "PLANS";

fn read(item: &Item) -> Result<Plan, StoreError> {
    let damaged = |what: &dyn std::fmt::Display| StoreError::Damaged(format!("plan: {what}"));
    let name: PlanName = item.text("sk")?.parse().map_err(|e| damaged(&e))?;
    let terms: PlanTerms = serde_json::from_str(item.text("doc")?).map_err(|e| damaged(&e))?;
    Ok(Plan { name, revision: item.required_number("rev")?, terms })
}

impl Store {
    /// The plan of this name: its row, or what the release brings under that name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn plan(&self, name: &PlanName) -> Result<Option<Plan>, StoreError> {
        match self.get_access_item(access_key(PLANS, name.as_str())).await? {
            Some(item) => read(&item).map(Some),
            None => Ok(Plan::of_release(name)),
        }
    }

    /// Every plan, by name: the rows, and what the release brings and no row replaces.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn plans(&self) -> Result<Vec<Plan>, StoreError> {
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().access)
            .key_condition_expression("pk = :plans")
            .expression_attribute_values(":plans", text(PLANS))
            .consistent_read(true);
        let items = self.query_all(query).await?;
        let mut plans = items.iter().map(read).collect::<Result<Vec<Plan>, StoreError>>()?;
        for plan in Plan::all_of_release() {
            if !plans.iter().any(|known| known.name == plan.name) {
                plans.push(plan.clone());
            }
        }
        plans.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(plans)
    }

    /// Writes a plan's row in place of revision `known` (0: there is none), for the service
    /// itself. Instances go by it within half a minute.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the row is no longer of that revision.
    pub async fn put_plan(
        &self,
        name: &PlanName,
        known: u64,
        terms: &PlanTerms,
    ) -> Result<Plan, StoreError> {
        let before = self.plan(name).await?.filter(|plan| plan.revision == known);
        let written = self.write_plan(&Actor::System, name, known, before.as_ref(), terms).await;
        written.map_err(|error| match error {
            ChangeError::Store(error) => error,
            _ => StoreError::Conflict,
        })
    }

    /// Makes a plan.
    ///
    /// # Errors
    /// [`ChangeError::Exists`] when there is a row, or when the store fails.
    pub async fn create_plan(
        &self,
        actor: &Actor,
        name: &PlanName,
        terms: &PlanTerms,
    ) -> Result<Plan, ChangeError> {
        match self.write_plan(actor, name, 0, None, terms).await {
            Err(ChangeError::Changed) => Err(ChangeError::Exists),
            done => done,
        }
    }

    /// Changes a plan that is still as `known`. Instances go by it within half a minute.
    ///
    /// # Errors
    /// [`ChangeError::Changed`], or when the store fails.
    pub async fn change_plan(
        &self,
        actor: &Actor,
        known: &Plan,
        terms: &PlanTerms,
    ) -> Result<Plan, ChangeError> {
        self.write_plan(actor, &known.name, known.revision, Some(known), terms).await
    }

    async fn write_plan(
        &self,
        actor: &Actor,
        name: &PlanName,
        revision: u64,
        before: Option<&Plan>,
        terms: &PlanTerms,
    ) -> Result<Plan, ChangeError> {
        let plan = Plan { name: name.clone(), revision: revision + 1, terms: terms.clone() };
        let document =
            serde_json::to_string(terms).map_err(|e| StoreError::Damaged(e.to_string()))?;
        let mut item = access_key(PLANS, name.as_str());
        item.insert("rev".into(), number(plan.revision));
        item.insert("doc".into(), text(document));
        let put = transaction::put(&self.names().access, item, at_revision(revision))?;
        let action = if before.is_some() { Action::Update } else { Action::Create };
        let mut record = AuditRecord::new(self.now(), actor, action, Kind::Plan.named(name));
        if let Some(before) = before {
            record = record.from(&before.shown());
        }
        let mut items = vec![put];
        items.extend(self.audited(&record.to(&plan.shown()))?);
        match self.transact(items).await? {
            Made::Done => Ok(plan),
            Made::Refused(_) => Err(ChangeError::Changed),
        }
    }

    /// Deletes the row of a plan that is still as `known`; one that the release brings has its
    /// terms again then.
    ///
    /// # Errors
    /// [`ChangeError::NotFound`] when there is no row, [`ChangeError::Changed`], or when the store
    /// fails.
    pub async fn delete_plan(&self, actor: &Actor, known: &Plan) -> Result<(), ChangeError> {
        if known.revision == 0 {
            return Err(ChangeError::NotFound);
        }
        let place = access_key(PLANS, known.name.as_str());
        let table = &self.names().access;
        let mut items = vec![transaction::delete(table, place, at_revision(known.revision))?];
        let resource = Kind::Plan.named(&known.name);
        let mut record =
            AuditRecord::new(self.now(), actor, Action::Delete, resource).from(&known.shown());
        if let Some(release) = Plan::of_release(&known.name) {
            record = record.to(&release.shown()).note("has the terms of the release again");
        }
        items.extend(self.audited(&record)?);
        match self.transact(items).await? {
            Made::Done => Ok(()),
            Made::Refused(_) => Err(ChangeError::Changed),
        }
    }
}

/// That a row is of this revision; 0: there is none.
fn at_revision(known: u64) -> Condition {
    if known == 0 {
        return Condition::that("attribute_not_exists(pk)");
    }
    Condition::with("rev = :known", Item::from([(":known".to_owned(), number(known))]))
}
