//! The file that says a service is ready, and how to reach it.

use std::io;
use std::path::Path;

use serde_json::json;

use crate::atomic_file;
use crate::serve::Running;

/// Writes the file in one step, readable by its owner only: it holds keys.
///
/// # Errors
/// When it cannot be written.
pub fn write(file: &Path, running: &Running) -> io::Result<()> {
    let document = json!({
        "base_url": running.base_url,
        "admin_key": running.keys.admin,
        "writer_key": running.keys.writer,
        "reader_key": running.keys.reader,
        "demo_collection": running.demo_collection,
        "bucket": running.bucket,
        "s3_endpoint": format!("http://{}", running.s3),
        "dynamodb_endpoint": format!("http://{}", running.dynamodb),
        "aws_access_key_id": crate::engines::clients::ACCESS_KEY,
        "aws_secret_access_key": crate::engines::clients::SECRET_KEY,
    });
    atomic_file::write_private(file, format!("{document:#}\n").as_bytes())
}
