//! `cursor`: where an export goes on, and what it asked for.

use serde::{Deserialize, Serialize};
use shared::cursor;
use shared::http::{ApiError, Call};
use shared::log::Mark;
use shared::services::Services;
use shared::store::StoreError;

use crate::parameters::{self, Ask, refused};

const PURPOSE: &str = "stix-export-1";
/// No cursor this service makes is longer.
const MAX_TEXT: usize = 400;

/// Where an export goes on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cursor {
    ask: Ask,
    after: Mark,
}

impl Cursor {
    /// A cursor to what follows after an indicator.
    pub fn new(ask: Ask, after: Mark) -> Self {
        Self { ask, after }
    }

    /// The text a client carries.
    pub async fn seal(&self, services: &Services) -> Result<String, ApiError> {
        let sealed = cursor::seal(&services.cursor_secret().await?, PURPOSE, self);
        Ok(sealed.map_err(|fault| StoreError::Damaged(fault.to_string()))?)
    }
}

/// What a request asks for, and where it goes on. With a cursor, everything but `limit` is the
/// cursor's; what stands beside it must be well-formed all the same.
pub async fn asked(services: &Services, call: &Call) -> Result<(Ask, Option<Mark>), ApiError> {
    let query = call.query()?;
    let sent = Ask::parse(&query)?;
    let Some(text) = query.one("cursor")? else { return Ok((sent, None)) };
    let secret = services.cursor_secret().await?;
    let sent_back = Some(text).filter(|text| text.len() <= MAX_TEXT);
    let opened: Option<Cursor> = sent_back.and_then(|text| cursor::open(&secret, PURPOSE, text));
    let Some(cursor) = opened else {
        return Err(refused("cursor", "what this service gave as X-Next-Cursor", text));
    };
    let limit = parameters::limit(&query)?.unwrap_or(cursor.ask.limit);
    Ok((Ask { limit, ..cursor.ask }, Some(cursor.after)))
}
