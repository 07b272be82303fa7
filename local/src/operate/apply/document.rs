//! The file.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use shared::access::{PlanName, PlanTerms, TenantId, TenantSettings};
use shared::collection::CollectionSettings;
use shared::tlp::Tlp;

use super::step::Kind;
use crate::operate::Fault;

/// A resource as it shall be.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// What it is.
    pub kind: Kind,
    /// The name by which it is found.
    pub name: String,
    /// Its settings, whole: what the file leaves out has its default.
    pub settings: Map<String, Value>,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// In the order in which they are made: what others name comes first.
    pub resources: Vec<Wanted>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    tenants: Vec<Value>,
    #[serde(default)]
    plans: Vec<Value>,
    #[serde(default)]
    collections: Vec<Value>,
}

impl Document {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Says what is wrong, and with which resource.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let file: Option<File> = serde_yaml_ng::from_str(text)
            .map_err(|error| Fault::new(error.to_string()).hint("see `iocast apply --help`"))?;
        let Some(file) = file else {
            return Err(Fault::new("the file is empty").hint("see `iocast apply --help`"));
        };
        let mut resources = Vec::new();
        for value in file.tenants {
            resources.push(tenant(value)?);
        }
        for value in file.plans {
            resources.push(plan(value)?);
        }
        for value in file.collections {
            resources.push(collection(value)?);
        }
        let mut seen = HashSet::new();
        for Wanted { kind, name, .. } in &resources {
            if !seen.insert((kind.one(), name.clone())) {
                return Err(Fault::new(format!("the {} {name} stands twice", kind.one())));
            }
        }
        Ok(Self { resources })
    }
}

fn members(kind: Kind, value: Value) -> Result<Map<String, Value>, Fault> {
    match value {
        Value::Object(members) => Ok(members),
        other => Err(Fault::new(format!("a {} is a mapping, not {other}", kind.one()))),
    }
}

/// The name by which a resource of the file is found.
fn name(kind: Kind, members: &Map<String, Value>) -> Result<String, Fault> {
    let member = kind.name_member();
    let name = members.get(member).and_then(Value::as_str).map(str::to_owned);
    name.ok_or_else(|| {
        let title = members.get("title").and_then(Value::as_str).unwrap_or_default();
        Fault::new(format!("a {} has no `{member}`: {title}", kind.one()))
            .hint(format!("`{member}` is how it is found when the file is applied again"))
    })
}

fn fault(kind: Kind, name: &str, error: impl std::fmt::Display) -> Fault {
    Fault::new(format!("{} {name}: {error}", kind.one()))
}

/// Settings as the service would show them, defaults included.
fn whole(settings: &impl Serialize) -> Map<String, Value> {
    match json!(settings) {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn tenant(value: Value) -> Result<Wanted, Fault> {
    let kind = Kind::Tenant;
    let mut members = members(kind, value)?;
    let name = name(kind, &members)?;
    name.parse::<TenantId>().map_err(|error| fault(kind, &name, error))?;
    members.remove("id");
    let settings: TenantSettings = serde_json::from_value(Value::Object(members))
        .map_err(|error| fault(kind, &name, error))?;
    settings.check().map_err(|error| fault(kind, &name, error))?;
    Ok(Wanted { kind, name, settings: whole(&settings) })
}

fn plan(value: Value) -> Result<Wanted, Fault> {
    let kind = Kind::Plan;
    let mut members = members(kind, value)?;
    let name = name(kind, &members)?;
    name.parse::<PlanName>().map_err(|error| fault(kind, &name, error))?;
    members.remove("name");
    let terms: PlanTerms = serde_json::from_value(Value::Object(members))
        .map_err(|error| fault(kind, &name, error))?;
    terms.check().map_err(|error| fault(kind, &name, error))?;
    Ok(Wanted { kind, name, settings: whole(&terms) })
}

fn collection(value: Value) -> Result<Wanted, Fault> {
    let kind = Kind::Collection;
    let mut members = members(kind, value)?;
    let name = name(kind, &members)?;
    if members.get("public") == Some(&Value::Bool(true)) {
        members.entry("ceiling").or_insert_with(|| json!(Tlp::Clear));
    }
    let settings: CollectionSettings = serde_json::from_value(Value::Object(members))
        .map_err(|error| fault(kind, &name, error))?;
    Ok(Wanted { kind, name, settings: whole(&settings) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole() {
        let read = Document::parse(
            "tenants:\n- id: acme\n  name: Acme\ncollections:\n- alias: c\n  title: C\n  \
             ceiling: green\n",
        );
        let read = read.unwrap().resources;
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].settings["name"], "Acme");
        assert_eq!(read[1].settings["taxii"], true);
    }

    #[test]
    fn faults_name_the_resource() {
        for (text, part) in [
            ("", "empty"),
            ("nothing: 1", "nothing"),
            ("tenants:\n- name: x", "`id`"),
            ("tenants:\n- id: A B", "A B"),
            ("tenants:\n- id: a\n- id: a", "twice"),
            ("collections:\n- alias: c\n  title: C", "ceiling"),
            ("collections:\n- alias: c\n  title: C\n  ceiling: mauve", "mauve"),
            ("collections:\n- 1", "mapping"),
            ("plans:\n- name: p\n  scopes: [admin]", "admin"),
            ("a: [", "line"),
        ] {
            let fault = Document::parse(text).unwrap_err();
            assert!(fault.message.contains(part), "{text:?}: {fault}");
        }
    }
}
