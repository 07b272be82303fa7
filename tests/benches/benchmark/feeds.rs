//! Part e: what publishing a large feed takes: time, memory, bytes and read units, by `iocast
//! publish` as a process of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use local::serve::Storage;
use serde::Serialize;
use serde_json::json;
use shared::audit::Actor;
use shared::feed::Feed;
use tokio::process::Command;

use crate::packed_log::PackedLog;
use crate::process::{LOOK_EVERY, Memory};
use crate::scale::Scale;
use crate::system::System;

const MIB: f64 = 1024.0;

/// One run.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Which run it was.
    pub what: &'static str,
    /// Objects, and rows of the CSV, of the edition.
    pub rows: u64,
    /// Seconds from start to end of the process.
    pub seconds: f64,
    /// The most memory the process had (`VmHWM`), in MiB.
    pub peak_mib: f64,
    /// Bytes of the edition's files, in MB.
    pub files_mb: f64,
    /// Bytes of its CSV, in MB.
    pub csv_mb: f64,
}

/// Publishes a feed from its whole log, then with nothing new, then with one commit more.
pub async fn measure(iocast: &Path, scale: &Scale) -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let system = System::start(Storage::Folder(data.clone())).await;
    let log = PackedLog::fill(&system, scale.feed_rows).await;
    let settings = json!({
        "name": "Benchmark",
        "alias": "benchmark",
        "collection": log.collection.id,
        "formats": ["csv", "csv.gz", "txt", "json", "splunk", "sentinel"],
    });
    let settings = serde_json::from_value(settings).expect("settings");
    let feed =
        system.services().store().create_feed(&Actor::System, settings).await.expect("a feed");
    // The service's own schedule leaves it to us.
    let claimed = system.services().store().claim_feed(feed.id).await;
    assert!(claimed.expect("the bucket answers").is_some(), "nobody else publishes it");
    let mut rows = Vec::new();
    for what in ["the whole log", "nothing new", "128 new objects"] {
        if what == "128 new objects" {
            log.append(system.services().store()).await;
        }
        rows.push(publish(iocast, &data, &system, &feed, what).await);
    }
    system.stop().await;
    rows
}

#[allow(clippy::cast_precision_loss)]
async fn publish(
    iocast: &Path,
    data: &Path,
    system: &System,
    feed: &Feed,
    what: &'static str,
) -> Row {
    let begun = Instant::now();
    let mut process = Command::new(iocast)
        .args(["publish", "benchmark", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("iocast starts");
    let mut memory = Memory::default();
    loop {
        if let Some(now) = process.id().and_then(Memory::of) {
            memory = memory.highest(now);
        }
        if let Some(ended) = process.try_wait().expect("a process") {
            assert!(ended.success(), "iocast publish ended: {ended}");
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let (edition, _) =
        system.services().store().edition(feed.id).await.expect("readable").expect("an edition");
    let csv = edition.files.first().expect("a CSV");
    Row {
        what,
        rows: csv.rows,
        seconds,
        peak_mib: memory.peak as f64 / MIB,
        files_mb: edition.files.iter().map(|file| file.bytes).sum::<u64>() as f64 / 1e6,
        csv_mb: csv.bytes as f64 / 1e6,
    }
}
