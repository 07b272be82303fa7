//! One file of an edition: whole, in part, compressed, or by a link.

use std::io::Write;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use lambda_http::http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, LOCATION, RANGE,
};
use lambda_http::http::{HeaderName, Method, StatusCode};
use shared::feed::{Edition, File, PublishedFile};
use shared::http::{Answer, Call, accepts_gzip};
use shared::services::Services;
use shared::store::StoreError;

use crate::access::Readable;
use crate::condition::Validators;
use crate::fault::Fault;
use crate::headers;
use crate::range::{self, Part};

/// Bytes of the largest answer: in base64, with its headers, it is below Lambda's 6 MB.
const INLINE: u64 = 4_400_000;
/// Smaller files are not worth compressing.
const WORTH_COMPRESSING: u64 = 1024;
/// How long a link to a large file can be used.
const LINK: Duration = Duration::from_mins(5);
/// Seconds for which the answer with the link may be kept: what is left of the link's life then
/// is enough to follow it.
const LINK_KEPT: u64 = 60;

/// How a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    /// As it is.
    Identity,
    /// Compressed by this request.
    Gzip,
    /// As the feed's own compressed file, which holds the same.
    StoredGzip,
}

/// The file that ends in `suffix`.
pub async fn answer(
    services: &Services,
    call: &Call,
    suffix: &str,
    feed: &Readable,
    edition: &Edition,
) -> Result<Answer, Fault> {
    let file = File::with_suffix(suffix);
    let Some(found) = file.and_then(|file| edition.file(file)) else {
        // Of a format that was added since the edition was made.
        let comes = file.is_some_and(|file| File::of(&feed.settings).any(|one| one == file));
        return Err(if comes {
            Fault::file_not_published_yet(suffix, &feed.settings)
        } else {
            Fault::unknown_file(suffix, edition)
        });
    };
    let sending = Sending { services, call, feed, edition, file: found };
    sending.answer().await
}

struct Sending<'a> {
    services: &'a Services,
    call: &'a Call,
    feed: &'a Readable,
    edition: &'a Edition,
    file: &'a PublishedFile,
}

