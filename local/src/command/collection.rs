//! `iocast collection`

use std::io::Read;

use clap::{ArgAction, Args, Subcommand};
use local::operate::table::{column, whole};
use local::operate::{Fault, show};
use serde_json::{Map, Value, json};
use shared::tlp::Tlp;

use super::connection::Connection;
use super::managed;

const LIST: &str = "collections";
const FIRST: [&str; 8] =
    ["id", "alias", "title", "description", "ceiling", "public", "rebuilding", "filter"];

/// Collections: what enters them, how high they reach, who reads and writes them.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  iocast collection create --title Everything --alias all --ceiling amber
  iocast collection create --title Detection --alias detection --ceiling amber \\
      --filter '{\"filters\":[{\"key\":\"label\",\"values\":[\"detection\"]}]}'
  iocast collection create --title 'Block list' --alias block --public \\
      --filter @block.json
  iocast collection list
  iocast collection update detection --reader acme --reader globex
  iocast collection update detection --all-readers
  iocast collection update detection --stream-dependencies --stream-public
  iocast collection update detection --stream=false
  iocast collection delete block

While a collection says `rebuilding`, what was stored before is being re-evaluated."
)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All collections.
    List,
    /// One collection.
    Show {
        /// Its id or alias.
        name: String,
    },
    /// Make a collection; it is filled with what is stored already.
    Create {
        /// Shown to people; unique, without a dot.
        #[arg(long, value_name = "TEXT")]
        title: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change a collection; what is stored is re-evaluated where that takes it.
    Update {
        /// Its id or alias.
        name: String,
        /// Shown to people; unique, without a dot.
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
        #[command(flatten)]
        settings: Settings,
        /// Only if it is still at this revision, as `show` says it.
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
    },
    /// Delete a collection and its log. The objects stay, in whatever other collections they are.
    Delete {
        /// Its id or alias.
        name: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
struct Settings {
    /// Another name to reach it by: a-z, 0-9, - and _.
    #[arg(long, value_name = "NAME")]
    alias: Option<String>,
    /// Shown to people.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Objects above this TLP level never enter [default of a new public one: clear].
    #[arg(long, value_name = "TLP")]
    ceiling: Option<Tlp>,
    /// What enters: JSON, @FILE, or - for standard input [default of a new one: everything].
    #[arg(long, value_name = "JSON", value_parser = filter)]
    filter: Option<Value>,
    /// Readable without a key; --public=false ends that.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    public: Option<bool>,
    /// Offered over TAXII; --taxii=false ends that.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    taxii: Option<bool>,
    /// Offered as a live stream; --stream=false stops it [default of a new one: offered].
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    stream: Option<bool>,
    /// Streams what its objects relate to as well, to readers that do not say what they want.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    stream_dependencies: Option<bool>,
    /// The stream is readable without a key: true, false, or `inherit`, as the collection is.
    #[arg(long, value_name = "WHO", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = public_stream)]
    stream_public: Option<Value>,
    /// A tenant that may read it; the option again for each [default of a new one: all].
    #[arg(long = "reader", value_name = "TENANT", value_delimiter = ',')]
    readers: Option<Vec<String>>,
    /// Every tenant may read it, as far as its keys reach.
    #[arg(long, conflicts_with = "readers")]
    all_readers: bool,
    /// A tenant that may write to it; the option again for each.
    #[arg(long = "writer", value_name = "TENANT", value_delimiter = ',')]
    writers: Option<Vec<String>>,
    /// No tenant may write to it.
    #[arg(long, conflicts_with = "writers")]
    no_writers: bool,
    /// Specifications of STIX whose objects enter: 2.0, 2.1 [default of a new one: 2.1].
    #[arg(long = "stix", value_name = "VERSION", value_delimiter = ',')]
    spec_versions: Option<Vec<String>>,
}

fn public_stream(text: &str) -> Result<Value, String> {
    match text {
        "true" => Ok(Value::Bool(true)),
        "false" => Ok(Value::Bool(false)),
        "inherit" => Ok(Value::Null),
        _ => Err("write true, false or inherit".to_owned()),
    }
}

fn filter(text: &str) -> Result<Value, String> {
    let text = match text.strip_prefix('@') {
        Some(file) => {
            std::fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?
        }
        None if text == "-" => {
            let mut read = String::new();
            let done = std::io::stdin().lock().read_to_string(&mut read);
            done.map_err(|error| format!("cannot read standard input: {error}"))?;
            read
        }
        None => text.to_owned(),
    };
    serde_json::from_str(&text)
        .map_err(|error| format!("a filter is JSON ({error}), or @FILE with it"))
}

impl Settings {
    /// What was said; an empty text takes a member away.
    fn members(self, title: Option<String>) -> Map<String, Value> {
        let mut members = Map::new();
        let mut set = |name: &str, value: Option<Value>| managed::set(&mut members, name, value);
        set("title", title.map(Value::String));
        set("alias", managed::text(self.alias));
        set("description", managed::text(self.description));
        set("ceiling", self.ceiling.map(|ceiling| json!(ceiling)));
        set("filter", self.filter);
        set("public", self.public.map(Value::Bool));
        set("taxii", self.taxii.map(Value::Bool));
        set("readers", self.readers.map(Value::from));
        set("writers", self.writers.map(Value::from));
        set("spec_versions", self.spec_versions.map(Value::from));
        let mut stream = Map::new();
        managed::set(&mut stream, "enabled", self.stream);
        managed::set(&mut stream, "dependencies", self.stream_dependencies);
        managed::set(&mut stream, "public", self.stream_public);
        set("stream", (!stream.is_empty()).then_some(Value::Object(stream)));
        if self.all_readers {
            set("readers", Some(Value::Null));
        }
        if self.no_writers {
            set("writers", Some(json!([])));
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
            let columns =
                [column("ALIAS"), column("TITLE"), column("CEILING"), column("STATE"), whole("ID")];
            managed::say_list(json, "collections", all, &columns, |one| {
                let public = (one["public"] == true).then_some("public");
                let rebuilding = (one["rebuilding"] == true).then_some("rebuilding");
                let state: Vec<&str> = public.into_iter().chain(rebuilding).collect();
                let [alias, title, ceiling, id] =
                    ["alias", "title", "ceiling", "id"].map(|name| show::member(one, name));
                vec![alias, title, ceiling, state.join(", "), id]
            });
        }
        Verb::Show { name } => {
            let (collection, _) = managed::read(&api, LIST, &name).await?;
            managed::say_one(json, &collection, &FIRST);
        }
        Verb::Create { title, settings } => {
            let mut body = settings.members(Some(title));
            body.retain(|_, value| !value.is_null());
            if !body.contains_key("ceiling") && body.get("public") != Some(&json!(true)) {
                let fault = Fault::new("--ceiling is missing: how high may it reach?");
                return Err(fault.hint("such as --ceiling amber, the clearance keys have"));
            }
            let made = api.must("POST", LIST, Some(&Value::Object(body)), None).await?;
            managed::say_one(json, &made.body, &FIRST);
        }
        Verb::Update { name, title, settings, revision } => {
            let mut patch = settings.members(title);
            if let Some(filter) = patch.get_mut("filter") {
                // A merge patch merges objects; a filter is replaced.
                *filter = replacing(filter);
            }
            let patch = Value::Object(patch);
            let changed = managed::update(&api, LIST, &name, patch, revision).await?;
            managed::say_one(json, &changed, &FIRST);
        }
        Verb::Delete { name, yes } => {
            let (collection, tag) = managed::read(&api, LIST, &name).await?;
            let title = show::member(&collection, "title");
            managed::confirm(yes, &format!("Delete the collection {name} ({title}) and its log?"))?;
            managed::delete(&api, LIST, &name, &tag).await?;
            if json {
                managed::say_json(&json!({"deleted": collection["id"]}));
            } else {
                managed::say(&format!("deleted collection {name} ({title})\n"));
            }
        }
    }
    Ok(())
}

/// A filter group that leaves nothing of the one it is merged into.
fn replacing(filter: &Value) -> Value {
    let Value::Object(members) = filter else { return filter.clone() };
    let mut whole = members.clone();
    for name in ["mode", "filters", "filterGroups"] {
        whole.entry(name).or_insert(Value::Null);
    }
    Value::Object(whole)
}
