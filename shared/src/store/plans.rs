//! Plans' rows in the access table.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use super::access::access_key;
use super::item::{Item, ReadItem, number, text};
use super::{Store, StoreError};
use crate::access::{Plan, PlanName, PlanTerms};

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
        let mut plans: Vec<Plan> = Vec::new();
        let mut from = None;
        loop {
            let page = self
                .dynamodb()
                .query()
                .table_name(&self.names().access)
                .key_condition_expression("pk = :plans")
                .expression_attribute_values(":plans", text(PLANS))
                .set_exclusive_start_key(from)
                .limit(1000)
                .consistent_read(true)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(StoreError::of)?;
            self.meter().read(page.consumed_capacity());
            for item in page.items() {
                plans.push(read(item)?);
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        for plan in Plan::all_of_release() {
            if !plans.iter().any(|known| known.name == plan.name) {
                plans.push(plan.clone());
            }
        }
        plans.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(plans)
    }

    /// Writes a plan's row in place of revision `known` (0: there is none). Instances go by it
    /// within half a minute.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the row is no longer of that revision.
    pub async fn put_plan(
        &self,
        name: &PlanName,
        known: u64,
        terms: &PlanTerms,
    ) -> Result<Plan, StoreError> {
        let plan = Plan { name: name.clone(), revision: known + 1, terms: terms.clone() };
        let document =
            serde_json::to_string(terms).map_err(|e| StoreError::Damaged(e.to_string()))?;
        let mut item = access_key(PLANS, name.as_str());
        item.insert("rev".into(), number(plan.revision));
        item.insert("doc".into(), text(document));
        let put = self
            .dynamodb()
            .put_item()
            .table_name(&self.names().access)
            .set_item(Some(item))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let put = match known {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            _ => put
                .condition_expression("rev = :known")
                .expression_attribute_values(":known", number(known)),
        };
        let answer = put.send().await.map_err(StoreError::of)?;
        self.meter().write(answer.consumed_capacity());
        Ok(plan)
    }
}
