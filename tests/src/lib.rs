//! The harness of the black-box tests: it starts whole systems, speaks to them as a client does
//! and makes the objects they are fed with. The tests themselves are under `tests/blackbox`.
//!
//! A harness fails the test it serves, so it panics where a product would return an error.
// In a test what is easy to read matters more than an allocation or the size of a future.
#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    clippy::large_futures,
    clippy::trivially_copy_pass_by_ref,
    clippy::similar_names,
    clippy::struct_excessive_bools
)]
#![allow(clippy::missing_panics_doc, clippy::must_use_candidate)]

pub mod binaries;
pub mod chance;
pub mod checker;
pub mod client;
pub mod collection;
pub mod exact;
pub mod fixtures;
pub mod function;
pub mod fuzzing;
pub mod gateway_event;
pub mod history;
pub mod keys;
pub mod lab;
pub mod metered;
pub mod model;
pub mod packed_log;
pub mod patience;
pub mod python;
pub mod realistic;
pub mod runtime_api;
pub mod service;
pub mod taxii_reading;
pub mod world;
pub mod worse_days;
