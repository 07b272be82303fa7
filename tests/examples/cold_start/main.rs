//! How long each function's released bootstrap takes to start, to answer its first request and
//! the next ones, and how large it is, beside a bootstrap that does nothing: each as a process of
//! its own behind a Runtime API, with the share of a processor that Lambda gives 256 MB.
//!
//! `cargo run -p tests --example cold_start` builds the bootstraps as they are released, where that
//! is not done, and prints a table. `--whole` leaves them the whole processor; names of functions
//! choose some of them.

// The size of these futures is nobody's concern.
#![allow(clippy::large_futures)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::binaries;
use tests::client::Client;
use tests::fixtures::indicators;
use tests::function::Function;
use tests::gateway_event;
use tests::keys::KeySpec;
use tests::world::World;

/// Starts of each bootstrap; the medians are told.
const STARTS: usize = 7;
/// Warm requests of each start.
const WARM: usize = 15;
/// Of a processor, for 256 MB: Lambda gives a whole one for 1,769.
const SHARE: f64 = 256.0 / 1769.0;
/// How often what is left of the share is given anew, in microseconds.
const PERIOD: u32 = 20_000;

/// The bootstraps, and what each is asked.
fn asked(names: &Names) -> Vec<(&'static str, Asked)> {
    let get = |path: &str| Asked::Get(path.to_owned());
    let collection = &names.collection;
    let event = || Asked::Event(json!({"source": "aws.events"}));
    let nothing = || Asked::Event(json!({"Records": []}));
    vec![
        ("taxii", get(&format!("/taxii2/intel/collections/{collection}/objects/?limit=100"))),
        ("stix-export", get("/api/v1/iocs/stix?limit=100")),
        ("ioc-stream-list", get("/api/v3/ioc_stream")),
        ("ioc-stream-get", get("/api/v3/ioc_stream_notifications/1")),
        ("ioc-stream-delete", get("/api/v3/ioc_stream_notifications/1")),
        ("subscriptions", get("/api/v1/subscriptions")),
        ("csv-feed", get("/feeds/none.csv")),
        ("live-stream", get("/api/v1/streams")),
        ("ingest", get("/api/v1/objects")),
        ("manage", get("/api/v1/manage/tenants")),
        ("ingest-drop", nothing()),
        ("project", nothing()),
        ("notify", nothing()),
        ("rescan", nothing()),
        ("expire", event()),
        ("compact", event()),
        ("csv-publish", event()),
    ]
}

struct Names {
    collection: String,
}

/// What a function is asked.
enum Asked {
    Get(String),
    Event(Value),
}

/// One start, in milliseconds; memory in KiB.
#[derive(Clone, Copy)]
struct Measured {
    start: f64,
    first: f64,
    warm: f64,
    memory: f64,
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(measure());
}

