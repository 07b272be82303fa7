//! What docs/cost.json says of the deployment, held against the template and the code.

use std::collections::BTreeSet;

use local::template::Template;
use serde_json::{Value, json};

fn read(path: &str) -> String {
    std::fs::read_to_string(tests::binaries::workspace().join(path)).unwrap()
}

fn deployed() -> Value {
    serde_json::from_str::<Value>(&read("docs/cost.json")).unwrap()["deployed"].clone()
}

fn template() -> serde_yaml_ng::Value {
    serde_yaml_ng::from_str(&read("infra/template.yaml")).unwrap()
}

#[test]
fn every_functions_memory_is_what_it_is_given() {
    let template = template();
    let usual = template["Globals"]["Function"]["MemorySize"].as_u64().unwrap();
    let mut given = json!({});
    for (id, resource) in template["Resources"].as_mapping().unwrap() {
        if resource["Type"] == "AWS::Serverless::Function" {
            let memory = resource["Properties"]["MemorySize"].as_u64().unwrap_or(usual);
            given[id.as_str().unwrap()] = memory.into();
        }
    }
    assert_eq!(deployed()["memory"], given);
}

#[test]
fn schedules_are_as_often_as_they_are() {
    let mut minutes = json!({});
    for schedule in Template::embedded().unwrap().schedule_triggers().unwrap() {
        minutes[schedule.function] = (schedule.period.as_secs() / 60).into();
    }
    assert_eq!(deployed()["every_minutes"], minutes);
}

#[test]
fn alarms_are_paid_for_each_metric_they_watch() {
    let template = template();
    let mut watched = 0;
    for (_, resource) in template["Resources"].as_mapping().unwrap() {
        if resource["Type"] == "AWS::CloudWatch::Alarm" {
            let metrics = resource["Properties"]["Metrics"].as_sequence();
            let of_several = metrics.into_iter().flatten();
            let of_several = of_several.filter(|one| one.get("MetricStat").is_some()).count();
            watched += of_several.max(1);
        }
    }
    assert_eq!(deployed()["alarm_metrics"], watched);
}

/// The names of the metrics a source reports.
fn metrics_in(path: &str) -> BTreeSet<String> {
    let source = read(path);
    let named = source.split("(\"").skip(1).filter_map(|rest| rest.split_once("\", Unit::"));
    named.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn metrics_of_our_own_are_counted() {
    let deployed = deployed();
    let feeds = metrics_in("functions/csv-publish/src/metrics.rs");
    assert!(feeds.contains("FeedsLate"), "{feeds:?}");
    assert_eq!(deployed["custom_metrics"], feeds.len());
    let streams = metrics_in("functions/live-stream/src/metrics.rs");
    assert!(streams.contains("StreamLag"), "{streams:?}");
    assert_eq!(deployed["stream_metrics"], streams.len());
}
