//! The filter of the IOC stream: `key:value` terms that must all hold (contract: ioc-stream,
//! "Filter"). Pure.

mod date;
mod error;
mod selection;
mod terms;
#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, Utc};

use super::{EntityType, Named, Origin, SourceType};
use crate::time::Position;
use error::shown;
use terms::{Written, terms};

pub use error::FilterError;
pub use selection::Selection;

/// Bytes a filter may have.
pub const MAX_BYTES: usize = 4096;
/// Terms a filter may have.
pub const MAX_TERMS: usize = 50;
/// Every key. `tag` is short for `notification_tag`.
pub const KEYS: [&str; 8] = [
    "date",
    "origin",
    "entity_id",
    "entity_type",
    "source_type",
    "source_id",
    "notification_tag",
    "tag",
];

/// One term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// Caused at this moment or later.
    From(Position),
    /// Caused before this moment.
    Before(Position),
    /// Why there is a notification.
    Origin(Origin),
    /// The id of what it is about.
    EntityId(String),
    /// The type of what it is about.
    EntityType(EntityType),
    /// The type of what triggered it.
    SourceType(SourceType),
    /// The id of what triggered it.
    SourceId(String),
    /// One of its tags.
    Tag(String),
}

/// A filter: every term must hold. Without terms, everything matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotificationFilter {
    terms: Vec<Term>,
}

impl NotificationFilter {
    /// Reads a filter; ages are counted back from `now`. A space stands for the plus of a date
    /// whose sender did not encode it, where no other meaning is left: at the end of the filter or
    /// of a quoted value, and before another space.
    ///
    /// # Errors
    /// Names the term that is wrong, and what would be right.
    pub fn parse(text: &str, now: DateTime<Utc>) -> Result<Self, FilterError> {
        if text.len() > MAX_BYTES {
            return Err(FilterError::TooLong(text.len()));
        }
        Self::parse_written(text, now)
    }

    /// Reads a filter as this one writes it: names, dates and quotes written out may take what a
    /// client sent over [`MAX_BYTES`].
    ///
    /// # Errors
    /// Names the term that is wrong: of what was written by this, none is.
    pub fn parse_written(text: &str, now: DateTime<Utc>) -> Result<Self, FilterError> {
        let terms = terms(text)?.into_iter().map(|written| term(&written, now));
        Ok(Self { terms: terms.collect::<Result<_, _>>()? })
    }

    /// What the filter selects.
    #[must_use]
    pub fn selection(&self) -> Selection {
        self.terms.iter().fold(Selection::everything(), Selection::and)
    }
}

fn term(written: &Written, now: DateTime<Utc>) -> Result<Term, FilterError> {
    let value = written.value.as_str();
    Ok(match written.key {
        "date" => dated(value, now)?,
        "origin" => Term::Origin(named("origin", "origins", value)?),
        "entity_type" => Term::EntityType(named("entity_type", "entity types", value)?),
        "source_type" => Term::SourceType(named("source_type", "source types", value)?),
        "entity_id" => Term::EntityId(value.to_lowercase()),
        "source_id" => Term::SourceId(value.to_owned()),
        _ => Term::Tag(value.to_owned()),
    })
}

fn dated(value: &str, now: DateTime<Utc>) -> Result<Term, FilterError> {
    let position = |time: &str| {
        // More spaces than the one that was a plus are only spaces.
        let position = date::parse(time.trim_end_matches(' '), now);
        position.ok_or_else(|| FilterError::BadDate(shown(value.trim())))
    };
    if let Some(time) = value.strip_suffix(['+', ' ']) {
        return position(time).map(Term::From);
    }
    if let Some(time) = value.strip_suffix('-') {
        return position(time).map(Term::Before);
    }
    Err(FilterError::NoDirection(shown(value)))
}

fn named<T: Named>(key: &'static str, plural: &'static str, value: &str) -> Result<T, FilterError> {
    T::named(value).ok_or_else(|| FilterError::UnknownValue {
        key,
        value: shown(value),
        plural,
        valid: T::ALL.iter().map(|value| value.name()).collect::<Vec<_>>().join(","),
    })
}

impl fmt::Display for NotificationFilter {
    /// A spelling that [`NotificationFilter::parse_written`] reads back as the same filter at any
    /// time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match term {
                Term::From(at) => write!(f, "date:{at}+")?,
                Term::Before(at) => write!(f, "date:{at}-")?,
                Term::Origin(origin) => write!(f, "origin:{origin}")?,
                Term::EntityType(kind) => write!(f, "entity_type:{kind}")?,
                Term::SourceType(kind) => write!(f, "source_type:{kind}")?,
                Term::EntityId(id) => write!(f, "entity_id:{}", quoted(id))?,
                Term::SourceId(id) => write!(f, "source_id:{}", quoted(id))?,
                Term::Tag(tag) => write!(f, "tag:{}", quoted(tag))?,
            }
        }
        Ok(())
    }
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}
