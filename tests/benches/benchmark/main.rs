//! What the service is worth beside what it stands on: pages, requests, ingest and memory, each
//! as a ratio to a floor that is measured in the same run. Absolute figures hold for one machine
//! and are there to compare a run with the one before it.
//!
//! `cargo bench -p tests` measures; `cargo test -p tests --benches` runs all of it in small.
//! Parts can be named: `cargo bench -p tests -- pages requests access export ingest memory feeds`;
//! `--iocast FILE` watches the memory of another build; `--json FILE` says where the figures go.

// The size of these futures is nobody's concern.
#![allow(clippy::large_futures)]

mod access;
mod export;
mod feeds;
mod floor;
mod follower;
mod http_client;
mod indicator;
mod ingest;
mod memory;
mod others;
mod packed_log;
mod pages;
mod place;
mod process;
mod report;
mod requests;
mod scale;
mod system;

use std::path::PathBuf;
use std::time::Instant;

use local::serve::Storage;
use others::Ticks;
use packed_log::PackedLog;
use report::Report;
use scale::Scale;
use system::System;

const PARTS: [&str; 7] = ["pages", "requests", "access", "export", "ingest", "memory", "feeds"];

struct Options {
    full: bool,
    parts: Vec<String>,
    iocast: Option<PathBuf>,
    json: Option<PathBuf>,
}

impl Options {
    /// Cargo says `--bench` when it is to be measured.
    fn read() -> Self {
        let mut options = Self { full: false, parts: Vec::new(), iocast: None, json: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => options.full = true,
                "--iocast" => options.iocast = arguments.next().map(PathBuf::from),
                "--json" => options.json = arguments.next().map(PathBuf::from),
                part if PARTS.contains(&part) => options.parts.push(argument),
                // What the test harness is told concerns no program of its own.
                _ => {}
            }
        }
        options
    }

    fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }
}

fn main() {
    let options = Options::read();
    // As many threads as `iocast` has.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let report = runtime.expect("a runtime").block_on(measure(&options));
    print!("{report}");
    for ratio in report.ratios() {
        assert!(ratio.is_finite() && ratio > 0.0, "a ratio is {ratio}");
    }
    let folder = tests::binaries::target_folder();
    let file = match (&options.json, options.full) {
        (Some(file), _) => file.clone(),
        (None, true) => folder.join("benchmark.json"),
        (None, false) => folder.join("benchmark-smoke.json"),
    };
    let json = serde_json::to_vec_pretty(&report).expect("a report is JSON");
    std::fs::write(&file, json).expect("the figures are kept");
    println!("\nThe figures are in {}.", file.display());
}

async fn measure(options: &Options) -> Report {
    let (begun, ticks) = (Instant::now(), Ticks::now());
    let scale = if options.full { Scale::full() } else { Scale::smoke() };
    let mut report = Report { about: about(options.full), ..Report::default() };
    if ["pages", "requests", "access"].into_iter().any(|part| options.wants(part)) {
        let system = System::start(Storage::InMemory).await;
        let mut logs = Vec::new();
        for objects in &scale.collections {
            let filling = Instant::now();
            let log = PackedLog::fill(&system, *objects).await;
            let seconds = filling.elapsed().as_secs_f64();
            report.about.push(format!(
                "A collection of {objects} objects was put straight into its log, as {} packed commits of {} bytes in all, in {seconds:.1} s.",
                log.seq_of(objects - 1),
                log.bytes
            ));
            logs.push(log);
        }
        system.let_time_pass();
        if options.wants("pages") {
            report.pages = pages::measure(&system, &logs, &scale).await;
        }
        if options.wants("requests") {
            report.requests = requests::measure(&system, &logs, &scale).await;
        }
        if let Some(log) = logs.first().filter(|_| options.wants("access")) {
            report.access = access::measure(&system, log, &scale).await;
        }
        system.stop().await;
    }
    if options.wants("export") {
        for base in &scale.collections {
            let system = System::start(Storage::InMemory).await;
            report.export.extend(export::measure(&system, *base, scale.readings / 3).await);
            system.stop().await;
        }
    }
    if options.wants("ingest") {
        report.ingest = Some(ingest::measure(&scale).await);
    }
    // What comes then runs in processes of its own.
    if let (Some(before), Some(now)) = (ticks, Ticks::now()) {
        report.about.push(format!(
            "Other programs took {:.0} % of the machine meanwhile; figures of a busy one are worth little.",
            now.others_since(before)
        ));
    }
    if options.wants("memory") {
        let iocast = process::iocast(options.iocast.clone());
        report.memory = memory::measure(&iocast, &scale).await;
    }
    if options.wants("feeds") {
        let iocast = process::iocast(options.iocast.clone());
        report.feeds = feeds::measure(&iocast, &scale).await;
    }
    report.about.push(format!("It took {:.0} s.", begun.elapsed().as_secs_f64()));
    report
}

fn about(full: bool) -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut about = vec![
        format!(
            "{} run on {cores} cores, which service, engine, clients and floor share.",
            if full { "Full" } else { "Smoke" }
        ),
        "Pages and requests read a database that is thrown away; ingest and memory use a kept one."
            .to_owned(),
    ];
    if cfg!(debug_assertions) {
        about.push("A build for tests: the figures say nothing.".to_owned());
    } else {
        about.push("Built as `cargo run --release` builds it.".to_owned());
    }
    about
}
