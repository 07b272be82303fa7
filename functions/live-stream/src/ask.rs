//! What a reader asks for: in the query or in headers, the query first (contract: live-stream,
//! "Asking").

use lambda_http::http::HeaderName;
use shared::http::{Call, Query, QueryError};
use shared::time::{Position, parse_instant};
use thiserror::Error;

use crate::event_id::EventId;

/// A parsed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The last event the reader has; absent: only what comes from now on.
    pub cursor: Option<EventId>,
    /// Up to here what is sent is called a replay.
    pub recover: Option<Position>,
    /// Whether relationships and their other ends are sent; absent: as the stream is set.
    pub dependencies: Option<bool>,
    /// Whether deletes are sent.
    pub deletes: bool,
    /// Whether the answer ends as soon as there was something to read, for what lies on the way
    /// and does not stream.
    pub finite: bool,
}

/// Why a request cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AskError {
    /// The query string itself.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A position that is none.
    #[error(
        "`{name}` must be an event id such as 1767225600000-999, milliseconds since 1970, 0, or a time such as 2026-01-01T00:00:00Z: {value:?}"
    )]
    Position {
        /// The parameter.
        name: &'static str,
        /// Its value, cut short.
        value: String,
    },
    /// A time that is none.
    #[error("`{name}` must be a time such as 2026-01-01T00:00:00Z: {value:?}")]
    Time {
        /// The parameter.
        name: &'static str,
        /// Its value, cut short.
        value: String,
    },
    /// A switch that is neither on nor off.
    #[error("`{name}` must be true or false: {value:?}")]
    Switch {
        /// The parameter.
        name: &'static str,
        /// Its value, cut short.
        value: String,
    },
}

/// A parameter: its name in the query, and the header of the same meaning.
const FROM: &str = "from";
const LAST_EVENT_ID: &str = "last-event-id";
const RECOVER: &str = "recover";
const NO_DEPENDENCIES: &str = "no-dependencies";
const LISTEN_DELETE: &str = "listen-delete";
const FINITE: &str = "finite";

impl Ask {
    /// Reads a request.
    ///
    /// # Errors
    /// Names the parameter that is malformed, and what would be right.
    pub fn parse(call: &Call) -> Result<Self, AskError> {
        let query = call.query()?;
        let from = position(call, &query, FROM)?;
        let last = position(call, &query, LAST_EVENT_ID)?;
        let recover = recover(call, &query)?;
        // To replay up to a time is to begin at the beginning, unless a start is given.
        let cursor = from.max(last).or(recover.map(|_| EventId::START));
        Ok(Self {
            cursor,
            recover,
            dependencies: switch(call, &query, NO_DEPENDENCIES)?.map(|no| !no),
            deletes: switch(call, &query, LISTEN_DELETE)?.unwrap_or(true),
            finite: switch(call, &query, FINITE)?.unwrap_or(false),
        })
    }
}

/// A parameter's value. An empty header is none: browsers send one before their first event.
fn value<'a>(
    call: &'a Call,
    query: &'a Query,
    name: &'static str,
) -> Result<Option<&'a str>, QueryError> {
    // The one name that comes in the letter case of its header.
    let spelt = if name == LAST_EVENT_ID { query.one("Last-Event-ID")? } else { None };
    if let Some(value) = query.one(name)?.or(spelt) {
        return Ok(Some(value.trim()));
    }
    let header = call.header(&HeaderName::from_static(name)).map(str::trim);
    Ok(header.filter(|value| !value.is_empty()))
}

fn shown(value: &str) -> String {
    value.chars().take(60).collect()
}

fn position(call: &Call, query: &Query, name: &'static str) -> Result<Option<EventId>, AskError> {
    let Some(text) = value(call, query, name)? else { return Ok(None) };
    let moment = || {
        let at = parse_instant(text).ok()?;
        Some(EventId::through(Position::at_or_before(at.to_utc())))
    };
    let parsed = EventId::parse(text).or_else(moment);
    parsed.map(Some).ok_or_else(|| AskError::Position { name, value: shown(text) })
}

fn recover(call: &Call, query: &Query) -> Result<Option<Position>, AskError> {
    let Some(text) = value(call, query, RECOVER)? else { return Ok(None) };
    let at = parse_instant(text);
    let at = at.map_err(|_| AskError::Time { name: RECOVER, value: shown(text) })?;
    Ok(Some(Position::at_or_before(at.to_utc())))
}

fn switch(call: &Call, query: &Query, name: &'static str) -> Result<Option<bool>, AskError> {
    let Some(text) = value(call, query, name)? else { return Ok(None) };
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => Err(AskError::Switch { name, value: shown(text) }),
    }
}
