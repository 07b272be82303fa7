//! How long each function's released bootstrap takes to start, to answer its first request and
//! the next ones, and how large it is, beside a bootstrap that does nothing: each as a process of
//! its own behind a Runtime API, with the share of a processor that Lambda gives 256 MB, and with
//! all of one. What each is asked it does: a refusal or an event without work fails the run.
//!
//! `cargo run -p tests --example cold_start` builds the bootstraps as they are released, where that
//! is not done, prints a table, and fails where one is too large or starts too late. Names of
//! functions choose some of them.

// The size of these futures is nobody's concern.
#![allow(clippy::large_futures)]

mod quota;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tests::binaries;
use tests::function::Function;
use tests::lab::block_on;
use tests::real_work::{self, Work};

use quota::Quota;

/// Starts of each bootstrap; the medians are told.
const STARTS: usize = 7;
/// Warm requests of each start.
const WARM: usize = 15;
/// The profile of the functions.
const FUNCTIONS: &str = "infra/functions.toml";
/// Of a processor, for 256 MB: Lambda gives a whole one for 1,769.
const SHARE: f64 = 256.0 / 1769.0;
/// No bootstrap is larger, in MB.
const LARGEST: f64 = 8.0;
/// No bootstrap takes so many times as long to start as one that does nothing, whatever it has of
/// the processor.
const LATEST: f64 = 3.0;

/// One start, in milliseconds; memory in KiB.
#[derive(Clone, Copy)]
struct Measured {
    start: f64,
    first: f64,
    warm: f64,
    memory: f64,
}

/// The medians of some starts.
fn medians(all: &[Measured]) -> Measured {
    let of = |part: fn(&Measured) -> f64| median(all.iter().map(part).collect());
    Measured {
        start: of(|one| one.start),
        first: of(|one| one.first),
        warm: of(|one| one.warm),
        memory: of(|one| one.memory),
    }
}

/// The shortest start of some.
fn fastest(all: &[Measured]) -> f64 {
    all.iter().map(|one| one.start).fold(f64::INFINITY, f64::min)
}

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let works = real_work::all();
    for name in &chosen {
        assert!(works.iter().any(|work| work.function == name), "no function {name}");
    }
    let is_chosen = |work: &Work| chosen.is_empty() || chosen.iter().any(|n| n == work.function);
    let works: Vec<Work> = works.into_iter().filter(is_chosen).collect();
    let folder = build(&works);
    let wrong = block_on(measure(&works, &folder));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Prints the table; returns what is too large or too late.
async fn measure(works: &[Work], folder: &Path) -> Vec<String> {
    let quota = Quota::of(SHARE);
    let share = match &quota {
        Some(_) => format!("{:.1} % of a processor, as 256 MB have", SHARE * 100.0),
        None => "a whole processor, as cgroups cannot be set here".to_owned(),
    };
    println!("Medians of {STARTS} starts and of {WARM} warm requests each, with {share};");
    println!("the last three columns with a whole processor.\n");
    println!(
        "| bootstrap | MB | start ms | beside nothing | first ms | warm ms | memory MB | \
         whole: beside nothing | first | warm |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let nothing = folder.join("examples/nothing");
    // The first of all waits for the engines to be there.
    once(&nothing, None, None).await;
    let empty = (nothing.clone(), None);
    let all = works.iter().map(|work| (folder.join(work.function), Some(work)));
    let mut wrong = Vec::new();
    for (program, work) in std::iter::once(empty).chain(all) {
        let name = work.map_or("nothing", |work| work.function);
        let mut measured = [Vec::new(), Vec::new()];
        let mut beside = [Vec::new(), Vec::new()];
        // By turns: what else the machine does befalls all alike.
        for _ in 0..STARTS {
            for (place, quota) in [quota.as_ref(), None].into_iter().enumerate() {
                measured[place].push(once(&program, work, quota).await);
                beside[place].push(once(&nothing, None, quota).await);
            }
        }
        let [part, whole] = [medians(&measured[0]), medians(&measured[1])];
        let floor = [medians(&beside[0]).start, medians(&beside[1]).start];
        // Held are the fastest: what else the machine does makes none of them faster.
        let fastest = [0, 1].map(|place| (fastest(&measured[place]), fastest(&beside[place])));
        let size = megabytes(&program);
        println!(
            "| {name} | {size:.1} | {:.1} | {:+.1} | {:.1} | {:.1} | {:.1} | {:+.1} | {:.1} | {:.1} |",
            part.start,
            part.start - floor[0],
            part.first,
            part.warm,
            part.memory / 1024.0,
            whole.start - floor[1],
            whole.first,
            whole.warm,
        );
        if size > LARGEST {
            wrong.push(format!("{name} has {size:.1} MB, more than {LARGEST}"));
        }
        for (start, floor) in fastest {
            if start / floor > LATEST {
                wrong.push(format!("{name} starts in {start:.1} ms, nothing in {floor:.1}"));
            }
        }
    }
    wrong
}

async fn once(program: &Path, work: Option<&Work>, quota: Option<&Quota>) -> Measured {
    let mut begun = match work {
        Some(work) => Some(work.begin().await),
        None => None,
    };
    let name = work.map_or("nothing", |work| work.function);
    let environment = begun.as_ref().map(real_work::Begun::environment).unwrap_or_default();
    let function = match quota {
        Some(quota) => quota.start(program, name, &environment).await,
        None => Function::start_program(program, name, &environment).await,
    };
    let function = Arc::new(function);
    let start = function.cold_start().await;
    let mut took = Vec::new();
    for _ in 0..=WARM {
        let span = if let Some(begun) = &mut begun {
            begun.turn(&function).await
        } else {
            let asked = Instant::now();
            function.invoke(&json!({})).await.expect("nothing is done");
            asked.elapsed()
        };
        took.push(milliseconds(span));
    }
    let first = took.remove(0);
    let memory = peak_kib(function.pid());
    drop(function);
    if let Some(begun) = begun {
        begun.end().await;
    }
    Measured { start: milliseconds(start), first, warm: median(took), memory }
}

/// Builds the bootstraps as they are released; returns where they are.
fn build(works: &[Work]) -> PathBuf {
    // Beside what the same profile builds for the local service.
    let folder = binaries::target_folder().join("functions");
    let packages: Vec<&str> = works.iter().flat_map(|work| ["-p", work.function]).collect();
    for what in [[packages, vec!["--bins"]].concat(), vec!["-p", "shared", "--example", "nothing"]]
    {
        let mut command = binaries::cargo();
        command.args(["build", "--quiet", "--release", "--config", FUNCTIONS]).args(what);
        command.arg("--target-dir").arg(&folder);
        assert!(command.status().expect("cargo runs").success(), "cargo builds the bootstraps");
    }
    folder.join("release")
}

#[allow(clippy::cast_precision_loss)]
fn megabytes(program: &Path) -> f64 {
    std::fs::metadata(program).expect("the binary is there").len() as f64 / 1e6
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// The most memory a process had, in KiB.
fn peak_kib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_ascii_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0.0)
}
