//! `DynamoDB`: dynoxide over `SQLite`, in a thread of its own. Requests reach it in process: there
//! is no port that another program or a web page could use.

mod connector;
mod operations;
mod requests;
mod socket;

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use dynoxide::Database;

use super::EngineError;
pub use operations::Answer;
pub use requests::{Requests, Stopped};
pub use socket::{Socket, serve_connection, through};

const ENGINE: &str = "DynamoDB engine";
/// `DynamoDB` removes expired items within days; a minute is soon enough and costs little.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// How long the request in progress may take when the engine stops.
const GRACE: Duration = Duration::from_secs(5);

/// How much a crash of the machine may take with it. A crash of the process takes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// At most the last moments (`SQLite`'s `NORMAL` with a write-ahead log).
    Kept,
    /// Anything: the file is thrown away at the end.
    Forgotten,
}

/// A running engine.
#[derive(Debug)]
pub struct DynamoDb {
    requests: Requests,
    stop_sweeping: Sender<()>,
    stopped: Receiver<()>,
}

impl DynamoDb {
    /// Opens or creates the database file and answers requests for it.
    ///
    /// # Errors
    /// When the file cannot be opened, or there is no thread to be had.
    pub fn start(file: &Path, durability: Durability) -> Result<Self, EngineError> {
        let database = open(file, durability)?;
        let (requests, inbox) = Requests::new();
        let (stopped_sender, stopped) = channel();
        let served = database.clone();
        spawn("dynamodb", move || {
            inbox.serve(&served);
            drop(served);
            let _ = stopped_sender.send(());
        })?;
        let (stop_sweeping, sweeping) = channel();
        spawn("dynamodb-ttl", move || sweep(&database, &sweeping))?;
        Ok(Self { requests, stop_sweeping, stopped })
    }

    /// Sends requests to the engine. Cheap to clone.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.requests.clone()
    }

    /// Lets the request in progress finish and closes the database; later requests fail. Blocks
    /// for a few seconds at most.
    pub fn stop(self) {
        self.requests.stop();
        let _ = self.stop_sweeping.send(());
        if self.stopped.recv_timeout(GRACE).is_err() {
            tracing::warn!("the DynamoDB engine did not stop in time");
        }
    }
}

fn open(file: &Path, durability: Durability) -> Result<Database, EngineError> {
    let failed = |reason: String| EngineError::Database { file: file.to_owned(), reason };
    let path = file.to_str().ok_or_else(|| failed("the path is not UTF-8".to_owned()))?;
    let database = Database::new(path).map_err(|error| failed(error.to_string()))?;
    database.enable_bulk_loading().map_err(|error| failed(error.to_string()))?;
    if durability == Durability::Kept {
        // The only way to SQLite's NORMAL: the engine's default, FULL, syncs on every write.
        database.disable_bulk_loading().map_err(|error| failed(error.to_string()))?;
    }
    Ok(database)
}

fn sweep(database: &Database, stop: &Receiver<()>) {
    while stop.recv_timeout(SWEEP_EVERY) == Err(RecvTimeoutError::Timeout) {
        if let Err(error) = database.sweep_ttl() {
            tracing::warn!(%error, "cannot remove expired items");
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), EngineError> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    let spawned = builder.spawn(work);
    spawned.map(drop).map_err(|source| EngineError::io(ENGINE, &name, source))
}
