//! How much is measured: all of it, or so little that a test can do it.

use std::time::Duration;

/// The sizes of a run.
#[derive(Debug, Clone)]
pub struct Scale {
    /// Objects in the collections pages are read from.
    pub collections: Vec<usize>,
    /// How often a page of 100 is read; one of 1,000 a third as often.
    pub readings: usize,
    /// How long each kind of page is asked for by eight connections.
    pub load_for: Duration,
    /// Objects ingested in one round.
    pub ingested: usize,
    /// Rounds of ingest, the floor taking turns with the service.
    pub rounds: usize,
    /// Bytes of the bundle whose memory is watched.
    pub bundle_bytes: usize,
    /// Rows of the feed that is published.
    pub feed_rows: usize,
}

impl Scale {
    /// What `cargo bench` measures.
    pub fn full() -> Self {
        Self {
            collections: vec![1_000, 100_000, 1_000_000],
            readings: 150,
            load_for: Duration::from_millis(1_500),
            ingested: 5_000,
            rounds: 3,
            bundle_bytes: 100_000_000,
            feed_rows: tests::chance::asked_for("IOCAST_FEED_ROWS", 1_000_000),
        }
    }

    /// What `cargo test` runs, for the benchmark to keep working.
    pub fn smoke() -> Self {
        Self {
            collections: vec![1_000],
            readings: 6,
            load_for: Duration::from_millis(100),
            ingested: 300,
            rounds: 1,
            bundle_bytes: 300_000,
            feed_rows: 1_000,
        }
    }
}
