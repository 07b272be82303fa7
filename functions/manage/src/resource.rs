//! What a resource has to say of itself to be managed.

use serde_json::Value;
use shared::http::{ApiError, Query};

use crate::operator::Operator;
use crate::refusal::Refusal;

/// A page of a list, and the place after which the next one begins, if there is one.
pub type Page<T> = (Vec<T>, Option<String>);

/// What was made, and what of it is shown this once.
pub struct Made<T> {
    /// The resource.
    pub stored: T,
    /// Members of this answer only.
    pub once: Vec<(&'static str, Value)>,
}

/// A kind of resource.
pub trait Resource {
    /// Its segment of the path, and its member in lists: `tenants`.
    const NAME: &'static str;
    /// One of them, in messages: `tenant`.
    const ONE: &'static str;
    /// Whether one can be changed once it is made.
    const CHANGES: bool = true;
    /// Whether all that is shown stays as it is until the revision rises.
    const STEADY: bool = true;
    /// Query parameters that narrow a list.
    const FILTERS: &'static [&'static str] = &[];
    /// One, as it is stored.
    type Stored;

    /// Its id.
    fn id(stored: &Self::Stored) -> String;
    /// Its revision, which is its `ETag`.
    fn revision(stored: &Self::Stored) -> u64;
    /// How it is shown.
    fn shown(stored: &Self::Stored) -> Value;
    /// What of it may be changed, as it is.
    fn settings(stored: &Self::Stored) -> Value;

    /// Those after the place `after`, at most `limit`.
    async fn page(
        operator: &Operator<'_>,
        query: &Query,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Self::Stored>, ApiError>;
    /// The one with this id, or another name it has.
    async fn find(operator: &Operator<'_>, name: &str) -> Result<Option<Self::Stored>, ApiError>;
    /// Makes one.
    async fn create(operator: &Operator<'_>, body: Value) -> Result<Made<Self::Stored>, Refusal>;
    /// Gives one that is as `known` these settings; `patch` is what the request asked for.
    async fn change(
        operator: &Operator<'_>,
        known: &Self::Stored,
        patch: &Value,
        settings: Value,
    ) -> Result<Self::Stored, Refusal>;
    /// Deletes one that is as `known`.
    async fn delete(operator: &Operator<'_>, known: &Self::Stored) -> Result<(), Refusal>;
}
