//! The collections table read from the end of a log to its beginning.

use super::commits::{commit_key, marks_key, read_commit, seq_of};
use super::item::{ReadItem, text};
use super::{Consistency, Store, StoreError};
use crate::log::{Commit, LogId, Marks};
use crate::time::Position;

/// Up to where a log is read, itself included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpTo {
    /// The end of the log.
    End,
    /// The commit with this number.
    Commit(u64),
    /// The marks of the entries appended in this commit.
    Marks(u64),
    /// What lies before the marks of this commit.
    Before(u64),
}

impl UpTo {
    fn key(self) -> String {
        match self {
            Self::End => "L#~".to_owned(),
            Self::Commit(seq) => commit_key(seq),
            Self::Marks(seq) => marks_key(seq),
            Self::Before(seq) => format!("L#{seq:012}#"),
        }
    }
}

/// An item of a log.
#[derive(Clone, Debug)]
pub enum LogPart {
    /// A commit.
    Commit(Commit),
    /// The marks of entries that were appended in the commit with this number.
    Marks(u64, Marks),
}

impl LogPart {
    /// Its number.
    #[must_use]
    pub fn seq(&self) -> u64 {
        match self {
            Self::Commit(commit) => commit.seq,
            Self::Marks(seq, _) => *seq,
        }
    }

    /// What lies right before it.
    #[must_use]
    pub fn before(&self) -> UpTo {
        match self {
            Self::Commit(commit) => UpTo::Marks(commit.seq),
            Self::Marks(seq, _) => UpTo::Before(*seq),
        }
    }
}

impl Store {
    /// Parts of a log from number `from` up to `to`, the last ones first: what one Query of at
    /// most `items` items brings. Says whether there may be more.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn log_backwards(
        &self,
        log: LogId,
        from: u64,
        to: UpTo,
        items: i32,
        consistency: Consistency,
    ) -> Result<(Vec<LogPart>, bool), StoreError> {
        let from = format!("L#{from:012}#");
        // Nothing lies between: a Query would be refused.
        if to.key() < from {
            return Ok((Vec::new(), false));
        }
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().collections)
            .key_condition_expression("id = :id AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":id", text(log.to_string()))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to.key()))
            .scan_index_forward(false)
            .consistent_read(consistency == Consistency::Strong)
            .limit(items.max(1));
        let answer = self.query(query).await?;
        let parts = answer.items().iter().map(|item| {
            let sk = item.text("sk")?;
            Ok(if sk.ends_with('D') {
                LogPart::Marks(seq_of(sk)?, super::marks::read_marks(item))
            } else {
                LogPart::Commit(read_commit(item)?)
            })
        });
        Ok((parts.collect::<Result<_, StoreError>>()?, answer.last_evaluated_key.is_some()))
    }

    /// A number of which no entry before `position` was appended in a later commit, if a hint
    /// tells one.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn search_end(
        &self,
        log: LogId,
        position: Position,
    ) -> Result<Option<u64>, StoreError> {
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().collections)
            .key_condition_expression("id = :id AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":id", text(log.to_string()))
            .expression_attribute_values(":from", text(format!("A#{:020}", position.micros())))
            .expression_attribute_values(":to", text("A#~"))
            .limit(1);
        let answer = self.query(query).await?;
        answer.items().first().map(|hint| hint.required_number("seq")).transpose()
    }
}
