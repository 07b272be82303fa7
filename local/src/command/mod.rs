//! The commands, one a file.

pub mod load;
pub mod measure;
pub mod publish;
pub mod serve;

use clap::{Parser, Subcommand};

/// iocast: threat intelligence as logs. Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "iocast", version, args_conflicts_with_subcommands = true)]
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
    /// Publish feeds now, without waiting for their time.
    Publish(publish::Arguments),
    /// Measure what pages cost: read units and time, on a service of its own.
    Measure(measure::Arguments),
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
