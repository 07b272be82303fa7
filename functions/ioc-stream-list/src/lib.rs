//! `GET /api/v3/ioc_stream`: the objects a tenant is notified of (contract: ioc-stream).

mod parameters;

use chrono::SecondsFormat;
use lambda_http::http::{HeaderName, StatusCode};
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use shared::access::Scope;
use shared::cursor::Secret;
use shared::http::{Answer, Call, MAX_ENCODED_BYTES, encoded_bytes};
use shared::ioc_stream::{self, Fault};
use shared::notification::cursor;
use shared::notification::list::{self, Page};
use shared::services::Services;

pub use parameters::{Order, Parameters};

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
        // With the comma beside it.
        bytes += encoded_bytes(&object.to_string()) + 1;
        if bytes > MAX_ENCODED_BYTES && !data.is_empty() {
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use chrono::Utc;
    use shared::http::Query;
    use shared::notification::{
        Entity, EntityType, HuntingInfo, Notification, NotificationId, Source, SourceType,
        expiry_of,
    };
    use shared::time::Position;
    use shared::tlp::Tlp;

    use super::*;

    /// A hunting notification with as long a snippet as may be posted, all of quotes.
    fn quoting(number: u64) -> Notification {
        let source = Source {
            kind: SourceType::HuntingRuleset,
            id: "ruleset-1".to_owned(),
            label: "Ruleset".to_owned(),
        };
        let entity = Entity::named(EntityType::Domain, "host.example.com").unwrap();
        let cause = Position::from_micros(1_760_000_000_000_000 + number);
        let id = NotificationId::new(cause, &"acme".parse().unwrap(), &source, &entity);
        let snippet = "\"".repeat(64 * 1024);
        Notification {
            id,
            entity,
            source,
            tags: Vec::new(),
            hunting: Some(HuntingInfo { snippet, ..HuntingInfo::default() }),
            object: None,
            level: Tlp::Amber,
            stored: cause,
            expires: expiry_of(id, NonZeroU32::MIN),
        }
    }

    #[test]
    fn an_answer_fits_into_what_a_function_returns_however_it_is_escaped() {
        let secret = [7; 32];
        let asked = Query::parse("limit=40").unwrap();
        let parameters = Parameters::read(&asked, &secret, Utc::now()).unwrap();
        let page = Page { found: (0..40).map(quoting).collect(), more: false };
        let answer = body("https://intel.example.com", &secret, &parameters, page).unwrap();
        let count = answer["data"].as_array().unwrap().len();
        assert!((10..40).contains(&count), "{count}");
        assert!(answer["meta"]["cursor"].is_string() && answer["links"]["next"].is_string());
        let sent = serde_json::to_string(&answer.to_string()).unwrap().len();
        assert!(sent < MAX_ENCODED_BYTES + 10_000, "{sent} bytes");
    }
}
