//! A whole system of a test's own, in process, and the ways a test reaches it. The only file
//! that calls the product's own interface: everything else goes over HTTP or runs its binaries.

mod background;
mod definitions;
mod notifications;
mod objects;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use local::engines::Reached;
use local::engines::clients::{self, Endpoint};
use local::engines::dynamodb::Requests;
use local::engines::s3::Access;
use local::serve::{Options, Running, Storage, start_between};
use local::template::REGION;
use shared::services::{Services, Settings};

use crate::client::Client;
use crate::engine_port::EnginePort;
use crate::function::Function;
use crate::gateway_event;
use crate::keys::{KeySpec, make_unlimited_plan};
use crate::metered::Metered;
use crate::stack::Emulator;
use crate::worse_days::Proxy;

/// With this variable set, systems are made on another `DynamoDB` than the embedded one.
pub const SECOND_ENGINE: &str = "IOCAST_SECOND_ENGINE";

/// A system of the test's own. It ends with the test.
pub struct World {
    running: Running,
    /// The service over HTTP, without a key.
    pub http: Client,
    /// The TAXII surface over the transport under test, without a key.
    pub taxii: Client,
    /// The live streams over the transport under test, without a key.
    pub streams: Client,
    /// Between the functions and `DynamoDB`.
    proxy: Option<Proxy>,
    /// Before the embedded engine.
    port: EnginePort,
    second_engine: Option<Emulator>,
    writer: String,
    reader: String,
}

impl World {
    /// An empty system, reached over HTTP, with the tenants `acme` (which writes) and `reader`.
    pub async fn http() -> Self {
        Self::start(false).await
    }

    /// As [`World::http`], but what it writes is the operator's, as all of an export is.
    pub async fn of_operator() -> Self {
        let mut world = Self::http().await;
        world.writer = world.key(KeySpec::of("operator")).await.text;
        world
    }

    /// As [`World::http`], with a proxy between the functions and `DynamoDB` that does nothing
    /// until it is told to.
    pub async fn on_worse_days() -> (Self, Proxy) {
        let mut proxy = None;
        let between = |port: SocketAddr, reached: Reached| {
            let tables = Endpoint::at(proxy.insert(Proxy::start(port)).address());
            Reached { tables, ..reached }
        };
        let world = Self::start_between(false, between).await;
        let proxy = proxy.expect("the functions' way to DynamoDB was asked for");
        (Self { proxy: Some(proxy.clone()), ..world }, proxy)
    }

    /// As [`World::http`], but TAXII goes through the function's real binary.
    pub async fn lambda() -> Self {
        let mut world = Self::start(false).await;
        let environment = world.function_environment();
        let function = Arc::new(Function::start("taxii", &environment).await);
        let base_url = format!("https://{}", gateway_event::HOST);
        world.taxii = Client::function(function, &base_url);
        world
    }

    /// As [`World::http`], but live streams go through the function's real binary, whose
    /// connections last so many seconds.
    pub async fn streaming_lambda(seconds: u32) -> Self {
        let mut world = Self::start(false).await;
        let mut environment = world.function_environment();
        environment.push(("IOCAST_STREAM_SECONDS".to_owned(), seconds.to_string()));
        let function = Arc::new(Function::start("live-stream", &environment).await);
        let base_url = format!("https://{}", gateway_event::HOST);
        world.streams = Client::function(function, &base_url);
        world
    }

    /// A system with the demonstration set.
    pub async fn with_demo() -> Self {
        Self::start(true).await
    }

    async fn start(demo: bool) -> Self {
        Self::start_between(demo, |_, reached| reached).await
    }

    /// `between` gets a port of the engine's, and the way around it.
    async fn start_between(
        demo: bool,
        between: impl FnOnce(SocketAddr, Reached) -> Reached,
    ) -> Self {
        let second_engine = match std::env::var(SECOND_ENGINE) {
            Ok(_) => Some(Emulator::of_tables().await),
            Err(_) => None,
        };
        let second = second_engine.as_ref().map(Emulator::address);
        let mut port = None;
        let between = |engine: &Requests| {
            let own = port.insert(EnginePort::open(engine)).address();
            let reached = match second.map(Endpoint::at) {
                Some(second) => Reached { tables: second.clone(), streams: second },
                None => Reached::in_process(engine),
            };
            between(second.unwrap_or(own), reached)
        };
        let listen = "127.0.0.1:0".parse().unwrap();
        let options = Options { listen, storage: Storage::InMemory, demo };
        let running = start_between(options, between).await.expect("the local service starts");
        let http = Client::http(&running.base_url);
        let mut world = Self {
            taxii: http.clone(),
            streams: http.clone(),
            http,
            proxy: None,
            port: port.expect("the way to the engine was asked for"),
            second_engine,
            running,
            writer: String::new(),
            reader: String::new(),
        };
        make_unlimited_plan(world.running.services.store()).await;
        world.writer = world.key(KeySpec::of("acme")).await.text;
        world.reader = world.key(KeySpec::of("reader").read_only()).await.text;
        world
    }

