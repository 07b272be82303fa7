//! One function on a stage: tables and a bucket of its own, what it finds there, what it is asked,
//! and what it leaves, so that a run that faults befell can be held against one without.

mod ask;
mod outcome;
mod scenarios;
mod setting;
mod state;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::config::retry::RetryPartition;
use chrono::TimeDelta;
use futures::future::BoxFuture;
use live_stream::Limits;
use local::engines::clients::{self, Endpoint};
use local::engines::s3::S3;
use local::functions;
use local::stopping::{StopSignal, stopping};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::http::StreamedBody;
use shared::services::{Services, Settings, SourceKeySecret};
use shared::store::Names;

pub use ask::Ask;
pub use outcome::Outcome;
pub use scenarios::all;
pub use state::State;

use crate::aws_front::{Call, Front, Strike};
use crate::lab::engine::Engine;

/// How long a background handler is given.
const TURN: Duration = Duration::from_mins(1);

/// What a function is asked.
pub enum Step {
    /// A request.
    Ask(Ask),
    /// A request that is made of the answers before it.
    Then(fn(&[Value]) -> Ask),
    /// An event.
    Event(Value),
    /// What is pending is projected.
    Pump,
    /// Events of the streams: the items there are then of a partition of jobs.
    Jobs(&'static str),
}

/// What a function is put through: set up without faults, then asked step by step.
pub struct Scenario {
    /// The function's logical id in the template.
    pub function: &'static str,
    /// Which of its scenarios.
    pub name: &'static str,
    /// What the names of the calls have in them that it is there for; empty: all it makes.
    pub about: &'static str,
    /// Sets the stage.
    pub prepare: for<'a> fn(&'a mut Stage) -> BoxFuture<'a, Vec<Step>>,
}

/// The stage.
pub struct Stage {
    engine: &'static Engine,
    tables: Vec<String>,
    names: Names,
    clock: Clock,
    front: Front,
    plain: Services,
    key: String,
}

struct Bucket {
    _folder: tempfile::TempDir,
    folder: std::path::PathBuf,
    s3: S3,
    _stop: StopSignal,
}

/// One S3 for all stages of a test process. To be called on the runtime of all labs.
fn bucket() -> &'static Bucket {
    static BUCKET: OnceLock<Bucket> = OnceLock::new();
    BUCKET.get_or_init(|| {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().to_owned();
        let (signal, stop) = stopping();
        let s3 = S3::start(&folder, &[], "secret".to_owned(), Vec::new(), stop)
            .expect("the engine starts");
        Bucket { _folder: temporary, folder, s3, _stop: signal }
    })
}

