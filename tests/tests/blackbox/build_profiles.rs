//! How the functions are built (`infra/functions.toml`) beside how the local program is (`Cargo.toml`).

use std::collections::BTreeSet;

use tests::binaries::workspace;

/// The packages whose release profile a file sets.
fn packages(file: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(workspace().join(file)).unwrap();
    let names = text.lines().filter_map(|line| {
        line.trim().strip_prefix("[profile.release.package.")?.strip_suffix(']').map(str::to_owned)
    });
    names.collect()
}

#[test]
fn functions_inherit_the_level_of_no_package_from_the_local_program() {
    let local = packages("Cargo.toml");
    assert!(!local.is_empty());
    assert_eq!(local, packages("infra/functions.toml"));
}
