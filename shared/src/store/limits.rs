//! What keys have used of their limits: one item a key, minute and day in it, gone by itself two
//! days after the last request.

use aws_sdk_dynamodb::types::ReturnValue;

use super::access::access_key;
use super::item::{Item, ReadItem, number};
use super::{Store, StoreError};
use crate::access::{Allowance, KeyId, Used, Window};

/// Kept for this many seconds after the last request.
const KEPT: i64 = 2 * 24 * 60 * 60;

fn item_key(key: &KeyId) -> Item {
    access_key(format!("USED#{key}"), "USED")
}

fn read(item: &Item) -> Result<Used, StoreError> {
    Ok(Used {
        window: Window { minute: item.required_number("m")? },
        in_minute: item.required_number("mn")?,
        in_day: item.required_number("dn")?,
    })
}

impl Store {
    /// What a key has used, as of now; none if it never made a request, or long ago.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn used(&self, key: &KeyId) -> Result<Option<Used>, StoreError> {
        self.get_access_item(item_key(key)).await?.as_ref().map(read).transpose()
    }

    /// Counts `lease` requests of a key in `window`, where `seen` is what was read of it last,
    /// if that does not pass what is allowed; answers with what is used then.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it would pass, or the item's window is no longer that of
    /// `seen`.
    pub async fn use_up(
        &self,
        key: &KeyId,
        seen: Option<Used>,
        window: Window,
        lease: u64,
        allowed: Allowance,
    ) -> Result<Used, StoreError> {
        let same_minute = seen.is_some_and(|seen| seen.window == window);
        let same_day = seen.is_some_and(|seen| seen.window.day() == window.day());
        let ttl = u64::try_from(window.minute_ends().saturating_add(KEPT)).unwrap_or(0);
        let mut update = self
            .dynamodb()
            .update_item()
            .table_name(&self.names().access)
            .set_key(Some(item_key(key)))
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":n", number(lease))
            .expression_attribute_values(":m", number(window.minute))
            .expression_attribute_values(":ttl", number(ttl))
            .update_expression(match (same_minute, same_day) {
                (true, _) => "SET m = :m, mn = mn + :n, dn = dn + :n, #ttl = :ttl",
                (false, true) => "SET m = :m, mn = :n, dn = dn + :n, #ttl = :ttl",
                (false, false) => "SET m = :m, mn = :n, dn = :n, #ttl = :ttl",
            });
        // Only what is added to can pass its limit: a lease alone never does.
        let mut conditions = Vec::new();
        if let Some(limit) = allowed.per_minute.filter(|_| same_minute) {
            conditions.push("mn <= :mn");
            update = update.expression_attribute_values(":mn", number(limit.saturating_sub(lease)));
        }
        if let Some(limit) = allowed.per_day.filter(|_| same_day) {
            conditions.push("dn <= :dn");
            update = update.expression_attribute_values(":dn", number(limit.saturating_sub(lease)));
        }
        match seen {
            Some(seen) => {
                conditions.push("m = :seen");
                update = update.expression_attribute_values(":seen", number(seen.window.minute));
            }
            None => conditions.push("attribute_not_exists(pk)"),
        }
        let update = update
            .condition_expression(conditions.join(" AND "))
            .return_values(ReturnValue::AllNew);
        let answer = self.update(update).await?;
        let item = answer.attributes.ok_or_else(|| StoreError::Damaged("no new item".into()))?;
        read(&item)
    }
}