impl Sending<'_> {
    async fn answer(&self) -> Result<Answer, Fault> {
        let coding = self.coding();
        let validators = self.validators(coding);
        if validators.are_known_to(self.call) {
            let answer = Answer::empty(StatusCode::NOT_MODIFIED);
            let answer = headers::with_validators(answer, self.feed, &validators);
            return Ok(headers::with_edition(answer, self.edition, self.file.rows));
        }
        match self.part(&validators) {
            Part::Unsatisfiable => {
                let length = format!("bytes */{}", self.file.bytes);
                let answer = Answer::empty(StatusCode::RANGE_NOT_SATISFIABLE);
                let answer = answer.with(CONTENT_RANGE, &length);
                Ok(headers::with_validators(answer, self.feed, &validators))
            }
            Part::Bytes(first, last) if last - first < INLINE => {
                let of = format!("bytes {first}-{last}/{}", self.file.bytes);
                let answer =
                    self.whole_or_part(StatusCode::PARTIAL_CONTENT, Some((first, last))).await?;
                Ok(self.describe(answer.with(CONTENT_RANGE, &of), &validators))
            }
            // The bucket serves the part: clients send their Range there too.
            Part::Bytes(..) => self.link(&validators).await,
            Part::Whole => self.whole(coding, &validators).await,
        }
    }

    /// A part is always one of the file as it is.
    fn coding(&self) -> Coding {
        let small = self.file.bytes < WORTH_COMPRESSING;
        let asked = accepts_gzip(self.call) && self.call.header(&RANGE).is_none();
        if !asked || small || self.file.file == File::CsvGz {
            return Coding::Identity;
        }
        let stored = self.edition.file(File::CsvGz).filter(|_| self.file.file == File::Csv);
        match stored {
            Some(stored) if stored.bytes <= INLINE => Coding::StoredGzip,
            _ if self.file.bytes <= INLINE => Coding::Gzip,
            _ => Coding::Identity,
        }
    }

    /// Every coding is another representation, with an `ETag` of its own.
    fn validators(&self, coding: Coding) -> Validators {
        let digest = self.file.sha256.get(..32).unwrap_or_default();
        let coded = if coding == Coding::Identity { "" } else { "-gzip" };
        Validators { etag: format!("\"{digest}{coded}\""), modified: self.edition.modified() }
    }

    fn part(&self, validators: &Validators) -> Part {
        if self.call.method == Method::GET && validators.allow_a_part(self.call) {
            range::part(self.call.header(&RANGE), self.file.bytes)
        } else {
            Part::Whole
        }
    }

    async fn whole(&self, coding: Coding, validators: &Validators) -> Result<Answer, Fault> {
        if self.call.method == Method::HEAD {
            return Ok(self.describe(self.head(coding), validators));
        }
        let answer = match coding {
            Coding::Identity if self.file.bytes > INLINE => return self.link(validators).await,
            Coding::Identity => self.whole_or_part(StatusCode::OK, None).await?,
            Coding::Gzip => {
                let body = gzip(&self.read(self.file.file, None).await?)?;
                self.bytes(StatusCode::OK, body).with(CONTENT_ENCODING, "gzip")
            }
            Coding::StoredGzip => {
                let body = self.read(File::CsvGz, None).await?;
                self.bytes(StatusCode::OK, body).with(CONTENT_ENCODING, "gzip")
            }
        };
        Ok(self.describe(answer, validators))
    }

    /// What a GET would say, with the length where it is known without reading the file.
    fn head(&self, coding: Coding) -> Answer {
        let answer = self.bytes(StatusCode::OK, Vec::new());
        let stored = self.edition.file(File::CsvGz).map(|stored| stored.bytes);
        let (answer, length) = match coding {
            Coding::Identity => (answer, Some(self.file.bytes)),
            Coding::Gzip => (answer.with(CONTENT_ENCODING, "gzip"), None),
            Coding::StoredGzip => (answer.with(CONTENT_ENCODING, "gzip"), stored),
        };
        match length {
            Some(length) => answer.with(CONTENT_LENGTH, &length.to_string()),
            None => answer,
        }
    }

    async fn whole_or_part(
        &self,
        status: StatusCode,
        range: Option<(u64, u64)>,
    ) -> Result<Answer, Fault> {
        Ok(self.bytes(status, self.read(self.file.file, range).await?))
    }

    fn bytes(&self, status: StatusCode, body: Vec<u8>) -> Answer {
        Answer::new(status, self.file.file.content_type(&self.feed.settings), body).as_is()
    }

    fn describe(&self, answer: Answer, validators: &Validators) -> Answer {
        let answer = headers::with_validators(answer, self.feed, validators);
        let answer = headers::with_edition(answer, self.edition, self.file.rows);
        let answer = answer.with(ACCEPT_RANGES, "bytes");
        match hex_bytes(&self.file.sha256) {
            // Of the file as it is, whatever part or coding is sent (RFC 9530).
            Some(digest) if !validators.etag.ends_with("-gzip\"") => answer.with(
                HeaderName::from_static("repr-digest"),
                &format!("sha-256=:{}:", STANDARD.encode(digest)),
            ),
            _ => answer,
        }
    }

    async fn read(&self, file: File, range: Option<(u64, u64)>) -> Result<Vec<u8>, Fault> {
        let store = self.services.store();
        let opened =
            store.open_feed_file(self.feed.id, &self.edition.id, file.suffix(), range).await?;
        let Some(body) = opened else {
            let lacking = format!("edition {} lacks {}", self.edition.id, file.suffix());
            return Err(StoreError::Damaged(lacking).into());
        };
        let read = body.collect().await;
        let read = read.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(read.into_bytes().to_vec())
    }

    /// A large file is handed over by the bucket itself.
    async fn link(&self, validators: &Validators) -> Result<Answer, Fault> {
        let store = self.services.store();
        let suffix = self.file.file.suffix();
        let url = store.feed_file_url(self.feed.id, &self.edition.id, suffix, LINK).await?;
        let answer = Answer::empty(StatusCode::FOUND).with(LOCATION, &url);
        let answer = headers::with_validators_for(answer, self.feed, validators, LINK_KEPT);
        Ok(headers::with_edition(answer, self.edition, self.file.rows))
    }
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.map_err(|error| StoreError::Unavailable(error.to_string()))
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
