//! Where the product's own binaries are: built once per run, beside the running test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of a binary of the workspace (`iocast`, `taxii`, …), built if it has to be.
///
/// Cargo builds other packages' binaries for no test, so the first caller asks it to, with the
/// features and the profile of the test itself: what is already built is not built again.
pub fn path(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let path = FOLDER.get_or_init(build).join(name);
    assert!(path.is_file(), "cargo built no binary {}", path.display());
    path
}

/// The folder of the repository.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The folder cargo builds into (`target`), found from where the test itself runs.
pub fn target_folder() -> PathBuf {
    profile_folder().parent().unwrap().to_owned()
}

fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_owned()
}

/// A cargo command in the folder of the repository.
///
/// Cargo describes the package of a test in the test's environment. A build script that depends on
/// such a variable (ring's does) would run again, and everything above it be compiled again, so the
/// command inherits none of them.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for name in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()) {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command.current_dir(workspace());
    command
}

fn build() -> PathBuf {
    let folder = profile_folder();
    let mut command = cargo();
    command.args(["build", "--quiet", "--workspace", "--bins"]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    let output = command.output().unwrap_or_else(|error| panic!("cannot run cargo: {error}"));
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo build --workspace --bins failed:\n{messages}");
    folder
}
