//! `GET /api/v3/ioc_stream`: the objects a tenant is notified of (contract: ioc-stream).

mod parameters;

use chrono::SecondsFormat;
use lambda_http::http::{HeaderName, StatusCode};
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use shared::access::Scope;
use shared::cursor::Secret;
use shared::http::{Answer, Call};
use shared::ioc_stream::{self, Fault};
use shared::notification::cursor;
use shared::notification::list::{self, Page};
use shared::services::Services;

pub use parameters::{Order, Parameters};

/// An answer stays below what a function may return, 6 MB, whatever its snippets.
const MAX_BYTES: usize = 4 << 20;

const LOOKBACK_CLAMPED_TO: HeaderName = HeaderName::from_static("x-lookback-clamped-to");

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
    let secret = services.cursor_secret().await?;
    let parameters = Parameters::read(&call.query()?, &secret, services.store().now())?;
    let selection = parameters.filter.selection();
    let request = list::Request {
        tenant: &visitor.caller.tenant,
        selection: &selection,
        after: parameters.after,
        ascending: parameters.order == Order::OldestFirst,
        limit: parameters.limit,
        clearance: visitor.caller.clearance,
        oldest: visitor.oldest,
    };
    // On the heap: what a page is merged from makes a future larger than the compiler follows.
    let page = Box::pin(list::page(services, request)).await?;
    let base = call.base_url(services.settings().public_base_url.as_deref());
    let answer = Answer::json(StatusCode::OK, &body(&base, &secret, &parameters, page)?);
    let back = selection.from.unwrap_or_default();
    let clamped = visitor.horizon.filter(|_| back < visitor.oldest);
    Ok(clamped.into_iter().fold(answer, |answer, horizon| {
        answer.with(LOOKBACK_CLAMPED_TO, &horizon.to_rfc3339_opts(SecondsFormat::Millis, true))
    }))
}

fn body(base: &str, secret: &Secret, parameters: &Parameters, page: Page) -> Result<Value, Fault> {
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
    let mut links = json!({"self": parameters.url(base, parameters.cursor.as_deref())});
    if let (true, Some(last)) = (more, found.last()) {
        let cursor = cursor::seal(secret, last.id)?;
        links["next"] = json!(parameters.url(base, Some(&cursor)));
        meta["cursor"] = json!(cursor);
    }
    Ok(json!({"data": data, "meta": meta, "links": links}))
}
