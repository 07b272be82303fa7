//! Which requests to S3 make an object, told from the request itself.

use http::{Method, Request};
use percent_encoding::percent_decode_str;

/// An object has been put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectCreated {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key, decoded.
    pub key: String,
    /// S3's name for how: `ObjectCreated:Put`, `:Copy`, `:CompleteMultipartUpload`.
    pub event: &'static str,
}

/// A request that makes an object if it succeeds.
#[derive(Debug)]
pub(super) struct Upload(ObjectCreated);

impl Upload {
    /// The upload a request begins, if it is one: `PutObject`, `CopyObject`,
    /// `CompleteMultipartUpload`, path-style.
    pub(super) fn begun<B>(request: &Request<B>) -> Option<Self> {
        let (bucket, key) = request.uri().path().strip_prefix('/')?.split_once('/')?;
        if bucket.is_empty() || key.is_empty() {
            return None;
        }
        let query = request.uri().query().unwrap_or_default();
        let names: Vec<_> = query
            .split('&')
            .map(|pair| pair.split('=').next().unwrap_or_default().to_ascii_lowercase())
            .filter(|name| !name.is_empty() && name != "x-id" && !name.starts_with("x-amz-"))
            .collect();
        let event = match *request.method() {
            Method::PUT if !names.is_empty() => return None,
            Method::PUT if request.headers().contains_key("x-amz-copy-source") => {
                "ObjectCreated:Copy"
            }
            Method::PUT => "ObjectCreated:Put",
            Method::POST if names == ["uploadid"] => "ObjectCreated:CompleteMultipartUpload",
            _ => return None,
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        Some(Self(ObjectCreated { bucket: decoded(bucket), key: decoded(key), event }))
    }

    /// What to tell now that it has succeeded.
    pub(super) fn done(self) -> ObjectCreated {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(method: &str, target: &str) -> Option<(String, &'static str)> {
        let request = Request::builder().method(method).uri(target).body(()).unwrap();
        Upload::begun(&request).map(|upload| (upload.0.key, upload.0.event))
    }

    #[test]
    fn only_complete_uploads_count() {
        let put = Some(("inbox/a b.json".to_owned(), "ObjectCreated:Put"));
        assert_eq!(event("PUT", "/b/inbox/a%20b.json"), put);
        assert_eq!(event("PUT", "/b/inbox/a%20b.json?x-id=PutObject"), put);
        assert_eq!(event("PUT", "/b/inbox/a%20b.json?X-Amz-Signature=x"), put);
        assert_eq!(event("PUT", "/b/k?partNumber=1&uploadId=u"), None);
        assert_eq!(event("PUT", "/b/k?tagging"), None);
        assert_eq!(event("PUT", "/b"), None);
        assert_eq!(event("GET", "/b/k"), None);
        assert_eq!(event("POST", "/b/k?uploads"), None);
        let complete = Some(("k".to_owned(), "ObjectCreated:CompleteMultipartUpload"));
        assert_eq!(event("POST", "/b/k?uploadId=u"), complete);
    }
}
