//! What items were a moment ago.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::key::Key;

/// So many writes pass between two moments at which what is too old is forgotten.
const FORGET_EVERY: u32 = 256;

/// An item as it was until a write took its place.
#[derive(Debug, Clone)]
struct Image {
    /// The item; `None` when there was none.
    item: Option<Value>,
    replaced: Instant,
}

/// Old images of items written a short while ago.
#[derive(Debug, Default)]
pub(super) struct Past {
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    images: HashMap<Key, Vec<Image>>,
    writes: u32,
}

impl Past {
    /// A write has just replaced `item`. What was replaced longer than `lag` ago may be forgotten.
    pub(super) fn remember(&self, key: Key, item: Option<Value>, lag: Duration) {
        let mut memory = self.memory.lock().unwrap();
        let replaced = Instant::now();
        memory.images.entry(key).or_default().push(Image { item, replaced });
        memory.writes += 1;
        if memory.writes.is_multiple_of(FORGET_EVERY) {
            memory.images.retain(|_, images| {
                images.retain(|image| image.replaced.elapsed() <= lag);
                !images.is_empty()
            });
        }
    }

    /// What stood under `key` at some moment since `since`, other than what stands there now.
    pub(super) fn images(&self, key: &Key, since: Instant) -> Vec<Option<Value>> {
        let memory = self.memory.lock().unwrap();
        let images = memory.images.get(key).into_iter().flatten();
        images.filter(|image| image.replaced >= since).map(|image| image.item.clone()).collect()
    }

    /// The keys of a table, or of one partition of it, that were written since `since`.
    pub(super) fn written(&self, table: &str, partition: Option<&str>, since: Instant) -> Vec<Key> {
        let memory = self.memory.lock().unwrap();
        let of_it = |key: &Key| {
            key.table == table && partition.is_none_or(|partition| key.partition == partition)
        };
        let written = memory.images.iter().filter(|(key, images)| {
            of_it(key) && images.iter().any(|image| image.replaced >= since)
        });
        let mut keys: Vec<Key> = written.map(|(key, _)| key.clone()).collect();
        keys.sort_unstable();
        keys
    }
}
