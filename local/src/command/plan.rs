//! `iocast plan`

use clap::{Args, Subcommand};
use local::operate::table::{column, whole};
use local::operate::{Fault, show};
use serde_json::{Map, Value, json};
use shared::access::Scope;

use super::connection::Connection;
use super::managed;

const LIST: &str = "plans";
const FIRST: [&str; 1] = ["name"];

/// Plans: how much keys may ask for, how far back, and which scopes they may hold.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  iocast plan list
  iocast plan create partner --per-minute 100 --lookback-days 30 \\
      --scope read:taxii,read:csv
  iocast plan update free --per-day 2000
  iocast plan update partner --per-minute none
  iocast plan delete partner

The plans free, pro and enterprise are part of the service: changed, they can be deleted to be
as they were."
)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All plans.
    List,
    /// One plan.
    Show {
        /// Its name.
        name: String,
    },
    /// Make a plan.
    Create {
        /// Its name: 1 to 63 of a-z, 0-9 and -.
        name: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// Change a plan; services go by it within half a minute.
    Update {
        /// Its name.
        name: String,
        #[command(flatten)]
        terms: Terms,
        /// Only if it is still at this revision, as `show` says it.
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
    },
    /// Delete a plan that no key is on.
    Delete {
        /// Its name.
        name: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
struct Terms {
    /// Requests a minute, or `none` for no limit.
    #[arg(long, value_name = "N", value_parser = limit)]
    per_minute: Option<Limit>,
    /// Requests a day, or `none` for no limit.
    #[arg(long, value_name = "N", value_parser = limit)]
    per_day: Option<Limit>,
    /// How far back keys may read, or `none` for all.
    #[arg(long, value_name = "DAYS", value_parser = limit)]
    lookback_days: Option<Limit>,
    /// How long notifications are kept [default of a new one: 30].
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<u32>,
    /// What its keys may do: one, several with commas, or the option again.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    scopes: Option<Vec<Scope>>,
}

/// A limit, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(Option<u64>);

fn limit(text: &str) -> Result<Limit, String> {
    if text == "none" {
        return Ok(Limit(None));
    }
    let number = text.parse().ok().filter(|number| *number > 0);
    number
        .map(|number| Limit(Some(number)))
        .ok_or_else(|| format!("{text:?} is no limit: write a number above 0, or none"))
}

impl Terms {
    fn members(self) -> Map<String, Value> {
        let mut members = Map::new();
        let limits = [
            ("requests_per_minute", self.per_minute),
            ("requests_per_day", self.per_day),
            ("lookback_days", self.lookback_days),
        ];
        for (name, limit) in limits {
            if let Some(Limit(limit)) = limit {
                members.insert(name.to_owned(), json!(limit));
            }
        }
        if let Some(days) = self.retention_days {
            members.insert("retention_days".to_owned(), json!(days));
        }
        if let Some(scopes) = self.scopes {
            members.insert("scopes".to_owned(), json!(scopes));
        }
        members
    }
}

/// Runs it.
///
/// # Errors
/// Why it was not done.
pub async fn run(Arguments { connection, verb }: Arguments) -> Result<(), Fault> {
    let api = connection.api().await?;
    let json = connection.json;
    match verb {
        Verb::List => {
            let all = api.list(LIST, None, usize::MAX).await?;
            let columns = [
                whole("NAME"),
                column("PER MINUTE"),
                column("PER DAY"),
                column("LOOK-BACK"),
                column("RETENTION"),
                column("SCOPES"),
            ];
            managed::say_list(json, "plans", all, &columns, |plan| {
                let or = |member: &str, none: &str, unit: &str| match plan.get(member) {
                    None | Some(Value::Null) => none.to_owned(),
                    Some(number) => format!("{number}{unit}"),
                };
                vec![
                    show::member(plan, "name"),
                    or("requests_per_minute", "no limit", ""),
                    or("requests_per_day", "no limit", ""),
                    or("lookback_days", "all", " d"),
                    or("retention_days", "", " d"),
                    show::member(plan, "scopes"),
                ]
            });
        }
        Verb::Show { name } => {
            let (plan, _) = managed::read(&api, LIST, &name).await?;
            managed::say_one(json, &plan, &FIRST);
        }
        Verb::Create { name, terms } => {
            let mut body = terms.members();
            body.retain(|_, value| !value.is_null());
            body.entry("scopes").or_insert_with(|| json!([]));
            body.insert("name".to_owned(), json!(name));
            let made = api.must("POST", LIST, Some(&Value::Object(body)), None).await?;
            managed::say_one(json, &made.body, &FIRST);
        }
        Verb::Update { name, terms, revision } => {
            let patch = Value::Object(terms.members());
            let changed = managed::update(&api, LIST, &name, patch, revision).await?;
            managed::say_one(json, &changed, &FIRST);
        }
        Verb::Delete { name, yes } => {
            let (_, tag) = managed::read(&api, LIST, &name).await?;
            managed::confirm(yes, &format!("Delete the plan {name}?"))?;
            managed::delete(&api, LIST, &name, &tag).await?;
            if json {
                managed::say_json(&json!({"deleted": name}));
            } else {
                managed::say(&format!("deleted plan {name}\n"));
            }
        }
    }
    Ok(())
}
