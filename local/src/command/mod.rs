//! The commands, one a file.

pub mod apply;
pub mod audit;
pub mod collection;
pub mod completions;
pub mod connection;
pub mod doctor;
pub mod feed;
pub mod key;
pub mod load;
pub mod managed;
pub mod measure;
pub mod plan;
pub mod publish;
pub mod serve;
pub mod subscription;
pub mod tenant;
pub mod wrong_input;

use clap::{Parser, Subcommand};

/// iocast: threat intelligence as logs. Without a command it serves.
#[derive(Debug, Parser)]
#[command(
    name = "iocast",
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    after_help = "\
Try it here:
  iocast serve                     everything on this machine; prints keys
  iocast load FILE                 send it STIX or IOCs
  iocast collection list           look at what it holds
  iocast doctor                    is everything as it should be?
A service elsewhere is named by --url and --key, or by IOCAST_URL and IOCAST_KEY."
)]
pub struct Cli {
    /// What to do; serve if absent.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve if there is no command.
    #[command(flatten)]
    pub serve: serve::Arguments,
}

/// What iocast can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole service on this machine.
    Serve(serve::Arguments),
    /// Send STIX or IOC files to a running service.
    Load(load::Arguments),
    /// Tenants: list, show, create, update, delete.
    Tenant(tenant::Arguments),
    /// Keys: list, show, create, update, revoke, rotate, delete.
    Key(key::Arguments),
    /// Plans: list, show, create, update, delete.
    Plan(plan::Arguments),
    /// Collections: list, show, create, update, delete.
    Collection(collection::Arguments),
    /// Feeds: list, show, create, update, delete.
    Feed(feed::Arguments),
    /// Subscriptions of tenants: list, show, create, delete.
    Subscription(subscription::Arguments),
    /// Who changed what: list, show.
    Audit(audit::Arguments),
    /// Make everything as a file says.
    Apply(apply::Arguments),
    /// Publish feeds now, without waiting for their time.
    Publish(publish::Arguments),
    /// Look at a deployment, and say what is wrong.
    Doctor(doctor::Arguments),
    /// Measure what pages cost: read units and time, on a service of its own.
    Measure(measure::Arguments),
    /// Completion for a shell.
    Completions(completions::Arguments),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
        let plain = Cli::try_parse_from(["iocast"]).unwrap();
        assert!(plain.command.is_none());
        assert_eq!(plain.serve.listen.to_string(), "127.0.0.1:8080");
        assert!(Cli::try_parse_from(["iocast", "--in-memory", "--no-demo"]).is_ok());
        assert!(Cli::try_parse_from(["iocast", "serve", "--data", "d", "--in-memory"]).is_err());
        assert!(Cli::try_parse_from(["iocast", "load"]).is_err());
    }
}
