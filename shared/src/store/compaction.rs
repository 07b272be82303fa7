//! What compaction writes and deletes: every write under the condition that the item is still
//! what was read, so that two compactions at once do no harm.

use super::commits::commit_key;
use super::item::{Item, ReadItem, binary, key, number};
use super::{Store, StoreError};
use crate::log::{Commit, LogId, pack_moved};
use crate::time::Position;

/// How far a log's compaction has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Commits up to this number need not be read before the next full pass.
    pub through: u64,
    /// Commits up to this number were considered.
    pub considered: u64,
    /// The last commit of the log at `seen_at`.
    pub seen: u64,
    /// When that was looked up.
    pub seen_at: Position,
    /// When the last full pass began.
    pub full_pass: Position,
}

const PROGRESS: &str = "K";

/// That a commit was rewritten as often as when it was read, and is there.
fn unchanged(rewrites: u64) -> &'static str {
    if rewrites == 0 {
        "attribute_exists(id) AND attribute_not_exists(cmp)"
    } else {
        "attribute_exists(id) AND cmp = :cmp"
    }
}

impl Store {
    /// How far the compaction of `log` has come; `None` before the first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn compaction_progress(&self, log: LogId) -> Result<Option<Progress>, StoreError> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(&self.names().collections)
            .set_key(Some(key(log.to_string(), PROGRESS)));
        let item = self.get(get).await?;
        let Some(item) = item else { return Ok(None) };
        Ok(Some(Progress {
            through: item.required_number("thr")?,
            considered: item.required_number("con")?,
            seen: item.required_number("seen")?,
            seen_at: Position::from_micros(item.required_number("at")?),
            full_pass: Position::from_micros(item.required_number("full")?),
        }))
    }

    /// Notes how far the compaction of `log` has come.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_compaction_progress(
        &self,
        log: LogId,
        progress: Progress,
    ) -> Result<(), StoreError> {
        let mut item = key(log.to_string(), PROGRESS);
        item.insert("thr".into(), number(progress.through));
        item.insert("con".into(), number(progress.considered));
        item.insert("seen".into(), number(progress.seen));
        item.insert("at".into(), number(progress.seen_at.micros()));
        item.insert("full".into(), number(progress.full_pass.micros()));
        self.put_collection_item(item, None).await
    }

    /// Puts `commit` over the one that has its number, if that is still the one that was rewritten
    /// `commit.rewrites` times.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it was rewritten or deleted meanwhile.
    pub async fn rewrite_commit(&self, log: LogId, commit: &Commit) -> Result<(), StoreError> {
        let mut item = key(log.to_string(), commit_key(commit.seq));
        item.insert("from".into(), number(commit.from));
        item.insert("cmp".into(), number(commit.rewrites.saturating_add(1)));
        item.insert("gen".into(), number(commit.generation));
        item.insert("fst".into(), number(commit.first.micros()));
        item.insert("lst".into(), number(commit.last.micros()));
        item.insert("hint".into(), number(commit.since_hint));
        if !commit.entries.is_empty() {
            item.insert("z".into(), binary(pack_moved(commit)?));
        }
        let mut put = self
            .dynamodb()
            .put_item()
            .table_name(&self.names().collections)
            .set_item(Some(item))
            .condition_expression(unchanged(commit.rewrites));
        if commit.rewrites > 0 {
            put = put.expression_attribute_values(":cmp", number(commit.rewrites));
        }
        self.put(put).await
    }

    /// Deletes commit `seq`, whose entries are in a later one, if it is still the one that was
    /// rewritten `rewrites` times.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it was rewritten or deleted meanwhile.
    pub async fn delete_commit(
        &self,
        log: LogId,
        seq: u64,
        rewrites: u64,
    ) -> Result<(), StoreError> {
        let values = (rewrites > 0).then(|| Item::from([(":cmp".to_owned(), number(rewrites))]));
        self.delete_collection_item(
            key(log.to_string(), commit_key(seq)),
            unchanged(rewrites),
            values,
        )
        .await
    }

    pub(super) async fn delete_collection_item(
        &self,
        key: Item,
        condition: &str,
        values: Option<Item>,
    ) -> Result<(), StoreError> {
        let delete = self
            .dynamodb()
            .delete_item()
            .table_name(&self.names().collections)
            .set_key(Some(key))
            .condition_expression(condition)
            .set_expression_attribute_values(values);
        self.delete(delete).await
    }
}
