//! `iocast tenant`

use clap::{Args, Subcommand};
use local::operate::table::{column, whole};
use local::operate::{Fault, show};
use serde_json::{Map, Value, json};

use super::connection::Connection;
use super::managed;

const LIST: &str = "tenants";

/// Tenants: whom keys, notifications and subscriptions belong to.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  iocast tenant create acme --name 'Acme Inc.'
  iocast tenant list
  iocast tenant update acme --note 'contract ends 2027-06-30'
  iocast tenant delete acme        revokes its keys; what it wrote stays"
)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All tenants.
    List,
    /// One tenant.
    Show {
        /// Its id.
        id: String,
    },
    /// Make a tenant.
    Create {
        /// Its id: 1 to 63 of a-z, 0-9 and -.
        id: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change a tenant; an empty text takes a member away.
    Update {
        /// Its id.
        id: String,
        #[command(flatten)]
        settings: Settings,
        /// Only if it is still at this revision, as `show` says it.
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
    },
    /// Delete a tenant and revoke its keys. What it wrote stays, and its id is not given again.
    Delete {
        /// Its id.
        id: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
struct Settings {
    /// Shown to people.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// For yourself: contract, contact.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Settings {
    fn members(self) -> Map<String, Value> {
        let mut members = Map::new();
        managed::set(&mut members, "name", managed::text(self.name));
        managed::set(&mut members, "note", managed::text(self.note));
        members
    }
}

/// Runs it.
///
/// # Errors
/// Why it was not done.
pub async fn run(Arguments { connection, verb }: Arguments) -> Result<(), Fault> {
    let api = connection.api().await?;
    let first = ["id", "name"];
    match verb {
        Verb::List => {
            let all = api.list(LIST, None, usize::MAX).await?;
            let columns = [whole("ID"), column("NAME"), column("CREATED"), column("STATE")];
            managed::say_list(connection.json, "tenants", all, &columns, |one| {
                let state = if one.get("closed").is_some() { "deleted" } else { "" };
                let created = show::member(one, "created").chars().take(10).collect();
                vec![show::member(one, "id"), show::member(one, "name"), created, state.into()]
            });
        }
        Verb::Show { id } => {
            let (tenant, _) = managed::read(&api, LIST, &id).await?;
            managed::say_one(connection.json, &tenant, &first);
        }
        Verb::Create { id, settings } => {
            let mut body = settings.members();
            body.retain(|_, value| !value.is_null());
            body.insert("id".to_owned(), json!(id));
            let body = Value::Object(body);
            let made = api.must("POST", LIST, Some(&body), None).await?;
            managed::say_one(connection.json, &made.body, &first);
        }
        Verb::Update { id, settings, revision } => {
            let patch = Value::Object(settings.members());
            let changed = managed::update(&api, LIST, &id, patch, revision).await?;
            managed::say_one(connection.json, &changed, &first);
        }
        Verb::Delete { id, yes } => {
            let (_, tag) = managed::read(&api, LIST, &id).await?;
            let question = format!("Delete the tenant {id} and revoke its keys, for ever?");
            managed::confirm(yes, &question)?;
            managed::delete(&api, LIST, &id, &tag).await?;
            if connection.json {
                managed::say_json(&json!({"deleted": id}));
            } else {
                managed::say(&format!("deleted tenant {id}; its keys are revoked\n"));
            }
        }
    }
    Ok(())
}
