//! The clients people run are Python programs: a virtual environment for them, made once.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::binaries;

/// What installs Python packages.
const UV: &str = "uv==0.13.9";

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

/// Runs a program of the lints of the template, by its name, in the folder of the repository.
///
/// # Errors
/// What it printed, unless it ends with 0.
pub async fn lint(program: &str, arguments: &[&str]) -> Result<(), String> {
    static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();
    let python = INTERPRETER.get_or_init(|| make("requirements-lint.txt"));
    let mut command = Command::new(python.with_file_name(program));
    command.args(arguments).current_dir(binaries::workspace()).kill_on_drop(true);
    let output = command.env("SAM_CLI_TELEMETRY", "0").output().await.unwrap();
    let printed = [output.stdout, output.stderr].map(|b| String::from_utf8_lossy(&b).into_owned());
    if output.status.success() { Ok(()) } else { Err(printed.concat()) }
}

/// The interpreter that has the emulator of AWS (`ministack`) and what deploys to it.
pub(crate) fn stack() -> PathBuf {
    static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();
    INTERPRETER.get_or_init(|| make("requirements-stack.txt")).clone()
}

/// The path of `tests/python/<script>`.
pub(crate) fn script(name: &str) -> PathBuf {
    folder().join(name)
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
    say_installing(&requirements);
    must("python3", &["-m".as_ref(), "venv".as_ref(), home.as_os_str()]);
    // All are pinned, so nothing is left to resolve; pip itself takes minutes for the lints.
    install(&python, &["pip", "install", "--quiet", "--disable-pip-version-check", UV]);
    let uv = ["uv", "pip", "install", "--quiet", "--no-deps", "--python"];
    let files = [python.to_str().unwrap(), "-r", requirements.to_str().unwrap()];
    install(&python, &[&uv[..], &files].concat());
    std::fs::write(home.join("complete"), "").unwrap();
    python
}

/// Says on the terminal which pinned packages are downloaded. The test runner captures only what
/// the print macros write.
pub(crate) fn say_installing(pinned: &Path) {
    let pinned = pinned.strip_prefix(binaries::workspace()).unwrap_or(pinned);
    let _ = writeln!(std::io::stderr(), "installing the packages of {}", pinned.display());
}

fn install(python: &Path, arguments: &[&str]) {
    let module = std::iter::once("-m").chain(arguments.iter().copied());
    let arguments: Vec<&std::ffi::OsStr> = module.map(AsRef::as_ref).collect();
    must(python.to_str().unwrap(), &arguments);
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
