//! `iocast audit`

use clap::{Args, Subcommand};
use local::operate::api::{parameter, path};
use local::operate::table::{column, whole};
use local::operate::{Fault, show};
use serde_json::Value;

use super::connection::Connection;
use super::managed;

/// Audit: who changed what, when, and how it was before and after.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  iocast audit list
  iocast audit list --resource key --max 20
  iocast audit list --resource key/abcdefghijklmnop
  iocast audit show 660d8725502ca-3d79"
)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Changes, newest first.
    List {
        /// Of a kind (tenant, key, plan, collection, feed, subscription), or of one thing (key/ID).
        #[arg(long, value_name = "WHAT")]
        resource: Option<String>,
        /// At most this many.
        #[arg(long, value_name = "N", default_value_t = 50)]
        max: usize,
    },
    /// One change, before and after.
    Show {
        /// Its id.
        id: String,
    },
}

/// Runs it.
///
/// # Errors
/// Why it was not done.
pub async fn run(Arguments { connection, verb }: Arguments) -> Result<(), Fault> {
    let api = connection.api().await?;
    match verb {
        Verb::List { resource, max } => {
            let filter = resource.map(|resource| parameter("resource", &resource));
            let all = api.list("audit", filter.as_deref(), max).await?;
            let columns = [
                whole("TIME"),
                whole("ACTION"),
                column("RESOURCE"),
                column("CHANGED"),
                column("WHO"),
                whole("ID"),
            ];
            managed::say_list(connection.json, "changes", all, &columns, |record| {
                let kind = show::member(&record["resource"], "type");
                let id = show::member(&record["resource"], "id");
                let time = show::member(record, "time").replace('T', " ");
                vec![
                    time.chars().take(16).collect(),
                    show::member(record, "action"),
                    format!("{kind}/{id}"),
                    changed(record),
                    who(&record["actor"]),
                    show::member(record, "id"),
                ]
            });
        }
        Verb::Show { id } => {
            let record = api.must("GET", &path(&["audit", &id]), None, None).await;
            let record = record.map_err(|fault| fault.hint("`iocast audit list` shows ids"))?;
            let first = ["id", "time", "action", "resource", "actor", "note", "before", "after"];
            managed::say_one(connection.json, &record.body, &first);
        }
    }
    Ok(())
}

fn who(actor: &Value) -> String {
    match actor["kind"].as_str() {
        Some("key") => show::member(actor, "key"),
        Some("direct") => format!("{} (direct)", show::member(actor, "user")),
        other => other.unwrap_or_default().to_owned(),
    }
}

/// The members that differ.
fn changed(record: &Value) -> String {
    let (Some(before), Some(after)) = (record["before"].as_object(), record["after"].as_object())
    else {
        return String::new();
    };
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| {
        !matches!(name.as_str(), "revision" | "generation") && before.get(*name) != after.get(*name)
    });
    names.into_iter().cloned().collect::<Vec<_>>().join(", ")
}
