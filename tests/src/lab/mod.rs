//! A system taken apart: the embedded `DynamoDB`, and several instances of the functions over its
//! tables, each with memories and a clock of its own. Nothing runs by itself: no pump, no
//! gateway, no schedule. The test calls the handlers, in the order a history says.

pub(crate) mod engine;
mod page;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use lambda_http::Body;
use lambda_http::http::Request;
use live_stream::Limits;
use local::engines::clients::{self, Endpoint};
use local::engines::s3::Access;
use serde_json::json;
use shared::access::{NewKey, Scope, TenantId};
use shared::clock::Clock;
use shared::collection::{Collection, CollectionSettings};
use shared::id::ObjectId;
use shared::ingestion::{Candidate, Outcome, Submission, delete, submit};
use shared::log::{CollectionId, LogId};
use shared::services::{Services, Settings};
use shared::store::{Head, JobKind, StoreError};
use shared::time::Position;
use shared::tlp::Tlp;

pub use engine::block_on;
pub use page::{Listed, Page};

use engine::Engine;

use crate::keys::{UNLIMITED, make_unlimited_plan};

/// How long a background handler may take.
const TURN: Duration = Duration::from_secs(20);

/// The system.
pub struct Lab {
    engine: &'static Engine,
    tables: Vec<String>,
    instances: Vec<(Services, Clock, TimeDelta)>,
    witness: (Services, Clock),
    passed: TimeDelta,
    key: String,
}

impl Lab {
    /// Fresh tables and `instances` instances over them, which reach `DynamoDB` as `between` says
    /// for a port of the engine's; in process if it says nothing.
    pub async fn start(
        instances: usize,
        between: impl FnOnce(SocketAddr) -> Option<SocketAddr>,
    ) -> Self {
        let engine = Engine::shared();
        let (names, tables) = engine.prepare().await;
        let http = clients::http();
        // Nothing here touches the bucket.
        let bucket = Access { address: engine.address(), secret: String::new() };
        let services = |endpoint: &Endpoint, definition_memory: Duration| {
            let clock = Clock::default();
            let settings = Settings {
                names: names.clone(),
                public_base_url: None,
                taxii_root: "intel".to_owned(),
                identity_name: "iocast".to_owned(),
                source_key_secret: None,
                definition_memory,
                clock: clock.clone(),
            };
            let s3 = clients::s3(&bucket, &http).config().clone();
            (Services::new(clients::dynamodb(endpoint), s3, settings), clock)
        };
        // It reads much at the end, and then nothing changes any more.
        let witness = services(&engine.endpoint(), Duration::from_secs(30));
        let behind = between(engine.address()).map_or_else(|| engine.endpoint(), Endpoint::at);
        let instances = (0..instances).map(|_| services(&behind, Duration::ZERO));
        let instances = instances.map(|(one, clock)| (one, clock, TimeDelta::zero())).collect();
        let store = witness.0.store();
        for tenant in [TenantId::operator(), acme()] {
            store.create_tenant(&tenant).await.unwrap();
        }
        make_unlimited_plan(store).await;
        let key = NewKey {
            tenant: TenantId::operator(),
            name: "lab".to_owned(),
            scopes: vec![Scope::ReadTaxii, Scope::ReadStream, Scope::WriteObjects],
            plan: UNLIMITED.parse().unwrap(),
            clearance: Tlp::Red,
            expires: None,
        };
        let key = store.create_key(key).await.unwrap().reveal();
        Self { engine, tables, instances, witness, passed: TimeDelta::zero(), key }
    }

    /// Throws the tables away.
    pub async fn end(self) {
        self.engine.drop_tables(&self.tables).await;
    }

    /// How many instances there are.
    pub fn instances(&self) -> usize {
        self.instances.len()
    }

    /// One of the instances; any number names one.
    pub fn instance(&self, number: usize) -> &Services {
        &self.instances[number % self.instances.len()].0
    }

    /// An instance of the checker's own: always past the proxy, and by the true clock.
    pub fn witness(&self) -> &Services {
        &self.witness.0
    }

    /// The witness forgets what it knows of definitions.
    pub async fn look_anew(&self) {
        self.witness().definitions_within(Duration::ZERO).await.unwrap();
    }

    /// Sets an instance's clock off by `skew`.
    pub fn skew(&mut self, number: usize, skew: TimeDelta) {
        let count = self.instances.len();
        let (_, clock, known) = &mut self.instances[number % count];
        *known = skew;
        clock.step(self.passed + skew);
    }

    /// Time passes, for everybody.
    pub fn wait(&mut self, span: TimeDelta) {
        self.passed += span;
        self.witness.1.step(self.passed);
        for (_, clock, skew) in &self.instances {
            clock.step(self.passed + *skew);
        }
    }

    /// How much time passed in steps.
    pub fn passed(&self) -> TimeDelta {
        self.passed
    }

