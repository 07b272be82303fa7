//! Request bodies: bounded as they come and in what they expand to.

use std::io::Read;

use lambda_http::Body;
use lambda_http::http::HeaderMap;
use lambda_http::http::header::CONTENT_ENCODING;
use thiserror::Error;

/// The largest body that is taken, as it comes: what a function can receive once encoded.
pub const MAX_BODY_BYTES: usize = 4 << 20;

/// The most a compressed body may expand to.
pub const MAX_EXPANDED_BYTES: usize = 32 << 20;

/// Why a body is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BodyError {
    /// Over [`MAX_BODY_BYTES`].
    #[error(
        "the body has {0} bytes, at most {MAX_BODY_BYTES} are taken: send it in parts, or drop it as a file"
    )]
    TooLarge(usize),
    /// Expands to more than [`MAX_EXPANDED_BYTES`].
    #[error(
        "the body expands to more than {MAX_EXPANDED_BYTES} bytes: send it in parts, or drop it as a file"
    )]
    ExpandsTooFar,
    /// A coding that is not understood.
    #[error("the content coding {0:?} is not understood: use gzip, zstd or none")]
    Coding(String),
    /// Damaged.
    #[error("the body is not the {0} its Content-Encoding says")]
    Damaged(&'static str),
}

pub(super) fn decode(body: &Body, headers: &HeaderMap) -> Result<Vec<u8>, BodyError> {
    let bytes: &[u8] = body.as_ref();
    if bytes.len() > MAX_BODY_BYTES {
        return Err(BodyError::TooLarge(bytes.len()));
    }
    let coding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    match coding.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(bytes.to_vec()),
        "gzip" | "x-gzip" => expand(flate2::read::MultiGzDecoder::new(bytes), "gzip"),
        "zstd" => {
            let decoder = zstd::stream::read::Decoder::new(bytes);
            expand(decoder.map_err(|_| BodyError::Damaged("zstd"))?, "zstd")
        }
        other => Err(BodyError::Coding(other.chars().take(40).collect())),
    }
}

fn expand(reader: impl Read, coding: &'static str) -> Result<Vec<u8>, BodyError> {
    let mut expanded = Vec::new();
    let bound = MAX_EXPANDED_BYTES as u64 + 1;
    reader.take(bound).read_to_end(&mut expanded).map_err(|_| BodyError::Damaged(coding))?;
    if expanded.len() > MAX_EXPANDED_BYTES {
        return Err(BodyError::ExpandsTooFar);
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_coding(coding: &str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, coding.parse().unwrap())])
    }

    #[test]
    fn expands_within_bounds() {
        let small = zstd::encode_all(&b"[]"[..], 1).unwrap();
        assert_eq!(decode(&Body::from(small), &with_coding("zstd")), Ok(b"[]".to_vec()));
        let bomb = zstd::encode_all(&vec![b' '; MAX_EXPANDED_BYTES + 1][..], 1).unwrap();
        assert_eq!(decode(&Body::from(bomb), &with_coding("ZSTD")), Err(BodyError::ExpandsTooFar));
        assert!(decode(&Body::from("{}"), &with_coding("gzip")).is_err());
        assert!(decode(&Body::from("{}"), &with_coding("br")).is_err());
    }
}
