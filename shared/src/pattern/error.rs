//! Why a text is no STIX pattern, and where.

use thiserror::Error;

use super::{MAX_BYTES, MAX_DEPTH};

/// Why a text is no STIX pattern: the place and the [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at line {line}, column {column} (byte {offset}): {problem}")]
pub struct PatternError {
    offset: usize,
    line: usize,
    column: usize,
    problem: Problem,
}

/// What is wrong at the place a [`PatternError`] names.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// Longer than [`MAX_BYTES`].
    #[error("a pattern has at most {MAX_BYTES} bytes, this one has {0}")]
    TooLong(usize),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("parentheses nest at most {MAX_DEPTH} deep")]
    TooDeep,
    /// A word, number or sign that cannot stand here.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What can stand here.
        expected: &'static str,
        /// What stands here, quoted and cut to 40 characters.
        found: String,
    },
    /// A character that occurs nowhere in patterns outside strings.
    #[error("{0:?} has no meaning in a pattern outside of a string")]
    StrayCharacter(char),
    /// A string without its closing quote.
    #[error("this string is not closed: it ends with `'` (inside it, a quote is written `\\'`)")]
    UnclosedText,
    /// A backslash before something else than `\` or `'`.
    #[error("in a string a backslash is written `\\\\` and a quote `\\'`; no other escape exists")]
    BadEscape,
    /// `/*` without `*/`.
    #[error("this comment is not closed: it ends with `*/`")]
    UnclosedComment,
    /// `h'…'` with something else than pairs of hexadecimal digits.
    #[error("between the quotes of h'…' stand pairs of hexadecimal digits")]
    BadHex,
    /// `b'…'` with something else than Base64.
    #[error("between the quotes of b'…' stands Base64 with its padding")]
    BadBinary,
    /// `t'…'` with something else than a timestamp.
    #[error("between the quotes of t'…' stands a timestamp such as 2026-05-15T08:30:00.000Z")]
    BadTimestamp,
    /// An integer such as `007`.
    #[error("an integer does not begin with superfluous zeros")]
    LeadingZero,
    /// An integer outside 64 bits or a float outside double precision.
    #[error("this number is too large: integers have 64 bits, floats double precision")]
    NumberRange,
    /// A second qualifier of one kind directly on an observation.
    #[error(
        "an observation has one {0} at most: put the observation with its first in parentheses"
    )]
    RepeatedQualifier(&'static str),
}

impl PatternError {
    pub(super) fn new(text: &str, offset: usize, problem: Problem) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
        Self { offset, line, column, problem }
    }

    /// Where in the text, in bytes from its beginning; at most the text's length.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The line, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The column, in characters from 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// What is wrong there.
    #[must_use]
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }
}
