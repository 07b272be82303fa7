//! `iocast publish`

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use csv_publish::{Outcome, Progress};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use local::DEFAULT_DATA;
use local::publish::{Feeds, connect, publish};
use shared::feed::Feed;
use shared::services::Services;
use shared::store::Units;

/// What to publish.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Feeds, by id or alias [default: all of them].
    #[arg(value_name = "FEED")]
    pub feeds: Vec<String>,
    /// Read the whole log, whatever the last edition holds.
    #[arg(long)]
    pub rebuild: bool,
    /// Data folder of the service running here.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub data: PathBuf,
}

/// Publishes. Exit code 0 if every feed is up to date now, 1 if one is not.
pub async fn run(arguments: Arguments) -> ExitCode {
    match publish_all(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("iocast: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn publish_all(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let services = connect(&arguments.data)?;
    let found = Feeds::find(&services, &arguments.feeds).await?;
    if found.feeds.is_empty() {
        println!("there is no feed");
    }
    let mut all = true;
    for feed in &found.feeds {
        all &= publish_one(&services, feed, arguments.rebuild).await;
    }
    Ok(all)
}

async fn publish_one(services: &Services, feed: &Feed, rebuild: bool) -> bool {
    let progress = Arc::new(Progress::default());
    let shown = tokio::spawn(show(progress.clone()));
    let (begun, before) = (Instant::now(), services.store().units());
    let done = publish(services, feed, rebuild, &progress).await;
    shown.abort();
    let _ = shown.await;
    let name = feed.slug();
    match done {
        Ok(outcome) => {
            let units = services.store().units() - before;
            println!("{name}: {}", told(&outcome, units, begun.elapsed()));
            true
        }
        Err(error) => {
            eprintln!("iocast: {name}: {error}; its last edition stays");
            false
        }
    }
}

fn told(outcome: &Outcome, units: Units, took: Duration) -> String {
    let spent = format!("{:.1} read units, {:.1} s", units.read, took.as_secs_f64());
    match outcome {
        Outcome::Published(new) => {
            let how = if new.whole { "from the whole log" } else { "carried on" };
            format!(
                "{} rows of {} objects, {} in all, {how}; {spent}",
                new.rows,
                new.objects,
                HumanBytes(new.bytes)
            )
        }
        Outcome::Unchanged => format!("nothing new; {spent}"),
        Outcome::Noted => format!("nothing new for its rows; {spent}"),
        Outcome::Claimed => format!("somebody else is publishing it; {spent}"),
        Outcome::Deleted => format!("the feed was deleted meanwhile; {spent}"),
        Outcome::Overtaken => format!("somebody else published it at the same time; {spent}"),
    }
}

/// Entries read, then a bar of objects written, on a terminal; nothing elsewhere.
async fn show(progress: Arc<Progress>) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {elapsed}") {
        bar.set_style(style);
    }
    let bar = Cleared(bar);
    loop {
        bar.0.set_length(progress.kept());
        bar.0.set_position(progress.written());
        bar.0.set_message(format!("objects written, {} entries read", progress.read()));
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
