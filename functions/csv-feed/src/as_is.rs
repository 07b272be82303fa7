//! The answer as it is handed to the runtime.

use std::future::ready;
use std::pin::Pin;

use lambda_http::{Body, IntoResponse, Response};

/// An answer whose bytes stay as they are. `lambda_http` alone decodes the bytes of a textual media
/// type as text, which replaces characters that a range cuts.
pub struct AsIs(pub Response<Body>);

impl IntoResponse for AsIs {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        Box::pin(ready(self.0))
    }
}
