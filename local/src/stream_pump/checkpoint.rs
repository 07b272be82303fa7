//! How far a stream is worked off, kept in a file: after a restart nothing is left out, and at
//! most the last moments come twice, which the function must bear anyway.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SAVE_EVERY: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(super) struct Checkpoint {
    file: PathBuf,
    position: Option<String>,
    saved: Option<String>,
    saved_at: Instant,
}

impl Checkpoint {
    /// The checkpoint in `file`; at the beginning of the stream if there is none.
    pub(super) fn load(file: &Path) -> Self {
        let position = std::fs::read_to_string(file)
            .ok()
            .map(|text| text.trim().to_owned())
            .filter(|text| text.len() >= 21 && text.bytes().all(|byte| byte.is_ascii_digit()));
        let saved = position.clone();
        Self { file: file.to_owned(), position, saved, saved_at: Instant::now() }
    }

    /// The last sequence number that is done.
    pub(super) fn position(&self) -> Option<&str> {
        self.position.as_deref()
    }

    /// All up to and with this sequence number is done.
    pub(super) fn advance(&mut self, to: String) {
        self.position = Some(to);
        if self.saved_at.elapsed() >= SAVE_EVERY {
            self.save();
        }
    }

    /// Writes the file if there is something new.
    pub(super) fn save(&mut self) {
        if self.position == self.saved {
            return;
        }
        let text = self.position.clone().unwrap_or_default();
        match crate::atomic_file::write(&self.file, text.as_bytes()) {
            Ok(()) => {
                self.saved.clone_from(&self.position);
                self.saved_at = Instant::now();
            }
            Err(error) => tracing::warn!(%error, "cannot remember how far the stream is done"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c");
        let mut checkpoint = Checkpoint::load(&file);
        assert_eq!(checkpoint.position(), None);
        checkpoint.advance("100000000000000000001".into());
        checkpoint.save();
        assert_eq!(Checkpoint::load(&file).position(), Some("100000000000000000001"));
        std::fs::write(&file, "nonsense").unwrap();
        assert_eq!(Checkpoint::load(&file).position(), None);
    }
}
