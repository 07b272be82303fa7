//! What is wrong with a filter, in the words of the API it is compatible with.

use thiserror::Error;

use super::{KEYS, MAX_BYTES, MAX_TERMS};

/// Characters of a client's text that a message repeats.
const SHOWN: usize = 60;

/// Why a text is no filter. The message names what was wrong and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilterError {
    /// Over [`MAX_BYTES`].
    #[error("filter has {0} bytes, at most {MAX_BYTES} are taken")]
    TooLong(usize),
    /// Over [`MAX_TERMS`].
    #[error("filter has more than {MAX_TERMS} terms")]
    TooManyTerms,
    /// No colon.
    #[error(
        "filter term \"{0}\" is not valid. Write key:value, with quotes around a value that has spaces"
    )]
    NoKey(String),
    /// A key nobody knows.
    #[error("filter \"{0}\" is not valid. Valid filters are: {keys}", keys = KEYS.join(","))]
    UnknownKey(String),
    /// Nothing after the colon.
    #[error("filter \"{0}\" has no value. Write {0}:value")]
    NoValue(&'static str),
    /// A quote that is opened and never closed.
    #[error("filter \"{0}\" has a quoted value without its closing quote")]
    OpenQuote(&'static str),
    /// Something right behind a closing quote.
    #[error(
        "filter \"{0}\" goes on behind its closing quote with \"{1}\". Write \\\" for a quote within the value, and a space between terms"
    )]
    AfterQuote(&'static str, String),
    /// A value that is none of those that exist.
    #[error("{key} \"{value}\" is not valid. Valid {plural} are: {valid}")]
    UnknownValue {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
        /// The key in the plural, for people.
        plural: &'static str,
        /// The values there are.
        valid: String,
    },
    /// A date without a direction.
    #[error(
        "date \"{0}\" is not valid. It must end in + (from then on) or - (before then); in a URL write %2B for +"
    )]
    NoDirection(String),
    /// A date that is none.
    #[error(
        "date \"{0}\" is not valid. Valid dates are: 2023-02-07, 2023-02-07T10:00:00 (UTC, or with an offset), Unix seconds, or an age such as 12h or 1d"
    )]
    BadDate(String),
}

/// A client's text, cut short.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}
