//! `iocast measure`

use std::process::ExitCode;

use clap::Args;
use local::measure::measure;

/// How much to measure with.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Indicators to generate and load first.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(3000..=2_000_000))]
    pub objects: u32,
}

/// Measures. Exit code 0 if every page kept its bound, 2 if one did not, 1 if it could not run.
pub async fn run(arguments: Arguments) -> ExitCode {
    match Box::pin(measure(arguments.objects as usize)).await {
        Ok(report) => {
            print!("{report}");
            if report.within_bounds() { ExitCode::SUCCESS } else { ExitCode::from(2) }
        }
        Err(error) => {
            eprintln!("iocast: {error}");
            ExitCode::FAILURE
        }
    }
}
