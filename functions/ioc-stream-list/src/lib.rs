//! `GET /api/v3/ioc_stream`: the objects a tenant is notified of (contract: ioc-stream).

mod parameters;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use shared::access::Scope;
use shared::http::{Answer, Call};
use shared::ioc_stream::{self, Fault};
use shared::notification::cursor;
use shared::notification::list::{self, Page};
use shared::services::Services;

pub use parameters::{Order, Parameters};

/// An answer stays below what a function may return, 6 MB, whatever its snippets.
const MAX_BYTES: usize = 4 << 20;

/// Answers one request.
pub async fn handle(services: &Services, request: Request) -> Response<Body> {
    ioc_stream::answer(request, async |call| route(services, call).await).await
}

async fn route(services: &Services, call: &Call) -> Result<Answer, Fault> {
    match ioc_stream::segments(call).as_deref() {
        Some(["ioc_stream"]) if call.reads() => get(services, call).await,
        Some(["ioc_stream"]) => Err(Fault::method_not_allowed("GET, HEAD, DELETE")),
        _ => Err(Fault::unknown_route(call)),
    }
}

async fn get(services: &Services, call: &Call) -> Result<Answer, Fault> {
    let visitor = ioc_stream::visitor(services, call, Scope::ReadIocStream).await?;
    let parameters = Parameters::read(&call.query()?, services.store().now())?;
    let selection = parameters.filter.selection();
    let request = list::Request {
        tenant: &visitor.caller.tenant,
        selection: &selection,
        after: parameters.after,
        ascending: parameters.order == Order::OldestFirst,
        limit: parameters.limit,
        clearance: visitor.caller.clearance,
        horizon: visitor.horizon,
    };
    let page = list::page(services, request).await?;
    let base = call.base_url(services.settings().public_base_url.as_deref());
    Ok(Answer::json(StatusCode::OK, &body(&base, &parameters, page)))
}

fn body(base: &str, parameters: &Parameters, page: Page) -> Value {
    let Page { mut found, mut more } = page;
    let (mut data, mut bytes) = (Vec::with_capacity(found.len()), 0);
    for notification in &found {
        let object = ioc_stream::entity(base, notification, parameters.descriptors_only);
        bytes += object.to_string().len();
        if bytes > MAX_BYTES && !data.is_empty() {
            more = true;
            break;
        }
        data.push(object);
    }
    found.truncate(data.len());
    // All that match are counted only where the answer shows them all.
    let whole = !more && parameters.after.is_none();
    let mut meta = json!({"count": data.len() + usize::from(more)});
    if !whole {
        meta["count_is_lower_bound"] = json!(true);
    }
    let mut links = json!({"self": parameters.url(base, parameters.after)});
    if let (true, Some(last)) = (more, found.last()) {
        meta["cursor"] = json!(cursor::seal(last.id));
        links["next"] = json!(parameters.url(base, Some(last.id)));
    }
    json!({"data": data, "meta": meta, "links": links})
}
