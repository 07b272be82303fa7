//! `iocast`: the service on one machine, and the operator's command line.

mod command;

use std::process::ExitCode;

use clap::Parser;
use command::{Cli, Command};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let words: Vec<String> = std::env::args().skip(1).collect();
            match command::wrong_input::fault(&error, &words) {
                Some(fault) => eprintln!("iocast: {fault}"),
                None => drop(error.print()),
            }
            // 2 is taken: it says that something was rejected.
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    // The engine warns of every conditional write that fails, which is daily bread here.
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let levels = shared::lambda::log_levels("warn,dynoxide=error");
    tracing_subscriber::registry().with(lines).with(levels).init();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("iocast: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(run(cli.command.unwrap_or(Command::Serve(cli.serve))))
}

async fn run(command: Command) -> ExitCode {
    let success = |()| ExitCode::SUCCESS;
    let done = match command {
        Command::Serve(arguments) => return Box::pin(command::serve::run(arguments)).await,
        Command::Load(arguments) => return command::load::run(arguments).await,
        Command::Publish(arguments) => return command::publish::run(arguments).await,
        Command::Measure(arguments) => return command::measure::run(arguments).await,
        Command::Completions(arguments) => {
            command::completions::run(&arguments);
            Ok(ExitCode::SUCCESS)
        }
        Command::Tenant(arguments) => command::tenant::run(arguments).await.map(success),
        Command::Key(arguments) => command::key::run(arguments).await.map(success),
        Command::Plan(arguments) => command::plan::run(arguments).await.map(success),
        Command::Collection(arguments) => command::collection::run(arguments).await.map(success),
        Command::Feed(arguments) => command::feed::run(arguments).await.map(success),
        Command::Subscription(arguments) => {
            command::subscription::run(arguments).await.map(success)
        }
        Command::Audit(arguments) => command::audit::run(arguments).await.map(success),
        Command::Apply(arguments) => command::apply::run(arguments).await,
        Command::Doctor(arguments) => command::doctor::run(arguments).await,
    };
    done.unwrap_or_else(|fault| {
        eprintln!("iocast: {fault}");
        ExitCode::FAILURE
    })
}
