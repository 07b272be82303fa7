//! The canonical spelling: one blank between words, parentheses only where the tree needs them.

use std::fmt::{self, Display, Formatter};

use super::ast::{
    Comparison, Literal, ObjectPath, Observation, Predicate, Qualifier, Relation, Seconds, Step,
    TextOperator,
};
use super::token::is_plain_name;
use super::{Pattern, escape};

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl Observation {
    /// How tightly it holds together: 0 for `FOLLOWEDBY` to 4 for what needs no parentheses.
    const fn strength(&self) -> u8 {
        match self {
            Self::FollowedBy(_) => 0,
            Self::Or(_) => 1,
            Self::And(_) => 2,
            Self::Qualified { .. } => 3,
            Self::Test(_) => 4,
        }
    }
}

impl Display for Observation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let own = self.strength();
        let bare = |part: &Self| part.strength() > own;
        match self {
            Self::Test(comparison) => write!(f, "[{comparison}]"),
            Self::And(parts) => chain(f, parts, " AND ", bare),
            Self::Or(parts) => chain(f, parts, " OR ", bare),
            Self::FollowedBy(parts) => chain(f, parts, " FOLLOWEDBY ", bare),
            Self::Qualified { inner, qualifiers } => {
                part(f, inner.as_ref(), bare(inner))?;
                qualifiers.iter().try_for_each(|qualifier| write!(f, " {qualifier}"))
            }
        }
    }
}

impl Display for Qualifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(Seconds::Whole(seconds)) => write!(f, "WITHIN {seconds} SECONDS"),
            Self::Within(Seconds::Fraction(seconds)) => {
                write!(f, "WITHIN ")?;
                float(f, *seconds)?;
                write!(f, " SECONDS")
            }
            Self::Repeats(times) => write!(f, "REPEATS {times} TIMES"),
            Self::StartStop { start, stop } => write!(f, "START t'{start}' STOP t'{stop}'"),
        }
    }
}

impl Comparison {
    const fn strength(&self) -> u8 {
        match self {
            Self::Or(_) => 0,
            Self::And(_) => 1,
            Self::Test { .. } | Self::Exists { .. } => 2,
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let own = self.strength();
        let bare = |part: &Self| part.strength() > own;
        let not = |negated: bool| if negated { "NOT " } else { "" };
        match self {
            Self::And(parts) => chain(f, parts, " AND ", bare),
            Self::Or(parts) => chain(f, parts, " OR ", bare),
            Self::Test { path, negated, predicate } => {
                write!(f, "{path} {}{predicate}", not(*negated))
            }
            Self::Exists { path, negated } => write!(f, "{}EXISTS {path}", not(*negated)),
        }
    }
}

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relation(relation, literal) => write!(f, "{} {literal}", relation.spelling()),
            Self::In(members) => {
                write!(f, "IN (")?;
                chain(f, members, ", ", |_| true)?;
                write!(f, ")")
            }
            Self::Text(operator, text) => write!(f, "{} '{}'", operator.spelling(), escape(text)),
        }
    }
}

impl Relation {
    const fn spelling(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl TextOperator {
    const fn spelling(self) -> &'static str {
        match self {
            Self::Like => "LIKE",
            Self::Matches => "MATCHES",
            Self::IsSubset => "ISSUBSET",
            Self::IsSuperset => "ISSUPERSET",
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "'{}'", escape(text)),
            Self::Integer(number) => number.fmt(f),
            Self::Float(number) => float(f, *number),
            Self::Boolean(value) => value.fmt(f),
            Self::Hex(digits) => write!(f, "h'{digits}'"),
            Self::Binary(base64) => write!(f, "b'{base64}'"),
            Self::Timestamp(text) => write!(f, "t'{text}'"),
        }
    }
}

impl Display for ObjectPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.object_type)?;
        for (position, step) in self.steps.iter().enumerate() {
            let dot = if position == 0 { "" } else { "." };
            match step {
                Step::Key(key) if is_plain_name(key) => write!(f, "{dot}{key}")?,
                Step::Key(key) => write!(f, "{dot}'{}'", escape(key))?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Any => write!(f, "[*]")?,
            }
        }
        Ok(())
    }
}

fn chain<T: Display>(
    f: &mut Formatter<'_>,
    parts: &[T],
    between: &str,
    bare: impl Fn(&T) -> bool,
) -> fmt::Result {
    for (position, each) in parts.iter().enumerate() {
        if position > 0 {
            f.write_str(between)?;
        }
        part(f, each, bare(each))?;
    }
    Ok(())
}

fn part<T: Display>(f: &mut Formatter<'_>, part: &T, bare: bool) -> fmt::Result {
    if bare { write!(f, "{part}") } else { write!(f, "({part})") }
}

/// Always with a point and never with an exponent, which the grammar does not have.
fn float(f: &mut Formatter<'_>, number: f64) -> fmt::Result {
    let digits = number.to_string();
    f.write_str(&digits)?;
    if digits.contains('.') { Ok(()) } else { f.write_str(".0") }
}
