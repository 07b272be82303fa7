//! From a filter's text to its terms, as they are written.

use super::error::{FilterError, shown};
use super::{KEYS, MAX_TERMS};

/// One term as it is written.
#[derive(Debug)]
pub(super) struct Written {
    /// The key, one of those there are.
    pub key: &'static str,
    /// The value without its quotes; a date's lost plus is a space at its end.
    pub value: String,
}

/// Reads the terms of a filter.
pub(super) fn terms(text: &str) -> Result<Vec<Written>, FilterError> {
    let mut terms = Vec::new();
    let mut rest = text.trim_start_matches(' ');
    while !rest.is_empty() {
        if terms.len() == MAX_TERMS {
            return Err(FilterError::TooManyTerms);
        }
        let (written, after) = term(rest)?;
        terms.push(written);
        rest = after.trim_start_matches(' ');
    }
    Ok(terms)
}

fn term(text: &str) -> Result<(Written, &str), FilterError> {
    let word = text.split(' ').next().unwrap_or_default();
    let Some((name, _)) = word.split_once(':') else {
        return Err(FilterError::NoKey(shown(word)));
    };
    let key = KEYS.into_iter().find(|key| *key == name);
    let key = key.ok_or_else(|| FilterError::UnknownKey(shown(name)))?;
    let value = text.get(name.len() + 1..).unwrap_or_default();
    let (value, after) = match value.strip_prefix('"') {
        Some(inner) => quoted(key, inner)?,
        None => bare(key, value),
    };
    if value.is_empty() || value == " " {
        return Err(FilterError::NoValue(key));
    }
    Ok((Written { key, value }, after))
}

/// A value up to the next space.
fn bare<'a>(key: &str, text: &'a str) -> (String, &'a str) {
    let (value, after) = text.split_at(text.find(' ').unwrap_or(text.len()));
    let mut value = value.to_owned();
    // What is behind a date without a sign: nothing but spaces, or more than one.
    let lost_plus = after.starts_with("  ") || (after.starts_with(' ') && after.trim().is_empty());
    if key == "date" && lost_plus && !value.ends_with(['+', '-']) {
        value.push(' ');
    }
    (value, after)
}

/// A value up to its closing quote; a backslash takes the meaning from a quote or a backslash.
fn quoted<'a>(key: &'static str, text: &'a str) -> Result<(String, &'a str), FilterError> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let after = text.get(at + 1..).unwrap_or_default();
                if !after.is_empty() && !after.starts_with(' ') {
                    return Err(FilterError::AfterQuote(key, shown(after)));
                }
                return Ok((value, after));
            }
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                Some((_, other)) => value.extend(['\\', other]),
                None => return Err(FilterError::OpenQuote(key)),
            },
            other => value.push(other),
        }
    }
    Err(FilterError::OpenQuote(key))
}
