//! `iocast subscription`

use clap::{Args, Subcommand, ValueEnum};
use local::operate::api::parameter;
use local::operate::table::{column, whole};
use local::operate::{Fault, show};
use serde_json::json;

use super::connection::Connection;
use super::managed;

const LIST: &str = "subscriptions";
const FIRST: [&str; 4] = ["id", "tenant", "source_type", "source_id"];

/// Subscriptions: what tenants are notified of, beside what hunting engines find.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  iocast subscription list
  iocast subscription list --tenant acme
  iocast subscription create acme collection detection
  iocast subscription create acme threat_actor \\
      intrusion-set--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69
  iocast subscription delete acme:collection:detection

A subscription has no settings: to change one, delete it and make another. Tenants manage their
own with PUT and DELETE /api/v1/subscriptions/…"
)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Subscriptions of all tenants, or of one.
    List {
        /// Only those of this tenant.
        #[arg(long, value_name = "TENANT")]
        tenant: Option<String>,
    },
    /// One subscription.
    Show {
        /// Its id: TENANT:TYPE:ID, where a collection may be named by its alias.
        id: String,
    },
    /// Subscribe a tenant.
    Create {
        /// Who is told.
        tenant: String,
        /// Of what.
        #[arg(value_enum)]
        source_type: Source,
        /// Which: a collection's id or alias, or the STIX id of a threat-actor or intrusion-set.
        source_id: String,
    },
    /// End a subscription. What the tenant was told of stays.
    Delete {
        /// Its id: TENANT:TYPE:ID, where a collection may be named by its alias.
        id: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

/// What can be subscribed to.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Source {
    /// Indicators that enter a collection.
    Collection,
    /// Indicators that become related to a threat actor or intrusion set.
    ThreatActor,
}

impl Source {
    const fn name(self) -> &'static str {
        match self {
            Self::Collection => "collection",
            Self::ThreatActor => "threat_actor",
        }
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
        Verb::List { tenant } => {
            let filter = tenant.map(|tenant| parameter("tenant", &tenant));
            let all = api.list(LIST, filter.as_deref(), usize::MAX).await?;
            let columns = [whole("ID"), column("SINCE")];
            managed::say_list(json, "subscriptions", all, &columns, |one| {
                let [tenant, kind, alias, id] = ["tenant", "source_type", "alias", "source_id"]
                    .map(|name| show::member(one, name));
                let source = if alias.is_empty() { id } else { alias };
                let since = show::member(one, "since").replace('T', " ").chars().take(16).collect();
                vec![format!("{tenant}:{kind}:{source}"), since]
            });
        }
        Verb::Show { id } => {
            let (subscription, _) = managed::read(&api, LIST, &id).await?;
            managed::say_one(json, &subscription, &FIRST);
        }
        Verb::Create { tenant, source_type, source_id } => {
            let kind = source_type.name();
            let body = json!({"tenant": tenant, "source_type": kind, "source_id": source_id});
            let made = api.must("POST", LIST, Some(&body), None).await?;
            managed::say_one(json, &made.body, &FIRST);
        }
        Verb::Delete { id, yes } => {
            let (known, tag) = managed::read(&api, LIST, &id).await?;
            managed::confirm(yes, &format!("Delete the subscription {id}?"))?;
            managed::delete(&api, LIST, &id, &tag).await?;
            if json {
                managed::say_json(&json!({"deleted": known["id"]}));
            } else {
                managed::say(&format!("deleted subscription {id}\n"));
            }
        }
    }
    Ok(())
}
