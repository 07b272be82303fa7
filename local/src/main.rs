//! `iocast`: the service on one machine, and the operator's command line.

mod command;

use std::process::ExitCode;

use clap::Parser;
use command::{Cli, Command};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            // 2 is taken: it says that something was rejected.
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    // The engine warns of every conditional write that fails, which is daily bread here.
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| EnvFilter::new("warn,dynoxide=error")),
        )
        .with_writer(std::io::stderr)
        .init();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("iocast: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        match cli.command.unwrap_or(Command::Serve(cli.serve)) {
            Command::Serve(arguments) => command::serve::run(arguments).await,
            Command::Load(arguments) => command::load::run(arguments).await,
            Command::Publish(arguments) => command::publish::run(arguments).await,
            Command::Measure(arguments) => command::measure::run(arguments).await,
        }
    })
}
