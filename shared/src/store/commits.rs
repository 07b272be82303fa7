//! The collections table: the chain of commits of each log, and the hints into it.

use super::item::{Item, ReadItem, binary, key, number, text};
use super::{Store, StoreError};
use crate::log::{Commit, CommitMarks, LogId, unpack};
use crate::time::Position;

/// Whether a read sees every write that was answered before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Consistency {
    /// At half the price, and perhaps a moment behind.
    Eventual,
    /// Every answered write is seen.
    Strong,
}

/// Where a log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// Sequence number of the last commit; 0 when there is none.
    pub seq: u64,
    /// Its last position.
    pub last: Position,
    /// The generation of the definition it was decided under.
    pub generation: u64,
    /// Compressed bytes of log since the last hint.
    pub since_hint: u64,
}

/// A hint is written for about this many bytes of log: what a search passes over at the most
/// is then a single read unit.
const BYTES_PER_HINT: u64 = 4096;

/// Items one Query asks for at the most.
const MAX_ITEMS: i32 = 1000;

impl Commit {
    /// The tail of a log that ends with this commit.
    #[must_use]
    pub fn tail(&self) -> Tail {
        Tail {
            seq: self.seq,
            last: self.last,
            generation: self.generation,
            since_hint: self.since_hint,
        }
    }
}

pub(super) fn commit_key(seq: u64) -> String {
    format!("L#{seq:012}#S")
}

pub(super) fn marks_key(seq: u64) -> String {
    format!("L#{seq:012}#D")
}

pub(super) fn seq_of(sk: &str) -> Result<u64, StoreError> {
    let digits = sk.get(2..14).and_then(|digits| digits.parse().ok());
    digits.ok_or_else(|| StoreError::Damaged(format!("commit key {sk}")))
}

pub(super) fn read_commit(item: &Item) -> Result<Commit, StoreError> {
    let seq = seq_of(item.text("sk")?)?;
    let blob = item.bytes("z").map(|blob| unpack(seq, blob)).transpose()?;
    let (entries, origins) = blob.unwrap_or_default();
    Ok(Commit {
        seq,
        from: item.number("from")?.unwrap_or(seq),
        rewrites: item.number("cmp")?.unwrap_or(0),
        generation: item.required_number("gen")?,
        first: Position::from_micros(item.required_number("fst")?),
        last: Position::from_micros(item.required_number("lst")?),
        since_hint: item.required_number("hint")?,
        entries,
        origins,
    })
}

impl Store {
    /// Appends a commit whose entries are packed in `blob` (absent: a commit without entries),
    /// if its sequence number is free.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the number is taken: read the tail and decide again.
    pub async fn put_commit(
        &self,
        log: LogId,
        mut tail: Tail,
        first: Position,
        blob: Option<Vec<u8>>,
    ) -> Result<Tail, StoreError> {
        let bytes = blob.as_ref().map_or(100, |blob| blob.len() as u64 + 100);
        // The commit before this one reached the mark and so was hinted: begin anew.
        if tail.since_hint >= BYTES_PER_HINT {
            tail.since_hint = 0;
        }
        tail.since_hint += bytes;
        let mut item = key(log.to_string(), commit_key(tail.seq));
        item.insert("gen".into(), number(tail.generation));
        item.insert("fst".into(), number(first.micros()));
        item.insert("lst".into(), number(tail.last.micros()));
        item.insert("hint".into(), number(tail.since_hint));
        if let Some(blob) = blob {
            item.insert("z".into(), binary(blob));
        }
        self.put_collection_item(item, Some("attribute_not_exists(id)")).await?;
        if tail.since_hint >= BYTES_PER_HINT {
            // Only where a search begins depends on it, so a lost hint costs units, not truth.
            let mut hint = key(log.to_string(), format!("A#{:020}", tail.last.micros()));
            hint.insert("seq".into(), number(tail.seq));
            if let Err(error) = self.put_collection_item(hint, None).await {
                tracing::warn!(%error, %log, "a hint was not written");
            }
        }
        Ok(tail)
    }

