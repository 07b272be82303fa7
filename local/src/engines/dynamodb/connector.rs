//! The SDK's HTTP client that hands requests to the engine in process.

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use super::{Answer, Requests};

impl Requests {
    /// An HTTP client for the SDK whose every request goes to this engine.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(InProcess(self.clone()));
        http_client_fn(move |_, _| connector.clone())
    }
}

#[derive(Debug)]
struct InProcess(Requests);

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let requests = self.0.clone();
        HttpConnectorFuture::new(async move {
            let (target, body) = parts(&request)?;
            let failed = |error| ConnectorError::io(Box::new(error));
            response(requests.answer(target, body).await.map_err(failed)?)
        })
    }
}

/// The operation and the document of an SDK's request.
pub(super) fn parts(request: &HttpRequest) -> Result<(String, Bytes), ConnectorError> {
    let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
    let body = request.body().bytes().map(Bytes::copy_from_slice);
    let streamed = || ConnectorError::user("a streamed body is not DynamoDB's protocol".into());
    Ok((target, body.ok_or_else(streamed)?))
}

/// An answer as the SDK expects it.
pub(super) fn response(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(answer.status);
    let status = status.map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    Ok(response)
}
