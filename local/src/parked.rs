//! Where events go that could not be worked off: the local stand-in for the queue of parked
//! records.

use std::path::{Path, PathBuf};

use chrono::Utc;
use serde_json::{Value, json};

/// A folder with one JSON file per parked event.
#[derive(Debug, Clone)]
pub struct Parked {
    folder: PathBuf,
}

impl Parked {
    /// Parks into this folder, made when it is first needed.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Keeps an event with what went wrong, and says so on standard error.
    pub fn park(&self, function: &str, event: &Value, reason: &str) {
        let at = Utc::now();
        let document = json!({
            "at": at.to_rfc3339(),
            "function": function,
            "reason": reason,
            "event": event,
        });
        let name = format!("{}-{}.json", at.format("%Y%m%dT%H%M%S%6fZ"), uuid::Uuid::new_v4());
        let file = self.folder.join(name);
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::write(&file, document.to_string()));
        match written {
            Ok(()) => tracing::error!(function, reason, file = %file.display(), "event parked"),
            Err(error) => {
                tracing::error!(function, reason, %error, event = %document, "event parked here");
            }
        }
    }

    /// How many events are parked.
    #[must_use]
    pub fn count(&self) -> usize {
        std::fs::read_dir(&self.folder).map_or(0, Iterator::count)
    }
}
