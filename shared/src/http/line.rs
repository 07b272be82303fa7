//! The one log line of a request: what was asked, by whom, what came of it and what it cost. Never
//! a secret: of a key its public id, of a path its route.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use lambda_http::http::StatusCode;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use uuid::Uuid;

use crate::access::{Caller, KeyId, TenantId};
use crate::work::Work;

/// Who made a request, once that is known.
pub(super) type Asker = Arc<OnceLock<(KeyId, TenantId)>>;

/// A line that is written when the request is answered, or its stream ends.
pub(super) struct Line {
    pub(super) work: Arc<Work>,
    pub(super) asker: Asker,
    /// The id of the function's invocation, which the platform's own lines carry.
    invocation: Option<String>,
    /// The id of the front's own log line.
    front: Option<String>,
    route: String,
    method: String,
    status: StatusCode,
    bytes: usize,
    begun: Instant,
}

impl Line {
    pub(super) fn begin(request: &Request, id: Uuid) -> Self {
        let context = request.lambda_context_ref();
        let header = || request.headers().get("x-amzn-trace-id")?.to_str().ok().map(str::to_owned);
        let trace = context.and_then(|context| context.xray_trace_id.clone()).or_else(header);
        let (route, front) = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(front)) => {
                (front.route_key.clone(), front.request_id.clone())
            }
            _ => (None, None),
        };
        Self {
            work: Work::new(id.to_string(), trace),
            asker: Asker::default(),
            invocation: context.map(|context| context.request_id.clone()),
            front,
            route: route.unwrap_or_default(),
            method: request.method().to_string(),
            status: StatusCode::INTERNAL_SERVER_ERROR,
            bytes: 0,
            begun: Instant::now(),
        }
    }

    /// The span of all that is logged on the way.
    pub(super) fn span(&self) -> tracing::Span {
        let trace_id = self.work.trace_id.as_deref();
        tracing::info_span!("work", request_id = self.work.request_id, trace_id)
    }

    pub(super) fn answered(&mut self, status: StatusCode) {
        self.status = status;
    }

    pub(super) fn sent(&mut self, bytes: usize) {
        self.bytes += bytes;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let units = self.work.units();
        let (key, tenant) = match self.asker.get() {
            Some((key, tenant)) => (Some(key.to_string()), Some(tenant.to_string())),
            None => (None, None),
        };
        tracing::info!(
            target: "request",
            route = self.route,
            method = self.method,
            status = self.status.as_u16(),
            key,
            tenant,
            read_units = units.read,
            write_units = units.write,
            bytes = self.bytes,
            ms = self.begun.elapsed().as_secs_f64() * 1000.0,
            request_id = self.work.request_id,
            trace_id = self.work.trace_id,
            invocation = self.invocation,
            front = self.front,
            "answered"
        );
    }
}

/// Notes who asks.
pub(super) fn note(asker: &Asker, caller: &Caller) {
    // Asked again within one request, as streams do, it is the same one.
    let _ = asker.set((caller.key.clone(), caller.tenant.clone()));
}
