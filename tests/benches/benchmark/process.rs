//! The real `iocast` as processes whose memory can be watched.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::binaries;
use tokio::process::{Child, Command};

/// How often a process is looked at.
pub const LOOK_EVERY: Duration = Duration::from_millis(20);
const START_WITHIN: Duration = Duration::from_mins(1);

/// Kibibytes of a process, from `/proc/<pid>/status`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// In memory now (`VmRSS`).
    pub resident: u64,
    /// The most that ever was (`VmHWM`).
    pub peak: u64,
    /// What of it is the process' own, not of files (`RssAnon`).
    pub anonymous: u64,
}

impl Memory {
    /// Of process `pid`; nothing when it ended, or on a system without `/proc`.
    pub fn of(pid: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let field = |name: &str| -> Option<u64> {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_ascii_whitespace().nth(1)?.parse().ok()
        };
        let (resident, peak) = (field("VmRSS:")?, field("VmHWM:")?);
        Some(Self { resident, peak, anonymous: field("RssAnon:")? })
    }

    /// The highest of both, each by itself.
    pub fn highest(self, other: Self) -> Self {
        Self {
            resident: self.resident.max(other.resident),
            peak: self.peak.max(other.peak),
            anonymous: self.anonymous.max(other.anonymous),
        }
    }
}

/// The `iocast` that is run: the one named, or one built as this program was.
pub fn iocast(named: Option<PathBuf>) -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    match named {
        Some(path) => path,
        None if own.components().any(|part| part.as_os_str() == "release") => build(&own),
        None => binaries::path("iocast"),
    }
}

/// Builds it with the benchmark's profile and features, so that next to nothing is left to build.
fn build(own: &Path) -> PathBuf {
    let mut command = binaries::cargo();
    command.args(["build", "--quiet", "--profile", "bench", "-p", "tests", "-p", "local"]);
    command.args(["--bin", "iocast"]);
    // Benchmarks unwind whatever the profile says, and so do the libraries built for them.
    command.env("CARGO_PROFILE_BENCH_PANIC", "unwind");
    assert!(command.status().expect("cargo runs").success(), "cargo builds iocast");
    own.ancestors().nth(2).expect("target/release/deps").join("iocast")
}

/// A running `iocast serve` over a data folder. It is killed when dropped.
pub struct Service {
    process: Child,
    ready: Value,
}

impl Service {
    /// Starts it and waits until every surface answers.
    pub async fn start(iocast: &Path, folder: &Path) -> Self {
        let file = folder.join("ready.json");
        let mut process = Command::new(iocast)
            .args(["serve", "--listen", "127.0.0.1:0", "--no-demo", "--data"])
            .arg(folder.join("data"))
            .arg("--ready-file")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("iocast starts");
        let begun = Instant::now();
        let ready = loop {
            let ended = process.try_wait().expect("a process");
            assert!(ended.is_none(), "iocast serve ended: {ended:?}");
            assert!(begun.elapsed() < START_WITHIN, "iocast serve is not ready");
            if let Ok(text) = std::fs::read_to_string(&file) {
                break serde_json::from_str(&text).expect("the ready file is JSON");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        Self { process, ready }
    }

    /// What the ready file says.
    pub fn ready(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_default()
    }

    /// Its memory.
    pub fn memory(&self) -> Memory {
        self.process.id().and_then(Memory::of).unwrap_or_default()
    }
}

/// Runs `iocast load FILE` into a service to its end; its memory.
pub async fn load(iocast: &Path, service: &Service, file: &Path) -> Memory {
    let mut process = Command::new(iocast)
        .arg("load")
        .arg(file)
        .args(["--url", service.ready("base_url"), "--key", service.ready("writer_key")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("iocast starts");
    let mut memory = Memory::default();
    loop {
        if let Some(now) = process.id().and_then(Memory::of) {
            memory = memory.highest(now);
        }
        if let Some(ended) = process.try_wait().expect("a process") {
            assert!(ended.success(), "iocast load ended: {ended}");
            return memory;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
