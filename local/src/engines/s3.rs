//! S3: s3s over a folder, behind a loopback port. Whoever does not know its secret gets nothing.

use std::net::SocketAddr;
use std::path::Path;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinHandle, JoinSet};

use super::s3_notification::{ObjectCreated, Upload};
use super::{EngineError, clients, listener};
use crate::stopping::Stop;

/// Who is told of objects.
pub type Listeners = Vec<UnboundedSender<ObjectCreated>>;

const ENGINE: &str = "S3 engine";

/// The address and the secret of an engine.
#[derive(Debug, Clone)]
pub struct Access {
    /// Where it listens.
    pub address: SocketAddr,
    /// The secret of [`clients::ACCESS_KEY`].
    pub secret: String,
}

/// A running engine.
#[derive(Debug)]
pub struct S3 {
    access: Access,
    task: JoinHandle<()>,
}

impl S3 {
    /// Serves the folder, one sub-folder a bucket, until told to stop; every object completely
    /// put is told to every listener.
    ///
    /// # Errors
    /// When a folder cannot be made or there is no port to be had.
    pub fn start(
        folder: &Path,
        buckets: &[String],
        secret: String,
        created: Listeners,
        stop: Stop,
    ) -> Result<Self, EngineError> {
        for bucket in buckets {
            let bucket = folder.join(bucket);
            std::fs::create_dir_all(&bucket)
                .map_err(|source| EngineError::io(ENGINE, &bucket.display(), source))?;
        }
        let files = FileSystem::new(folder).map_err(|error| {
            let source = std::io::Error::other(format!("{error:?}"));
            EngineError::io(ENGINE, &folder.display(), source)
        })?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(clients::ACCESS_KEY, secret.as_str()));
        let listener = listener(ENGINE)?;
        let address =
            listener.local_addr().map_err(|source| EngineError::io(ENGINE, &"listener", source))?;
        let task = tokio::spawn(serve(listener, builder.build(), created, stop));
        Ok(Self { access: Access { address, secret }, task })
    }

    /// Its address and secret.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Returns once it has stopped, which somebody must have told it.
    pub async fn stopped(self) {
        let _ = self.task.await;
    }
}

async fn serve(listener: TcpListener, service: S3Service, created: Listeners, mut stop: Stop) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(connection(stream, service.clone(), created.clone()));
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            () = stop.stopped() => break,
        }
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, service: S3Service, created: Listeners) {
    let answer = service_fn(move |request: http::Request<Incoming>| {
        let upload = Upload::begun(&request);
        let (service, created) = (service.clone(), created.clone());
        async move {
            let response = service.call(request.map(s3s::Body::from)).await;
            if let (Some(upload), Ok(response)) = (upload, &response)
                && response.status().is_success()
            {
                let object = upload.done();
                for listener in &created {
                    // Nobody listens any more when the service stops.
                    let _ = listener.send(object.clone());
                }
            }
            response
        }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await {
        tracing::debug!(%error, "S3 connection ended early");
    }
}
