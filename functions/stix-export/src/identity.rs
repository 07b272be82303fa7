//! The identity under which this service publishes.

use serde_json::json;
use shared::id::ObjectId;

use crate::made::{ALWAYS, derived_id};

/// An identity of ours: the same name has the same id, and the same content.
pub struct Publisher {
    /// Its id.
    pub id: ObjectId,
    /// The object.
    pub json: String,
}

impl Publisher {
    /// The publisher of this name.
    pub fn named(name: &str) -> Self {
        let id = derived_id("identity", &[name]);
        let identity = json!({
            "type": "identity",
            "spec_version": "2.1",
            "id": id,
            "created": ALWAYS,
            "modified": ALWAYS,
            "name": name,
            "identity_class": "organization",
        });
        Self { id, json: identity.to_string() }
    }
}
