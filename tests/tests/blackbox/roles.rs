//! The roles of the template, held against what the functions call: nothing is missing, and
//! nothing is allowed that no scenario needs.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use serde_yaml_ng::Value;
use tests::aws_front::{Fault, Right, Strike};
use tests::lab::block_on;
use tests::stage::{Stage, all};

/// What one statement of a role allows.
#[derive(Debug)]
struct Statement {
    name: String,
    actions: Vec<String>,
    /// A table's logical id, or what follows the bucket's name.
    resource: String,
    leading: Option<Vec<String>>,
    attributes: Option<BTreeSet<String>>,
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Sequence(all) => all.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Tagged(tagged) => texts(&tagged.value),
        _ => Vec::new(),
    }
}

fn statements(function: &Value) -> Vec<Statement> {
    let policies = function["Properties"]["Policies"].as_sequence().into_iter().flatten();
    let all = policies.flat_map(|policy| policy["Statement"].as_sequence().into_iter().flatten());
    all.map(|statement| {
        let resource = texts(&statement["Resource"]).remove(0);
        let resource = match resource.rsplit_once('}') {
            Some((_, rest)) => rest.trim_start_matches('/').to_owned(),
            None => resource.trim_end_matches(".Arn").to_owned(),
        };
        let conditions = statement["Condition"].as_mapping().cloned().unwrap_or_default();
        let of = |name: &str| conditions.iter().find_map(|(_, keys)| keys.get(name).map(texts));
        Statement {
            name: texts(&statement["Sid"]).remove(0),
            actions: texts(&statement["Action"]),
            resource,
            leading: of("dynamodb:LeadingKeys"),
            attributes: of("dynamodb:Attributes").map(|all| all.into_iter().collect()),
        }
    })
    .collect()
}

/// IAM's patterns: `*` is any text, `?` any character.
fn like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            like(rest, text) || text.split_first().is_some_and(|(_, text)| like(pattern, text))
        }
        (Some((p, pattern)), Some((t, text))) => (*p == b'?' || p == t) && like(pattern, text),
        _ => false,
    }
}

impl Statement {
    /// The pattern of a key by which it allows what a call needs; empty where none is asked for.
    fn allows(&self, right: &Right) -> Option<String> {
        let resource = match right.resource.split_once('/') {
            _ if right.action.starts_with("dynamodb:") => {
                right.resource.splitn(3, '-').last().unwrap_or_default()
            }
            Some((_, key)) => key,
            None => "",
        };
        let named = self.actions.contains(&right.action)
            && like(self.resource.as_bytes(), resource.as_bytes());
        let attributes =
            self.attributes.as_ref().is_none_or(|allowed| right.attributes.is_subset(allowed));
        if !named || !attributes {
            return None;
        }
        match (&self.leading, &right.leading) {
            (None, _) => Some(String::new()),
            (Some(patterns), Some(key)) => {
                patterns.iter().find(|one| like(one.as_bytes(), key.as_bytes())).cloned()
            }
            (Some(_), None) => None,
        }
    }
}

/// A right for what no scenario comes to: function, statement, action, and the test that needs it.
const ELSEWHERE: [(&str, &str, &str, &str); 1] = [(
    "NotifyFunction",
    "Notifications",
    "dynamodb:DeleteItem",
    "subscriptions_actors::of_several_ways_the_one_that_most_may_see_counts",
)];

#[test]
fn what_is_needed_elsewhere_is_there() {
    for (.., test) in ELSEWHERE {
        let (module, name) = test.split_once("::").unwrap();
        let file = format!("tests/tests/blackbox/{module}.rs");
        let source = std::fs::read_to_string(tests::binaries::workspace().join(file)).unwrap();
        assert!(source.contains(&format!("async fn {name}(")), "there is no {test}");
    }
}

#[test]
fn every_role_allows_what_its_function_calls_and_nothing_else() {
    let file = tests::binaries::workspace().join("infra/template.yaml");
    let template: Value = serde_yaml_ng::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let resources = template["Resources"].as_mapping().unwrap();
    let functions: Vec<(String, Vec<Statement>)> = resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function")
        .map(|(id, resource)| (id.as_str().unwrap().to_owned(), statements(resource)))
        .collect();
    let called = block_on(async {
        let scenarios = all();
        let played = stream::iter(&scenarios)
            .map(|scenario| async move {
                let mut calls = Stage::play(scenario, None).await.calls;
                // What is called again, or only then, where others fail for a while.
                let again = calls.iter().filter(|call| call.name.starts_with("BatchGet"));
                let again: BTreeSet<String> = again.map(|call| call.name.clone()).collect();
                for call in again {
                    let strike = Strike { call, nth: Some(0), fault: Fault::Unprocessed };
                    calls.extend(Stage::play(scenario, Some(strike)).await.calls);
                }
                // What is given up where a part of it cannot be put.
                let part = calls.iter().find(|call| call.name.starts_with("UploadPart"));
                if let Some(call) = part.map(|call| call.name.clone()) {
                    let strike = Strike { call, nth: None, fault: Fault::Failed };
                    calls.extend(Stage::play(scenario, Some(strike)).await.calls);
                }
                let rights = calls.into_iter().flat_map(|call| call.rights);
                (scenario.function, rights.collect::<BTreeSet<Right>>())
            })
            .buffer_unordered(8);
        played.collect::<Vec<_>>().await
    });
    let mut wrong = Vec::new();
    for (function, statements) in &functions {
        let mut needed: BTreeSet<(String, String, String)> = BTreeSet::new();
        let of = called.iter().filter(|(of, _)| of == function);
        for right in of.flat_map(|(_, rights)| rights) {
            let allowed = statements.iter().filter_map(|statement| {
                let pattern = statement.allows(right)?;
                Some((statement.name.clone(), right.action.clone(), pattern))
            });
            let allowed: Vec<_> = allowed.collect();
            if allowed.is_empty() {
                wrong.push(format!("{function} lacks {right:?}"));
            }
            needed.extend(allowed);
        }
        for statement in statements {
            for action in &statement.actions {
                let elsewhere = ELSEWHERE.iter().any(|(of, name, what, _)| {
                    of == function && what == action && *name == statement.name
                });
                let none = vec![String::new()];
                for pattern in statement.leading.as_ref().unwrap_or(&none) {
                    let right = (statement.name.clone(), action.clone(), pattern.clone());
                    if !needed.contains(&right) && !elsewhere {
                        wrong.push(format!(
                            "{function}, {}: {action} {pattern} of {} is never needed",
                            statement.name, statement.resource
                        ));
                    }
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} rights:\n{}", wrong.len(), wrong.join("\n"));
}
