//! `GET /api/v1/streams`: the streams the caller may read.

use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::access::Scope;
use shared::collection::Collection;
use shared::http::{Answer, ApiError, AuthError, Call, authenticate};
use shared::services::Services;
use shared::tlp::Tlp;

/// One stream.
#[derive(Serialize)]
struct Stream<'a> {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    url: String,
    public: bool,
    dependencies: bool,
    ceiling: Tlp,
}

#[derive(Serialize)]
struct Streams<'a> {
    streams: Vec<Stream<'a>>,
}

/// The list, by id.
pub async fn list(services: &Services, call: &Call) -> Result<Answer, ApiError> {
    let caller = match authenticate(services, call).await {
        Ok(caller) => Some(caller),
        Err(AuthError::Missing) => None,
        Err(error) => return Err(error.into()),
    };
    let definitions = services.definitions().await?;
    let base = call.base_url(services.settings().public_base_url.as_deref());
    let readable = |collection: &&Collection| {
        collection.settings.stream.enabled && collection.stream_rights(caller.as_ref()).read
    };
    let collections = definitions.iter().map(|defined| &defined.collection);
    let streams: Vec<Stream<'_>> =
        collections.filter(readable).map(|collection| stream(collection, &base)).collect();
    // What is public is there for everybody.
    if streams.is_empty() {
        caller.as_ref().ok_or(AuthError::Missing)?.require(Scope::ReadStream)?;
    }
    Ok(Answer::json(StatusCode::OK, &Streams { streams }))
}

fn stream<'a>(collection: &'a Collection, base: &str) -> Stream<'a> {
    let settings = &collection.settings;
    Stream {
        id: collection.id.to_string(),
        alias: settings.alias.as_ref().map(ToString::to_string),
        title: &settings.title,
        description: settings.description.as_deref(),
        url: format!("{base}/stream/{}", collection.id),
        public: collection.has_public_stream(),
        dependencies: settings.stream.dependencies,
        ceiling: settings.ceiling,
    }
}
