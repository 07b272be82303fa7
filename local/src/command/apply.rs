//! `iocast apply`

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use local::operate::apply::{Difference, Document, Step, steps, take, text};
use local::operate::table::terminal_width;
use local::operate::{Api, Fault};
use serde_json::{Value, json};

use super::connection::Connection;
use super::managed;

/// A file that says how tenants, plans, collections, feeds and subscriptions shall be: makes and
/// changes what is not so.
#[derive(Debug, Args)]
#[command(after_help = "\
What the file does not name is left alone; a member it leaves out gets its default. Tenants are
found by id, plans by name, collections and feeds by alias. Applying a file again changes nothing.

A file:
  tenants:
  - id: acme
    name: Acme Inc.
  plans:
  - name: partner
    requests_per_minute: 100
    lookback_days: 30
    scopes: [read:taxii, read:csv]
  collections:
  - alias: detection
    title: Detection
    ceiling: amber
    readers: [acme]
    filter:
      mode: and
      filters:
      - key: label
        values: [detection]
    stream:
      dependencies: true
  feeds:
  - alias: block
    name: Block list
    collection: detection
    rolling_minutes: 43200
    formats: [csv, csv.gz, txt]
  subscriptions:
  - tenant: acme
    source_type: collection
    source_id: detection

Examples:
  iocast apply iocast.yaml --dry-run     exit code 2 if something would change
  iocast apply iocast.yaml")]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// The file; - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
}

/// Exit code of a dry run that would change something.
const WOULD_CHANGE: u8 = 2;

/// Runs it.
///
/// # Errors
/// Why it was not done, or not to its end.
pub async fn run(arguments: Arguments) -> Result<ExitCode, Fault> {
    let Arguments { connection, file, dry_run } = arguments;
    let document = Document::parse(&read(&file)?).map_err(|fault| Fault {
        message: format!("{}: {}", file.display(), fault.message),
        ..fault
    })?;
    let api = connection.api().await?;
    let steps = steps(&api, &document).await?;
    let done = if dry_run { Ok(()) } else { all(&api, &steps, connection.json).await };
    if connection.json {
        managed::say_json(&report(&steps, dry_run));
    } else {
        say(&steps, dry_run, done.is_ok());
    }
    done?;
    let pending = dry_run && steps.iter().any(|step| step.difference != Difference::None);
    Ok(if pending { ExitCode::from(WOULD_CHANGE) } else { ExitCode::SUCCESS })
}

fn read(file: &std::path::Path) -> Result<String, Fault> {
    let failed =
        |error: std::io::Error| Fault::new(format!("cannot read {}: {error}", file.display()));
    if file.as_os_str() != "-" {
        return std::fs::read_to_string(file).map_err(failed);
    }
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

async fn all(api: &Api, steps: &[Step], quiet: bool) -> Result<(), Fault> {
    for step in steps {
        take(api, step).await?;
        if !quiet {
            managed::say(&text(step, terminal_width()));
        }
    }
    Ok(())
}

fn say(steps: &[Step], dry_run: bool, done: bool) {
    if dry_run {
        let shown = steps.iter().map(|step| text(step, terminal_width()));
        managed::say(&shown.collect::<String>());
    }
    if done {
        let count = |wanted: fn(&Difference) -> bool| {
            steps.iter().filter(|step| wanted(&step.difference)).count()
        };
        let new = count(|difference| matches!(difference, Difference::New(_)));
        let changed = count(|difference| matches!(difference, Difference::Changed { .. }));
        let same = count(|difference| matches!(difference, Difference::None));
        let would = if dry_run { ", nothing done: a dry run" } else { "" };
        managed::say(&format!("{new} new, {changed} changed, {same} as they should be{would}\n"));
    }
}

fn report(steps: &[Step], dry_run: bool) -> Value {
    let shown = steps.iter().map(|step| {
        let (action, members) = match &step.difference {
            Difference::None => ("none", Value::Null),
            Difference::New(body) => ("create", body.clone()),
            Difference::Changed { patch, .. } => ("update", patch.clone()),
        };
        json!({"type": step.kind.one(), "name": step.name, "action": action, "members": members})
    });
    json!({"dry_run": dry_run, "steps": shown.collect::<Vec<_>>()})
}
