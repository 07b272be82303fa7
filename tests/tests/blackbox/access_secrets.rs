//! access.md, Keys: only digests are stored and logged. The real process, with its log as
//! talkative as it gets, is used with right and wrong keys; then its log and every file it wrote
//! are searched for each secret.

use std::path::{Path, PathBuf};

use tests::client::Client;
use tests::service::Service;

const COLLECTIONS: &str = "/taxii2/intel/collections/";

/// The secret part of a key, which nobody but its holder knows.
fn secret(key: &str) -> &str {
    key.rsplit('_').next().unwrap()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.is_file() {
            // A killed process leaves its socket.
            found.push(path);
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_store_or_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let log = folder.path().join("log");
    let arguments = ["--data".as_ref(), data.as_os_str()];
    let service = Service::start_logging_to(&arguments, &log).await;
    let ready = service.ready.clone();
    let keys = [&ready.admin_key, &ready.writer_key, &ready.reader_key];
    let wrong = format!("iocast_{}_{}", "a".repeat(16), "b".repeat(32));
    let anonymous = Client::http(&ready.base_url);
    for key in keys.into_iter().chain([&wrong]) {
        let expected = if *key == wrong { 401 } else { 200 };
        let get = || anonymous.get(COLLECTIONS);
        for request in [
            get().header("x-api-key", key),
            get().header("authorization", &format!("Bearer {key}")),
            get().basic("anybody", key),
        ] {
            let _ = request.await.expect(expected);
        }
        let post = anonymous.post("/api/v1/objects").header("x-api-key", key);
        let _ = post.body("application/json", "{").await;
    }
    service.kill().await;

    let logged = std::fs::read(&log).unwrap();
    assert!(logged.len() > 10_000, "the log says little: {} bytes", logged.len());
    let mut stored = Vec::new();
    files(&data, &mut stored);
    // The run on one machine keeps the keys it made, to show them again at its next start: in a
    // file of its own that nobody else may read. A deployed service has no such file.
    let shown_again = |path: &PathBuf| path.file_name().is_some_and(|name| name == "keys.json");
    assert_eq!(stored.iter().filter(|path| shown_again(path)).count(), 1);
    stored.retain(|path| !shown_again(path));
    assert!(stored.iter().any(|path| std::fs::metadata(path).unwrap().len() > 50_000));
    assert!(!holds(&logged, &ready.s3.secret), "the bucket's secret is in the log");
    for key in keys.into_iter().chain([&wrong]) {
        assert!(!holds(&logged, secret(key)), "a secret is in the log");
        for file in &stored {
            let bytes = std::fs::read(file).unwrap();
            assert!(!holds(&bytes, secret(key)), "a secret is in {}", file.display());
        }
    }
}
