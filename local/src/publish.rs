//! `iocast publish`: feeds published now, by the function's own code.

use std::path::Path;

use csv_publish::{Outcome, Progress, PublishError, Request};
use shared::feed::Feed;
use shared::services::{Services, Settings, SettingsError};
use shared::store::StoreError;
use thiserror::Error;

use crate::data_folder::{Announced, announced};
use crate::engines::clients::{self, Endpoint};
use crate::serve::{self, StartError};
use crate::template::Template;

/// Why nothing can be published.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Neither a deployment nor a service of this machine is known.
    #[error(
        "no service is running on {0}; give --data with the folder of the one that is, or set the \
         variables of a deployed function (IOCAST_BUCKET and so on) for a deployment"
    )]
    NoService(String),
    /// The environment names a deployment, but not all of it.
    #[error(transparent)]
    Environment(#[from] SettingsError),
    /// The template cannot be read.
    #[error(transparent)]
    Template(#[from] StartError),
}

/// What reaches the feeds: a deployment if the environment names one, else the service that is
/// running on the folder.
///
/// # Errors
/// When there is neither.
pub fn connect(data: &Path) -> Result<Services, ConnectError> {
    if Settings::from_env().is_ok() {
        return Ok(Services::from_env()?);
    }
    let Announced { socket: Some(socket), s3: Some(s3), .. } = announced(data) else {
        return Err(ConnectError::NoService(data.display().to_string()));
    };
    let settings = serve::settings(&Template::embedded().map_err(StartError::from)?)?;
    Ok(Services::new(
        clients::dynamodb(&Endpoint::at_socket(&socket)),
        clients::s3(&s3, &clients::http()).config().clone(),
        settings,
    ))
}

/// The feeds to publish.
#[derive(Debug)]
pub struct Feeds {
    /// The feeds.
    pub feeds: Vec<Feed>,
}

/// Why feeds cannot be found.
#[derive(Debug, Error)]
pub enum FindError {
    /// There is no such feed.
    #[error("there is no feed {0:?}")]
    Unknown(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Feeds {
    /// The feeds called `names`, by id or alias; all of them if none is named.
    ///
    /// # Errors
    /// Names the one that is not there.
    pub async fn find(services: &Services, names: &[String]) -> Result<Self, FindError> {
        let store = services.store();
        if names.is_empty() {
            return Ok(Self { feeds: store.feeds_to_publish().await? });
        }
        let mut feeds = Vec::new();
        for name in names {
            let found = store.feed(name).await?;
            feeds.push(found.ok_or_else(|| FindError::Unknown(name.clone()))?);
        }
        Ok(Self { feeds })
    }
}

/// Publishes one of them, also if somebody else is at it: who asks for it wants it now.
///
/// # Errors
/// Why it was not published; its last edition stays.
pub async fn publish(
    services: &Services,
    feed: &Feed,
    rebuild: bool,
    progress: &Progress,
) -> Result<Outcome, PublishError> {
    let request = Request { feed, rebuild, heeds_claims: false };
    csv_publish::publish(services, request, progress).await
}
