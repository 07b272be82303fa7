//! `iocast feed`

use clap::{ArgAction, Args, Subcommand, ValueEnum};
use local::operate::table::{column, whole};
use local::operate::{Fault, show};
use serde_json::{Map, Value, json};

use super::connection::Connection;
use super::managed;

const LIST: &str = "feeds";
const FIRST: [&str; 9] = [
    "id",
    "alias",
    "name",
    "collection",
    "rolling_minutes",
    "publish_every_minutes",
    "formats",
    "files",
    "last_edition",
];

/// Feeds: collections as flat files, for a rolling period.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  iocast feed create --name 'Block list' --alias block --collection detection \\
      --days 30 --format csv,csv.gz,txt
  iocast feed list
  iocast feed show block                where it is read, and its last edition
  iocast feed update block --days 7 --every 1
  iocast feed update block --tenant acme --tenant globex --plan pro
  iocast feed update block --all-tenants --all-plans
  iocast feed create --name Wide --collection detection \\
      --columns '[\"value\",\"type\",{\"name\":\"score\",\"path\":\"x_score\"}]'
  iocast feed delete block

A first file is there within two minutes; `iocast publish` makes it now, on this machine."
)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All feeds.
    List,
    /// One feed: its settings, where it is read, and its last edition.
    Show {
        /// Its id or alias.
        feed: String,
    },
    /// Make a feed; its first file is there within two minutes.
    Create {
        /// Shown to people, in the banner too.
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// The collection it publishes: id or alias. It stays with it.
        #[arg(long, value_name = "NAME")]
        collection: String,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Change a feed; what is published stays until the next run.
    Update {
        /// Its id or alias.
        feed: String,
        /// Shown to people, in the banner too.
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        #[command(flatten)]
        settings: Box<Settings>,
        /// Only if it is still at this revision, as `show` says it.
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
    },
    /// Delete a feed and its files. Whoever reads them is answered 404.
    Delete {
        /// Its id or alias.
        feed: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

/// The date that decides what is in the period.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Date {
    /// When it entered the collection.
    Added,
    /// When it last changed there.
    Changed,
    /// Its STIX `created`.
    Created,
    /// Its STIX `modified`.
    Modified,
}

impl Date {
    const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Created => "created",
            Self::Modified => "modified",
        }
    }
}

#[derive(Debug, Args)]
struct Settings {
    /// The name of its files: a-z, 0-9, - and _; an empty one takes it away.
    #[arg(long, value_name = "NAME")]
    alias: Option<String>,
    /// The length of the period, or `all` [default of a new one: all].
    #[arg(long, value_name = "DAYS", value_parser = days)]
    days: Option<Value>,
    /// The same in minutes.
    #[arg(long, value_name = "MINUTES", value_parser = minutes, conflicts_with = "days")]
    minutes: Option<Value>,
    /// The date that decides [default of a new one: added].
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,
    /// Forms: csv, csv.gz, txt, json, splunk, sentinel [default of a new one: csv, csv.gz].
    #[arg(long = "format", value_name = "FORM", value_delimiter = ',')]
    formats: Option<Vec<String>>,
    /// Columns: names with commas between, or JSON. New ones are only ever appended.
    #[arg(long, value_name = "COLUMNS", value_parser = columns)]
    columns: Option<Value>,
    /// What stands between fields; `tab` for a tab.
    #[arg(long, value_name = "CHARACTER")]
    separator: Option<String>,
    /// What stands between the entries of a list in a field.
    #[arg(long, value_name = "TEXT")]
    list_separator: Option<String>,
    /// The names of the columns above the rows; --header=false leaves them out.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    header: Option<bool>,
    /// Lines with # that say what it is; --banner=false leaves them out.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    banner: Option<bool>,
    /// Leaves out what is revoked or expired; --only-active=false keeps it.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    only_active: Option<bool>,
    /// Guards spreadsheets from formulas in free text; --formula-guard=false does not.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    formula_guard: Option<bool>,
    /// The oldest row first; --oldest-first=false ends that.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    oldest_first: Option<bool>,
    /// How often it is looked after, in minutes [default of a new one: 5].
    #[arg(long, value_name = "MINUTES")]
    every: Option<u32>,
    /// Readable without a key; --public=false ends that.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    public: Option<bool>,
    /// A plan whose keys may read it; the option again for each [default of a new one: all].
    #[arg(long = "plan", value_name = "PLAN", value_delimiter = ',')]
    plans: Option<Vec<String>>,
    /// Keys on every plan may read it.
    #[arg(long, conflicts_with = "plans")]
    all_plans: bool,
    /// A tenant that may read it; the option again for each [default of a new one: all].
    #[arg(long = "tenant", value_name = "TENANT", value_delimiter = ',')]
    tenants: Option<Vec<String>>,
    /// Every tenant that reads the collection may read it.
    #[arg(long, conflicts_with = "tenants")]
    all_tenants: bool,
}

