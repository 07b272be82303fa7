//! What an object names, and what of it two sides can agree on.

use serde_json::Value;

const OPENCTI: &str = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba";

/// The ids an object names in its own members.
pub fn refs(value: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    for (name, member) in value.as_object().into_iter().flatten() {
        if name.ends_with("_ref") {
            found.extend(member.as_str());
        } else if name.ends_with("_refs") {
            found.extend(member.as_array().into_iter().flatten().filter_map(Value::as_str));
        }
    }
    found
}

/// The ends of a relationship.
pub fn ends(value: &Value) -> Vec<&str> {
    ["source_ref", "target_ref"].iter().filter_map(|name| value[name].as_str()).collect()
}

/// The object without our extension and without references to what a reader does not have.
pub fn plain(value: &Value, has: impl Fn(&str) -> bool) -> Value {
    let mut value = value.clone();
    let members = value.as_object_mut().expect("an object");
    if let Some(extensions) = members.get_mut("extensions").and_then(Value::as_object_mut) {
        extensions.remove(OPENCTI);
        if extensions.is_empty() {
            members.remove("extensions");
        }
    }
    members.retain(|name, member| {
        if name == "created_by_ref" {
            return member.as_str().is_none_or(&has);
        }
        if let Some(list) = member.as_array_mut().filter(|_| name.ends_with("_refs")) {
            list.retain(|id| id.as_str().is_none_or(&has));
            return !list.is_empty();
        }
        true
    });
    value
}
