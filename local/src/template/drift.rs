//! What the template says and what is read elsewhere: the code's environment, its schedules, the
//! page for operators. The tables, routes and triggers themselves cannot drift, as the local server
//! is made of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use shared::clock::Clock;
use shared::http::CHALLENGE;
use shared::services::{Services, Settings};
use shared::store::Names;

use super::*;
use crate::engines::clients::{self, Endpoint};
use crate::engines::s3::Access;
use crate::functions;

/// Read where the tests or who experiments want other limits; a deployment has the defaults.
const OF_NO_DEPLOYMENT: [&str; 1] = ["IOCAST_STREAM_SECONDS"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn template() -> Value {
    intrinsics::resolve(&serde_yaml_ng::from_str(EMBEDDED).unwrap()).unwrap()
}

fn resources<'a>(template: &'a Value, kind: &str) -> Vec<(&'a String, &'a Value)> {
    let all = template["Resources"].as_object().unwrap();
    all.iter().filter(|(_, resource)| resource["Type"] == kind).collect()
}

/// The product's sources that run in functions, without their tests.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") && name != "tests.rs" {
            let text = std::fs::read_to_string(&path).unwrap();
            let product = text.split("#[cfg(test)]").next().unwrap().to_owned();
            found.push((path, product));
        }
    }
    found
}

fn product() -> Vec<(PathBuf, String)> {
    let functions = std::fs::read_dir(root().join("functions")).unwrap();
    let crates = functions.map(|entry| entry.unwrap().path()).chain([root().join("shared")]);
    crates.flat_map(|one| sources(&one.join("src"))).collect()
}

/// The words of a text that begin with `IOCAST_`.
fn variables_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').filter(|word| {
        let name = word.strip_prefix("IOCAST_");
        name.is_some_and(|n| {
            !n.is_empty() && n.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        })
    })
}

#[test]
fn functions_are_given_the_variables_they_read_and_no_others() {
    let template = template();
    let names = |value: &Value| -> BTreeSet<String> {
        let variables = value.pointer("/Environment/Variables").and_then(Value::as_object);
        let names = variables.into_iter().flatten().map(|(name, _)| name.clone());
        names.filter(|name| name.starts_with("IOCAST_")).collect()
    };
    let global = names(&template["Globals"]["Function"]);
    let sources = product();
    let read_in = |part: &str| -> BTreeSet<String> {
        let of_part = sources.iter().filter(|(path, _)| path.to_string_lossy().contains(part));
        of_part.flat_map(|(_, text)| variables_in(text)).map(str::to_owned).collect()
    };
    let mut given = global.clone();
    for (id, function) in resources(&template, "AWS::Serverless::Function") {
        let own = names(&function["Properties"]);
        let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap();
        let mut read = read_in(&format!("/functions/{binary}/"));
        read.extend(read_in("/shared/"));
        assert!(own.is_subset(&read), "{id} is given {own:?}, read are {read:?}");
        given.extend(own);
    }
    let mut read = read_in("/");
    for name in OF_NO_DEPLOYMENT {
        assert!(read.remove(name), "{name} is read nowhere");
    }
    assert_eq!(given, read, "variables of the template, and those the code reads");
}

#[test]
fn no_index_is_read_that_is_not_there() {
    let template = template();
    for (id, table) in resources(&template, "AWS::DynamoDB::Table") {
        for kind in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            assert!(table["Properties"][kind].is_null(), "{id} has an index nobody reads");
        }
    }
    for (path, text) in product() {
        assert!(!text.contains("index_name("), "{} reads an index", path.display());
    }
}

