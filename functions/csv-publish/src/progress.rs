//! How far a run is.

use std::sync::atomic::{AtomicU64, Ordering};

/// How far the publishing of one feed is.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    kept: AtomicU64,
    written: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// Entries of the log read so far.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Objects of the new edition; 0 until they are known.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// How many of these were written to the files so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Bytes of finished files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn add_read(&self) {
        self.read.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_kept(&self, objects: u64) {
        self.kept.store(objects, Ordering::Relaxed);
    }

    pub(crate) fn add_written(&self) {
        self.written.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}
