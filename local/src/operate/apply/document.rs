//! The file.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use shared::access::{PlanName, PlanTerms, TenantId, TenantSettings};
use shared::collection::CollectionSettings;
use shared::feed::FeedSettings;
use shared::subscription::SubscriptionSource;
use shared::tlp::Tlp;

use super::step::Kind;
use crate::operate::Fault;
use crate::operate::api::parameter;

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
    #[serde(default)]
    feeds: Vec<Value>,
    #[serde(default)]
    subscriptions: Vec<Value>,
}

impl Wanted {
    /// Whether this is the one that is wanted.
    #[must_use]
    pub fn is(&self, there: &Value) -> bool {
        let same = |member: &str, name: &str| there.get(member) == self.settings.get(name);
        if self.kind == Kind::Subscription {
            // A file names a collection by its id or alias.
            let source = same("source_id", "source_id") || same("alias", "source_id");
            return source && same("tenant", "tenant") && same("source_type", "source_type");
        }
        there[self.kind.name_member()] == self.name
    }

    /// What narrows the list in which it is looked for.
    #[must_use]
    pub fn among(&self) -> Option<String> {
        let tenant = self.settings.get("tenant").and_then(Value::as_str);
        tenant.filter(|_| self.kind == Kind::Subscription).map(|name| parameter("tenant", name))
    }
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
        for value in file.feeds {
            resources.push(feed(value)?);
        }
        for value in file.subscriptions {
            resources.push(subscription(value)?);
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

fn feed(value: Value) -> Result<Wanted, Fault> {
    let kind = Kind::Feed;
    let members = members(kind, value)?;
    let name = name(kind, &members)?;
    let settings: FeedSettings = serde_json::from_value(Value::Object(members))
        .map_err(|error| fault(kind, &name, error))?;
    settings.check().map_err(|error| fault(kind, &name, error))?;
    Ok(Wanted { kind, name, settings: whole(&settings) })
}

/// All a subscription says of itself.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSubscription {
    tenant: TenantId,
    source_type: String,
    source_id: String,
}

fn subscription(value: Value) -> Result<Wanted, Fault> {
    let kind = Kind::Subscription;
    let members = members(kind, value)?;
    let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or("?");
    let name = ["tenant", "source_type", "source_id"].map(text).join(":");
    let new: NewSubscription = serde_json::from_value(Value::Object(members))
        .map_err(|error| fault(kind, &name, error))?;
    // Which collection an alias names is known to the service.
    if new.source_type != "collection" {
        SubscriptionSource::parse(&new.source_type, &new.source_id)
            .map_err(|error| fault(kind, &name, error))?;
    }
    Ok(Wanted { kind, name, settings: whole(&new) })
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
            ("feeds:\n- name: F\n  collection: c", "`alias`"),
            ("feeds:\n- alias: f\n  name: F", "collection"),
            ("feeds:\n- alias: f\n  name: F\n  collection: c\n  formats: []", "formats"),
            ("subscriptions:\n- tenant: a\n  source_type: x\n  source_id: y", "a:x:y"),
            ("subscriptions:\n- tenant: a", "source_type"),
            ("a: [", "`a`"),
        ] {
            let fault = Document::parse(text).unwrap_err();
            assert!(fault.message.contains(part), "{text:?}: {fault}");
        }
    }
}
