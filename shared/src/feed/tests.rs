//! Golden files, faults of definitions, and editions that are carried on beside editions made from
//! scratch.

mod golden;
mod histories;
mod settings;

use serde_json::{Value, json};

use super::*;
use crate::stix::Facets;
use crate::time::{Position, Version};
use crate::tlp::Tlp;

/// A feed with these settings beside its name and collection.
fn feed(more: &Value) -> Feed {
    let mut settings = json!({"name": "Example", "collection": "example"});
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    let id = "6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69";
    serde_json::from_value(json!({
        "id": id, "revision": 1, "collection": id, "settings": settings,
    }))
    .unwrap()
}

/// The record that a feed makes of an object.
fn record(feed: &Feed, object: &Value, entered: u64, position: u64) -> Option<Record> {
    let version = object["modified"].as_str().unwrap_or("2026-05-15T08:30:00.000Z");
    let version = Version(version.parse().unwrap());
    let (facets, members) = Facets::of_stored(&object.to_string(), version).unwrap();
    let level = row_level(&facets, Tlp::Amber, |_| crate::stix::Marking::Unknown);
    let (entered, position) = (Position::from_micros(entered), Position::from_micros(position));
    Shape::of(feed).record(&facets, &members, level, None, (entered, position))
}
