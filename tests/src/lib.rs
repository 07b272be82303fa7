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

pub mod aws_front;
pub mod binaries;
pub mod chance;
pub mod checker;
pub mod client;
pub mod collection;
pub mod engine_port;
pub mod event_stream;
pub mod exact;
pub mod export;
pub mod feeds;
pub mod fixtures;
pub mod flaky_front;
pub mod function;
pub mod fuzzing;
pub mod gateway_event;
pub mod history;
pub mod interruption;
pub mod keys;
pub mod lab;
pub mod metered;
pub mod model;
pub mod node;
pub mod notifications;
pub mod packed_log;
pub mod patience;
pub mod python;
pub mod real_work;
pub mod realistic;
pub mod runtime_api;
pub mod service;
pub mod soak;
pub mod stack;
pub mod stack_api;
pub mod stage;
pub mod stream_history;
pub mod subscribing;
pub mod taxii_reading;
pub mod terminal;
pub mod world;
pub mod worse_days;
