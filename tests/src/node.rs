//! Clients that are Node programs: Node itself comes as a Python package, and what they need is
//! installed once, pinned by its lock file.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::{binaries, python};

/// Runs `tests/node/<script>` with arguments; fails the test unless it ends with 0.
pub async fn run(script: &str, arguments: &[&str]) -> String {
    let folder = installed();
    let command = Command::new(python::node().join("node"))
        .arg(folder.join(script))
        .args(arguments)
        .kill_on_drop(true)
        .output();
    let output = command.await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed:\n{stdout}\n{stderr}");
    stdout
}

/// The folder of the scripts and what they need, installed if it is not there.
pub fn installed() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(install).clone()
}

fn install() -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
    let lock_file = from.join("package-lock.json");
    let lock = std::fs::read(&lock_file).unwrap();
    let key: String = Sha256::digest(lock).iter().take(8).map(|b| format!("{b:02x}")).collect();
    let home = binaries::target_folder().join(format!("node-{key}"));
    std::fs::create_dir_all(&home).unwrap();
    for file in std::fs::read_dir(&from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), home.join(file.file_name())).unwrap();
    }
    if !home.join("node_modules/.package-lock.json").is_file() {
        python::say_installing(&lock_file);
        let npm = std::process::Command::new(python::node().join("npm"));
        let output = { npm }.args(["ci", "--no-audit", "--no-fund"]).current_dir(&home).output();
        let output = output.unwrap();
        let messages = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "npm ci failed, which needs a package index:\n{messages}");
    }
    home
}
