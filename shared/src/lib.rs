//! What the functions of iocast share.
//!
//! Pure modules ([`stix`], [`pattern`], [`ioc`], [`filter`], [`feed`], [`tlp`]) do no I/O;
//! only [`store`] knows tables and keys; [`log`] is the collection log that every surface reads.

pub mod access;
pub mod audit;
pub mod clock;
pub mod collection;
pub mod compaction;
pub mod cursor;
pub mod expiry;
pub mod feed;
pub mod filter;
pub mod http;
pub mod id;
pub mod ingestion;
pub mod ioc;
pub mod ioc_stream;
pub mod job_event;
pub mod lambda;
pub mod limiter;
pub mod log;
pub mod metric;
pub mod notification;
pub mod pattern;
pub mod projection;
pub mod rescan;
pub mod services;
pub mod stix;
pub mod store;
pub mod stream_record;
pub mod subscription;
pub mod time;
pub mod tlp;
pub mod work;
