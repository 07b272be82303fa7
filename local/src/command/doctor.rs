//! `iocast doctor`

use std::process::ExitCode;

use chrono::Utc;
use clap::Args;
use local::operate::Fault;
use local::operate::aws::Aws;
use local::operate::doctor::{Finding, Health, folder, service, stack, text};
use local::operate::table::terminal_width;
use serde_json::json;

use super::connection::Connection;
use super::managed;

/// Looks at a deployment and says what is wrong and what to do: the service, its tables, streams,
/// schedules and queues, as far as the key and the AWS credentials given reach.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code: 0 if nothing is wrong, 2 if something is, 1 if it could not look.

Examples:
  iocast doctor                                          the service running here
  iocast doctor --url https://intel.example.com          what an admin key can see
  iocast doctor --stack iocast                           the stack, with AWS credentials
  iocast doctor --url https://intel.example.com --stack iocast")]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
}

/// Exit code when something is wrong.
const SOMETHING_WRONG: u8 = 2;

/// Runs it.
///
/// # Errors
/// When it could not look.
pub async fn run(Arguments { connection }: Arguments) -> Result<ExitCode, Fault> {
    let now = Utc::now();
    let mut findings = Vec::new();
    let only_stack = connection.stack.is_some() && connection.url.is_none() && !connection.direct;
    if connection.url.is_none() && !connection.direct && !only_stack {
        findings.extend(folder::examine(&connection.data));
    }
    if !only_stack {
        match connection.api().await {
            Ok(api) => findings.extend(service::examine(&api, now).await),
            Err(fault) => {
                let advice = fault.hint.unwrap_or_else(|| "see `iocast doctor --help`".into());
                findings.push(Finding::wrong("service", fault.message, advice));
            }
        }
    }
    match &connection.stack {
        Some(name) => findings.extend(stack::examine(&Aws::from_env()?, name, now).await),
        None if connection.url.is_some() => findings.push(stack::not_looked_at()),
        None => {}
    }
    let wrong = findings.iter().filter(|one| one.health == Health::Wrong).count();
    if connection.json {
        managed::say_json(&json!({"wrong": wrong, "findings": findings}));
    } else {
        managed::say(&text(&findings, terminal_width().unwrap_or(100)));
        managed::say(&match wrong {
            0 => "\nNothing is wrong.\n".to_owned(),
            1 => "\n1 thing is wrong.\n".to_owned(),
            count => format!("\n{count} things are wrong.\n"),
        });
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOMETHING_WRONG) })
}