    pub(super) async fn put_collection_item(
        &self,
        item: Item,
        condition: Option<&str>,
    ) -> Result<(), StoreError> {
        let put = self
            .dynamodb()
            .put_item()
            .table_name(&self.names().collections)
            .set_item(Some(item))
            .set_condition_expression(condition.map(str::to_owned));
        self.put(put).await
    }

    /// Commits from sequence number `from` on (a compacted one that covers it included), each
    /// with its marks as far as they belong to `from` and later numbers: what a Query of at most
    /// `items` items brings, and what follows until there is one commit at the least. Says whether
    /// there may be more.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn commits_from(
        &self,
        log: LogId,
        from: u64,
        items: i32,
        consistency: Consistency,
    ) -> Result<(Vec<(Commit, CommitMarks)>, bool), StoreError> {
        let mut commits = Vec::new();
        // All marks of a commit stand before it. They are kept beyond it: the same entries may
        // come again, in a compacted commit whose predecessors are not deleted yet.
        let mut marks = CommitMarks::default();
        let mut limit = items.max(2);
        let mut start: Option<Item> = None;
        loop {
            let query = self
                .dynamodb()
                .query()
                .table_name(&self.names().collections)
                .key_condition_expression("id = :id AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":id", text(log.to_string()))
                .expression_attribute_values(":from", text(format!("L#{from:012}#")))
                .expression_attribute_values(":to", text("L#~"))
                .consistent_read(consistency == Consistency::Strong)
                .limit(limit)
                .set_exclusive_start_key(start.take());
            let answer = self.query(query).await?;
            for item in answer.items() {
                let sk = item.text("sk")?;
                if sk.ends_with('D') {
                    marks.insert(seq_of(sk)?, super::marks::read_marks(item));
                } else {
                    let commit = read_commit(item)?;
                    let its_marks = marks.within(commit.from, commit.seq);
                    commits.push((commit, its_marks));
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() || !commits.is_empty() {
                return Ok((commits, start.is_some()));
            }
            limit = limit.saturating_mul(2).min(MAX_ITEMS);
        }
    }

    /// The last commits of a log, newest first, read consistently: `count` of them or some more,
    /// as far as there are, below sequence number `below` if given.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn last_commits(
        &self,
        log: LogId,
        below: Option<u64>,
        count: usize,
    ) -> Result<Vec<Commit>, StoreError> {
        let to = below.map_or_else(|| "L#~".to_owned(), |seq| format!("L#{seq:012}#"));
        let mut commits = Vec::new();
        let mut start: Option<Item> = None;
        let mut limit = i32::try_from(count).unwrap_or(MAX_ITEMS);
        loop {
            let query = self
                .dynamodb()
                .query()
                .table_name(&self.names().collections)
                .key_condition_expression("id = :id AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":id", text(log.to_string()))
                .expression_attribute_values(":from", text("L#"))
                .expression_attribute_values(":to", text(&to))
                .scan_index_forward(false)
                .consistent_read(true)
                .limit(limit.clamp(1, MAX_ITEMS))
                .set_exclusive_start_key(start.take());
            let answer = self.query(query).await?;
            let before = commits.len();
            for item in answer.items() {
                if item.text("sk")?.ends_with('S') {
                    commits.push(read_commit(item)?);
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() || commits.len() >= count {
                return Ok(commits);
            }
            // A compacted commit may have many items of marks.
            limit = if commits.len() == before {
                limit.saturating_mul(2)
            } else {
                i32::try_from(count - commits.len()).unwrap_or(MAX_ITEMS)
            };
        }
    }

    /// The sequence number from which to search for the first entry after `position`: nothing
    /// before it lies after `position`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn search_start(&self, log: LogId, position: Position) -> Result<u64, StoreError> {
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().collections)
            .key_condition_expression("id = :id AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":id", text(log.to_string()))
            .expression_attribute_values(":from", text("A#"))
            .expression_attribute_values(":to", text(format!("A#{:020}", position.micros())))
            .scan_index_forward(false)
            .limit(1);
        let answer = self.query(query).await?;
        match answer.items().first() {
            Some(hint) => Ok(hint.required_number("seq")? + 1),
            None => Ok(1),
        }
    }
}
