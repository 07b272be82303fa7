//! Objects of our own making, with documentation names and addresses only.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use shared::tlp::Tlp;
use uuid::Uuid;

/// The first version of every fixture.
pub const FIRST: &str = "2026-01-01T00:00:00.000Z";
/// A later version.
pub const SECOND: &str = "2026-02-01T00:00:00.000Z";
/// A version later still.
pub const THIRD: &str = "2026-03-01T00:00:00.000Z";

/// A STIX object that can be changed member by member.
#[derive(Debug, Clone, PartialEq)]
pub struct Object(Value);

impl Object {
    /// Any JSON object as a fixture.
    pub fn of(value: Value) -> Self {
        Self(value)
    }

    /// Sets or replaces a member.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0[name] = value.into();
        self
    }

    /// Removes a member.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.as_object_mut().unwrap().remove(name);
        self
    }

    /// The same object at another version.
    #[must_use]
    pub fn at(self, modified: &str) -> Self {
        self.set("modified", modified)
    }

    /// With this one label.
    #[must_use]
    pub fn labelled(self, label: &str) -> Self {
        self.set("labels", json!([label]))
    }

    /// Marked with a TLP 2.0 level.
    #[must_use]
    pub fn marked(self, level: Tlp) -> Self {
        self.set("object_marking_refs", json!([level.marking_id()]))
    }

    /// The id.
    pub fn id(&self) -> &str {
        self.0["id"].as_str().unwrap()
    }

    /// The version: `modified`, else `created`.
    pub fn version(&self) -> &str {
        self.0["modified"].as_str().or_else(|| self.0["created"].as_str()).unwrap()
    }

    /// The plain JSON.
    pub fn json(&self) -> Value {
        self.0.clone()
    }
}

impl Deref for Object {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

fn next_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A fresh id of a type.
pub fn fresh_id(object_type: &str) -> String {
    format!("{object_type}--{}", Uuid::new_v4())
}

/// A fresh domain name, under a documentation domain.
pub fn fresh_domain() -> String {
    format!("host-{}.example.com", next_number())
}

fn sdo(object_type: &str) -> Object {
    Object(json!({
        "type": object_type, "spec_version": "2.1", "id": fresh_id(object_type),
        "created": FIRST, "modified": FIRST,
    }))
}

/// An indicator for a fresh domain.
pub fn indicator() -> Object {
    let domain = fresh_domain();
    sdo("indicator")
        .set("name", domain.as_str())
        .set("pattern", format!("[domain-name:value = '{domain}']"))
        .set("pattern_type", "stix")
        .set("pattern_version", "2.1")
        .set("valid_from", FIRST)
        .set("indicator_types", json!(["malicious-activity"]))
}

/// As many indicators.
pub fn indicators(count: usize) -> Vec<Object> {
    (0..count).map(|_| indicator()).collect()
}

/// A malware family.
pub fn malware(name: &str) -> Object {
    sdo("malware").set("name", name).set("is_family", true)
}

/// An identity.
pub fn identity(name: &str) -> Object {
    sdo("identity").set("name", name).set("identity_class", "organization")
}

/// `source` indicates `target`.
pub fn relationship(source: &Object, target: &Object) -> Object {
    sdo("relationship")
        .set("relationship_type", "indicates")
        .set("source_ref", source.id())
        .set("target_ref", target.id())
}

/// A domain name as an observable, which has no version of its own.
pub fn domain_observable() -> Object {
    let domain = fresh_domain();
    Object(json!({
        "type": "domain-name", "spec_version": "2.1", "id": fresh_id("domain-name"),
        "value": domain,
    }))
}

/// A marking definition of somebody's own; `definition` says which TLP level it stands for.
pub fn tlp_marking(name: &str) -> Object {
    Object(json!({
        "type": "marking-definition", "spec_version": "2.1",
        "id": fresh_id("marking-definition"), "created": FIRST,
        "definition_type": "tlp", "definition": {"tlp": name}, "name": format!("TLP:{name}"),
    }))
}

/// An indicator of STIX 2.0: neither `spec_version` nor `pattern_type`.
pub fn indicator_of_stix_2_0() -> Object {
    indicator()
        .without("spec_version")
        .without("pattern_type")
        .without("pattern_version")
        .without("indicator_types")
        .labelled("malicious-activity")
}

/// A bundle of objects, as text.
pub fn bundle(objects: &[Object]) -> String {
    let objects: Vec<&Value> = objects.iter().map(|object| &**object).collect();
    json!({"type": "bundle", "id": fresh_id("bundle"), "objects": objects}).to_string()
}

/// A TAXII envelope of objects, as text.
pub fn envelope(objects: &[Object]) -> String {
    let objects: Vec<&Value> = objects.iter().map(|object| &**object).collect();
    json!({ "objects": objects }).to_string()
}
