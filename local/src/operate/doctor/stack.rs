//! The stack behind a service, with the environment's AWS credentials: tables, streams,
//! schedules, functions, queues, and how far projection lags behind.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::json;

use super::Finding;
use crate::operate::Fault;
use crate::operate::aws::{Aws, StackResource, texts};

/// What the alarm of the template calls late, in milliseconds.
const LATE_MILLIS: f64 = 300_000.0;
/// How far back the lag is looked for.
const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// What a stack of ours has at the least.
const TABLES: [&str; 4] = ["AccessTable", "CollectionsTable", "NotificationsTable", "ObjectsTable"];
/// Those of them whose items have an end; the others stream.
const EXPIRING: [&str; 2] = ["AccessTable", "NotificationsTable"];

/// Looks at a stack.
pub async fn examine(aws: &Aws, name: &str, now: DateTime<Utc>) -> Vec<Finding> {
    let resources = match aws.stack(name).await {
        Ok(resources) => resources,
        Err(fault) => {
            let advice = fault.hint.unwrap_or_else(|| "name another with --stack".to_owned());
            return vec![Finding::wrong("stack", fault.message, advice)];
        }
    };
    let mut findings = vec![Finding::ok("stack", format!("{name}, {} resources", resources.len()))];
    for table in TABLES {
        if !resources.iter().any(|resource| resource.logical_id == table) {
            let advice = "is this a stack of infra/template.yaml? deploy it with `sam deploy`";
            findings.push(Finding::wrong(table, "is not in the stack", advice));
        }
    }
    for resource in &resources {
        let found = match resource.kind.as_str() {
            "AWS::DynamoDB::Table" => table(aws, resource).await,
            "AWS::Lambda::EventSourceMapping" => mapping(aws, resource).await,
            "AWS::Lambda::Function" => function(aws, resource).await,
            "AWS::Events::Rule" => rule(aws, resource).await,
            "AWS::SQS::Queue" => queue(aws, resource).await,
            _ => continue,
        };
        findings.push(found.unwrap_or_else(|fault| unseen(resource, &fault)));
    }
    let project = resources.iter().find(|one| one.logical_id == "ProjectFunction");
    if let Some(project) = project {
        findings.push(lag(aws, project, now).await.unwrap_or_else(|fault| unseen(project, &fault)));
    }
    findings
}

/// What these credentials may not look at.
fn unseen(resource: &StackResource, fault: &Fault) -> Finding {
    Finding::note(&resource.logical_id, format!("cannot be looked at: {}", fault.message))
        .advise("it takes credentials that may read it")
}

async fn table(aws: &Aws, resource: &StackResource) -> Result<Finding, Fault> {
    let body = json!({"TableName": resource.physical_id});
    let call = ("1.0", "DynamoDB_20120810.DescribeTable");
    let described = aws.json("dynamodb", call, &body).await?;
    let what = &resource.logical_id;
    let table = &described["Table"];
    let status = table["TableStatus"].as_str().unwrap_or("unknown");
    if status != "ACTIVE" && status != "UPDATING" {
        let advice = "wait until it is ACTIVE; restore it if it was deleted";
        return Ok(Finding::wrong(what, format!("is {status}"), advice));
    }
    if !EXPIRING.contains(&what.as_str()) {
        if table["StreamSpecification"]["StreamEnabled"] == true {
            return Ok(Finding::ok(what, "is active, and streams"));
        }
        let advice = "without it nothing is projected: deploy the template again";
        return Ok(Finding::wrong(what, "has no stream", advice));
    }
    let call = ("1.0", "DynamoDB_20120810.DescribeTimeToLive");
    let described = aws.json("dynamodb", call, &body).await?;
    let expires = described["TimeToLiveDescription"]["TimeToLiveStatus"].as_str();
    if matches!(expires, Some("ENABLED" | "ENABLING")) {
        return Ok(Finding::ok(what, "is active, and drops what has expired"));
    }
    let advice = "counters, receipts and notifications stay for ever: deploy the template again";
    Ok(Finding::wrong(what, "does not drop what has expired", advice))
}

