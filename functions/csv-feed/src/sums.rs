//! `.sha256`: the digests of an edition's files, as `sha256sum -c` reads them.

use lambda_http::http::StatusCode;
use lambda_http::http::header::CONTENT_LENGTH;
use shared::feed::Edition;
use shared::http::{Answer, Call};

use crate::access::Readable;
use crate::condition::Validators;
use crate::headers;

/// One line for each file, under the name by which it was asked for.
pub fn answer(call: &Call, name: &str, feed: &Readable, edition: &Edition) -> Answer {
    let line = |file: &shared::feed::PublishedFile| {
        format!("{}  {name}.{}\n", file.sha256, file.file.suffix())
    };
    let text: String = edition.files.iter().map(line).collect();
    // The name belongs to the representation: an id and an alias have lines of their own.
    let etag = format!("\"{}-{name}\"", edition.id);
    let validators = Validators { etag, modified: edition.modified() };
    if validators.are_known_to(call) {
        let answer = Answer::empty(StatusCode::NOT_MODIFIED);
        let answer = headers::with_validators(answer, feed, &validators);
        return headers::with_edition(answer, edition, edition.rows());
    }
    let body = text.into_bytes();
    let length = body.len().to_string();
    let answer = Answer::new(StatusCode::OK, "text/plain; charset=utf-8", body).as_is();
    let answer = answer.with(CONTENT_LENGTH, &length);
    let answer = headers::with_validators(answer, feed, &validators);
    headers::with_edition(answer, edition, edition.rows())
}
