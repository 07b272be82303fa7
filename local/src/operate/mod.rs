//! What operators do from the command line: resources of the management API, tables on a
//! terminal, a file that says how things shall be, and the doctor.

pub mod api;
pub mod apply;
pub mod aws;
pub mod direct;
pub mod doctor;
pub mod fault;
pub mod show;
pub mod table;

pub use api::Api;
pub use fault::Fault;
