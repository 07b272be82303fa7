//! Discovery and API root (TAXII 2.1, sections 4.1 and 4.2).

use lambda_http::http::StatusCode;
use serde_json::json;
use shared::http::{Answer, Call, MAX_BODY_BYTES};
use shared::services::Services;

use crate::media;

const TITLE: &str = "iocast";

/// `GET /taxii2/`
pub fn discovery(services: &Services, call: &Call) -> Answer {
    let settings = services.settings();
    let base = call.base_url(settings.public_base_url.as_deref());
    let root = format!("{base}/taxii2/{}/", settings.taxii_root);
    media::answer(
        StatusCode::OK,
        &json!({
            "title": TITLE,
            "description": "Threat intelligence as TAXII 2.1 collections",
            "default": root,
            "api_roots": [root],
        }),
    )
}

/// `GET /taxii2/{root}/`
pub fn api_root() -> Answer {
    media::answer(
        StatusCode::OK,
        &json!({
            "title": TITLE,
            "description": "Threat intelligence as TAXII 2.1 collections",
            "versions": [media::TAXII],
            "max_content_length": MAX_BODY_BYTES,
        }),
    )
}
