//! The operators of conditions.

use std::fmt;

/// How a key is compared with the values of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    NotEq,
    /// Greater, later.
    Gt,
    /// Greater or equal, not earlier.
    Gte,
    /// Less, earlier.
    Lt,
    /// Less or equal, not later.
    Lte,
    /// The object has no such value.
    Nil,
    /// The object has such a value.
    NotNil,
    /// Has the text within.
    Contains,
    /// Has not the text within.
    NotContains,
    /// Begins with the text.
    StartsWith,
    /// Ends with the text.
    EndsWith,
}

impl Operator {
    /// All operators, in the order in which the documentation lists them.
    pub const ALL: [Self; 12] = [
        Self::Eq,
        Self::NotEq,
        Self::Gt,
        Self::Gte,
        Self::Lt,
        Self::Lte,
        Self::Nil,
        Self::NotNil,
        Self::Contains,
        Self::NotContains,
        Self::StartsWith,
        Self::EndsWith,
    ];

    /// The operator's name in a filter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::NotEq => "not_eq",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Nil => "nil",
            Self::NotNil => "not_nil",
            Self::Contains => "contains",
            Self::NotContains => "not_contains",
            Self::StartsWith => "starts_with",
            Self::EndsWith => "ends_with",
        }
    }

    /// The operator of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.name() == name)
    }

    /// Whether it says what must not be, so that its values are joined by `and` by default.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        matches!(self, Self::NotEq | Self::NotContains)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
