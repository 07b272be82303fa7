//! Starting and stopping everything in one process; what the command line and the tests use.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use shared::services::{Services, Settings, SettingsError};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use crate::data_folder::Storage;
use crate::data_folder::{DataFolder, DataFolderError};
use crate::engines::dynamodb::Requests;
use crate::engines::s3::Access;
use crate::engines::{EngineError, Engines, Reached, tables};
pub use crate::first_start::Keys;
use crate::first_start::{self, FirstStartError};
use crate::gateway;
use crate::parked::Parked;
use crate::stopping::{StopSignal, stopping};
use crate::template::{Template, TemplateError};
use crate::wiring::{Wiring, WiringError};

/// One process reads the definitions, and somebody waits: soon, and still not for every request.
const DEFINITION_MEMORY: Duration = Duration::from_millis(500);

/// How to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to answer; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// Where to keep the data.
    pub storage: Storage,
    /// Whether a first start loads the demonstration objects.
    pub demo: bool,
}

/// A service that answers.
pub struct Running {
    /// Where it answers, without a final slash.
    pub base_url: String,
    /// The keys made at the first start.
    pub keys: Keys,
    /// Id of the collection the writer key may write to and the reader key may read.
    pub demo_collection: String,
    /// The demonstration's feed, if there is one.
    pub demo_feed: Option<&'static str>,
    /// What the functions work with.
    pub services: Services,
    /// The bucket whose `inbox/` takes files.
    pub bucket: String,
    /// How the S3 engine is used.
    pub s3: Access,
    /// Sends requests straight to the `DynamoDB` engine.
    pub dynamodb: Requests,
    /// Events that could not be worked off.
    pub parked: Parked,
    front: StopSignal,
    tasks: JoinSet<()>,
    engines: Engines,
    data: DataFolder,
}

/// Why it does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address is not to be had.
    #[error("cannot listen on {address}: {source}; choose another with --listen ADDR:PORT")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The data folder is not to be had.
    #[error(transparent)]
    Data(#[from] DataFolderError),
    /// The template cannot be run.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The template names something this program does not have.
    #[error("infra/template.yaml: {0}")]
    Wiring(#[from] WiringError),
    /// An engine does not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Keys, collections or demonstration objects could not be made.
    #[error("first start: {0}")]
    FirstStart(#[from] FirstStartError),
}

/// Starts everything and returns once every surface answers.
///
/// # Errors
/// When something of it does not start; what had started stops again.
pub async fn start(options: Options) -> Result<Running, StartError> {
    start_between(options, Reached::in_process).await
}

/// As [`start`], but `DynamoDB` is reached as `between` says for the engine of this process: through
/// a proxy, or at another engine.
///
/// # Errors
/// When something of it does not start; what had started stops again.
pub async fn start_between(
    options: Options,
    between: impl FnOnce(&Requests) -> Reached,
) -> Result<Running, StartError> {
    let template = Template::embedded()?;
    let data = DataFolder::open(&options.storage)?;
    let listen = |source| StartError::Listen { address: options.listen, source };
    let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;

    let wiring = Wiring::new(template)?;
    let (engines, created) = Engines::start(&wiring, &data, between)?;
    tables::prepare(&engines.clients.dynamodb, &wiring.template.tables()?).await?;
    let settings = settings(&wiring.template)?;
    let bucket = settings.names.bucket.clone();
    let clients = engines.clients.clone();
    let services = Services::new(clients.dynamodb, clients.s3.config().clone(), settings);

    let (front, stop) = stopping();
    let mut tasks = JoinSet::new();
    let gateway = wiring.gateway(&services, engines.s3.access().address)?;
    tasks.spawn(gateway::serve(listener, gateway, stop.clone()));
    for pump in wiring.pumps(&services, &engines, &data)? {
        tasks.spawn(pump.run(stop.clone()));
    }
    for drops in wiring.drops(&services, &engines, &data, created)? {
        tasks.spawn(drops.run(stop.clone()));
    }
    for schedule in wiring.schedules(&services, &data)? {
        tasks.spawn(schedule.run(stop.clone()));
    }

    let base_url = format!("http://{}", reachable(address));
    let made = first_start::prepare(&services, &data.keys(), &base_url, options.demo).await?;
    data.announce(&base_url, engines.s3.access().address);
    Ok(Running {
        base_url,
        keys: made.keys,
        demo_collection: made.demo_collection,
        demo_feed: made.demo_feed,
        services,
        bucket,
        s3: engines.s3.access().clone(),
        dynamodb: engines.dynamodb.requests(),
        parked: Parked::new(&data.parked()),
        front,
        tasks,
        engines,
        data,
    })
}

impl Running {
    /// Lets requests under way finish, then stops everything; a temporary data folder goes.
    pub async fn stop(mut self) {
        self.data.withdraw();
        self.front.stop();
        while self.tasks.join_next().await.is_some() {}
        self.engines.stop().await;
    }
}

/// The settings a deployed function reads from its environment.
pub(crate) fn settings(template: &Template) -> Result<Settings, StartError> {
    let environment = template.environment();
    let read = Settings::read(|name| environment.get(name).cloned());
    let read = read.map_err(|SettingsError::Missing(name)| WiringError::NoVariable(name))?;
    Ok(Settings { definition_memory: DEFINITION_MEMORY, ..read })
}

/// An address a client on this machine can use: not "any".
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
