//! Random histories: what happens to a system, step by step, to the product and to the model
//! alike.

mod follower;
mod generate;
mod run;
mod step;

pub use follower::Follower;
pub use generate::history;
pub use run::run;
pub(crate) use run::{kinds, settings, tenant};
pub use step::{History, Step, Which};
