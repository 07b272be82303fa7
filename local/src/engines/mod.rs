//! `DynamoDB` and S3 in this process, each behind a loopback port, reached by the real SDK.

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
use dynamodb::{Durability, DynamoDb};
use s3::S3;
pub use s3_notification::ObjectCreated;
use stream_records::StreamRecords;

/// Both engines, running.
pub struct Engines {
    /// `DynamoDB`.
    pub dynamodb: DynamoDb,
    /// Where it, or what stands in for it, is reached.
    pub reached: Reached,
    /// S3.
    pub s3: S3,
    /// SDK clients for them.
    pub clients: Clients,
    /// `DynamoDB`'s stream records.
    pub stream_records: Arc<StreamRecords>,
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

/// Where `DynamoDB` is reached.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// By the functions.
    pub tables: SocketAddr,
    /// By who reads the streams and by who looks past the functions' way.
    pub streams: SocketAddr,
}

impl Reached {
    /// All of it at one address.
    #[must_use]
    pub const fn at(address: SocketAddr) -> Self {
        Self { tables: address, streams: address }
    }
}

impl Engines {
    /// Starts both over the data folder; with one receiver for each bucket trigger. `DynamoDB` is
    /// reached where `between` says for the engine's own address.
    ///
    /// # Errors
    /// When one of them does not start.
    pub fn start(
        wiring: &Wiring,
        data: &DataFolder,
        between: impl FnOnce(SocketAddr) -> Reached,
    ) -> Result<(Self, Vec<UnboundedReceiver<ObjectCreated>>), EngineError> {
        let durability = if data.is_temporary() { Durability::Forgotten } else { Durability::Kept };
        let dynamodb = DynamoDb::start(&data.database(), durability)?;
        let stream_records = Arc::new(StreamRecords::open(&data.database())?);
        let (listeners, created) =
            (0..wiring.bucket_triggers()).map(|_| unbounded_channel()).unzip();
        let (signal, stop) = stopping();
        let s3 = S3::start(&data.buckets(), &wiring.template.buckets(), listeners, stop)?;
        let http = clients::http();
        let reached = between(dynamodb.address());
        let clients = Clients {
            dynamodb: clients::dynamodb(reached.tables, &http),
            streams: clients::streams(reached.streams, &http),
            s3: clients::s3(s3.address(), &http),
        };
        Ok((Self { dynamodb, reached, s3, clients, stream_records, stop: signal }, created))
    }

    /// Stops both.
    pub async fn stop(self) {
        let Self { dynamodb, s3, clients, stream_records, stop, reached: _ } = self;
        stop.stop();
        s3.stopped().await;
        drop((clients, stream_records));
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
    fn io(engine: &'static str, place: &impl ToString, source: std::io::Error) -> Self {
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
