//! Several logs as one, newest first: what the export reads.

use futures::future::try_join_all;

use super::newest::Newest;
use super::{Entry, LogId};
use crate::store::{Store, StoreError};
use crate::time::Position;

/// Where a reading of several logs goes on: after the entry that has this position in this log.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Mark {
    /// The position of the last entry that was taken.
    pub position: Position,
    /// The log it was taken from.
    pub log: LogId,
}

impl Mark {
    /// Before which position `log` goes on. Positions are unique in a log only: where they are
    /// alike, logs come in their own order.
    fn below(self, log: LogId) -> Position {
        if log > self.log { self.position.next() } else { self.position }
    }
}

/// Reads the current versions of the members of several logs, newest first, down to a position.
///
/// Of each log the end is read, then of each only as much as its part of what is taken: the
/// price follows the answer, however large the logs are.
pub struct NewestFirst<'a> {
    logs: Vec<Newest<'a>>,
    since: Position,
}

impl<'a> NewestFirst<'a> {
    /// A reader of the entries at `since` and after it, from the newest on or from `after` on.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn new(
        store: &'a Store,
        logs: impl IntoIterator<Item = LogId>,
        since: Position,
        after: Option<Mark>,
    ) -> Result<Self, StoreError> {
        let start = |log| async move {
            let mut log = Newest::new(store, log, after.map(|after| after.below(log))).await?;
            log.read_more(1).await?;
            Ok::<_, StoreError>(log)
        };
        let logs = try_join_all(logs.into_iter().map(start)).await?;
        Ok(Self { logs, since })
    }

    /// The next entry and the log it stands in, or `None` when there is none. `wanted` says how
    /// many more the caller expects to take, so that about as much is read.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn next(&mut self, wanted: usize) -> Result<Option<(Mark, Entry)>, StoreError> {
        loop {
            let bounds = self.logs.iter_mut().filter_map(|log| {
                let bound = log.bound()?;
                Some((bound, std::cmp::Reverse(log.log()), log))
            });
            let first = bounds.max_by_key(|(bound, log, _)| (*bound, *log));
            let Some((bound, _, log)) = first.filter(|(bound, ..)| *bound >= self.since) else {
                return Ok(None);
            };
            if let Some(entry) = log.pop() {
                return Ok(Some((Mark { position: bound, log: log.log() }, entry)));
            }
            log.read_more(wanted).await?;
        }
    }
}
