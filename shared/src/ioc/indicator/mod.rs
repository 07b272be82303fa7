//! The STIX indicator of an IOC (STIX 2.1, section 4.7).

mod create;
mod merge;
mod parts;

pub use create::{indicator_id, new_indicator, pattern};
pub use merge::{MergeError, merge_into};

use uuid::{Uuid, uuid};

/// The namespace of the ids of indicators made from plain IOCs: a random UUID of ours. Never the
/// namespace of STIX cyber-observable objects (`00abedb4-…`), which is reserved for those.
pub const INDICATOR_NAMESPACE: Uuid = uuid!("a3577959-b691-4cbd-a3aa-f5770da6cef1");

/// The extension definition under which an indicator carries `last_seen`, which STIX has no
/// member for (STIX 2.1, section 7.3: a property extension).
pub const EXTENSION_ID: &str = "extension-definition--a96a07cb-b3b8-4db5-8592-65c435d18ef8";

#[cfg(test)]
mod tests;
