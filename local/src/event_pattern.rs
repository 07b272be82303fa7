//! The filter of an event source mapping: an `EventBridge` pattern that a stream record matches or
//! not, for the operators this template may use.

use serde_json::{Map, Value};
use thiserror::Error;

/// A pattern: members that must be there, with values that must fit.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPattern(Vec<(String, Node)>);

/// Why a text is no pattern this program can apply.
#[derive(Debug, Error)]
#[error("event pattern {pattern}: {reason}")]
pub struct EventPatternError {
    pattern: String,
    reason: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Inner(Vec<(String, Node)>),
    /// One of these must hold.
    Leaf(Vec<Condition>),
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Equals(Value),
    Exists(bool),
    Prefix(String),
    AnythingBut(Vec<Value>),
}

impl EventPattern {
    /// Reads a pattern: nested objects whose leaves are lists of values or of `exists`, `prefix`
    /// and `anything-but`.
    ///
    /// # Errors
    /// When it is none, or uses another operator.
    pub fn parse(text: &str) -> Result<Self, EventPatternError> {
        let failed = |reason: String| EventPatternError { pattern: text.to_owned(), reason };
        match serde_json::from_str(text) {
            Ok(Value::Object(object)) => members(&object).map(Self).map_err(failed),
            Ok(_) => Err(failed("is no JSON object".to_owned())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Whether an event has what the pattern asks for.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        fits(&self.0, Some(event))
    }
}

fn members(object: &Map<String, Value>) -> Result<Vec<(String, Node)>, String> {
    object.iter().map(|(name, value)| Ok((name.clone(), node(name, value)?))).collect()
}

fn node(name: &str, value: &Value) -> Result<Node, String> {
    match value {
        Value::Object(object) => members(object).map(Node::Inner),
        Value::Array(conditions) => {
            conditions.iter().map(condition).collect::<Result<_, _>>().map(Node::Leaf)
        }
        _ => Err(format!("{name:?} must be an object or a list of conditions")),
    }
}

fn condition(value: &Value) -> Result<Condition, String> {
    let Value::Object(object) = value else { return Ok(Condition::Equals(value.clone())) };
    let (Some((operator, argument)), 1) = (object.iter().next(), object.len()) else {
        return Err(format!("a condition has one operator: {value}"));
    };
    match (operator.as_str(), argument) {
        ("exists", Value::Bool(wanted)) => Ok(Condition::Exists(*wanted)),
        ("prefix", Value::String(prefix)) => Ok(Condition::Prefix(prefix.clone())),
        ("anything-but", Value::Array(values)) => Ok(Condition::AnythingBut(values.clone())),
        ("anything-but", value @ (Value::String(_) | Value::Number(_))) => {
            Ok(Condition::AnythingBut(vec![value.clone()]))
        }
        _ => Err(format!("{value}: use a value, exists, prefix or anything-but")),
    }
}

fn fits(members: &[(String, Node)], event: Option<&Value>) -> bool {
    members.iter().all(|(name, node)| {
        let value = event.and_then(|event| event.get(name));
        match node {
            Node::Inner(members) => fits(members, value),
            Node::Leaf(conditions) => conditions.iter().any(|condition| holds(condition, value)),
        }
    })
}

fn holds(condition: &Condition, value: Option<&Value>) -> bool {
    match (condition, value) {
        (Condition::Exists(wanted), value) => {
            // Only a leaf exists: that is how EventBridge reads it.
            *wanted == value.is_some_and(|value| !value.is_object())
        }
        (Condition::Equals(wanted), Some(value)) => wanted == value,
        (Condition::Prefix(prefix), Some(Value::String(text))) => text.starts_with(prefix),
        (Condition::AnythingBut(values), Some(value)) => !values.contains(value),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn matches(pattern: &str, event: &Value) -> bool {
        EventPattern::parse(pattern).unwrap().matches(event)
    }

    #[test]
    fn the_pending_mark_is_seen() {
        let pattern = r#"{"dynamodb":{"NewImage":{"pending":{"N":[{"exists":true}]}}}}"#;
        assert!(matches(pattern, &json!({"dynamodb":{"NewImage":{"pending":{"N":"1"}}}})));
        assert!(!matches(pattern, &json!({"dynamodb":{"NewImage":{"other":{"N":"1"}}}})));
        assert!(!matches(pattern, &json!({"dynamodb":{"Keys":{}}})));
        let intermediate = r#"{"dynamodb":{"NewImage":{"pending":[{"exists":true}]}}}"#;
        assert!(!matches(intermediate, &json!({"dynamodb":{"NewImage":{"pending":{"N":"1"}}}})));
    }

    #[test]
    fn conditions_are_alternatives_and_members_are_not() {
        let pattern = r#"{"eventName":["INSERT",{"prefix":"MOD"}],"x":[{"anything-but":[1,2]}]}"#;
        assert!(matches(pattern, &json!({"eventName":"INSERT","x":3})));
        assert!(matches(pattern, &json!({"eventName":"MODIFY","x":"1"})));
        assert!(!matches(pattern, &json!({"eventName":"REMOVE","x":3})));
        assert!(!matches(pattern, &json!({"eventName":"INSERT","x":2})));
        assert!(!matches(pattern, &json!({"eventName":"INSERT"})));
        assert!(matches(r#"{"a":[{"exists":false}]}"#, &json!({})));
    }

    #[test]
    fn what_cannot_be_applied_is_refused() {
        for pattern in ["", "[]", r#"{"a":1}"#, r#"{"a":[{"cidr":"192.0.2.0/24"}]}"#] {
            assert!(EventPattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