async fn mapping(aws: &Aws, resource: &StackResource) -> Result<Finding, Fault> {
    let path = format!("/2015-03-31/event-source-mappings/{}", resource.physical_id);
    let mapping = aws.get("lambda", &path).await?;
    let state = mapping["State"].as_str().unwrap_or("unknown");
    let last = mapping["LastProcessingResult"].as_str().unwrap_or("nothing yet");
    let what = &resource.logical_id;
    if state != "Enabled" {
        let advice = "switch it on again: aws lambda update-event-source-mapping --enabled";
        return Ok(Finding::wrong(what, format!("is {state}"), advice));
    }
    if last.starts_with("PROBLEM") {
        let advice = "look at the function's log, and at the queue of parked events";
        return Ok(Finding::wrong(what, last, advice));
    }
    Ok(Finding::ok(what, format!("is enabled; last result: {last}")))
}

async fn function(aws: &Aws, resource: &StackResource) -> Result<Finding, Fault> {
    let path = format!("/2015-03-31/functions/{}/configuration", resource.physical_id);
    let function = aws.get("lambda", &path).await?;
    let state = function["State"].as_str().unwrap_or("Active");
    let update = function["LastUpdateStatus"].as_str().unwrap_or("Successful");
    let what = &resource.logical_id;
    if matches!(state, "Failed" | "Inactive") || update == "Failed" {
        let why = function["StateReason"].as_str().or(function["LastUpdateStatusReason"].as_str());
        let seen = format!("is {state}, last update {update}: {}", why.unwrap_or("no reason"));
        return Ok(Finding::wrong(what, seen, "deploy it again with `sam build && sam deploy`"));
    }
    Ok(Finding::ok(what, format!("is {}", state.to_lowercase())))
}

async fn rule(aws: &Aws, resource: &StackResource) -> Result<Finding, Fault> {
    let body = json!({"Name": resource.physical_id});
    let rule = aws.json("events", ("1.1", "AWSEvents.DescribeRule"), &body).await?;
    let schedule = rule["ScheduleExpression"].as_str().unwrap_or("no schedule");
    if rule["State"] == "ENABLED" {
        return Ok(Finding::ok(&resource.logical_id, format!("is enabled: {schedule}")));
    }
    let advice = format!("switch it on: aws events enable-rule --name {}", resource.physical_id);
    Ok(Finding::wrong(&resource.logical_id, "is switched off", advice))
}

async fn queue(aws: &Aws, resource: &StackResource) -> Result<Finding, Fault> {
    let body = json!({
        "QueueUrl": resource.physical_id,
        "AttributeNames": ["ApproximateNumberOfMessages"],
    });
    let read = aws.json("sqs", ("1.0", "AmazonSQS.GetQueueAttributes"), &body).await?;
    let waiting = read["Attributes"]["ApproximateNumberOfMessages"].as_str().unwrap_or("0");
    let what = &resource.logical_id;
    if waiting == "0" {
        return Ok(Finding::ok(what, "is empty"));
    }
    let advice = "each is an event that failed three times: read it and mend what it names; the \
                  sweep and the schedules bring back all but drops, which are put in again";
    Ok(Finding::wrong(what, format!("holds {waiting} parked events"), advice))
}

async fn lag(aws: &Aws, project: &StackResource, now: DateTime<Utc>) -> Result<Finding, Fault> {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (start, end) = (time(now - WINDOW), time(now));
    let xml = aws
        .query(
            "monitoring",
            &[
                ("Action", "GetMetricStatistics"),
                ("Version", "2010-08-01"),
                ("Namespace", "AWS/Lambda"),
                ("MetricName", "IteratorAge"),
                ("Dimensions.member.1.Name", "FunctionName"),
                ("Dimensions.member.1.Value", &project.physical_id),
                ("StartTime", &start),
                ("EndTime", &end),
                ("Period", "60"),
                ("Statistics.member.1", "Maximum"),
            ],
        )
        .await?;
    let ages = texts(&xml, "Maximum").into_iter().filter_map(|age| age.parse::<f64>().ok());
    let Some(oldest) = ages.reduce(f64::max) else {
        return Ok(Finding::ok("lag of projection", "nothing was written of late"));
    };
    let seen = format!("{:.1} s at the most in the last quarter of an hour", oldest / 1000.0);
    if oldest < LATE_MILLIS {
        return Ok(Finding::ok("lag of projection", seen));
    }
    let advice = "look at the log of the function `project`, its errors and its concurrency";
    Ok(Finding::wrong("lag of projection", seen, advice))
}

/// Says that a stack can be looked at as well.
#[must_use]
pub fn not_looked_at() -> Finding {
    let seen = "not looked at: no stack was named";
    Finding::note("AWS", seen).advise("with --stack NAME the tables, streams and queues are too")
}
