//! What the targets call: the functions of the `tests` crate, taken in as source so that this
//! workspace need not build what else that crate depends on.
#![allow(clippy::missing_panics_doc)]

#[path = "../../tests/src/fuzzing/mod.rs"]
pub mod fuzzing;
