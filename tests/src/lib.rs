//! The harness of the black-box tests: it starts whole systems, speaks to them as a client does
//! and makes the objects they are fed with. The tests themselves are under `tests/blackbox`.
//!
//! A harness fails the test it serves, so it panics where a product would return an error.
#![allow(clippy::missing_panics_doc, clippy::must_use_candidate)]

pub mod binaries;
pub mod client;
pub mod collection;
pub mod exact;
pub mod fixtures;
pub mod function;
pub mod gateway_event;
pub mod patience;
pub mod python;
pub mod runtime_api;
pub mod service;
pub mod taxii_reading;
pub mod world;
