//! `DynamoDB` and S3 in this process, reached by the real SDK: `DynamoDB` in process, S3 behind a
//! loopback port and a secret.

pub mod clients;
pub mod dynamodb;
pub mod s3;
mod s3_notification;
pub mod stream_records;
pub mod tables;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::data_folder::DataFolder;
use crate::stopping::{StopSignal, stopping};
use crate::wiring::Wiring;
use clients::Endpoint;
use dynamodb::{Durability, DynamoDb, Requests, Socket};
use s3::S3;
pub use s3_notification::ObjectCreated;
use stream_records::StreamRecords;

/// Both engines, running.
pub struct Engines {
    /// `DynamoDB`.
    pub dynamodb: DynamoDb,
    /// S3.
    pub s3: S3,
    /// SDK clients for them.
    pub clients: Clients,
    /// `DynamoDB`'s stream records.
    pub stream_records: Arc<StreamRecords>,
    socket: Option<Socket>,
    stop: StopSignal,
}

/// SDK clients for the engines. Cheap to clone.
#[derive(Clone)]
pub struct Clients {
    /// `DynamoDB`, where the functions reach it.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// `DynamoDB` Streams.
    pub streams: aws_sdk_dynamodbstreams::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
}

/// How `DynamoDB` is reached.
#[derive(Clone, Debug)]
pub struct Reached {
    /// By the functions.
    pub tables: Endpoint,
    /// By the stream pumps.
    pub streams: Endpoint,
}

impl Reached {
    /// Everything goes straight to the engine of this process.
    #[must_use]
    pub fn in_process(engine: &Requests) -> Self {
        let endpoint = Endpoint::in_process(engine);
        Self { tables: endpoint.clone(), streams: endpoint }
    }
}

impl Engines {
    /// Starts both over the data folder; with one receiver for each bucket trigger. `DynamoDB` is
    /// reached as `between` says for the engine.
    ///
    /// # Errors
    /// When one of them does not start.
    pub fn start(
        wiring: &Wiring,
        data: &DataFolder,
        between: impl FnOnce(&Requests) -> Reached,
    ) -> Result<(Self, Vec<UnboundedReceiver<ObjectCreated>>), EngineError> {
        let durability = if data.is_temporary() { Durability::Forgotten } else { Durability::Kept };
        let dynamodb = DynamoDb::start(&data.database(), durability)?;
        let stream_records = Arc::new(StreamRecords::open(&data.database())?);
        let (listeners, created) =
            (0..wiring.bucket_triggers()).map(|_| unbounded_channel()).unzip();
        let (signal, stop) = stopping();
        let secret = data.bucket_secret()?;
        let s3 = S3::start(&data.buckets(), &wiring.template.buckets(), secret, listeners, stop)?;
        let reached = between(&dynamodb.requests());
        let clients = Clients {
            dynamodb: clients::dynamodb(&reached.tables),
            streams: clients::streams(&reached.streams),
            s3: clients::s3(s3.access(), &clients::http()),
        };
        // Nobody looks for a folder that is forgotten at the end.
        let socket = (!data.is_temporary()).then(|| data.open_socket(dynamodb.requests()));
        let socket = socket.flatten();
        Ok((Self { dynamodb, s3, clients, stream_records, socket, stop: signal }, created))
    }

    /// Stops both.
    pub async fn stop(self) {
        let Self { dynamodb, s3, clients, stream_records, socket, stop } = self;
        stop.stop();
        s3.stopped().await;
        drop((clients, stream_records, socket));
        if tokio::task::spawn_blocking(|| dynamodb.stop()).await.is_err() {
            tracing::warn!("the DynamoDB engine did not stop");
        }
    }
}

/// Why an engine cannot run.
#[derive(Debug, Error)]
pub enum EngineError {
    /// A file or a port of the engine cannot be had.
    #[error("{engine}: {source} ({place})")]
    Io {
        /// Which engine.
        engine: &'static str,
        /// The file, folder or address.
        place: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The database's file cannot be opened.
    #[error("DynamoDB engine: cannot open {file}: {reason}")]
    Database {
        /// The file.
        file: PathBuf,
        /// What the engine says.
        reason: String,
    },
    /// A table cannot be made or looked at.
    #[error("table {table}: {reason}")]
    Table {
        /// The table's name.
        table: String,
        /// What the engine says, or how the table differs from the template.
        reason: String,
    },
}

impl EngineError {
    pub(crate) fn io(engine: &'static str, place: &impl ToString, source: std::io::Error) -> Self {
        Self::Io { engine, place: place.to_string(), source }
    }
}

/// A loopback port on which small answers are not held back; accepted connections inherit that.
fn listener(engine: &'static str) -> Result<tokio::net::TcpListener, EngineError> {
    let address = SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
    let listen = || {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.set_nodelay(true)?;
        socket.bind(address)?;
        socket.listen(1024)
    };
    listen().map_err(|source| EngineError::io(engine, &address, source))
}
