//! iocast on one machine: every function behind one port, `DynamoDB` and S3 embedded and reached
//! by the real SDK, the triggers of the template, and the operator's command line.

pub mod atomic_file;
pub mod data_folder;
pub mod drop_trigger;
pub mod engines;
pub mod event_pattern;
pub mod first_start;
pub mod functions;
pub mod gateway;
pub mod http_client;
pub mod load;
pub mod measure;
pub mod operate;
pub mod parked;
pub mod publish;
pub mod ready_file;
pub mod routing;
pub mod scheduler;
pub mod serve;
pub mod stopping;
pub mod stream_pump;
pub mod template;
pub mod wiring;

/// The folder a service keeps its data in, and where `load` looks for one, if none is named.
pub const DEFAULT_DATA: &str = ".iocast";
