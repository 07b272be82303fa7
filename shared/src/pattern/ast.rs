//! The tree of a pattern.
//!
//! Parentheses leave no node: they are where the tree nests against precedence. `And`, `Or` and
//! `FollowedBy` have two parts or more, so a long chain is wide, not deep.

/// An observation expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Observation {
    /// `[ … ]`
    Test(Comparison),
    And(Vec<Observation>),
    Or(Vec<Observation>),
    FollowedBy(Vec<Observation>),
    /// An observation with at least one qualifier; directly on a `Test` each kind occurs once.
    Qualified {
        inner: Box<Observation>,
        qualifiers: Vec<Qualifier>,
    },
}

/// An observation qualifier.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Qualifier {
    Within(Seconds),
    Repeats(u64),
    /// Two timestamps as written.
    StartStop {
        start: String,
        stop: String,
    },
}

impl Qualifier {
    /// The keyword it begins with.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Within(_) => "WITHIN",
            Self::Repeats(_) => "REPEATS",
            Self::StartStop { .. } => "START",
        }
    }
}

/// The length of a `WITHIN`, never negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Seconds {
    Whole(u64),
    Fraction(f64),
}

/// A comparison expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Comparison {
    And(Vec<Comparison>),
    Or(Vec<Comparison>),
    /// `path [NOT] operator value`
    Test {
        path: ObjectPath,
        negated: bool,
        predicate: Predicate,
    },
    /// `[NOT] EXISTS path`
    Exists {
        path: ObjectPath,
        negated: bool,
    },
}

/// An operator with its right-hand side.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Predicate {
    Relation(Relation, Literal),
    In(Vec<Literal>),
    Text(TextOperator, String),
}

/// The operators that take one literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The operators that take a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextOperator {
    Like,
    Matches,
    IsSubset,
    IsSuperset,
}

/// A constant. Hex, binary and timestamp are kept as written between their quotes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Integer(i64),
    /// Always finite.
    Float(f64),
    Boolean(bool),
    Hex(String),
    Binary(String),
    Timestamp(String),
}

/// An object path: `type:first.second[0]`. `steps` begins with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ObjectPath {
    pub(super) object_type: String,
    pub(super) steps: Vec<Step>,
}

/// One component of a path after the type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(i64),
    /// `[*]`
    Any,
}
