//! Metrics, as lines of the embedded metric format: `CloudWatch` makes them from what a function
//! prints, and nothing has to be called for it.

use std::io::Write;
use std::sync::OnceLock;

use chrono::Utc;
use serde_json::{Map, Value, json};

use crate::work;

/// Where none is set, and in the local run.
const NAMESPACE: &str = "iocast";

/// The namespace of every metric that is printed, once this process is known to be a function's.
static PRINTED: OnceLock<String> = OnceLock::new();

/// What a metric's value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Bytes => "Bytes",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
        }
    }
}

/// From here on metrics are printed to standard output: this process is a function's. Their
/// namespace is its stack's, so that one stack's alarms are not silenced by another's metrics. An
/// empty one says that the stack has no monitoring: `CloudWatch` would charge for each metric.
pub fn start_printing(namespace: Option<String>) {
    if namespace.as_deref() == Some("") {
        return;
    }
    // A second start in the same process keeps the first one's.
    let _ = PRINTED.set(namespace.unwrap_or_else(|| NAMESPACE.to_owned()));
}

/// Reports metrics of one moment, under these dimensions; the line also names the request or event
/// they come of. In the local run they go to the log.
pub fn report(dimensions: &[(&str, &str)], metrics: &[(&str, Unit, f64)]) {
    report_with(&[], dimensions, metrics);
}

/// The same, with more that the line says, which is no metric: `properties`.
pub fn report_with(
    properties: &[(&str, Value)],
    dimensions: &[(&str, &str)],
    metrics: &[(&str, Unit, f64)],
) {
    let namespace = PRINTED.get().map_or(NAMESPACE, String::as_str);
    let mut line = line(namespace, dimensions, metrics, Utc::now().timestamp_millis());
    if let Value::Object(members) = &mut line {
        members.extend(properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        if let Some(work) = work::present() {
            members.insert("request_id".into(), json!(work.request_id));
            members.insert("trace_id".into(), json!(work.trace_id));
        }
    }
    if PRINTED.get().is_some() {
        // Nobody is left to be told that nothing can be printed.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    } else {
        tracing::debug!(target: "metric", %line);
    }
}

/// Reports that something happened once.
pub fn count(name: &str) {
    report(&[], &[(name, Unit::Count, 1.0)]);
}

fn line(
    namespace: &str,
    dimensions: &[(&str, &str)],
    metrics: &[(&str, Unit, f64)],
    at: i64,
) -> Value {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let defined: Vec<Value> =
        metrics.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit.name()})).collect();
    let mut line = Map::new();
    let directive = json!({"Namespace": namespace, "Dimensions": [names], "Metrics": defined});
    line.insert("_aws".into(), json!({"Timestamp": at, "CloudWatchMetrics": [directive]}));
    line.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    line.extend(metrics.iter().map(|(name, _, value)| ((*name).to_owned(), json!(value))));
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_of_the_embedded_metric_format() {
        let line = line(
            "iocast/prod",
            &[("Feed", "all")],
            &[("Rows", Unit::Count, 3.0)],
            1_700_000_000_000,
        );
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 1_700_000_000_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "iocast/prod",
                        "Dimensions": [["Feed"]],
                        "Metrics": [{"Name": "Rows", "Unit": "Count"}],
                    }],
                },
                "Feed": "all",
                "Rows": 3.0,
            })
        );
    }
}
