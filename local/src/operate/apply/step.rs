//! What separates what is there from what shall be.

use serde_json::{Map, Value, json};

use super::document::Wanted;
use crate::operate::Fault;

/// A kind of resource a file may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Found by its id.
    Tenant,
    /// Found by its name.
    Plan,
    /// Found by its alias.
    Collection,
    /// Found by its alias.
    Feed,
    /// Found by its tenant and what it is to.
    Subscription,
}

impl Kind {
    /// In messages.
    #[must_use]
    pub const fn one(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Plan => "plan",
            Self::Collection => "collection",
            Self::Feed => "feed",
            Self::Subscription => "subscription",
        }
    }

    /// The API's list.
    #[must_use]
    pub const fn list(self) -> &'static str {
        match self {
            Self::Tenant => "tenants",
            Self::Plan => "plans",
            Self::Collection => "collections",
            Self::Feed => "feeds",
            Self::Subscription => "subscriptions",
        }
    }

    /// The member by which one is found.
    #[must_use]
    pub const fn name_member(self) -> &'static str {
        match self {
            Self::Tenant | Self::Subscription => "id",
            Self::Plan => "name",
            Self::Collection | Self::Feed => "alias",
        }
    }

    /// Members that nobody sets.
    const fn given(self) -> &'static [&'static str] {
        match self {
            Self::Tenant => &["id", "revision", "created", "closed"],
            Self::Plan => &["name", "revision"],
            Self::Collection => &["id", "revision", "generation", "rebuilding"],
            Self::Feed => &["id", "revision", "saved", "collection_id", "files", "last_edition"],
            Self::Subscription => &["id", "since", "retention_days", "alias"],
        }
    }
}

/// A member that differs: its name, as it is, as it shall be.
pub type Member = (String, Option<Value>, Option<Value>);

/// How what is there differs from what shall be.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// Not at all.
    None,
    /// There is none yet: make it of this.
    New(Value),
    /// Change it.
    Changed {
        /// Its id.
        id: String,
        /// As it was compared.
        revision: u64,
        /// What to send.
        patch: Value,
        /// For people.
        members: Vec<Member>,
    },
}

/// One resource of the file, and what to do for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it is.
    pub kind: Kind,
    /// The name by which it is found.
    pub name: String,
    /// What to do.
    pub difference: Difference,
}

impl Step {
    /// From `there` to what is wanted.
    ///
    /// # Errors
    /// When it was deleted for ever.
    pub fn between(wanted: &Wanted, there: Option<&Value>) -> Result<Self, Fault> {
        let (kind, name) = (wanted.kind, wanted.name.clone());
        let Some(there) = there else {
            let mut body = wanted.settings.clone();
            // An alias is among the settings; a subscription's id is made of what it says.
            if matches!(kind, Kind::Tenant | Kind::Plan) {
                body.insert(kind.name_member().to_owned(), json!(name));
            }
            return Ok(Self { kind, name, difference: Difference::New(Value::Object(body)) });
        };
        if there.get("closed").is_some() {
            let fault = Fault::new(format!("the {} {name} was deleted", kind.one()));
            return Err(fault.hint("take it out of the file, or choose another id"));
        }
        let mut settings = there.as_object().cloned().unwrap_or_default();
        settings.retain(|member, _| !kind.given().contains(&member.as_str()));
        // What names the same in another way is the same.
        let same: &[(&str, &str)] = match kind {
            Kind::Feed => &[("collection", "collection_id")],
            Kind::Subscription => &[("source_id", "alias")],
            _ => &[],
        };
        for (member, other) in same {
            let named =
                there.get(*other).filter(|named| wanted.settings.get(*member) == Some(named));
            if let Some(named) = named {
                settings.insert((*member).to_owned(), named.clone());
            }
        }
        let members = differing(&settings, &wanted.settings);
        if members.is_empty() {
            return Ok(Self { kind, name, difference: Difference::None });
        }
        let patch: Map<String, Value> = members
            .iter()
            .map(|(name, before, after)| {
                let change = match (before, after) {
                    // A merge patch merges objects: what is to go must be named.
                    (Some(before), Some(after)) => patch(before, after),
                    (_, after) => after.clone().unwrap_or(Value::Null),
                };
                (name.clone(), change)
            })
            .collect();
        let id = there.get("id").and_then(Value::as_str).unwrap_or(&name).to_owned();
        let revision = there["revision"].as_u64().unwrap_or_default();
        let difference = Difference::Changed { id, revision, patch: Value::Object(patch), members };
        Ok(Self { kind, name, difference })
    }
}

fn differing(there: &Map<String, Value>, wanted: &Map<String, Value>) -> Vec<Member> {
    let mut names: Vec<&String> = there.keys().chain(wanted.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter(|name| there.get(*name) != wanted.get(*name))
        .map(|name| (name.clone(), there.get(name).cloned(), wanted.get(name).cloned()))
        .collect()
}

/// The JSON Merge Patch (RFC 7396) from `before` to `after`; settings hold no nulls.
fn patch(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return after.clone();
    };
    let members = differing(before, after).into_iter().map(|(name, before, after)| {
        let change = match (before, after) {
            (Some(before), Some(after)) => patch(&before, &after),
            (_, after) => after.unwrap_or(Value::Null),
        };
        (name, change)
    });
    Value::Object(members.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(settings: &Value) -> Wanted {
        let settings = settings.as_object().cloned().unwrap();
        Wanted { kind: Kind::Collection, name: "c".into(), settings }
    }

    #[test]
    fn a_step_says_what_differs_and_nothing_else() {
        let there = json!({"id": "1", "revision": 4, "generation": 2, "rebuilding": false,
            "alias": "c", "title": "C", "filter": {"mode": "and", "filters": [1]}});
        let same = json!({"alias": "c", "title": "C", "filter": {"mode": "and", "filters": [1]}});
        let step = Step::between(&wanted(&same), Some(&there)).unwrap();
        assert_eq!(step.difference, Difference::None);
        let other = json!({"alias": "c", "description": "d", "filter": {"filters": [2]}});
        let step = Step::between(&wanted(&other), Some(&there)).unwrap();
        let Difference::Changed { id, revision, patch, members } = step.difference else {
            panic!("it differs");
        };
        assert_eq!((id.as_str(), revision, members.len()), ("1", 4, 3));
        let expected = json!({"title": null, "description": "d",
            "filter": {"mode": null, "filters": [2]}});
        assert_eq!(patch, expected);
    }
}
