//! Soaks: the long forms of tests of which `cargo test` runs a part.

/// Whether tests run in their long form: `IOCAST_SOAK`, which the recipes of the `justfile` set.
pub fn is_soak() -> bool {
    std::env::var_os("IOCAST_SOAK").is_some()
}
