//! The reads of those that follow a log. Connections of one process do so side by side, so what
//! several ask for at once is read once.

use std::collections::HashMap;
use std::sync::Arc;

use super::together::Together;
use super::{Consistency, Head, Store, StoreError};
use crate::id::ObjectId;
use crate::log::{Commit, CommitMarks, LogId};

type Commits = (Vec<(Commit, CommitMarks)>, bool);
type Heads = HashMap<ObjectId, Head>;
type Relationships = (Vec<ObjectId>, bool);
/// Those of an object, after one of them, so many.
type RelationshipsAsked = (ObjectId, Option<ObjectId>, i32);

/// What is read together, by what was asked.
#[derive(Debug, Default)]
pub(super) struct Following {
    commits: Arc<Together<(LogId, u64, i32, Consistency), Commits>>,
    heads: Arc<Together<(Vec<ObjectId>, bool), Heads>>,
    relationships: Arc<Together<RelationshipsAsked, Relationships>>,
}

impl Store {
    /// As [`Store::commits_from`], for one of many that follow the log.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn follow_commits(
        &self,
        log: LogId,
        from: u64,
        items: i32,
        consistency: Consistency,
    ) -> Result<Commits, StoreError> {
        let store = self.clone();
        let read = async move { store.commits_from(log, from, items, consistency).await };
        self.0.following.commits.read((log, from, items, consistency), read).await
    }

    /// As [`Store::heads`], for one of many that follow a log.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn follow_heads(
        &self,
        mut ids: Vec<ObjectId>,
        consistent: bool,
    ) -> Result<Heads, StoreError> {
        ids.sort_unstable();
        let (store, wanted) = (self.clone(), ids.clone());
        let read = async move { store.heads(&wanted, consistent).await };
        self.0.following.heads.read((ids, consistent), read).await
    }

    /// As [`Store::relationships_of`], for one of many that follow a log.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn follow_relationships(
        &self,
        end: &ObjectId,
        after: Option<ObjectId>,
        limit: i32,
    ) -> Result<Relationships, StoreError> {
        let (store, id, from) = (self.clone(), end.clone(), after.clone());
        let read = async move { store.relationships_of(&id, from.as_ref(), limit).await };
        self.0.following.relationships.read((end.clone(), after, limit), read).await
    }
}
