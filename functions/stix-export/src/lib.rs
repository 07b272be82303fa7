//! The newest indicators as one STIX 2.1 bundle (contract: stix-export).

mod access;
mod answer;
mod bundle;
mod context;
mod cursor;
mod identity;
mod indicator;
mod made;
mod markings;
mod observables;
mod parameters;
mod references;
mod selection;

use lambda_http::{Body, Request, Response};
use shared::http::{Answer, ApiError, Call, serve};
use shared::services::Services;

use bundle::Bundle;
use cursor::Cursor;
use indicator::Indicator;
use references::References;

/// Answers one request.
pub async fn handle(services: &Services, request: Request) -> Response<Body> {
    serve(request, async |call| route(services, &call).await).await
}

async fn route(services: &Services, call: &Call) -> Result<Answer, ApiError> {
    match call.segments().as_slice() {
        ["api", "v1", "iocs" | "export", "stix"] if call.reads() => export(services, call).await,
        ["api", "v1", "iocs" | "export", "stix"] => Err(ApiError::method_not_allowed("GET, HEAD")),
        _ => Err(ApiError::unknown_route(call)),
    }
}

async fn export(services: &Services, call: &Call) -> Result<Answer, ApiError> {
    let admitted = access::admit(services, call).await?;
    let media_type = answer::media_type(call)?;
    let (ask, after) = cursor::asked(services, call).await?;
    let (since, clamped) = admitted.since(ask.since);
    let picked = selection::pick(services, &ask, admitted.clearance, since, after).await?;
    let indicators = picked.indicators.iter().map(Indicator::read);
    let mut indicators = indicators.collect::<Result<Vec<_>, _>>()?;
    // A marking of its own counts, also where its log was chosen when that was read otherwise.
    indicators.retain(|indicator| indicator.level <= admitted.clearance);
    let references = References::load(services, &ask, &admitted, &indicators).await?;
    let bundle = Bundle::of(&ask, &services.settings().identity_name, &references, &indicators)?;
    let last = if bundle.is_cut() {
        bundle.last()
    } else {
        picked.indicators.last().map(|last| last.mark).filter(|_| picked.more)
    };
    let next = match last {
        Some(after) => Some(Cursor::new(ask.clone(), after).seal(services).await?),
        None => None,
    };
    let body = bundle.text(ask.format);
    Ok(answer::Found { media_type, body, next, clamped }.answer(services, call))
}
