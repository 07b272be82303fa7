//! Which service a command is meant for.

use std::path::PathBuf;

use clap::Args;
use local::DEFAULT_DATA;
use local::data_folder::announced;
use local::operate::direct::{self, Tables};
use local::operate::{Api, Fault};

/// Which service, and how the answer is printed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which service")]
pub struct Connection {
    /// The service's address [default: the service running here].
    #[arg(long, value_name = "URL", env = "IOCAST_URL", global = true, hide_env_values = true)]
    pub url: Option<String>,
    /// A key with the scope admin [default: the admin key of the service running here].
    #[arg(long, value_name = "KEY", env = "IOCAST_KEY", global = true, hide_env_values = true)]
    pub key: Option<String>,
    /// Data folder of the service running here.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA, global = true)]
    pub data: PathBuf,
    /// Work on the tables of a stack themselves, with the AWS credentials of the environment.
    #[arg(long, global = true, conflicts_with_all = ["url", "key"])]
    pub direct: bool,
    /// The stack: where its tables are looked up.
    #[arg(long, value_name = "NAME", env = "IOCAST_STACK", global = true, hide_env_values = true)]
    pub stack: Option<String>,
    /// With --direct, instead of --stack: the table of objects.
    #[arg(
        long,
        value_name = "TABLE",
        env = "IOCAST_OBJECTS_TABLE",
        global = true,
        hide_env_values = true,
        hide_short_help = true
    )]
    pub objects_table: Option<String>,
    /// With --direct, instead of --stack: the table of collections.
    #[arg(
        long,
        value_name = "TABLE",
        env = "IOCAST_COLLECTIONS_TABLE",
        global = true,
        hide_env_values = true,
        hide_short_help = true
    )]
    pub collections_table: Option<String>,
    /// With --direct, instead of --stack: the table of keys.
    #[arg(
        long,
        value_name = "TABLE",
        env = "IOCAST_ACCESS_TABLE",
        global = true,
        hide_env_values = true,
        hide_short_help = true
    )]
    pub access_table: Option<String>,
    /// With --direct, instead of --stack: the table of notifications.
    #[arg(
        long,
        value_name = "TABLE",
        env = "IOCAST_NOTIFICATIONS_TABLE",
        global = true,
        hide_env_values = true,
        hide_short_help = true
    )]
    pub notifications_table: Option<String>,
    /// With --direct, instead of --stack: the bucket.
    #[arg(
        long,
        value_name = "BUCKET",
        env = "IOCAST_BUCKET",
        global = true,
        hide_env_values = true,
        hide_short_help = true
    )]
    pub bucket: Option<String>,
    /// Print JSON, as the service answers it.
    #[arg(long, global = true)]
    pub json: bool,
}

impl Connection {
    /// The way to the management API.
    ///
    /// # Errors
    /// When neither options, environment nor data folder say where it is.
    pub async fn api(&self) -> Result<Api, Fault> {
        if self.direct {
            return direct::api(&self.tables()).await;
        }
        let found = announced(&self.data);
        let none = |what: &str, option: &str| {
            Fault::new(format!("no {what}: no service is running on {}", self.data.display()))
                .hint(format!("give {option}, or start a service with `iocast serve`"))
        };
        // A key that was found here is of the service that was found here.
        let found_key = if self.url.is_none() { found.admin_key } else { None };
        let url = self.url.clone().or(found.base_url);
        let url = url.ok_or_else(|| none("address", "--url or IOCAST_URL"))?;
        let key = self.key.clone().or(found_key).ok_or_else(|| {
            Fault::new(format!("no key for {url}"))
                .hint("give an admin key with --key or IOCAST_KEY")
        })?;
        Api::http(&url, &key)
    }

    fn tables(&self) -> Tables {
        Tables {
            stack: self.stack.clone(),
            objects: self.objects_table.clone(),
            collections: self.collections_table.clone(),
            access: self.access_table.clone(),
            notifications: self.notifications_table.clone(),
            bucket: self.bucket.clone(),
        }
    }
}