    /// What the functions' binaries need to reach this system's engines, tables and bucket.
    pub fn function_environment(&self) -> Vec<(String, String)> {
        let names = &self.running.services.settings().names;
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        vec![
            set("AWS_ENDPOINT_URL_DYNAMODB", &format!("http://{}", self.dynamodb())),
            set("AWS_ENDPOINT_URL_S3", &format!("http://{}", self.running.s3.address)),
            // The embedded engines know no regions; others do.
            set("AWS_REGION", REGION),
            set("AWS_ACCESS_KEY_ID", clients::ACCESS_KEY),
            set("AWS_SECRET_ACCESS_KEY", &self.running.s3.secret),
            set("IOCAST_OBJECTS_TABLE", &names.objects),
            set("IOCAST_COLLECTIONS_TABLE", &names.collections),
            set("IOCAST_ACCESS_TABLE", &names.access),
            set("IOCAST_NOTIFICATIONS_TABLE", &names.notifications),
            set("IOCAST_BUCKET", &names.bucket),
            set("RUST_LOG", "warn"),
        ]
    }

    /// An address at which functions reach `DynamoDB`: the proxy's, if there is one.
    pub fn dynamodb(&self) -> SocketAddr {
        self.proxy.as_ref().map_or(self.engine_address(), Proxy::address)
    }

    fn engine_address(&self) -> SocketAddr {
        self.second_engine.as_ref().map_or(self.port.address(), Emulator::address)
    }

    /// The way of the functions in this process to `DynamoDB`.
    fn endpoint(&self) -> Endpoint {
        self.proxy.as_ref().map_or_else(|| self.engine(), |proxy| Endpoint::at(proxy.address()))
    }

    /// The way past the proxy.
    fn engine(&self) -> Endpoint {
        match &self.second_engine {
            Some(second) => Endpoint::at(second.address()),
            None => Endpoint::in_process(&self.running.dynamodb),
        }
    }

    /// What one more instance of the functions works with: the same tables by the same way, with
    /// memories of its own.
    pub fn another_instance(&self) -> Services {
        self.services_at(&self.endpoint())
    }

    /// What a witness works with: the same tables, but past the proxy.
    pub fn past_the_proxy(&self) -> Services {
        self.services_at(&self.engine())
    }

    /// An SDK client, set up as the functions' own, for the tables at an address.
    pub fn dynamodb_client(&self, address: SocketAddr) -> aws_sdk_dynamodb::Client {
        clients::dynamodb(&Endpoint::at(address))
    }

    /// The same, past the proxy.
    pub fn engine_client(&self) -> aws_sdk_dynamodb::Client {
        clients::dynamodb(&self.engine())
    }

    /// The name of the table of objects.
    pub fn objects_table(&self) -> &str {
        &self.running.services.settings().names.objects
    }

    fn services_at(&self, dynamodb: &Endpoint) -> Services {
        let settings = self.running.services.settings().clone();
        let bucket = self.bucket_client().config().clone();
        Services::new(clients::dynamodb(dynamodb), bucket, settings)
    }

    /// An instance that reaches the engines at these addresses.
    pub fn instance_at(&self, dynamodb: SocketAddr, s3: SocketAddr) -> Services {
        let access = Access { address: s3, ..self.running.s3.clone() };
        Services::new(
            clients::dynamodb(&Endpoint::at(dynamodb)),
            clients::s3(&access, &clients::http()).config().clone(),
            self.running.services.settings().clone(),
        )
    }

    /// Where S3 is.
    pub fn s3(&self) -> SocketAddr {
        self.running.s3.address
    }

    /// How S3 is used.
    pub fn s3_access(&self) -> &Access {
        &self.running.s3
    }

    /// An SDK client for the bucket.
    pub fn bucket_client(&self) -> aws_sdk_s3::Client {
        clients::s3(&self.running.s3, &clients::http())
    }

    /// TAXII with `acme`'s key, which reads and writes.
    pub fn writer(&self) -> Client {
        self.taxii.with_key(&self.writer)
    }

    /// TAXII with a key that only reads, cleared for TLP:AMBER.
    pub fn reader(&self) -> Client {
        self.taxii.with_key(&self.reader)
    }

    /// The live streams with the key that only reads.
    pub fn stream_reader(&self) -> Client {
        self.streams.with_key(&self.reader)
    }

    /// The ingest API with `acme`'s key.
    pub fn ingest(&self) -> Client {
        self.http.with_key(&self.writer)
    }

    /// The key the system made for its operator at its first start.
    pub fn admin_key(&self) -> &str {
        &self.running.keys.admin
    }

    /// The text of `acme`'s key.
    pub fn writer_key(&self) -> &str {
        &self.writer
    }

    /// The text of the key that only reads.
    pub fn reader_key(&self) -> &str {
        &self.reader
    }

    /// A function by an instance of its own, which remembers definitions as long as a deployed
    /// one, and asked as `client` asks.
    pub fn metered(&self, function: &str, client: &Client) -> Metered {
        Metered::new(self.deployed_instance(), function, client)
    }

    /// An instance that remembers definitions as long as a deployed one.
    pub fn deployed_instance(&self) -> Services {
        let settings = Settings {
            definition_memory: Duration::from_secs(30),
            ..self.running.services.settings().clone()
        };
        let dynamodb = clients::dynamodb(&self.endpoint());
        Services::new(dynamodb, self.bucket_client().config().clone(), settings)
    }

    /// Read units the tables have charged so far.
    pub fn read_units(&self) -> f64 {
        self.running.services.store().units().read
    }

    /// Write units the tables have charged so far.
    pub fn write_units(&self) -> f64 {
        self.running.services.store().units().write
    }
}
