//! TAXII 2.1 (OASIS Standard, 10 June 2021; contract: taxii).

mod collections;
pub mod cursor;
mod delete;
mod discovery;
mod fault;
mod manifest;
mod media;
mod members;
mod objects;
mod page;
mod post;
mod rights;
pub mod selection;
mod status;
mod versions;
mod visitor;

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use shared::http::{Answer, ApiError, Call, serve};
use shared::services::Services;

use fault::Fault;
use visitor::Visitor;

/// Answers one request.
pub async fn handle(services: &Services, request: Request) -> Response<Body> {
    serve(request, async |call| answer(services, &call).await).await
}

async fn answer(services: &Services, call: &Call) -> Result<Answer, Fault> {
    let segments = call.segments();
    let ["taxii2", path @ ..] = segments.as_slice() else {
        // Nobody's route: not TAXII, and not said as TAXII says it.
        return Ok(ApiError::unknown_route(call).answer(call));
    };
    // Who asks comes before what is asked, and how: 401 before 406 and 404.
    let visitor = Visitor::of(services, call).await?;
    let accepted = media::check_accept(call);
    let public = matches!(visitor, Visitor::Anonymous);
    match accepted {
        Ok(()) => route(services, call, &visitor, path).await,
        // Only the route knows whether it is open to somebody without a key.
        Err(fault) if public => match route(services, call, &visitor, path).await {
            Err(refused) if refused.is_unauthenticated() => Err(refused),
            _ => Err(fault),
        },
        Err(fault) => Err(fault),
    }
}

/// `rest` is the path below `/taxii2`.
async fn route(
    services: &Services,
    call: &Call,
    visitor: &Visitor,
    rest: &[&str],
) -> Result<Answer, Fault> {
    let root = services.settings().taxii_root.as_str();
    if rest.first().is_some_and(|name| *name != root) {
        return Err(Fault::unknown_route(call));
    }
    let get = call.reads();
    match rest.get(1..).unwrap_or_default() {
        [] if rest.is_empty() && get => Ok(discovery::discovery(services, call)),
        [] if rest.is_empty() => Err(Fault::method_not_allowed("GET, HEAD")),
        [] if get => Ok(discovery::api_root()),
        ["status", id] if get => status::get(services, visitor, id).await,
        ["collections"] if get => collections::list(services, visitor).await,
        ["collections", name] if get => collections::get(services, visitor, name).await,
        ["collections", name, "manifest"] if get => {
            manifest::get(services, call, visitor, name).await
        }
        ["collections", name, "objects"] if get => {
            objects::get(services, call, visitor, name).await
        }
        ["collections", name, "objects"] if call.method == Method::POST => {
            post::post(services, call, visitor, name).await
        }
        ["collections", name, "objects", id] if get => {
            objects::get_one(services, call, visitor, name, id).await
        }
        ["collections", name, "objects", id] if call.method == Method::DELETE => {
            delete::delete(services, call, visitor, name, id).await
        }
        ["collections", name, "objects", id, "versions"] if get => {
            versions::get(services, call, visitor, name, id).await
        }
        [] | ["status", _] => Err(Fault::method_not_allowed("GET, HEAD")),
        ["collections", rest @ ..] if reads_only(rest) => {
            Err(Fault::method_not_allowed("GET, HEAD"))
        }
        ["collections", _, "objects"] => Err(Fault::method_not_allowed("GET, HEAD, POST")),
        ["collections", _, "objects", _] => Err(Fault::method_not_allowed("GET, HEAD, DELETE")),
        _ => Err(Fault::unknown_route(call)),
    }
}

/// Whether a route under `collections/` takes no other method than `GET` and `HEAD`.
fn reads_only(rest: &[&str]) -> bool {
    matches!(rest, [] | [_] | [_, "manifest"] | [_, "objects", _, "versions"])
}
