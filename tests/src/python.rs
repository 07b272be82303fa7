//! The clients people run are Python programs: a virtual environment for them, made once.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::binaries;

/// Runs `tests/python/<script>` with arguments; fails the test unless it ends with 0.
pub async fn run(script: &str, arguments: &[&str]) -> String {
    run_with(interpreter(), script, arguments).await
}

/// The same with `OpenCTI`'s own client, which asks for other versions of what the others need.
pub async fn run_pycti(script: &str, arguments: &[&str]) -> String {
    run_with(pycti(), script, arguments).await
}

/// The interpreter of `OpenCTI`'s client, made if it is not there, which takes a while.
pub fn pycti() -> PathBuf {
    static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();
    INTERPRETER.get_or_init(|| make("requirements-pycti.txt")).clone()
}

/// The folder of `node` and `npm`, which come as a Python package: nobody has to install them.
pub(crate) fn node() -> PathBuf {
    static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();
    let python = INTERPRETER.get_or_init(|| make("requirements-node.txt"));
    python.parent().expect("it lies in a folder").to_owned()
}

async fn run_with(python: PathBuf, script: &str, arguments: &[&str]) -> String {
    let path = folder().join(script);
    let command = Command::new(&python).arg(path).args(arguments).kill_on_drop(true).output();
    let output = command.await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed:\n{stdout}\n{stderr}");
    stdout
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python")
}

/// The interpreter of the environment for this `requirements.txt`, made if it is not there.
fn interpreter() -> PathBuf {
    static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();
    INTERPRETER.get_or_init(|| make("requirements.txt")).clone()
}

fn make(requirements: &str) -> PathBuf {
    let requirements = folder().join(requirements);
    let text = std::fs::read(&requirements).unwrap();
    let key = Sha256::digest(&text).iter().take(8).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let home = binaries::target_folder().join(format!("python-{key}"));
    let python = home.join("bin/python");
    if home.join("complete").is_file() {
        return python;
    }
    if home.exists() {
        std::fs::remove_dir_all(&home).unwrap();
    }
    must("python3", &["-m".as_ref(), "venv".as_ref(), home.as_os_str()]);
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    let mut arguments: Vec<&std::ffi::OsStr> = install.iter().map(AsRef::as_ref).collect();
    arguments.push(requirements.as_os_str());
    must(python.to_str().unwrap(), &arguments);
    std::fs::write(home.join("complete"), "").unwrap();
    python
}

fn must(program: &str, arguments: &[&std::ffi::OsStr]) {
    let needed = "the client tests need python3 with venv and pip, and a package index";
    let output = std::process::Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{needed}: cannot run {program}: {error}"));
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{needed}: {program} {arguments:?} failed:\n{messages}");
}
