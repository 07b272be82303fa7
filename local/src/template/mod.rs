//! The deployment's own description, `infra/template.yaml`, read so that a laptop runs the
//! tables, routes and triggers that are deployed, and no others.

mod intrinsics;
mod schedules;
mod tables;
mod triggers;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

pub use intrinsics::{ACCOUNT, REGION};
pub use schedules::ScheduleTrigger;
pub use tables::{Attribute, Index, KeyPart, Table};
pub use triggers::{BucketTrigger, Route, StreamTrigger};

const EMBEDDED: &str = include_str!("../../../infra/template.yaml");

/// A template whose references have been replaced by the names things have on this machine.
#[derive(Debug)]
pub struct Template {
    resources: BTreeMap<String, Resource>,
    environment: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Resource {
    kind: String,
    metadata: Value,
    properties: Value,
}

/// Why the template cannot be run here.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// The file is no YAML.
    #[error("infra/template.yaml is not well-formed YAML: {0}")]
    Yaml(#[from] serde_yaml_ng::Error),
    /// A part of the file has another shape than `CloudFormation` asks for.
    #[error("infra/template.yaml, {place}: {reason}")]
    Shape {
        /// The logical id, or the section, at fault.
        place: String,
        /// What was found and what would be right.
        reason: String,
    },
}

impl TemplateError {
    fn shape(place: &str, reason: &impl ToString) -> Self {
        Self::Shape { place: place.to_owned(), reason: reason.to_string() }
    }
}

impl Template {
    /// The template this program was built with.
    ///
    /// # Errors
    /// When it cannot be read; the unit tests make sure that it can.
    pub fn embedded() -> Result<Self, TemplateError> {
        Self::parse(EMBEDDED)
    }

    /// Reads a SAM or `CloudFormation` template.
    ///
    /// # Errors
    /// When it is no YAML, or has no `Resources`, or one of them has no `Type`.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let resolved = intrinsics::resolve(&serde_yaml_ng::from_str(text)?)?;
        let Some(Value::Object(all)) = resolved.get("Resources") else {
            return Err(TemplateError::shape(
                "Resources",
                &"missing: a template declares resources",
            ));
        };
        let mut resources = BTreeMap::new();
        for (id, resource) in all {
            let Some(kind) = resource.get("Type").and_then(Value::as_str) else {
                return Err(TemplateError::shape(id, &"has no Type"));
            };
            let part = |name: &str| resource.get(name).cloned().unwrap_or(Value::Null);
            let (metadata, properties) = (part("Metadata"), part("Properties"));
            resources.insert(id.clone(), Resource { kind: kind.to_owned(), metadata, properties });
        }
        let environment = resolved
            .pointer("/Globals/Function/Environment/Variables")
            .and_then(Value::as_object)
            .map(variables)
            .unwrap_or_default();
        Ok(Self { resources, environment })
    }

    /// The environment variables every function gets, with the names of this machine; variables
    /// whose value is empty or only known to a deployment are left out.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// The names of the buckets.
    #[must_use]
    pub fn buckets(&self) -> Vec<String> {
        self.of_kind("AWS::S3::Bucket")
            .map(|(id, resource)| intrinsics::bucket_name(id, &resource.properties))
            .collect()
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Resource)> {
        self.resources
            .iter()
            .filter(move |(_, resource)| resource.kind == kind)
            .map(|(id, resource)| (id.as_str(), resource))
    }
}

fn variables(all: &Map<String, Value>) -> BTreeMap<String, String> {
    all.iter()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

fn read<T: DeserializeOwned>(place: &str, value: &Value) -> Result<T, TemplateError> {
    T::deserialize(value).map_err(|error| TemplateError::shape(place, &error))
}

#[cfg(test)]
mod drift;
#[cfg(test)]
mod tests;
