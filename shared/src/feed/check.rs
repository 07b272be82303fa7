//! What is wrong with a feed's settings.

use std::collections::HashSet;

use thiserror::Error;

use super::definition::{FeedSettings, Format};

/// Ten years.
const MAX_ROLLING: u32 = 5_256_000;
const MAX_EVERY: u32 = 1440;
const MAX_COLUMNS: usize = 100;

/// A fault in a feed's settings, told by the member that has it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FeedFault {
    /// `name`.
    #[error("`name` has 1 to 200 characters and no line break or other control character")]
    Name,
    /// `rolling_minutes`.
    #[error("`rolling_minutes` is {0}: use 1 to {MAX_ROLLING}, or leave it out for everything")]
    Rolling(u32),
    /// `publish_every_minutes`.
    #[error("`publish_every_minutes` is {0}: use 1 to {MAX_EVERY}")]
    Every(u32),
    /// `separator`.
    #[error(
        "`separator` is {0:?}: use one printable ASCII character or a tab, no letter, digit, quote, space or #"
    )]
    Separator(char),
    /// `list_separator`.
    #[error(
        "`list_separator` is {0:?}: use 1 to 5 printable ASCII characters without quotes, other than `separator`"
    )]
    ListSeparator(String),
    /// There is no column, or there are too many.
    #[error("`columns` has {0} entries: use 1 to {MAX_COLUMNS}")]
    ColumnCount(usize),
    /// A column's name.
    #[error(
        "`columns`: the name {0:?} is not 1 to 100 characters without quotes, line breaks or a leading #"
    )]
    ColumnName(String),
    /// Two columns of one name.
    #[error("`columns`: two are called {0:?}")]
    ColumnTwice(String),
    /// A change that moves columns readers know.
    #[error(
        "`columns` begins with {before}, readers count on that: append new columns at the end, or make another feed"
    )]
    ColumnsMoved {
        /// The names of the columns so far.
        before: String,
    },
    /// `formats` is empty or names one twice.
    #[error(
        "`formats` names each of csv, csv.gz, txt, json, splunk, sentinel at most once, and at least one"
    )]
    Formats,
    /// `plans` or `tenants` is there, but empty.
    #[error("`{0}` is empty, so nobody could read the feed: name some, or leave it out for all")]
    Nobody(&'static str),
}

impl FeedSettings {
    /// Looks for faults that need nothing but the settings.
    ///
    /// # Errors
    /// Names the first member that is wrong, and what would be right.
    pub fn check(&self) -> Result<(), FeedFault> {
        let length = self.name.chars().count();
        if !(1..=200).contains(&length)
            || self.name.trim().is_empty()
            || self.name.chars().any(super::clean::breaks_lines)
        {
            return Err(FeedFault::Name);
        }
        if let Some(minutes) = self.rolling_minutes.filter(|m| !(1..=MAX_ROLLING).contains(m)) {
            return Err(FeedFault::Rolling(minutes));
        }
        if !(1..=MAX_EVERY).contains(&self.publish_every_minutes) {
            return Err(FeedFault::Every(self.publish_every_minutes));
        }
        let separates = self.separator == '\t'
            || (self.separator.is_ascii_punctuation() && !"\"'#".contains(self.separator));
        if !separates {
            return Err(FeedFault::Separator(self.separator));
        }
        let list = &self.list_separator;
        let joins = (1..=5).contains(&list.len())
            && list.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'"')
            && *list != self.separator.to_string();
        if !joins {
            return Err(FeedFault::ListSeparator(list.chars().take(20).collect()));
        }
        self.check_columns()?;
        let mut formats = HashSet::<Format>::new();
        if self.formats.is_empty() || !self.formats.iter().all(|format| formats.insert(*format)) {
            return Err(FeedFault::Formats);
        }
        if self.plans.as_ref().is_some_and(Vec::is_empty) {
            return Err(FeedFault::Nobody("plans"));
        }
        if self.tenants.as_ref().is_some_and(Vec::is_empty) {
            return Err(FeedFault::Nobody("tenants"));
        }
        Ok(())
    }

    fn check_columns(&self) -> Result<(), FeedFault> {
        if !(1..=MAX_COLUMNS).contains(&self.columns.len()) {
            return Err(FeedFault::ColumnCount(self.columns.len()));
        }
        let mut names = HashSet::new();
        for column in &self.columns {
            let name = column.name();
            let good = (1..=100).contains(&name.chars().count())
                && !name.starts_with('#')
                && !name.chars().any(|c| c == '"' || super::clean::breaks_lines(c));
            if !good {
                return Err(FeedFault::ColumnName(name.chars().take(100).collect()));
            }
            if !names.insert(name) {
                return Err(FeedFault::ColumnTwice(name.to_owned()));
            }
        }
        Ok(())
    }

    /// Looks for what a change must not do to readers of the feed as it was `before`.
    ///
    /// # Errors
    /// When a column of before is no longer where it was.
    pub fn check_change(&self, before: &Self) -> Result<(), FeedFault> {
        let names = |settings: &Self| -> Vec<String> {
            settings.columns.iter().map(|column| column.name().to_owned()).collect()
        };
        let (old, new) = (names(before), names(self));
        if new.starts_with(&old) {
            return Ok(());
        }
        Err(FeedFault::ColumnsMoved { before: old.join(", ") })
    }
}
