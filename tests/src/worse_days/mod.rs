//! AWS's worse days: a proxy in front of the embedded `DynamoDB` that misbehaves when a test
//! says so, and stream records delivered badly.
//!
//! The proxy forwards every request until [`Proxy::set`] gives it [`Faults`]. What it does then
//! is what `DynamoDB` and the network before it may do: nothing here breaks a promise of AWS.

mod answer;
mod counts;
mod dice;
mod engine;
mod exchange;
mod faults;
mod key;
mod key_condition;
mod partly;
mod past;
mod plan;
mod proxy;
mod request;
mod stale;
pub mod stream;

pub use counts::Counts;
pub use faults::{Fault, Faults, Kind, Only};
pub use proxy::Proxy;
