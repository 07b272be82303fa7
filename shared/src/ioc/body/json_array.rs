//! A JSON array of IOCs.

use serde_json::value::RawValue;

use super::{BOM, MAX_RECORD_BYTES, Numbered};
use crate::ioc::error::IocError;
use crate::ioc::record::IocRecord;

/// Reads a JSON array of objects, numbered from 1.
///
/// # Errors
/// [`IocError::JsonArray`] when the body as a whole is no JSON array: then nothing in it can be
/// told apart. An item of the wrong shape spoils only itself.
pub fn json_array(body: &[u8]) -> Result<Vec<Numbered>, IocError> {
    let body = body.strip_prefix(BOM).unwrap_or(body);
    let items: Vec<&RawValue> =
        serde_json::from_slice(body).map_err(|error| IocError::JsonArray(error.to_string()))?;
    Ok(items.into_iter().enumerate().map(|(at, item)| (at + 1, read(item))).collect())
}

fn read(item: &RawValue) -> Result<IocRecord, IocError> {
    if item.get().len() > MAX_RECORD_BYTES {
        return Err(IocError::RecordTooLong { limit: MAX_RECORD_BYTES });
    }
    IocRecord::from_json(item.get())
}