#[test]
fn every_binary_is_deployed_and_every_function_is_a_binary() {
    let template = template();
    let deployed: BTreeSet<String> = resources(&template, "AWS::Serverless::Function")
        .into_iter()
        .map(|(_, f)| f["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap().to_owned())
        .collect();
    let crates = std::fs::read_dir(root().join("functions")).unwrap();
    let crates = crates.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    assert_eq!(deployed, crates.collect());
}

/// What functions need to be made; none of it is reached.
fn nowhere() -> Services {
    let address = ([127, 0, 0, 1], 9).into();
    let bucket = Access { address, secret: String::new() };
    let name = String::new;
    let settings = Settings {
        names: Names {
            objects: name(),
            collections: name(),
            access: name(),
            notifications: name(),
            bucket: name(),
        },
        public_base_url: None,
        taxii_root: name(),
        identity_name: name(),
        source_key_secret: None,
        definition_memory: Duration::ZERO,
        clock: Clock::default(),
    };
    Services::new(
        clients::dynamodb(&Endpoint::at(address)),
        clients::s3(&bucket, &clients::http()).config().clone(),
        settings,
    )
}

#[tokio::test]
async fn every_trigger_calls_a_function_the_local_server_has() {
    let template = Template::embedded().unwrap();
    let services = nowhere();
    for route in template.routes() {
        assert!(functions::http(&services, &route.function).is_some(), "{route:?}");
    }
    for route in template.front_routes() {
        assert!(functions::streaming(&services, &route.function).is_some(), "{route:?}");
    }
    let streams = template.stream_triggers().unwrap().into_iter().map(|one| one.function);
    let schedules = template.schedule_triggers().unwrap().into_iter().map(|one| one.function);
    let buckets = template.bucket_triggers().unwrap().into_iter().map(|one| one.function);
    for function in streams.chain(schedules).chain(buckets) {
        assert!(functions::event(&services, &function).is_some(), "{function}");
    }
}

#[test]
fn what_fails_is_halved_named_and_parked() {
    let template = template();
    let triggers = Template::embedded().unwrap().stream_triggers().unwrap();
    assert!(triggers.iter().all(|one| one.bisect && one.reports_failures && one.retries == 2));
    for (id, function) in resources(&template, "AWS::Serverless::Function") {
        let properties = &function["Properties"];
        for (name, event) in properties["Events"].as_object().into_iter().flatten() {
            let destination = match event["Type"].as_str().unwrap() {
                "DynamoDB" => &event["Properties"]["DestinationConfig"],
                "Schedule" | "S3" => &properties["EventInvokeConfig"]["DestinationConfig"],
                _ => continue,
            };
            assert_eq!(destination["OnFailure"]["Destination"], "ParkedQueue.Arn", "{id} {name}");
        }
        let log = &properties["LoggingConfig"]["LogGroup"];
        let group = &template["Resources"][log.as_str().unwrap()];
        assert_eq!(group["Type"], "AWS::Logs::LogGroup", "{id}");
        assert!(!group["Properties"]["RetentionInDays"].is_null(), "{id}");
    }
}

/// The boundary only has to leave to each role what the role itself names.
#[test]
fn no_role_needs_more_than_the_boundary_leaves() {
    let template = template();
    let list = |value: &Value| -> Vec<String> {
        let many = value.as_array().map(|all| all.iter().filter_map(Value::as_str).collect());
        let texts: Vec<&str> = many.unwrap_or_else(|| value.as_str().into_iter().collect());
        texts.into_iter().map(str::to_owned).collect()
    };
    let boundary = &template["Resources"]["Boundary"]["Properties"]["PolicyDocument"]["Statement"];
    let boundary = boundary.as_array().unwrap();
    let leaves = |action: &str, resource: &str| {
        boundary.iter().any(|one| {
            let covers = |wide: &String| {
                let begins =
                    wide.strip_suffix('*').is_some_and(|begin| resource.starts_with(begin));
                wide == resource || begins
            };
            list(&one["Action"]).iter().any(|a| a == action)
                && list(&one["Resource"]).iter().any(covers)
        })
    };
    for (id, function) in resources(&template, "AWS::Serverless::Function") {
        let policies = function["Properties"]["Policies"].as_array().unwrap();
        for statement in policies.iter().flat_map(|p| p["Statement"].as_array().unwrap()) {
            for (action, resource) in list(&statement["Action"]).iter().flat_map(|action| {
                list(&statement["Resource"]).into_iter().map(move |r| (action, r))
            }) {
                assert!(leaves(action, &resource), "{id}: {action} of {resource}");
            }
        }
    }
}

/// The keys' own policies grant their use through the service; the boundary must not take it away.
#[test]
fn the_boundary_leaves_the_key_that_tables_are_encrypted_with() {
    let template = template();
    for (id, table) in resources(&template, "AWS::DynamoDB::Table") {
        let encrypted = &table["Properties"]["SSESpecification"];
        assert_eq!(*encrypted, serde_json::json!({"SSEEnabled": true}), "{id}: the account's key");
    }
    let boundary = &template["Resources"]["Boundary"]["Properties"]["PolicyDocument"]["Statement"];
    let left = boundary.as_array().unwrap().iter().find(|one| {
        one["Action"].as_array().is_some_and(|all| all.iter().any(|one| one == "kms:Decrypt"))
    });
    let condition = &left.expect("the boundary leaves kms:Decrypt")["Condition"];
    let services = condition["StringEquals"]["kms:ViaService"].as_array().unwrap();
    assert!(services.iter().any(|one| one.as_str().unwrap().starts_with("dynamodb.")));
}

#[test]
fn every_alarm_is_told_and_has_its_section_for_operators() {
    let template = template();
    let page = std::fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let alarms = resources(&template, "AWS::CloudWatch::Alarm");
    let named: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("### ")).map(str::trim).collect();
    let there: BTreeSet<&str> = alarms.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(named, there, "sections of docs/operations.md, and alarms");
    for (id, _) in &alarms {
        // What `!If` makes of it is only known to a deployment.
        let text = EMBEDDED.split(&format!("\n  {id}:\n")).nth(1).unwrap();
        let text = text.split("\n\n").next().unwrap();
        assert!(text.contains("AlarmActions: !If [HasAlarmTopic,"), "{id} tells nobody");
        assert!(text.contains("Condition: Monitored"), "{id} is there without Monitoring");
        assert!(EMBEDDED.contains(&format!("\"${{{id}.Arn}}\"")), "{id} is not on the dashboard");
    }
}

#[test]
fn the_front_sends_streams_to_the_functions_url_and_says_how_to_authenticate() {
    let template = template();
    let front = &template["Resources"]["Front"]["Properties"]["DistributionConfig"];
    let behaviors = front["CacheBehaviors"].as_array().unwrap();
    let streams = behaviors.iter().filter(|one| one["TargetOriginId"] == "stream");
    let patterns: Vec<&str> = streams.map(|one| one["PathPattern"].as_str().unwrap()).collect();
    let paths: Vec<String> = Template::embedded()
        .unwrap()
        .front_routes()
        .iter()
        .map(|route| route.path.replace("{collection}", "*"))
        .collect();
    assert_eq!(patterns, paths);
    for policy in ["FrontHeaders", "FeedsHeaders"] {
        let headers = &template["Resources"][policy]["Properties"];
        let said = headers.pointer("/ResponseHeadersPolicyConfig/CustomHeadersConfig/Items/0");
        assert_eq!(said.unwrap()["Value"], CHALLENGE, "{policy}");
    }
}

/// The managed policy that keeps nothing.
const DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";

/// Of the front's one behaviour that keeps answers.
#[test]
fn the_front_asks_us_all_there_is_and_repeats_nothing_that_was_said_to_one() {
    let template = template();
    let front = &template["Resources"]["Front"]["Properties"]["DistributionConfig"];
    let behaviors = front["CacheBehaviors"].as_array().unwrap();
    let all = || behaviors.iter().chain([&front["DefaultCacheBehavior"]]);
    for behavior in all() {
        // CloudFront refuses other methods itself, with a page of its own.
        let methods = behavior["AllowedMethods"].as_array().unwrap();
        assert_eq!(methods.len(), 7, "{behavior}");
    }
    let keeping: Vec<&Value> = all().filter(|one| one["CachePolicyId"] != DISABLED).collect();
    let [feeds] = keeping.as_slice() else { panic!("{keeping:?}") };
    assert_eq!(feeds["PathPattern"], "/feeds/*");
    assert_eq!(feeds["CachedMethods"], serde_json::json!(["GET", "HEAD"]));
    let names = |policy: &str, place: &str| -> BTreeSet<String> {
        let place = template["Resources"][policy]["Properties"].pointer(place);
        let items = place.and_then(Value::as_array).unwrap().iter();
        let name = |item: &Value| item.as_str().or(item["Header"].as_str()).unwrap().to_lowercase();
        items.map(name).collect()
    };
    let key = "/CachePolicyConfig/ParametersInCacheKeyAndForwardedToOrigin/HeadersConfig/Headers";
    let keys = names(feeds["CachePolicyId"].as_str().unwrap(), key);
    assert_eq!(keys, ["authorization", "x-api-key", "x-apikey"].map(str::to_owned).into());
    let removed = names(
        feeds["ResponseHeadersPolicyId"].as_str().unwrap(),
        "/ResponseHeadersPolicyConfig/RemoveHeadersConfig/Items",
    );
    // What answers say of the request or of who asked.
    let answers = std::fs::read_to_string(root().join("shared/src/http/answer.rs")).unwrap();
    let said: Vec<&str> = answers.split('"').filter(|word| word.starts_with("x-")).collect();
    assert!(said.len() >= 4, "{said:?}");
    for header in said {
        assert!(removed.contains(header), "{header} would be said again to who asks next");
    }
}
