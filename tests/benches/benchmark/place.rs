//! The pages that are read: how many objects, from where in which collection.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use shared::time::Position;

use crate::floor::CommitQuery;
use crate::http_client::Connection;
use crate::packed_log::PackedLog;
use crate::system::System;

/// Where pages begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// At the beginning of the log.
    First,
    /// Deep within, led there by a cursor.
    DeepByNext,
    /// Deep within, asked for by time.
    DeepByAddedAfter,
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 3] = [Self::First, Self::DeepByNext, Self::DeepByAddedAfter];
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::First => "first page",
            Self::DeepByNext => "deep, by `next`",
            Self::DeepByAddedAfter => "deep, by `added_after`",
        })
    }
}

/// One page and what it stands on.
#[derive(Debug, Clone)]
pub struct PageAsk {
    /// Path and query of the request.
    pub path: String,
    /// The bare Query of the commits it takes.
    pub floor: CommitQuery,
    /// The time it is asked for by, which the log's hints are searched for.
    pub after: Option<Position>,
    /// Objects it holds.
    pub objects: usize,
}

impl PageAsk {
    /// A page of `limit` objects that begins with object `index`.
    pub async fn new(
        system: &System,
        log: &PackedLog,
        limit: usize,
        place: Place,
        index: usize,
    ) -> Self {
        let index = if place == Place::First { 0 } else { index };
        let after = (place == Place::DeepByAddedAfter).then(|| log.position(index - 1));
        let from = match (place, after) {
            (Place::DeepByNext, _) => format!("&next={}", cursor_to(system, log, index).await),
            (_, Some(after)) => format!("&added_after={after}"),
            (_, None) => String::new(),
        };
        let floor = CommitQuery {
            table: system.services().settings().names.collections.clone(),
            log: log.id().to_string(),
            // Whoever begins at the beginning begins with the first commit there ever was.
            seq: if place == Place::First { 1 } else { log.seq_of(index) },
            commits: CommitQuery::commits_for(limit),
        };
        let objects = limit.min(log.objects - index);
        Self { path: format!("{}?limit={limit}{from}", log.path()), floor, after, objects }
    }
}

/// The `next` that leads to object `index`, as the service gives it.
async fn cursor_to(system: &System, log: &PackedLog, index: usize) -> String {
    let before: usize = 10;
    let after = index.checked_sub(before + 1).map_or(Position::default(), |at| log.position(at));
    let path = format!("{}?limit={}&added_after={after}", log.path(), before.min(index));
    let mut connection = Connection::open(system.base_url(), system.reader()).await;
    let page = connection.get(&path).await;
    let page: Value = serde_json::from_slice(page.body()).expect("a page is JSON");
    page["next"].as_str().expect("there is more").to_owned()
}
