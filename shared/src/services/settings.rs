//! How a deployment is set up.

use std::env;
use std::time::Duration;

use thiserror::Error;

use crate::clock::Clock;
use crate::store::Names;

/// Definitions are read again after this long, in a deployed function.
const DEFINITION_MEMORY: Duration = Duration::from_secs(30);

/// How a deployment is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Tables and bucket.
    pub names: Names,
    /// The URL clients reach the service by; absent: the forwarded scheme and host.
    pub public_base_url: Option<String>,
    /// The TAXII API root's path segment.
    pub taxii_root: String,
    /// The name of the identity under which the service publishes.
    pub identity_name: String,
    /// What submitters' ids are turned into source keys with; absent: a secret of the store's own.
    pub source_key_secret: Option<SourceKeySecret>,
    /// Definitions of collections are read again after this long.
    pub definition_memory: Duration,
    /// The clock.
    pub clock: Clock,
}

/// Key material, which no log shows.
#[derive(Clone)]
pub struct SourceKeySecret(pub String);

impl std::fmt::Debug for SourceKeySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SourceKeySecret(…)")
    }
}

/// Why the environment is not enough.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A variable is not set.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
}

impl Settings {
    /// As the function's environment says, see [`Settings::read`].
    ///
    /// # Errors
    /// Names the variable that is not set.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::read(|name| env::var(name).ok())
    }

    /// Reads `IOCAST_OBJECTS_TABLE`, `IOCAST_COLLECTIONS_TABLE`, `IOCAST_ACCESS_TABLE`,
    /// `IOCAST_NOTIFICATIONS_TABLE`, `IOCAST_BUCKET`, and, if set, `IOCAST_PUBLIC_BASE_URL`,
    /// `IOCAST_TAXII_ROOT` (default `intel`), `IOCAST_IDENTITY_NAME` (default `iocast`) and
    /// `IOCAST_SOURCE_KEY_SECRET`.
    ///
    /// # Errors
    /// Names the variable that is not set.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let required = |name| set(name).ok_or(SettingsError::Missing(name));
        Ok(Self {
            names: Names {
                objects: required("IOCAST_OBJECTS_TABLE")?,
                collections: required("IOCAST_COLLECTIONS_TABLE")?,
                access: required("IOCAST_ACCESS_TABLE")?,
                notifications: required("IOCAST_NOTIFICATIONS_TABLE")?,
                bucket: required("IOCAST_BUCKET")?,
            },
            public_base_url: set("IOCAST_PUBLIC_BASE_URL"),
            taxii_root: set("IOCAST_TAXII_ROOT").unwrap_or_else(|| "intel".to_owned()),
            identity_name: set("IOCAST_IDENTITY_NAME").unwrap_or_else(|| "iocast".to_owned()),
            source_key_secret: set("IOCAST_SOURCE_KEY_SECRET").map(SourceKeySecret),
            definition_memory: DEFINITION_MEMORY,
            clock: Clock::default(),
        })
    }
}