impl Stage {
    /// An empty stage.
    pub async fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let engine = Engine::shared();
        let (mut names, tables) = engine.prepare().await;
        names.bucket = format!("case-{number}");
        tokio::fs::create_dir_all(bucket().folder.join(&names.bucket)).await.unwrap();
        let clock = Clock::default();
        let front = Front::before(clients::http());
        let plain = services(engine, &names, &clock, &clients::http(), "plain");
        for tenant in ["operator", "acme"] {
            plain.store().create_tenant(&tenant.parse().unwrap()).await.unwrap();
        }
        Self { engine, tables, names, clock, front, plain, key: String::new() }
    }

    /// Throws everything away.
    pub async fn end(self) {
        self.engine.drop_tables(&self.tables).await;
        let _ = tokio::fs::remove_dir_all(bucket().folder.join(&self.names.bucket)).await;
    }

    /// What the function calls.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// The names of the tables and the bucket.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// An instance past the front.
    pub fn plain(&self) -> &Services {
        &self.plain
    }

    /// A fresh instance of the function.
    pub fn instance(&self) -> Services {
        let (engine, http) = (self.engine, self.front.client());
        services(engine, &self.names, &self.clock, &http, &self.names.bucket)
    }

    /// Projects what is pending, as the stream does, until nothing is.
    pub async fn pump(&self) {
        loop {
            let mut pending = self.pending().await;
            if pending.is_empty() {
                return;
            }
            // Always in the same order: what was overtaken leaves traces.
            pending.sort_by_key(|id| id.object_type() != "marking-definition");
            pending.truncate(1);
            let failures = self.plain.projector().project(&self.plain, &pending).await;
            assert!(failures.0.is_empty(), "{failures:?}");
        }
    }

    /// Time passes.
    pub fn later(&self, span: TimeDelta) {
        self.clock.step(span);
    }

    /// The event of a stream for items of this partition of a table.
    pub fn records(partition: &str, sort_keys: &[String]) -> Value {
        let records: Vec<Value> = sort_keys
            .iter()
            .enumerate()
            .map(|(number, sort)| {
                let keys = json!({"id": {"S": partition}, "sk": {"S": sort}});
                json!({"eventName": "INSERT",
                    "dynamodb": {"SequenceNumber": number.to_string(), "Keys": keys}})
            })
            .collect();
        json!({ "Records": records })
    }

    /// What the function answers to a step.
    pub async fn take(
        &self,
        function: &str,
        services: &Services,
        step: &Step,
        before: &[Value],
    ) -> Outcome {
        let begun = Instant::now();
        let mut outcome = match step {
            Step::Ask(ask) => self.ask(function, services, ask.clone()).await,
            Step::Then(make) => self.ask(function, services, make(before)).await,
            Step::Pump => {
                self.pump().await;
                Outcome::of_event(&Ok(Value::Null))
            }
            Step::Event(event) => self.event(function, services, event.clone()).await,
            Step::Jobs(partition) => {
                let jobs = self.jobs(partition).await;
                let event = Self::records(partition, &jobs);
                let outcome = self.event(function, services, event).await;
                // What is not over was written down, and that calls the function again.
                let left = *partition == "NOTIFY" && !self.jobs(partition).await.is_empty();
                Outcome { unavailable: outcome.unavailable || left, ..outcome }
            }
        };
        outcome.took = begun.elapsed();
        outcome
    }

    /// The sort keys of a partition of jobs, in either table that has them.
    pub(crate) async fn jobs(&self, partition: &str) -> Vec<String> {
        let mut items = self.items(&self.names.collections).await;
        items.extend(self.items(&self.names.objects).await);
        let of = items.iter().filter(|item| item["id"].as_s().unwrap() == partition);
        of.map(|item| item["sk"].as_s().unwrap().clone()).collect()
    }

    async fn ask(&self, function: &str, services: &Services, ask: Ask) -> Outcome {
        let request = ask.signed(&self.key);
        let response = match function {
            "LiveStreamFunction" | "StreamsFunction" => {
                let limits = Limits { patience: Duration::ZERO, ..Limits::default() };
                live_stream::handle_whole(services, limits, request).await
            }
            _ => {
                functions::http(services, function).expect("a function of requests")(request).await
            }
        };
        Outcome::of(&response)
    }

    /// Opens a live stream on an instance of its function.
    pub async fn stream(&self, services: &Services, path: &str) -> StreamedBody {
        let request = Ask::new("GET", path).signed(&self.key);
        live_stream::handle(services, Limits::default(), request).await.into_body()
    }

    /// What a live stream on an instance of its function answers in one piece.
    pub async fn whole(&self, services: &Services, path: &str) -> String {
        let request = Ask::new("GET", path).signed(&self.key);
        let limits = Limits { patience: Duration::ZERO, ..Limits::default() };
        let answer = live_stream::handle_whole(services, limits, request).await;
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        assert_eq!(answer.status(), 200, "{path}: {text}");
        text
    }

    async fn event(&self, function: &str, services: &Services, event: Value) -> Outcome {
        let until = Instant::now() + TURN;
        let done = match function {
            "ProjectFunction" => {
                project::handle(services, event, until).await.map_err(|error| error.to_string())
            }
            _ => functions::event(services, function).expect("a function of events")(event).await,
        };
        Outcome::of_event(&done)
    }

    /// Sets the stage for a scenario and plays it to its end: a step that is not available is taken
    /// again once the fault is over.
    pub async fn play(scenario: &Scenario, strike: Option<Strike>) -> Played {
        let mut stage = Self::new().await;
        let steps = (scenario.prepare)(&mut stage).await;
        let services = stage.instance();
        stage.front.strike(strike);
        let mut outcomes: Vec<Vec<Outcome>> = Vec::new();
        for step in &steps {
            let mut tries = Vec::new();
            loop {
                let before: Vec<Value> =
                    outcomes.iter().filter_map(|tries| Some(tries.last()?.json.clone())).collect();
                let outcome = stage.take(scenario.function, &services, step, &before).await;
                let again = outcome.unavailable && tries.len() < 3;
                tries.push(outcome);
                if !again {
                    break;
                }
                stage.front.strike(None);
                if scenario.function != "ProjectFunction" {
                    stage.pump().await;
                }
            }
            outcomes.push(tries);
        }
        let struck = stage.front.struck();
        stage.front.strike(None);
        if scenario.function != "ProjectFunction" {
            stage.pump().await;
        }
        let (calls, state) = (stage.front.calls(), stage.state().await);
        let names = stage.names.clone();
        stage.end().await;
        Played { outcomes, calls, state, struck, names }
    }
}

/// Whether a function answers requests.
pub fn is_http(function: &str) -> bool {
    !["IngestDrop", "Project", "Expire", "Rescan", "Compact", "CsvPublish", "Notify"]
        .iter()
        .any(|event| function == format!("{event}Function"))
}

/// What came of a scenario.
pub struct Played {
    /// By step, what each try came to.
    pub outcomes: Vec<Vec<Outcome>>,
    /// What the function called.
    pub calls: Vec<Call>,
    /// What it left.
    pub state: State,
    /// How often the fault happened.
    pub struck: usize,
    /// What the tables and the bucket were called.
    pub names: Names,
}

fn services(
    engine: &Engine,
    names: &Names,
    clock: &Clock,
    http: &SharedHttpClient,
    retries: &str,
) -> Services {
    let settings = Settings {
        names: names.clone(),
        public_base_url: None,
        taxii_root: "intel".to_owned(),
        identity_name: "iocast".to_owned(),
        source_key_secret: Some(SourceKeySecret("secret".to_owned())),
        definition_memory: Duration::from_secs(30),
        clock: clock.clone(),
    };
    // Retries of a process are rationed by partition: what one case uses up is not another's.
    let partition = RetryPartition::new(retries.to_owned());
    let dynamodb = clients::dynamodb(&Endpoint::over(engine.address(), http.clone()));
    let dynamodb = dynamodb.config().to_builder().retry_partition(partition.clone()).build();
    let s3 = clients::s3(bucket().s3.access(), http);
    let s3 = s3.config().to_builder().retry_partition(partition).build();
    Services::new(aws_sdk_dynamodb::Client::from_conf(dynamodb), s3, settings)
}
