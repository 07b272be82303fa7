//! docs/openapi.yaml, read, and answers held against it.

use std::collections::BTreeSet;

use serde_json::Value;
use tests::client::Answer;
use tests::event_stream::Frame;

/// What deletes comes last, so that the others find what they ask for.
pub const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Headers that tell a client something only where the file says so.
const TELLING: [&str; 5] = [
    "allow",
    "retry-after",
    "www-authenticate",
    "x-taxii-date-added-first",
    "x-taxii-date-added-last",
];

/// The file.
pub struct Document(pub Value);

impl Document {
    pub fn read() -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.yaml");
        let text = std::fs::read_to_string(file).unwrap();
        Self(serde_yaml_ng::from_str(&text).unwrap())
    }

    pub fn paths(&self) -> Vec<&str> {
        self.0["paths"].as_object().unwrap().keys().map(String::as_str).collect()
    }

    pub fn operation(&self, path: &str, method: &str) -> Option<&Value> {
        self.0["paths"][path].get(method.to_ascii_lowercase())
    }

    /// Path, method and operation of all, by method.
    pub fn operations(&self) -> Vec<(&str, &'static str, &Value)> {
        let mut all = Vec::new();
        for method in METHODS {
            let mut paths = self.paths();
            // One is deleted before all are.
            if method == "DELETE" {
                paths.reverse();
            }
            for path in paths {
                all.extend(self.operation(path, method).map(|found| (path, method, found)));
            }
        }
        all
    }

    fn follow<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        while let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').expect("references stay within the file");
            let found = self.0.pointer(pointer);
            value = found.unwrap_or_else(|| panic!("{reference} leads nowhere"));
        }
        value
    }

    /// Holds an answer against what the operation lists for its status.
    pub fn check(&self, operation: &Value, answer: &Answer) {
        let listed = operation["responses"].get(answer.status.to_string());
        let listed = listed.unwrap_or_else(|| {
            panic!("{}: {} is not listed: {}", answer.what, answer.status, answer.text())
        });
        self.check_response(listed, answer);
    }

    pub fn check_response(&self, listed: &Value, answer: &Answer) {
        let what = format!("{} answered {}", answer.what, answer.status);
        let response = self.follow(listed);
        self.check_headers(response, answer, &what);
        let Some(content) = response["content"].as_object() else {
            assert!(answer.body.is_empty(), "{what} with a body: {}", answer.text());
            return;
        };
        let sent = answer.header("content-type").unwrap_or_default();
        let media = content.get(sent).unwrap_or_else(|| panic!("{what} as {sent:?}, not listed"));
        if sent.starts_with("text/event-stream") {
            assert!(!Frame::all_of(&answer.text()).is_empty(), "{what} without a frame");
            return;
        }
        if !sent.contains("json") || sent.contains("ndjson") {
            return;
        }
        let body = answer.json();
        self.check_value(&media["schema"], &body, &what);
        let code = body.pointer("/error/code").or_else(|| body.get("error_code"));
        if let Some(code) = code.and_then(Value::as_str) {
            // A description beside a reference replaces the one it leads to.
            let description = listed.get("description").unwrap_or(&response["description"]);
            let named = description.as_str().unwrap().contains(&format!("`{code}`"));
            assert!(named, "{what} with {code}, which is not among: {description}");
        }
    }

    fn check_headers(&self, response: &Value, answer: &Answer, what: &str) {
        let mut listed = BTreeSet::new();
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let header = self.follow(header);
            let sent = answer.header(name);
            assert!(sent.is_some() || header["required"] != true, "{what} without {name}");
            if let Some(constant) = header["schema"].get("const").and_then(Value::as_str) {
                assert_eq!(sent, Some(constant), "{what}");
            }
            listed.insert(name.to_ascii_lowercase());
        }
        for name in TELLING {
            let known = listed.contains(name) || answer.header(name).is_none();
            assert!(known, "{what} with {name}, which is not listed");
        }
    }

    /// Members must be named by the schema, unless it declares that there may be others.
    fn check_value(&self, schema: &Value, value: &Value, at: &str) {
        let schema = self.follow(schema);
        let kind = schema["type"].as_str();
        assert!(kind.is_none_or(|kind| is_a(kind, value)), "{at} is no {kind:?}: {value}");
        if let Some(constant) = schema.get("const") {
            assert_eq!(value, constant, "{at}");
        }
        if let Some(allowed) = schema["enum"].as_array() {
            assert!(allowed.contains(value), "{at} is {value}, not one of {allowed:?}");
        }
        for item in value.as_array().into_iter().flatten() {
            self.check_value(&schema["items"], item, &format!("{at}[]"));
        }
        let Some(members) = value.as_object() else { return };
        for name in schema["required"].as_array().into_iter().flatten() {
            let there = members.contains_key(name.as_str().unwrap());
            assert!(there, "{at} without {name}: {value}");
        }
        for (name, member) in members {
            if let Some(known) = schema["properties"].get(name) {
                self.check_value(known, member, &format!("{at}.{name}"));
            } else {
                let open = schema["additionalProperties"] == true;
                assert!(open, "{at}.{name} is not in the file: {value}");
            }
        }
    }
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        other => panic!("this test does not know the type {other}"),
    }
}
