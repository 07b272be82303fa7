//! Plain IOCs: what one looks like when it is sent, what makes it right, and the STIX indicator
//! it becomes.
//!
//! Nothing here does I/O or asks a clock. The way of one IOC: a body reader ([`ndjson`],
//! [`json_array`], [`csv()`], or [`IocLines`] and [`CsvRecords`] on a stream) finds an
//! [`IocRecord`], [`IocRecord::check`] makes an [`Ioc`] of it, and [`new_indicator`] or
//! [`merge_into`] writes the object.

mod attack;
mod body;
mod check;
mod error;
mod header;
mod indicator;
mod instant;
mod record;
mod refang;
mod value;

pub use attack::phases;
pub use body::{CsvRecords, IocLines, MAX_RECORD_BYTES, Numbered, csv, json_array, ndjson};
pub use check::{Ioc, limits};
pub use error::{Fault, IocError};
pub use header::CsvHeader;
pub use indicator::{
    EXTENSION_ID, INDICATOR_NAMESPACE, MergeError, indicator_id, merge_into, name, new_indicator,
    pattern, stock_description,
};
pub use record::IocRecord;
pub use value::is_value;
