//! An event's `data`, one line of JSON. The object's text is kept as it is stored; only the
//! extension is added and references to what is withheld are taken out.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};
use shared::id::ObjectId;
use shared::stix::{Facets, Members};

use crate::extension::{self, EXTENSION, extension};

/// Why an event is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Referer {
    /// It happened.
    Live,
    /// It is part of the present state that is replayed.
    Init,
    /// Something that is sent refers to it.
    Dependencies,
}

/// An event's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The reader does not have it, or not at a version it can compare.
    Create,
    /// The reader has another version.
    Update,
    /// It is gone.
    Delete,
}

impl Kind {
    /// The event's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// An object as it is sent.
#[derive(Debug)]
pub struct Shown(Box<RawValue>);

#[derive(Serialize)]
struct Event<'a> {
    version: &'static str,
    r#type: &'static str,
    scope: &'static str,
    message: String,
    origin: Value,
    data: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Map<String, Value>>,
}

/// An object with `OpenCTI`'s extension, and without references to what the reader does not get.
///
/// # Errors
/// When the text is no JSON object.
pub fn shown(
    facets: &Facets,
    json: &str,
    has: impl Fn(&ObjectId) -> bool,
) -> Result<Shown, serde_json::Error> {
    let withheld: Vec<&str> =
        facets.refs.iter().filter(|id| !has(id)).map(ObjectId::as_str).collect();
    let stripped;
    let json = if withheld.is_empty() {
        json
    } else {
        let mut value: Value = serde_json::from_str(json)?;
        strip(&mut value, &withheld);
        stripped = value.to_string();
        &stripped
    };
    let mut members: Members = serde_json::from_str(json)?;
    let added = extension(facets, &extension::Members(&members));
    let mut extensions: Map<String, Value> =
        members.get("extensions").unwrap_or_default().unwrap_or_default();
    match extensions.get_mut(EXTENSION) {
        // What an object brought with it counts.
        Some(Value::Object(own)) => {
            for (name, value) in added {
                own.entry(name).or_insert(value);
            }
        }
        _ => drop(extensions.insert(EXTENSION.to_owned(), Value::Object(added))),
    }
    members.set("extensions", &extensions)?;
    to_raw_value(&members).map(Shown)
}

/// What remains to be said of an object whose last version is above the ceiling.
///
/// # Errors
/// Never in practice: the text is made here.
pub fn tombstone(facets: &Facets) -> Result<Shown, serde_json::Error> {
    let mut members = Members::default();
    members.set("type", &facets.object_type())?;
    members.set("spec_version", &facets.spec_version)?;
    members.set("id", &facets.id)?;
    to_raw_value(&members).map(Shown)
}

/// The patches between two versions, as an update's context has them (RFC 6902).
///
/// # Errors
/// Never in practice: both are JSON.
pub fn patches(before: &Shown, after: &Shown) -> Result<Map<String, Value>, serde_json::Error> {
    let before: Value = serde_json::from_str(before.0.get())?;
    let after: Value = serde_json::from_str(after.0.get())?;
    let mut context = Map::new();
    let patch = serde_json::to_value(json_patch::diff(&before, &after))?;
    context.insert("patch".into(), patch);
    let reverse = serde_json::to_value(json_patch::diff(&after, &before))?;
    context.insert("reverse_patch".into(), reverse);
    Ok(context)
}

/// An event's line of data. `context` is left out if it says nothing.
///
/// # Errors
/// Never in practice: everything in it is JSON.
pub fn event(
    kind: Kind,
    referer: Referer,
    facets: &Facets,
    object: &Shown,
    context: Map<String, Value>,
) -> Result<String, serde_json::Error> {
    let referer = match referer {
        Referer::Live => "live",
        Referer::Init => "init",
        Referer::Dependencies => "dependencies",
    };
    let name = facets.name.as_deref().unwrap_or(facets.id.as_str());
    let name: String = name.chars().take(200).collect();
    serde_json::to_string(&Event {
        version: "4",
        r#type: kind.name(),
        scope: "external",
        message: format!("{}s {} `{name}`", kind.name(), facets.object_type()),
        origin: json!({ "referer": referer }),
        data: &object.0,
        context: (!context.is_empty()).then_some(context),
    })
}

/// Takes references to `withheld` out: single ones with their member, listed ones from their
/// list, and a granular marking as a whole. The depth is bounded by the JSON reader's.
fn strip(value: &mut Value, withheld: &[&str]) {
    let is_withheld = |value: &Value| value.as_str().is_some_and(|id| withheld.contains(&id));
    match value {
        Value::Object(members) => {
            members.retain(|name, value| !(name.ends_with("_ref") && is_withheld(value)));
            for (name, value) in members.iter_mut() {
                if let Some(list) = value.as_array_mut() {
                    if name.ends_with("_refs") || name.ends_with("_ref") {
                        list.retain(|item| !is_withheld(item));
                    }
                    if name == "granular_markings" {
                        list.retain(|item| !item.get("marking_ref").is_some_and(is_withheld));
                    }
                }
                strip(value, withheld);
            }
            let emptied = |name: &String, value: &Value| {
                (name.ends_with("_refs") || name == "granular_markings")
                    && value.as_array().is_some_and(Vec::is_empty)
            };
            members.retain(|name, value| !emptied(name, value));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, withheld)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
