//! `cursor`: where an export goes on, and what it asked for.

use serde::{Deserialize, Serialize};
use shared::cursor;
use shared::http::{ApiError, Call};
use shared::log::Mark;
use shared::services::Services;

use crate::parameters::{self, Ask, refused};

const FORMAT: u8 = 1;
const PURPOSE: &str = "stix-export";
/// No cursor this service makes is longer.
const MAX_TEXT: usize = 400;

/// Where an export goes on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cursor {
    format: u8,
    ask: Ask,
    after: Mark,
}

impl Cursor {
    /// A cursor to what follows after an indicator.
    pub fn new(ask: Ask, after: Mark) -> Self {
        Self { format: FORMAT, ask, after }
    }

    /// The text a client carries.
    pub async fn seal(&self, services: &Services) -> Result<String, ApiError> {
        Ok(cursor::seal(&services.cursor_secret().await?, PURPOSE, self)?)
    }
}

/// What a request asks for, and where it goes on. With a cursor, everything but `limit` is the
/// cursor's; what stands beside it must be well-formed all the same.
pub async fn asked(services: &Services, call: &Call) -> Result<(Ask, Option<Mark>), ApiError> {
    let query = call.query()?;
    let sent = Ask::parse(&query)?;
    let Some(text) = query.one("cursor")? else { return Ok((sent, None)) };
    let secret = services.cursor_secret().await?;
    let opened: Option<Cursor> = cursor::open(&secret, PURPOSE, text, MAX_TEXT)?;
    let Some(cursor) = opened.filter(|cursor| cursor.format == FORMAT) else {
        return Err(refused("cursor", "what this service gave as X-Next-Cursor", text));
    };
    let limit = parameters::limit(&query)?.unwrap_or(cursor.ask.limit);
    Ok((Ask { limit, ..cursor.ask }, Some(cursor.after)))
}
