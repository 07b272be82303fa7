//! What objects of our own making have in common: ids that never change.

use shared::id::ObjectId;
use uuid::{Uuid, uuid};

/// The namespace of these ids: a random UUID of ours.
const NAMESPACE: Uuid = uuid!("0c7bf3c5-2f0e-4ab1-9d34-1b8e52f7c6a9");

/// `created` and `modified` of objects that never change.
pub const ALWAYS: &str = "2026-01-01T00:00:00.000Z";

/// The id of the object of this type that `parts` name: always the same one.
pub fn derived_id(object_type: &str, parts: &[&str]) -> ObjectId {
    // The length keeps "a", "bc" apart from "ab", "c".
    let parts = parts.iter().map(|part| format!(":{}:{part}", part.len()));
    let name = format!("{object_type}{}", parts.collect::<String>());
    ObjectId::from_parts(object_type, Uuid::new_v5(&NAMESPACE, name.as_bytes()))
}
