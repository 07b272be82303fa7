//! Media types: what is answered, what is accepted (TAXII 2.1, section 3.3).

use lambda_http::http::StatusCode;
use lambda_http::http::header::ACCEPT;
use serde::Serialize;
use shared::http::{Accept, Answer, Call, MediaRange};

use crate::fault::Fault;

/// The type of every answer.
pub const TAXII: &str = "application/taxii+json;version=2.1";

const ESSENCE: &str = "application/taxii+json";
const VERSION: &str = "2.1";

/// An answer in TAXII's type.
pub fn answer(status: StatusCode, body: &impl Serialize) -> Answer {
    Answer::json(status, body).with_type(TAXII)
}

/// Refuses a request under whose `Accept` TAXII 2.1 is not acceptable. XSOAR asks for 2.0 first
/// and falls back on exactly 406.
pub fn check_accept(call: &Call) -> Result<(), Fault> {
    if Accept::parse(call.header(&ACCEPT)).quality(ESSENCE, Some(VERSION)) > 0 {
        return Ok(());
    }
    Err(Fault::new(
        StatusCode::NOT_ACCEPTABLE,
        "not_acceptable",
        format!("this server answers {TAXII}: accept that"),
    ))
}

/// Refuses a body of a type that is no envelope: TAXII with or without the version, or a STIX
/// bundle.
pub fn check_content_type(call: &Call) -> Result<(), Fault> {
    let known =
        MediaRange::parse(call.content_type()).is_some_and(|sent| match sent.essence.as_str() {
            ESSENCE => sent.version.is_none_or(|version| version == VERSION),
            "application/stix+json" => {
                sent.version.is_none_or(|version| version == "2.1" || version == "2.0")
            }
            _ => false,
        });
    if known {
        return Ok(());
    }
    Err(Fault::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_type",
        format!("send an envelope as {TAXII}"),
    ))
}
