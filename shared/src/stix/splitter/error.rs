//! Why a body cannot be split.

use thiserror::Error;

/// What is wrong with a body as a whole, and at which byte, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SplitError {
    /// Neither an object nor an array.
    #[error(
        "no envelope at byte {offset}: a body is a STIX bundle, a TAXII envelope or an array of \
         objects"
    )]
    NoEnvelope {
        /// Where another thing begins.
        offset: u64,
    },
    /// A byte that cannot be there.
    #[error("malformed JSON at byte {offset}: expected {expected}")]
    Malformed {
        /// Where.
        offset: u64,
        /// What could have been there.
        expected: &'static str,
    },
    /// The body ends in the middle.
    #[error("the body ends at byte {offset}, too early: expected {expected}")]
    EndsEarly {
        /// Where it ends.
        offset: u64,
        /// What could have come.
        expected: &'static str,
    },
    /// Something follows the end.
    #[error(
        "something follows the end of the JSON text at byte {offset}: expected nothing but white \
         space"
    )]
    AfterEnd {
        /// Where it begins.
        offset: u64,
    },
    /// `objects` is something else.
    #[error("`objects` at byte {offset} is not an array: expected an array of objects")]
    ObjectsNotArray {
        /// Where its value begins.
        offset: u64,
    },
    /// There is a second `objects`.
    #[error("a second `objects` ends at byte {offset}: expected all objects in one array")]
    ObjectsTwice {
        /// Where its name ends.
        offset: u64,
    },
    /// A skipped member has too much within.
    #[error("a member other than `objects` is nested more than {max} deep at byte {offset}")]
    TooDeep {
        /// Where.
        offset: u64,
        /// The bound.
        max: u32,
    },
}
