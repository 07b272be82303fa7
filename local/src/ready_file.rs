//! The file that says a service is ready, and how to reach it.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::atomic_file;
use crate::serve::Running;

/// A ready file as this process wrote it.
#[derive(Debug)]
pub struct ReadyFile {
    file: PathBuf,
    text: String,
}

/// Writes the file in one step, readable by its owner only: it holds keys.
///
/// # Errors
/// When it cannot be written.
pub fn write(file: &Path, running: &Running) -> io::Result<ReadyFile> {
    let document = json!({
        "base_url": running.base_url,
        "admin_key": running.keys.admin,
        "writer_key": running.keys.writer,
        "reader_key": running.keys.reader,
        "demo_collection": running.demo_collection,
        "bucket": running.bucket,
        "s3_endpoint": format!("http://{}", running.s3.address),
        "aws_access_key_id": crate::engines::clients::ACCESS_KEY,
        "aws_secret_access_key": running.s3.secret,
    });
    let ready = ReadyFile { file: file.to_owned(), text: format!("{document:#}\n") };
    atomic_file::write_private(file, ready.text.as_bytes())?;
    Ok(ready)
}

/// Takes away what an earlier run left, so that nobody finds it before the service is ready.
///
/// # Errors
/// When there is something that cannot be taken away.
pub fn clear(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl ReadyFile {
    /// Takes the file away, unless another service has written its own there since.
    pub fn withdraw(self) {
        if std::fs::read_to_string(&self.file).is_ok_and(|text| text == self.text) {
            let _ = std::fs::remove_file(&self.file);
        }
    }
}
