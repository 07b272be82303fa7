//! `CloudFormation`'s functions (`!Ref`, `!Sub`, `!GetAtt`), replaced by what they mean here.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use serde_yaml_ng::Value as Yaml;

use super::TemplateError;

/// The account number resources have here.
pub const ACCOUNT: &str = "000000000000";
/// The region resources are in here.
pub const REGION: &str = "us-east-1";
/// YAML nests no deeper than this in a template anyone wrote.
const MAX_DEPTH: usize = 64;

/// The template as plain JSON. A function this module does not know becomes null.
pub(super) fn resolve(template: &Yaml) -> Result<Value, TemplateError> {
    let mut names = pseudo_parameters();
    for (id, parameter) in section(template, "Parameters") {
        let default = parameter.get("Default").map_or(Value::Null, |v| plain(v, &names, 0));
        names.insert(id.to_owned(), text_of(&default));
    }
    // Buckets first: other resources may name them, and a bucket's name needs only parameters.
    let resources = section(template, "Resources");
    for (id, resource) in &resources {
        let properties =
            resource.get("Properties").map_or(Value::Null, |value| plain(value, &names, 0));
        let name = match resource.get("Type").and_then(Yaml::as_str) {
            Some("AWS::S3::Bucket") => bucket_name(id, &properties),
            Some("AWS::DynamoDB::Table") => table_name(id, &properties),
            _ => (*id).to_owned(),
        };
        names.insert((*id).to_owned(), name);
    }
    match plain(template, &names, 0) {
        resolved @ Value::Object(_) => Ok(resolved),
        _ => Err(TemplateError::shape("the file", &"is no mapping")),
    }
}

/// A bucket's name: its `BucketName`, else its logical id in the letters S3 allows.
pub(super) fn bucket_name(id: &str, properties: &Value) -> String {
    let name = properties.get("BucketName").and_then(Value::as_str);
    name.map_or_else(|| format!("iocast-{}", id.to_ascii_lowercase()), str::to_owned)
}

/// A table's name: its `TableName`, else its logical id.
pub(super) fn table_name(id: &str, properties: &Value) -> String {
    properties.get("TableName").and_then(Value::as_str).unwrap_or(id).to_owned()
}

fn pseudo_parameters() -> BTreeMap<String, String> {
    [
        ("AWS::StackName", "iocast"),
        ("AWS::AccountId", ACCOUNT),
        ("AWS::Region", REGION),
        ("AWS::Partition", "aws"),
        ("AWS::URLSuffix", "amazonaws.com"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn section<'a>(template: &'a Yaml, name: &str) -> Vec<(&'a str, &'a Yaml)> {
    let mapping = template.get(name).and_then(Yaml::as_mapping);
    mapping.into_iter().flatten().filter_map(|(id, value)| Some((id.as_str()?, value))).collect()
}

fn plain(value: &Yaml, names: &BTreeMap<String, String>, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    match value {
        Yaml::Tagged(tagged) => {
            let argument = plain(&tagged.value, names, depth + 1);
            function(&tagged.tag.to_string(), &argument, names)
        }
        Yaml::Mapping(mapping) => {
            let object: Map<String, Value> = mapping
                .iter()
                .filter_map(|(key, value)| {
                    Some((key.as_str()?.to_owned(), plain(value, names, depth + 1)))
                })
                .collect();
            long_form(object, names)
        }
        Yaml::Sequence(items) => items.iter().map(|item| plain(item, names, depth + 1)).collect(),
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(*flag),
        Yaml::Number(number) => serde_json::to_value(number).unwrap_or(Value::Null),
        Yaml::String(text) => Value::String(text.clone()),
    }
}

/// `{"Ref": …}` and `{"Fn::Sub": …}`, the spellings without a tag.
fn long_form(object: Map<String, Value>, names: &BTreeMap<String, String>) -> Value {
    if let (1, Some((key, argument))) = (object.len(), object.iter().next())
        && (key == "Ref" || key.starts_with("Fn::"))
    {
        return function(key.trim_start_matches("Fn::"), argument, names);
    }
    Value::Object(object)
}

fn function(tag: &str, argument: &Value, names: &BTreeMap<String, String>) -> Value {
    match (tag.trim_start_matches('!'), argument) {
        ("Ref", Value::String(name)) => {
            names.get(name).map_or(Value::Null, |value| Value::String(value.clone()))
        }
        ("Sub", Value::String(text)) => Value::String(substitute(text, names)),
        // Kept as `LogicalId.Attribute`: nobody needs the ARN here, only whose it is.
        ("GetAtt", Value::String(path)) => Value::String(path.clone()),
        ("GetAtt", Value::Array(parts)) => {
            Value::String(parts.iter().map(text_of).collect::<Vec<_>>().join("."))
        }
        _ => Value::Null,
    }
}

fn substitute(text: &str, names: &BTreeMap<String, String>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else { break };
        result.push_str(before);
        result.push_str(names.get(name).map_or(name, String::as_str));
        rest = tail;
    }
    result.push_str(rest);
    result
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(
        || if value.is_null() { String::new() } else { value.to_string() },
        str::to_owned,
    )
}
