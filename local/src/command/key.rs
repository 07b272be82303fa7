//! `iocast key`

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clap::{Args, Subcommand};
use local::operate::api::{parameter, path};
use local::operate::table::{column, whole};
use local::operate::{Fault, show};
use serde_json::{Map, Value, json};
use shared::access::Scope;
use shared::tlp::Tlp;

use super::connection::Connection;
use super::managed;

const LIST: &str = "keys";
const FIRST: [&str; 9] =
    ["key", "id", "tenant", "name", "plan", "scopes", "clearance", "expires", "revoked"];

/// Keys: what their holders may read and write, and how fast.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  iocast key create --tenant acme --name Splunk --plan pro \\
      --scope read:taxii,read:csv
  iocast key create --direct --stack iocast --tenant operator --name me \\
      --plan enterprise --scope admin --clearance red      the very first key
  iocast key list --tenant acme
  iocast key update abcdefghijklmnop --clearance green --expires 90d
  iocast key rotate abcdefghijklmnop --grace 24h
  iocast key revoke abcdefghijklmnop

Scopes:
  read:taxii read:stix read:stream read:csv read:ioc_stream delete:ioc_stream
  write:objects write:notifications admin"
)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All keys, or those of a tenant.
    List {
        /// Of this tenant only.
        #[arg(long, value_name = "TENANT")]
        tenant: Option<String>,
    },
    /// One key; never its text.
    Show {
        /// Its id: the middle part of its text.
        id: String,
    },
    /// Make a key; its text is shown this once.
    // Clap does not wrap what it writes itself.
    #[command(
        override_usage = "iocast key create [OPTIONS] --tenant <TENANT> --name <TEXT>\n       \
                          --plan <PLAN> --scope <SCOPE>"
    )]
    Create {
        /// Whose it is; `operator` for keys with the scope admin.
        #[arg(long, value_name = "TENANT")]
        tenant: String,
        /// A name for people.
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// The plan whose limits hold.
        #[arg(long, value_name = "PLAN")]
        plan: String,
        /// What it may do: one, several with commas, or the option again.
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',')]
        scopes: Vec<Scope>,
        /// The highest TLP level it may see: clear, green, amber, amber+strict or red.
        #[arg(long, value_name = "TLP", default_value = "amber")]
        clearance: Tlp,
        /// When it stops to work: a date, a time, or a span such as 90d or 12h [default: never].
        #[arg(long, value_name = "WHEN", value_parser = moment)]
        expires: Option<DateTime<Utc>>,
    },
    /// Change a key.
    Update {
        /// Its id.
        id: String,
        /// A name for people.
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// The plan whose limits hold.
        #[arg(long, value_name = "PLAN")]
        plan: Option<String>,
        /// All it may do from now on.
        #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
        scopes: Option<Vec<Scope>>,
        /// The highest TLP level it may see.
        #[arg(long, value_name = "TLP")]
        clearance: Option<Tlp>,
        /// When it stops to work: a date, a time, a span such as 90d or 12h, or `never`.
        #[arg(long, value_name = "WHEN", value_parser = moment_or_never)]
        expires: Option<Until>,
        /// Only if it is still at this revision, as `show` says it.
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
    },
    /// Revoke a key: within a minute it works nowhere, and never again.
    Revoke {
        /// Its id.
        id: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Replace a key by a new one that may do the same.
    Rotate {
        /// Its id.
        id: String,
        /// The old one works for this much longer: 90m, 24h, 7d [default: it is revoked].
        #[arg(long, value_name = "SPAN", value_parser = span)]
        grace: Option<TimeDelta>,
    },
    /// Delete a key and all that is known of it but the audit; `revoke` is enough to end it.
    Delete {
        /// Its id.
        id: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

/// Until when a key works.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// This moment.
    Moment(DateTime<Utc>),
    /// For ever.
    Never,
}

fn span(text: &str) -> Result<TimeDelta, String> {
    let wrong = || format!("{text:?} is no span: write 90m, 24h or 7d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let count: i64 = text.strip_suffix(unit).and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
    let minutes = match unit {
        'm' => Some(count),
        'h' => count.checked_mul(60),
        'd' => count.checked_mul(24 * 60),
        _ => None,
    };
    let minutes = minutes.filter(|minutes| *minutes > 0).ok_or_else(wrong)?;
    TimeDelta::try_minutes(minutes).ok_or_else(wrong)
}

fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(span) = span(text) {
        return Utc::now().checked_add_signed(span).ok_or_else(|| format!("{text} is too far"));
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    let day = text.parse::<NaiveDate>().ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    day.map(|at| at.and_utc()).ok_or_else(|| {
        format!("{text:?} is no time: write 2027-01-31, 2027-01-31T12:00:00Z, 90d or 12h")
    })
}

fn moment_or_never(text: &str) -> Result<Until, String> {
    if text == "never" { Ok(Until::Never) } else { moment(text).map(Until::Moment) }
}

fn state(key: &Value) -> String {
    if key["revoked"] == true {
        return "revoked".to_owned();
    }
    let expires = key["expires"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    match expires {
        Some(at) if at <= Utc::now() => "expired".to_owned(),
        Some(at) => format!("until {}", at.format("%Y-%m-%d")),
        None => String::new(),
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
            let columns = [
                whole("ID"),
                column("TENANT"),
                column("NAME"),
                column("PLAN"),
                column("TLP"),
                column("SCOPES"),
                column("STATE"),
            ];
            managed::say_list(json, "keys", all, &columns, |key| {
                let members = ["id", "tenant", "name", "plan", "clearance", "scopes"];
                let cells = members.iter().map(|name| show::member(key, name));
                cells.chain([state(key)]).collect()
            });
        }
        Verb::Show { id } => {
            let (key, _) = managed::read(&api, LIST, &id).await?;
            managed::say_one(json, &key, &FIRST);
        }
        Verb::Create { tenant, name, plan, scopes, clearance, expires } => {
            let mut body = json!({
                "tenant": tenant, "name": name, "plan": plan, "scopes": scopes,
                "clearance": clearance,
            });
            if let Some(expires) = expires {
                body["expires"] = json!(expires);
            }
            let made = api.must("POST", LIST, Some(&body), None).await?;
            say_new(json, &made.body);
        }
        Verb::Update { id, name, plan, scopes, clearance, expires, revision } => {
            let mut patch = Map::new();
            managed::set(&mut patch, "name", name);
            managed::set(&mut patch, "plan", plan);
            managed::set(&mut patch, "scopes", scopes);
            managed::set(&mut patch, "clearance", clearance);
            let expires = expires.map(|until| match until {
                Until::Moment(at) => Some(at),
                Until::Never => None,
            });
            managed::set(&mut patch, "expires", expires);
            let patch = Value::Object(patch);
            let changed = managed::update(&api, LIST, &id, patch, revision).await?;
            managed::say_one(json, &changed, &FIRST);
        }
        Verb::Revoke { id, yes } => {
            let (key, _) = managed::read(&api, LIST, &id).await?;
            managed::confirm(yes, &format!("Revoke {}, for ever?", named(&key)))?;
            let revoked = api.must("POST", &path(&[LIST, &id, "revoke"]), None, None).await?;
            if json {
                managed::say_json(&revoked.body);
            } else {
                managed::say(&format!("revoked {}\n", named(&key)));
            }
        }
        Verb::Rotate { id, grace } => {
            let body = json!({"grace_minutes": grace.map_or(0, |grace| grace.num_minutes())});
            let _ = managed::read(&api, LIST, &id).await?;
            let made = api.must("POST", &path(&[LIST, &id, "rotate"]), Some(&body), None).await?;
            say_new(json, &made.body);
        }
        Verb::Delete { id, yes } => {
            let (key, tag) = managed::read(&api, LIST, &id).await?;
            managed::confirm(yes, &format!("Delete {}?", named(&key)))?;
            managed::delete(&api, LIST, &id, &tag).await?;
            if json {
                managed::say_json(&json!({"deleted": id}));
            } else {
                managed::say(&format!("deleted {}\n", named(&key)));
            }
        }
    }
    Ok(())
}

fn named(key: &Value) -> String {
    let [id, name, tenant] = ["id", "name", "tenant"].map(|member| show::member(key, member));
    format!("key {id} ({name}, of {tenant})")
}

fn say_new(json: bool, made: &Value) {
    managed::say_one(json, made, &FIRST);
    if !json {
        eprintln!("Keep the key now: it is shown this once, and nobody can look it up.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(span("24h"), Ok(TimeDelta::hours(24)));
        assert_eq!(moment("2027-01-31").unwrap().to_rfc3339(), "2027-01-31T00:00:00+00:00");
        assert!(moment("2027-01-31T12:00:00+01:00").is_ok() && moment("90d").is_ok());
        for bad in ["", "d", "0d", "-1d", "1w", "tomorrow", "99999999999999999d", "é"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }
}
