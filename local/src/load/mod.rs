//! `iocast load`: files of any size, plain or compressed, STIX or IOCs, sent to a service in
//! requests it takes, several at a time.

mod batch;
mod batches;
mod format;
mod report;
mod sender;
mod source;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::mpsc;

use crate::http_client::HttpClientError;
pub use batches::LoadFileError;
pub use report::{Counts, FileReport, Place, Rejection, Report};
pub use sender::SendError;
use sender::Sender;

/// Where to load to.
#[derive(Debug, Clone)]
pub struct Target {
    /// The service, without a final slash.
    pub url: String,
    /// A key with scope `write:objects`.
    pub key: String,
    /// A collection's id or alias to add to as well.
    pub collection: Option<String>,
}

/// How far a load is: bytes of the files as they lie on the disk.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    sent: AtomicU64,
}

impl Progress {
    /// Bytes read so far.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Objects the service has answered for so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn add_read(&self, bytes: usize) {
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn add_sent(&self, objects: u64) {
        self.sent.fetch_add(objects, Ordering::Relaxed);
    }
}

/// Loads the files one after the other. A file that cannot be read to its end is reported, and the
/// next one follows; a service that cannot be reached or refuses ends it all. What was sent before
/// is in, and sending it again is harmless.
///
/// # Errors
/// When the target's address is none.
pub async fn load(
    files: &[PathBuf],
    target: &Target,
    progress: &Arc<Progress>,
) -> Result<Report, HttpClientError> {
    let started = Instant::now();
    let sender = Sender::new(target)?;
    let mut report = Report::default();
    for file in files {
        let (of_file, sent) = load_one(file, &sender, progress).await;
        report.add(of_file);
        if let Err(error) = sent {
            report.error = Some(error.to_string());
            break;
        }
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

async fn load_one(
    file: &Path,
    sender: &Sender,
    progress: &Arc<Progress>,
) -> (FileReport, Result<(), SendError>) {
    // Few: what is read ahead is held in memory.
    let (queue, found) = mpsc::channel(2);
    let (path, counted) = (file.to_owned(), progress.clone());
    let reading = tokio::task::spawn_blocking(move || batches::read(&path, &counted, &queue));
    let mut report = FileReport::new(file);
    let sent = sender.send_all(found, &mut report, progress).await;
    let read = match reading.await {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    // When sending ended early, so did reading, and that is not the file's fault.
    report.error = read.err().filter(|_| sent.is_ok());
    report.rejections.sort_by_key(|rejection| rejection.place);
    (report, sent)
}