    /// Takes one object in.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn write(
        &self,
        instance: usize,
        owner: &TenantId,
        body: &str,
        into: Option<&Collection>,
    ) -> Result<Outcome, StoreError> {
        let submission = Submission { owner, clearance: Tlp::Red, into };
        let candidates = vec![Candidate::read(body.as_bytes())];
        let mut outcomes = submit(self.instance(instance), submission, candidates).await?;
        Ok(outcomes.remove(0))
    }

    /// Deletes an object from the base.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(
        &self,
        instance: usize,
        owner: &TenantId,
        id: &ObjectId,
    ) -> Result<Option<Outcome>, StoreError> {
        delete(self.instance(instance), owner, id).await
    }

    /// Calls `project` with one stream record for each of `ids`; returns how many must come again.
    pub async fn project(&self, instance: usize, ids: &[ObjectId]) -> usize {
        let records: Vec<_> = ids
            .iter()
            .enumerate()
            .map(|(number, id)| {
                let keys = json!({"id": {"S": id.as_str()}, "sk": {"S": "HEAD"}});
                json!({"dynamodb": {"SequenceNumber": number.to_string(), "Keys": keys}})
            })
            .collect();
        let event = json!({ "Records": records });
        let answer = project::handle(self.instance(instance), event, Instant::now() + TURN).await;
        let answer = answer.expect("the event is a stream's");
        answer["batchItemFailures"].as_array().map_or(0, Vec::len)
    }

    /// Creates a collection.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn create(
        &self,
        services: &Services,
        settings: CollectionSettings,
    ) -> Result<Collection, String> {
        let made = services.create_collection(settings).await;
        made.map_err(|error| error.to_string())
    }

    /// The collection as it is stored.
    pub async fn collection(&self, known: &Collection) -> Collection {
        let all = self.witness().store().collections().await.unwrap();
        all.into_iter().find(|one| one.id == known.id).expect("collections stay")
    }

    /// Gives a collection other settings.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn change(
        &self,
        services: &Services,
        known: &Collection,
        settings: CollectionSettings,
    ) -> Result<Collection, String> {
        let known = self.collection(known).await;
        let changed = services.change_collection(&known, settings).await;
        changed.map_err(|error| error.to_string())
    }

    /// Carries all backfills on to their end; says whether none is left.
    pub async fn backfill(&mut self, instance: usize) -> bool {
        for job in self.witness().store().jobs().await.unwrap() {
            if matches!(job.kind, JobKind::Backfill { .. }) {
                self.wait_until(instance, job.not_before);
                let services = self.instance(instance);
                // What fails is left as a job, and the next turn finds it.
                let _ = shared::rescan::carry_on(services, job.kind, Instant::now() + TURN).await;
            }
        }
        self.witness().store().jobs().await.unwrap().is_empty()
    }

    /// Sweeps the whole base for what the stream lost.
    pub async fn sweep(&mut self, instance: usize) {
        let _ = shared::rescan::start_sweep(self.instance(instance)).await;
        if let Ok(Some(job)) = self.witness().store().job(&JobKind::Sweep).await {
            self.wait_until(instance, job.not_before);
        }
        let until = Instant::now() + TURN;
        let _ = shared::rescan::carry_on(self.instance(instance), JobKind::Sweep, until).await;
    }

    /// Time passes until it is `moment` by an instance's clock: nobody waits for a job.
    fn wait_until(&mut self, instance: usize, moment: Position) {
        let left = moment.minus(self.instance(instance).store().position_now().micros()).micros();
        if left > 0 {
            self.wait(TimeDelta::microseconds(i64::try_from(left).unwrap_or(0)));
        }
    }

    /// Runs the expiry.
    pub async fn expire(&self, instance: usize) {
        let services = self.instance(instance);
        let now = services.store().now();
        let _ = shared::expiry::expire(services, now, Instant::now() + TURN).await;
    }

    /// Compacts the logs of collections, and one of those every deployment has.
    pub async fn compact(&self, instance: usize, collections: &[CollectionId]) {
        let services = self.instance(instance);
        // As the function does: by a time that is not ahead.
        let now = services.store().position_now().min(self.witness().store().position_now());
        let amber = LogId::Indicators { level: Tlp::Amber, kind: None, active: true };
        for log in collections.iter().copied().map(LogId::Collection).chain([amber]) {
            let until = Instant::now() + TURN;
            // Who fails leaves it to the next run.
            let _ = shared::compaction::compact_log(services.store(), log, now, until).await;
        }
    }

    /// The heads of `ids` as they are stored.
    pub async fn heads(&self, ids: &[ObjectId]) -> HashMap<ObjectId, Head> {
        self.witness().store().heads(ids, true).await.unwrap()
    }

    /// Sends a request under `…/collections/{id}/` to an instance's `taxii`.
    pub async fn taxii(
        &self,
        services: &Services,
        method: &str,
        collection: &Collection,
        rest: &str,
    ) -> Page {
        let uri = format!("/taxii2/intel/collections/{}/{rest}", collection.id);
        let request = Request::builder()
            .method(method)
            .uri(&uri)
            .header("authorization", format!("Bearer {}", self.key))
            .header("accept", "application/taxii+json;version=2.1")
            .body(Body::Empty)
            .expect("the request is well-formed");
        Page::read(&uri, taxii::handle(services, request).await)
    }

    /// What an instance's `live-stream` sends of a collection now.
    pub async fn stream(
        &self,
        services: &Services,
        collection: &Collection,
        parameters: &str,
    ) -> String {
        let uri = format!("/stream/{}?{parameters}", collection.id);
        let request = Request::builder()
            .uri(&uri)
            .header("authorization", format!("Bearer {}", self.key))
            .body(Body::Empty)
            .expect("the request is well-formed");
        let limits = Limits { patience: Duration::ZERO, ..Limits::default() };
        let answer = live_stream::handle_whole(services, limits, request).await;
        let text = String::from_utf8(answer.body().to_vec()).expect("frames are text");
        assert_eq!(answer.status(), 200, "{uri}: {text}");
        text
    }
}

/// The tenant that is not the operator.
pub fn acme() -> TenantId {
    "acme".parse().expect("a tenant id")
}
