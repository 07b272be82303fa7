//! Part c: from POST to visible, beside the bare SDK putting as many items of the same size on the
//! same engine with as many writes under way. The database is a kept one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use local::serve::Storage;
use serde::Serialize;
use serde_json::Value;

use crate::floor::{plain_table, puts_per_second, stored_head};
use crate::follower::Follower;
use crate::http_client::{Connection, apart};
use crate::indicator::Series;
use crate::scale::Scale;
use crate::system::System;

/// Objects in one bundle.
const PER_BUNDLE: usize = 500;
/// Bundles under way at once.
const CONNECTIONS: usize = 4;
/// Writes the service has under way for one bundle.
const WRITES_PER_BUNDLE: usize = 48;
/// A table without stream and index.
const PLAIN: &str = "benchmark-floor";

/// What ingest did: objects a second, the median of all rounds.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Objects of a round.
    pub objects: usize,
    /// Rounds.
    pub rounds: usize,
    /// From the first POST to the last object visible.
    pub visible_per_second: f64,
    /// From the first POST to the last answer.
    pub answered_per_second: f64,
    /// The floor: one `PutItem` an object, of a `HEAD`'s size, into a plain table.
    pub puts_per_second: f64,
    /// The same into the table of objects, whose stream the engine then writes too.
    pub streamed_puts_per_second: f64,
    /// The floor as a multiple of what became visible.
    pub ratio: f64,
    /// Write units of one object.
    pub write_units: f64,
}

/// Lets the service and the floor take turns.
pub async fn measure(scale: &Scale) -> Row {
    let folder = tempfile::tempdir().expect("a folder");
    let system = System::start(Storage::Folder(folder.path().join("data"))).await;
    let table = system.services().settings().names.objects.clone();
    plain_table(&system.sdk, PLAIN).await;
    let mut follower =
        Follower::new(system.base_url(), system.reader(), system.demo_collection()).await;
    // The first objects warm everything up, and one of them is the floor's pattern.
    post_all(&system, Series(9), 200).await;
    follower.see(200).await;
    let head = stored_head(&system.sdk, &table, &Series(9).indicator(0).id).await;

    let (mut visible, mut answered, mut puts, mut streamed) = (vec![], vec![], vec![], vec![]);
    let mut write_units = 0.0;
    for round in 0..scale.rounds {
        let concurrency = CONNECTIONS * WRITES_PER_BUNDLE;
        let ids = || (0..scale.ingested).map(|number| format!("floor--{round}-{number}"));
        puts.push(puts_per_second(&system.sdk, PLAIN, &head, ids(), concurrency).await);
        streamed.push(puts_per_second(&system.sdk, &table, &head, ids(), concurrency).await);
        let before = system.services().store().units().write;
        let begun = Instant::now();
        let posting = async {
            post_all(&system, Series(10 + round as u64), scale.ingested).await;
            begun.elapsed()
        };
        let (posted, ()) = tokio::join!(posting, follower.see(scale.ingested));
        visible.push(count(scale.ingested) / begun.elapsed().as_secs_f64());
        answered.push(count(scale.ingested) / posted.as_secs_f64());
        write_units = (system.services().store().units().write - before) / count(scale.ingested);
    }
    system.stop().await;
    let (visible, puts) = (median(visible), median(puts));
    Row {
        objects: scale.ingested,
        rounds: scale.rounds,
        visible_per_second: visible,
        answered_per_second: median(answered),
        puts_per_second: puts,
        streamed_puts_per_second: median(streamed),
        ratio: puts / visible,
        write_units,
    }
}

/// Posts bundles of a series, several at once; every object must be new and taken.
async fn post_all(system: &System, series: Series, objects: usize) {
    let bundles: Vec<Bytes> = (0..objects)
        .step_by(PER_BUNDLE)
        .map(|from| series.bundle(from, PER_BUNDLE.min(objects - from)).into())
        .collect();
    let (base_url, key) = (system.base_url().to_owned(), system.writer().to_owned());
    let created = apart(async move || {
        let next = Arc::new(AtomicUsize::new(0));
        let one = async |_| {
            let mut connection = Connection::open(&base_url, &key).await;
            let mut created = 0;
            while let Some(bundle) = bundles.get(next.fetch_add(1, Ordering::Relaxed)) {
                let answer = connection.post("/api/v1/objects", bundle.clone()).await;
                let report: Value = serde_json::from_slice(answer.body()).expect("a report");
                created += report["created"].as_u64().unwrap_or_default();
            }
            created
        };
        futures::future::join_all((0..CONNECTIONS).map(one)).await.iter().sum::<u64>()
    })
    .await;
    assert_eq!(created, objects as u64, "every object is new");
}

#[allow(clippy::cast_precision_loss)]
fn count(objects: usize) -> f64 {
    objects as f64
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