fn period(text: &str, minutes: u32) -> Result<Value, String> {
    if text == "all" {
        return Ok(Value::Null);
    }
    let number = text.parse::<u32>().ok().filter(|number| *number > 0);
    let whole = number.and_then(|number| number.checked_mul(minutes));
    whole.map(Value::from).ok_or_else(|| "write a number above 0, or all".to_owned())
}

fn days(text: &str) -> Result<Value, String> {
    period(text, 24 * 60)
}

fn minutes(text: &str) -> Result<Value, String> {
    period(text, 1)
}

fn columns(text: &str) -> Result<Value, String> {
    if !text.trim_start().starts_with('[') {
        return Ok(text.split(',').map(str::trim).collect());
    }
    serde_json::from_str(text).map_err(|error| format!("columns are no JSON: {error}"))
}

impl Settings {
    /// What was said; null takes a member away.
    fn members(self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut set = |name: &str, value: Option<Value>| managed::set(&mut members, name, value);
        let order = |oldest: bool| if oldest { "oldest_first" } else { "newest_first" };
        let tab = |text: String| if text == "tab" { "\t".to_owned() } else { text };
        set("alias", managed::text(self.alias));
        set("rolling_minutes", self.days.or(self.minutes));
        set("date", self.date.map(|date| json!(date.name())));
        set("formats", self.formats.map(Value::from));
        set("columns", self.columns);
        set("separator", self.separator.map(|text| json!(tab(text))));
        set("list_separator", self.list_separator.map(Value::String));
        set("include_header", self.header.map(Value::Bool));
        set("banner", self.banner.map(Value::Bool));
        set("only_active", self.only_active.map(Value::Bool));
        set("formula_guard", self.formula_guard.map(Value::Bool));
        set("order", self.oldest_first.map(|oldest| json!(order(oldest))));
        set("publish_every_minutes", self.every.map(Value::from));
        set("public", self.public.map(Value::Bool));
        set("plans", self.plans.map(Value::from));
        set("tenants", self.tenants.map(Value::from));
        for (all, name) in [(self.all_plans, "plans"), (self.all_tenants, "tenants")] {
            if all {
                set(name, Some(Value::Null));
            }
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
                column("ALIAS"),
                column("COLLECTION"),
                column("ROWS"),
                column("LAST EDITION"),
                whole("ID"),
            ];
            managed::say_list(json, "feeds", all, &columns, |one| {
                let [alias, collection, id] =
                    ["alias", "collection", "id"].map(|name| show::member(one, name));
                let edition = &one["last_edition"];
                let time = match &edition["time"] {
                    Value::String(time) => time.replace('T', " ").chars().take(16).collect(),
                    _ => "none yet".to_owned(),
                };
                vec![alias, collection, show::member(edition, "rows"), time, id]
            });
        }
        Verb::Show { feed } => {
            let (feed, _) = managed::read(&api, LIST, &feed).await?;
            managed::say_one(json, &feed, &FIRST);
        }
        Verb::Create { name, collection, settings } => {
            let mut body = settings.members();
            body.retain(|_, value| !value.is_null());
            body.insert("name".to_owned(), json!(name));
            body.insert("collection".to_owned(), json!(collection));
            let made = api.must("POST", LIST, Some(&Value::Object(body)), None).await?;
            managed::say_one(json, &made.body, &FIRST);
        }
        Verb::Update { feed, name, settings, revision } => {
            let mut patch = settings.members();
            managed::set(&mut patch, "name", name);
            let patch = Value::Object(patch);
            let changed = managed::update(&api, LIST, &feed, patch, revision).await?;
            managed::say_one(json, &changed, &FIRST);
        }
        Verb::Delete { feed, yes } => {
            let (known, tag) = managed::read(&api, LIST, &feed).await?;
            let name = show::member(&known, "name");
            managed::confirm(yes, &format!("Delete the feed {feed} ({name}) and its files?"))?;
            managed::delete(&api, LIST, &feed, &tag).await?;
            if json {
                managed::say_json(&json!({"deleted": known["id"]}));
            } else {
                managed::say(&format!("deleted feed {feed} ({name})\n"));
            }
        }
    }
    Ok(())
}
