//! Why a filter is refused when it is saved.

use thiserror::Error;

use super::key::Key;
use super::operator::Operator;

/// What is wrong with a filter, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilterError {
    /// Groups within groups, further than the bound.
    #[error("groups are nested more than {max} deep")]
    TooDeep {
        /// The bound.
        max: usize,
    },
    /// More conditions and groups than the bound.
    #[error("a filter has at most {max} conditions and groups")]
    TooManyFilters {
        /// The bound.
        max: usize,
    },
    /// More values, over all conditions, than the bound.
    #[error("a filter has at most {max} values in all its conditions")]
    TooManyValues {
        /// The bound.
        max: usize,
    },
    /// A value longer than the bound.
    #[error("a value of `{key}` is longer than {max} bytes: {start:?}…")]
    ValueTooLong {
        /// Whose value.
        key: Key,
        /// How the value begins.
        start: String,
        /// The bound, in bytes.
        max: usize,
    },
    /// A key that is none.
    #[error("unknown key {0:?}: use {keys}", keys = listed(Key::own_names()))]
    UnknownKey(String),
    /// An operator that is none.
    #[error("unknown operator {operator:?}: with `{key}` use {allowed}", allowed = operators(*key))]
    UnknownOperator {
        /// The operator as written, cut short.
        operator: String,
        /// The key it was used with.
        key: Key,
    },
    /// An operator the key does not take.
    #[error("`{operator}` does not apply to `{key}`: use {allowed}", allowed = operators(*key))]
    OperatorNotAllowed {
        /// The operator.
        operator: Operator,
        /// The key it was used with.
        key: Key,
    },
    /// A comparison with nothing.
    #[error("`{operator}` on `{key}` needs at least one value; for an absent one use nil")]
    NoValues {
        /// The operator.
        operator: Operator,
        /// The key.
        key: Key,
    },
    /// Values where none are compared.
    #[error("`{operator}` on `{key}` takes no values")]
    ValuesNotTaken {
        /// The operator.
        operator: Operator,
        /// The key.
        key: Key,
    },
    /// A value of the wrong kind.
    #[error("{value:?} is no value of `{key}`: use {expected}")]
    BadValue {
        /// The key.
        key: Key,
        /// The value as written, cut short.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// An author given by a name that stands for no identity.
    #[error("no identity is named {0:?}: use the id of an identity, or load the identity first")]
    UnknownAuthor(String),
}

/// As much of a text as an error shows.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

/// `a, b or c`.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => names.concat(),
    }
}

fn operators(key: Key) -> String {
    listed(key.operators().iter().map(|operator| operator.name()))
}
