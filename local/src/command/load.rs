//! `iocast load`

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use local::DEFAULT_DATA;
use local::data_folder::{Announced, announced};
use local::load::{Progress, Target, load};

/// What to load, and where to.
#[derive(Debug, Args)]
pub struct Arguments {
    /// STIX bundles, envelopes, arrays, or IOCs as NDJSON, JSON array or CSV; plain, gzip or zstd.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The service's address [default: the service running here].
    #[arg(long, value_name = "URL", env = "IOCAST_URL")]
    pub url: Option<String>,
    /// A key with scope write:objects [default: the writer key of the service running here].
    #[arg(long, value_name = "KEY", env = "IOCAST_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// Add to this collection as well, named by id or alias.
    #[arg(long, value_name = "COLLECTION")]
    pub collection: Option<String>,
    /// Data folder of the service running here.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub data: PathBuf,
    /// Print one JSON document, with every rejection.
    #[arg(long)]
    pub json: bool,
}

/// Exit code 2: something was rejected.
const SOME_REJECTED: u8 = 2;

/// Loads. Exit code 0 if all went in, 2 if something was rejected, 1 if it could not run to its
/// end.
pub async fn run(arguments: Arguments) -> ExitCode {
    match run_load(&arguments).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("iocast: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run_load(arguments: &Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let target = target(arguments)?;
    let mut total = 0;
    for file in &arguments.files {
        let found = std::fs::metadata(file).map_err(|error| not_readable(file, &error))?;
        total += found.len();
    }
    let progress = Arc::new(Progress::default());
    let shown = (!arguments.json).then(|| tokio::spawn(show(progress.clone(), total)));
    let report = load(&arguments.files, &target, &progress).await;
    if let Some(shown) = shown {
        shown.abort();
        let _ = shown.await;
    }
    let report = report?;
    let text = if arguments.json {
        format!("{:#}\n", serde_json::to_value(&report)?)
    } else {
        report.text()
    };
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
    // A script that reads the document still shows its user why it stopped.
    for error in report.errors() {
        eprintln!("iocast: {error}");
    }
    Ok(if report.has_errors() {
        ExitCode::FAILURE
    } else if report.has_rejections() {
        ExitCode::from(SOME_REJECTED)
    } else {
        ExitCode::SUCCESS
    })
}

fn not_readable(file: &Path, error: &std::io::Error) -> String {
    format!("cannot read {}: {error}", file.display())
}

fn target(arguments: &Arguments) -> Result<Target, String> {
    let Announced { base_url, writer_key, .. } = announced(&arguments.data);
    let none = |what: &str, option: &str| {
        format!(
            "no {what}: no service is running on {}; give {option}, or --data with the folder of \
             the one that is",
            arguments.data.display()
        )
    };
    let url = arguments.url.clone().or(base_url);
    let key = arguments.key.clone().or(writer_key);
    Ok(Target {
        url: url.ok_or_else(|| none("address", "--url or IOCAST_URL"))?,
        key: key.ok_or_else(|| none("key", "--key or IOCAST_KEY"))?,
        collection: arguments.collection.clone(),
    })
}

/// A bar on a terminal, nothing elsewhere.
async fn show(progress: Arc<Progress>, total: u64) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let bar = ProgressBar::new(total);
    let style = "{bar:40} {bytes}/{total_bytes} {msg} {elapsed}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    let bar = Cleared(bar);
    loop {
        bar.0.set_position(progress.read());
        bar.0.set_message(format!("{} objects", progress.sent()));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A bar that goes when its task is ended.
struct Cleared(ProgressBar);

impl Drop for Cleared {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
