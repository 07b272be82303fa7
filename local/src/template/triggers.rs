//! The `Events` of `AWS::Serverless::Function`: what calls which function.

use serde::Deserialize;
use serde_json::Value;

use super::{Resource, Template, TemplateError, read};

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Upper-case method, or `ANY`.
    pub method: String,
    /// The path with its variables, or `$default`.
    pub path: String,
    /// Logical id of the function that answers.
    pub function: String,
}

/// A function called with the records of a table's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTrigger {
    /// Logical id of the function.
    pub function: String,
    /// Logical id of the table.
    pub table: String,
    /// Most records in one call.
    pub batch_size: usize,
    /// Calls with the same records after the first failed, before they are parked.
    pub retries: u32,
    /// Whether a failed batch is cut in two.
    pub bisect: bool,
    /// Whether the answer may name the records that failed.
    pub reports_failures: bool,
    /// Batches of one shard in flight, records of one key always in the same.
    pub parallelization: usize,
    /// Event patterns as JSON text; a record passes when it matches one, or when there is none.
    pub patterns: Vec<String>,
}

/// A function called when an object is put into a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketTrigger {
    /// Logical id of the function.
    pub function: String,
    /// The bucket's name.
    pub bucket: String,
    /// What the key begins with.
    pub prefix: String,
    /// What the key ends with.
    pub suffix: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamProperties {
    stream: String,
    #[serde(default = "default_batch_size")]
    batch_size: usize,
    // Without it AWS retries for as long as the record lives.
    #[serde(default = "default_retries")]
    maximum_retry_attempts: u32,
    #[serde(default)]
    bisect_batch_on_function_error: bool,
    #[serde(default)]
    function_response_types: Vec<String>,
    #[serde(default = "default_parallelization")]
    parallelization_factor: usize,
    filter_criteria: Option<FilterCriteria>,
}

const fn default_batch_size() -> usize {
    100
}

const fn default_retries() -> u32 {
    u32::MAX
}

const fn default_parallelization() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FilterCriteria {
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    pattern: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BucketProperties {
    bucket: String,
    filter: Option<BucketFilter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BucketFilter {
    s3_key: KeyFilter,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyFilter {
    rules: Vec<KeyRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyRule {
    name: String,
    value: String,
}

impl Template {
    /// Every route of the HTTP API.
    #[must_use]
    pub fn routes(&self) -> Vec<Route> {
        self.events("HttpApi")
            .map(|(function, _, properties)| {
                let text = |name: &str| properties.get(name).and_then(Value::as_str);
                Route {
                    method: text("Method").unwrap_or("ANY").to_ascii_uppercase(),
                    path: text("Path").unwrap_or("$default").to_owned(),
                    function: function.to_owned(),
                }
            })
            .collect()
    }

    /// The routes of functions that stream: the paths that a front before both the HTTP API and the
    /// function's URL sends to the latter (`Metadata`, `FrontPaths`).
    #[must_use]
    pub fn front_routes(&self) -> Vec<Route> {
        let streaming = self.of_kind("AWS::Serverless::Function").filter(|(_, function)| {
            let mode = function.properties.pointer("/FunctionUrlConfig/InvokeMode");
            mode.and_then(Value::as_str) == Some("RESPONSE_STREAM")
        });
        let paths = |(id, function): (&str, &Resource)| {
            let paths = function.metadata.get("FrontPaths").and_then(Value::as_array);
            let paths = paths.into_iter().flatten().filter_map(Value::as_str);
            let route = |path: &str| Route {
                method: "ANY".to_owned(),
                path: path.to_owned(),
                function: id.to_owned(),
            };
            paths.map(route).collect::<Vec<_>>()
        };
        streaming.flat_map(paths).collect()
    }

    /// Every event source mapping from a table's stream.
    ///
    /// # Errors
    /// When one does not say which stream.
    pub fn stream_triggers(&self) -> Result<Vec<StreamTrigger>, TemplateError> {
        self.events("DynamoDB")
            .map(|(function, event, properties)| {
                let place = format!("{function}.{event}");
                let read: StreamProperties = read(&place, properties)?;
                let Some((table, "StreamArn")) = read.stream.split_once('.') else {
                    let reason = "Stream must be !GetAtt <table>.StreamArn";
                    return Err(TemplateError::shape(&place, &reason));
                };
                Ok(StreamTrigger {
                    function: function.to_owned(),
                    table: table.to_owned(),
                    batch_size: read.batch_size.max(1),
                    retries: read.maximum_retry_attempts,
                    bisect: read.bisect_batch_on_function_error,
                    reports_failures: read
                        .function_response_types
                        .iter()
                        .any(|kind| kind == "ReportBatchItemFailures"),
                    parallelization: read.parallelization_factor.max(1),
                    patterns: read
                        .filter_criteria
                        .map(|criteria| criteria.filters.into_iter().map(|f| f.pattern).collect())
                        .unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Every notification from a bucket.
    ///
    /// # Errors
    /// When one does not say which bucket.
    pub fn bucket_triggers(&self) -> Result<Vec<BucketTrigger>, TemplateError> {
        self.events("S3")
            .map(|(function, event, properties)| {
                let read: BucketProperties = read(&format!("{function}.{event}"), properties)?;
                let rules = read.filter.map(|filter| filter.s3_key.rules).unwrap_or_default();
                let rule = |name: &str| {
                    let rule = rules.iter().find(|rule| rule.name.eq_ignore_ascii_case(name));
                    rule.map(|rule| rule.value.clone()).unwrap_or_default()
                };
                Ok(BucketTrigger {
                    function: function.to_owned(),
                    bucket: read.bucket,
                    prefix: rule("prefix"),
                    suffix: rule("suffix"),
                })
            })
            .collect()
    }

    /// (function, event name, properties) of all events of one type.
    pub(super) fn events<'a>(
        &'a self,
        kind: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> {
        self.of_kind("AWS::Serverless::Function").flat_map(move |(function, resource)| {
            let events = resource.properties.get("Events").and_then(Value::as_object);
            events
                .into_iter()
                .flatten()
                .filter(move |(_, event)| event.get("Type").and_then(Value::as_str) == Some(kind))
                .map(move |(name, event)| {
                    (function, name.as_str(), event.get("Properties").unwrap_or(&Value::Null))
                })
        })
    }
}