async fn measure() {
    let (options, chosen): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let whole = options.iter().any(|option| option == "--whole");
    let names = Names { collection: String::new() };
    let known = asked(&names).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    for name in &chosen {
        assert!(known.contains(&name.as_str()), "{name} is none of {known:?}");
    }
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|one| one == name);
    let folder = build(is_chosen);
    let quota = if whole { None } else { Quota::of(SHARE) };
    let share = match &quota {
        Some(_) => format!("{:.1} % of a processor, as 256 MB have", SHARE * 100.0),
        None if whole => "a whole processor".to_owned(),
        None => "a whole processor: cgroups cannot be set here".to_owned(),
    };
    let w = World::http().await;
    let collection = w.holding(&indicators(200)).await;
    w.at_rest().await;
    let key = w.key(KeySpec::of("acme")).await.text;
    let names = Names { collection: collection.id };
    let mut environment = w.function_environment();
    environment.push(("IOCAST_STREAM_FINITE".to_owned(), "true".to_owned()));

    println!("Medians of {STARTS} starts and of {WARM} warm requests each, with {share}.\n");
    println!("| bootstrap | MB | start ms | beside nothing | first ms | warm ms | memory MB |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let empty = (folder.join("examples/nothing"), "nothing", Asked::Event(json!({})));
    let of = |(name, asked): (&'static str, Asked)| (folder.join(name), name, asked);
    let asked = asked(&names).into_iter().filter(|(name, _)| is_chosen(name));
    let all = std::iter::once(empty).chain(asked.map(of));
    let mut floor = None;
    for (program, name, asked) in all {
        let mut measured = Vec::new();
        for _ in 0..STARTS {
            measured.push(once(&program, name, &asked, &environment, &key, quota.as_ref()).await);
        }
        let median = |of: fn(&Measured) -> f64| median(measured.iter().map(of).collect());
        let start = median(|one| one.start);
        let beside = start - *floor.get_or_insert(start);
        #[allow(clippy::cast_precision_loss)]
        let size = std::fs::metadata(&program).expect("the binary is there").len() as f64 / 1e6;
        let (first, warm) = (median(|one| one.first), median(|one| one.warm));
        let memory = median(|one| one.memory) / 1024.0;
        println!(
            "| {name} | {size:.1} | {start:.1} | {beside:+.1} | {first:.1} | {warm:.1} | {memory:.1} |"
        );
    }
}

async fn once(
    program: &Path,
    name: &str,
    asked: &Asked,
    environment: &[(String, String)],
    key: &str,
    quota: Option<&Quota>,
) -> Measured {
    let function = match quota {
        Some(quota) => quota.start(program, name, environment).await,
        None => Function::start_program(program, name, environment).await,
    };
    let function = std::sync::Arc::new(function);
    let start = function.cold_start().await;
    let base_url = format!("https://{}", gateway_event::HOST);
    let client = Client::function(std::sync::Arc::clone(&function), &base_url).with_key(key);
    let mut took = Vec::new();
    for _ in 0..=WARM {
        let begun = Instant::now();
        match asked {
            Asked::Get(path) => {
                let answer = client.get(path).await;
                assert!(answer.status < 500, "{name}: {}", answer.status);
            }
            Asked::Event(event) => {
                function.invoke(event).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
        took.push(milliseconds(begun.elapsed()));
    }
    let first = took.remove(0);
    let memory = peak_kib(function.pid());
    Measured { start: milliseconds(start), first, warm: median(took), memory }
}

/// Builds the bootstraps as they are released; returns where they are.
fn build(is_chosen: impl Fn(&str) -> bool) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let names = Names { collection: String::new() };
    let mut packages: Vec<&str> = Vec::new();
    for (name, _) in asked(&names).into_iter().filter(|(name, _)| is_chosen(name)) {
        packages.extend(["-p", name]);
    }
    for what in [[packages, vec!["--bins"]].concat(), vec!["-p", "shared", "--example", "nothing"]]
    {
        let mut command = Command::new(&cargo);
        command.args(["build", "--quiet", "--release"]).args(what);
        command.current_dir(binaries::workspace());
        assert!(command.status().expect("cargo runs").success(), "cargo builds the bootstraps");
    }
    binaries::target_folder().join("release")
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

/// A control group whose processes have a share of one processor; gone when dropped.
struct Quota {
    folder: PathBuf,
}

impl Quota {
    /// None where this user or system has no such groups.
    fn of(share: f64) -> Option<Self> {
        let name = format!("iocast-cold-start-{}", std::process::id());
        let left = format!("{:.0}", f64::from(PERIOD) * share);
        let first = Path::new("/sys/fs/cgroup/cpu").join(&name);
        if std::fs::create_dir(&first).is_ok() {
            let quota = Self { folder: first };
            let set = |file: &str, text: &str| std::fs::write(quota.folder.join(file), text);
            set("cpu.cfs_period_us", &PERIOD.to_string()).ok()?;
            set("cpu.cfs_quota_us", &left).ok()?;
            return Some(quota);
        }
        let second = Path::new("/sys/fs/cgroup").join(name);
        std::fs::create_dir(&second).ok()?;
        let quota = Self { folder: second };
        std::fs::write(quota.folder.join("cpu.max"), format!("{left} {PERIOD}")).ok()?;
        Some(quota)
    }

    /// Starts a function within the group: a shell joins it and becomes the function.
    async fn start(
        &self,
        program: &Path,
        name: &str,
        environment: &[(String, String)],
    ) -> Function {
        let members = self.folder.join("cgroup.procs");
        Function::start_within(&members, program, name, environment).await
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // Its last process may still be on its way out.
        for _ in 0..50 {
            if std::fs::remove_dir(&self.folder).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
