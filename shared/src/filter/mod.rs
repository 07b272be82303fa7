//! The one filter model of collections, and so of TAXII, streams and feeds: what an operator
//! writes ([`FilterGroup`]), checked once into a [`Filter`], which then decides about objects
//! without ever failing. No I/O.
//!
//! A condition compares a key of an object with values. With mode `or` one value has to hold,
//! with `and` every one; a key with several values (labels, say) holds for a filter value when
//! one of them does. A negative operator holds for a value when the positive one does not; its
//! mode is `and` unless the operator says `or`, so that `not_eq` of two labels means neither.
//! Strings compare trimmed and in lower case.

mod authors;
mod compile;
mod condition;
mod entity_type;
mod error;
mod evaluate;
mod key;
mod model;
mod operator;
mod probe;
mod span;
mod text;

#[cfg(test)]
mod tests;

pub use authors::AuthorIds;
pub use compile::{MAX_DEPTH, MAX_FILTERS, MAX_VALUE_BYTES, MAX_VALUES};
pub use error::FilterError;
pub use key::Key;
pub use model::{FilterGroup, FilterKey, Mode, WrittenFilter};
pub use operator::Operator;

use crate::stix::Facets;
use crate::tlp::Tlp;
use condition::Node;

/// The owner of what the operator, not a tenant, wrote ([`Subject::owner`]).
pub const OPERATOR: &str = "operator";

/// A checked filter. Deciding about an object never fails and depends on nothing but the object.
#[derive(Clone, Debug)]
pub struct Filter {
    root: Node,
}

/// What a filter decides about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The object's facets.
    pub facets: &'a Facets,
    /// The object's TLP level, as worked out for access.
    pub level: Tlp,
    /// Who owns the object: [`OPERATOR`] or a tenant id.
    pub owner: &'a str,
}

impl Filter {
    /// Whether `subject` matches. An empty filter matches everything.
    #[must_use]
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.root.holds(subject)
    }

    /// Whether the filter says `owner: any`, so that any tenant's objects may enter.
    ///
    /// Only when every way of matching goes through that condition: in an `or` group each
    /// branch has to say it, or it would open the other branches as well.
    #[must_use]
    pub fn owner_any(&self) -> bool {
        self.root.says_owner_any()
    }
}
