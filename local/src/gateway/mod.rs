//! API Gateway's part: HTTP in, HTTP API events (payload format 2.0) to the functions, and its
//! limits, so that what is too large in production is too large here.

mod answer;
mod bucket;
mod event;
mod server;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::Notify;

pub use server::serve;

use crate::functions::{HttpHandler, StreamHandler};
use crate::routing::Router;

/// The largest body the gateway takes in: 10 MB.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// The largest event, and the largest answer, of a function: 6 MB.
const MAX_PAYLOAD: usize = 6 * 1024 * 1024;
/// The largest request line and headers together.
const MAX_HEAD: usize = 10_240;

/// A function behind a route.
#[derive(Clone)]
pub enum Handler {
    /// It answers at once.
    Whole(HttpHandler),
    /// It sends its answer piece by piece.
    Streaming(StreamHandler),
}

/// Routes, the functions behind them, and who is to be told of writes.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    router: Router,
    handlers: HashMap<String, Handler>,
    writes: Arc<Notify>,
    bucket: bucket::Bucket,
}

impl Gateway {
    /// A gateway to `handlers`, by logical id. `writes` is notified when a request that may write
    /// begins, so that the stream is looked at without delay. What functions hand over by a link
    /// to the engine at `bucket` is fetched there, as clients elsewhere cannot reach it.
    #[must_use]
    pub fn new(
        router: Router,
        handlers: HashMap<String, Handler>,
        writes: Arc<Notify>,
        bucket: SocketAddr,
    ) -> Self {
        let bucket = bucket::Bucket::at(bucket);
        Self { inner: Arc::new(Inner { router, handlers, writes, bucket }) }
    }
}
