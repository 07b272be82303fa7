//! Straight to the tables of a stack: for the very first key, and where the service does not
//! answer.

use std::env;
use std::time::Duration;

use shared::audit::Actor;
use shared::clock::Clock;
use shared::services::{Services, Settings};
use shared::store::Names;

use super::aws::{Aws, CREDENTIALS_HINT};
use super::{Api, Fault};

/// Which tables.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// The stack they belong to.
    pub stack: Option<String>,
    /// The table of objects.
    pub objects: Option<String>,
    /// The table of collections.
    pub collections: Option<String>,
    /// The table of keys.
    pub access: Option<String>,
    /// The table of notifications.
    pub notifications: Option<String>,
    /// The bucket.
    pub bucket: Option<String>,
}

/// The management API over tables, with the environment's AWS credentials.
///
/// # Errors
/// When the tables are not named, or there are no credentials.
pub async fn api(tables: &Tables) -> Result<Api, Fault> {
    let tables = found(tables).await?;
    let named = |name: Option<String>, option: &str| {
        let missing = || {
            Fault::new(format!("--direct needs to know the tables: {option} is not given"))
                .hint("name the stack instead: --stack iocast")
        };
        name.ok_or_else(missing)
    };
    let settings = Settings {
        names: Names {
            objects: named(tables.objects, "--objects-table")?,
            collections: named(tables.collections, "--collections-table")?,
            access: named(tables.access, "--access-table")?,
            notifications: named(tables.notifications, "--notifications-table")?,
            bucket: named(tables.bucket, "--bucket")?,
        },
        public_base_url: None,
        taxii_root: "intel".to_owned(),
        identity_name: "iocast".to_owned(),
        // Nothing that is managed names a submitter.
        source_key_secret: None,
        // As deployed functions remember them: what is made here must wait for theirs.
        definition_memory: Duration::from_secs(30),
        clock: Clock::default(),
    };
    let services = Services::on_aws(settings)
        .map_err(|error| Fault::new(error.to_string()).hint(CREDENTIALS_HINT))?;
    Ok(Api::direct(services, Actor::Direct { user: user() }))
}

/// The tables with those of the stack filled in.
async fn found(tables: &Tables) -> Result<Tables, Fault> {
    let Some(stack) = &tables.stack else { return Ok(tables.clone()) };
    let resources = Aws::from_env()?.stack(stack).await?;
    let table = |logical_id: &str| {
        let found = resources.iter().find(|resource| resource.logical_id == logical_id);
        found.map(|resource| resource.physical_id.clone())
    };
    Ok(Tables {
        stack: tables.stack.clone(),
        objects: tables.objects.clone().or_else(|| table("ObjectsTable")),
        collections: tables.collections.clone().or_else(|| table("CollectionsTable")),
        access: tables.access.clone().or_else(|| table("AccessTable")),
        notifications: tables.notifications.clone().or_else(|| table("NotificationsTable")),
        bucket: tables.bucket.clone().or_else(|| table("Bucket")),
    })
}

/// Who runs the command, as this machine knows it: for the audit.
fn user() -> String {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let user = set("USER").or_else(|| set("USERNAME")).unwrap_or_else(|| "somebody".to_owned());
    user.chars().filter(|c| !c.is_control()).take(80).collect()
}
