//! STIX patterns (STIX 2.1, section 9): read, written back, and asked for the IOCs they name.
//!
//! What is accepted is what OASIS' grammar (`STIXPattern.g4` for 2.1) accepts, within limits
//! ([`MAX_BYTES`], [`MAX_DEPTH`], 64-bit integers, double-precision floats) and the one rule that
//! OASIS' validator adds to the syntax: each kind of qualifier stands at most once directly on a
//! `[…]`. Whether a value fits its property (a hash its length, say) is not asked.

mod ast;
mod comparison;
mod display;
mod error;
mod iocs;
mod lexer;
mod literal;
mod observation;
mod parser;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod tests;
mod token;

use std::str::FromStr;

pub use error::{PatternError, Problem};

use crate::stix::IocValue;

/// The longest pattern read, in bytes. A little above the largest object the service takes, so
/// that the object's limit is the one a client meets.
pub const MAX_BYTES: usize = 384 * 1024;

/// How deep parentheses may nest, those of observations and of comparisons counted together.
pub const MAX_DEPTH: usize = 64;

/// A STIX pattern that parsed.
///
/// Two patterns are equal when they have the same tree: blanks, comments, redundant parentheses
/// and the spelling of operators and numbers (`==`, `<>`, `+5`) do not count.
/// [`Display`](std::fmt::Display) writes it in one canonical spelling that parses to an equal
/// pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    root: ast::Observation,
}

impl Pattern {
    /// Every IOC the pattern names positively, in the order of the text, without repeats.
    ///
    /// Positively: by `=`, `IN`, `ISSUBSET` (addresses), `LIKE` without `%` and `_`, and `MATCHES`
    /// with a regular expression that can only match one value (`^…$`), none of them after `NOT`.
    #[must_use]
    pub fn iocs(&self) -> Vec<IocValue> {
        iocs::named_by(&self.root)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let root = parser::Parser::new(text)?.pattern()?;
        Ok(Self { root })
    }
}

/// `value` with `\` and `'` escaped, to stand between the quotes of a pattern's string.
#[must_use]
pub fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('\'', r"\'")
}
