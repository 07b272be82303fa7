//! Random histories: what happens to a system, step by step, to the product and to the model
//! alike.

mod follower;
mod generate;
mod rest;
mod run;
mod step;
mod translation;

pub use follower::Follower;
pub use generate::history;
pub use run::run;
pub use step::{History, Step, Which};
pub(crate) use translation::{kinds, settings, tenant};
