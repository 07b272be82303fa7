//! The engine on a Unix socket in the data folder, for commands of the folder's owner that work
//! beside the running service.

use std::convert::Infallible;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

use super::connector::{parts, response};
use super::{Answer, ENGINE, Requests};
use crate::engines::EngineError;

const TARGET: &str = "x-amz-target";

/// A socket that only the user who runs the service can open. It goes when this is dropped.
#[derive(Debug)]
pub struct Socket {
    file: PathBuf,
    server: JoinHandle<()>,
}

impl Socket {
    /// Listens at `file`, whose folder must be closed to other users.
    ///
    /// # Errors
    /// When the socket cannot be made, for example because its path is too long for one (some 100
    /// bytes).
    pub fn open(file: &Path, requests: Requests) -> Result<Self, EngineError> {
        let failed = |source| EngineError::io(ENGINE, &file.display(), source);
        // What a killed process left.
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(file).map_err(failed)?;
        let owner_only = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(file, owner_only).map_err(failed)?;
        Ok(Self { file: file.to_owned(), server: tokio::spawn(serve(listener, requests)) })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.server.abort();
        let _ = std::fs::remove_file(&self.file);
    }
}

async fn serve(listener: UnixListener, requests: Requests) {
    // Connections end with the server.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve_connection(stream, requests.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// Answers the HTTP requests of one connection by the engine, until the client closes it.
pub async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    requests: Requests,
) {
    let service = service_fn(move |request| {
        let requests = requests.clone();
        async move { Ok::<_, Infallible>(respond(&requests, request).await) }
    });
    let http = hyper::server::conn::http1::Builder::new();
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection to the DynamoDB engine ended early");
    }
}

async fn respond(
    requests: &Requests,
    request: http::Request<Incoming>,
) -> http::Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let target = head.headers.get(TARGET).and_then(|value| value.to_str().ok());
    let target = target.unwrap_or_default().to_owned();
    let answer = match body.collect().await {
        Ok(body) => requests.answer(target, body.to_bytes()).await.ok(),
        Err(_) => None,
    };
    let unavailable = || Answer { status: 503, body: Bytes::new() };
    let answer = answer.unwrap_or_else(unavailable);
    let mut response = http::Response::new(Full::new(answer.body));
    *response.status_mut() = http::StatusCode::from_u16(answer.status)
        .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let json = http::HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}

/// An HTTP client for the SDK whose every request goes through the socket of a running service.
#[must_use]
pub fn through(file: &Path) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Through(file.to_owned()));
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Debug)]
struct Through(PathBuf);

impl HttpConnector for Through {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let file = self.0.clone();
        HttpConnectorFuture::new(async move {
            let (target, body) = parts(&request)?;
            let answer = ask(&file, &target, body).await;
            response(answer.map_err(|error| ConnectorError::io(error.into()))?)
        })
    }
}

/// Sends one request over a connection of its own.
async fn ask(file: &Path, target: &str, body: Bytes) -> io::Result<Answer> {
    let stream = UnixStream::connect(file).await?;
    let connected = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = connected.map_err(io::Error::other)?;
    let request = http::Request::post("/")
        .header(http::header::HOST, "localhost")
        .header(TARGET, target)
        .body(Full::new(body))
        .map_err(io::Error::other)?;
    let exchange = async {
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        Ok::<_, hyper::Error>(Answer { status, body })
    };
    tokio::select! {
        answer = exchange => answer.map_err(io::Error::other),
        ended = connection => Err(io::Error::other(match ended {
            Ok(()) => "the connection ended without an answer".to_owned(),
            Err(error) => error.to_string(),
        })),
    }
}
