//! What a new service needs before anybody can use it: a tenant, keys, collections, and something
//! to look at. What is there already is used as it is.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::access::{KeyText, NewKey, PlanNameError, Scope, TenantId, TenantIdError};
use shared::audit::Actor;
use shared::collection::CollectionSettings;
use shared::feed::{Feed, FeedSettings};
use shared::services::Services;
use shared::store::{DefineCollectionError, DefineFeedError, StoreError};
use shared::tlp::Tlp;
use thiserror::Error;

use crate::atomic_file;
use crate::http_client::{self, HttpClientError};

const TENANT: &str = "demo";
const PLAN: &str = "enterprise";
const COLLECTION: &str = "demo";
const FEED: &str = "demo";
const DEMONSTRATION: &str = include_str!("demonstration.json");
/// How long the demonstration objects may take to be readable.
const PATIENCE: Duration = Duration::from_secs(10);

/// The keys of a local service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// May everything, as the operator.
    pub admin: String,
    /// Reads and writes, as tenant `demo`.
    pub writer: String,
    /// Reads, as tenant `demo`, on plan enterprise.
    pub reader: String,
}

/// What a first start made, or a later one found.
#[derive(Debug, Clone)]
pub struct Made {
    /// The keys.
    pub keys: Keys,
    /// Id of the collection `demo`.
    pub demo_collection: String,
    /// The feed of the demonstration, if there is one.
    pub demo_feed: Option<&'static str>,
}

/// Why a service could not be made ready.
#[derive(Debug, Error)]
pub enum FirstStartError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A collection could not be made.
    #[error("collection {COLLECTION}: {0}")]
    Collection(#[from] DefineCollectionError),
    /// A feed could not be made.
    #[error("feed {FEED}: {0}")]
    Feed(#[from] DefineFeedError),
    /// A feed could not be published.
    #[error("feed {FEED}: {0}")]
    Publish(#[from] csv_publish::PublishError),
    /// What this program says of its collections is wrong.
    #[error("settings: {0}")]
    Settings(#[from] serde_json::Error),
    /// What this program says of its tenant is wrong.
    #[error(transparent)]
    Tenant(#[from] TenantIdError),
    /// What this program says of its keys' plan is wrong.
    #[error(transparent)]
    Plan(#[from] PlanNameError),
    /// The keys could not be kept.
    #[error("cannot keep the keys in {file}: {source}")]
    Keep {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The demonstration objects were not taken.
    #[error("the demonstration objects were not taken: {0}")]
    Demonstration(String),
    /// The service does not answer itself.
    #[error(transparent)]
    Http(#[from] HttpClientError),
}

#[derive(Serialize, Deserialize)]
struct Kept {
    admin_key: String,
    writer_key: String,
    reader_key: String,
    #[serde(default)]
    demonstration_loaded: bool,
}

/// Makes what is missing. With `demo`, the demonstration objects are sent once in a data folder's
/// life, and readable when this returns.
///
/// # Errors
/// When the store or the service itself refuses.
pub async fn prepare(
    services: &Services,
    keys_file: &Path,
    base_url: &str,
    demo: bool,
) -> Result<Made, FirstStartError> {
    let tenant: TenantId = TENANT.parse()?;
    services.store().create_tenant(&tenant).await?;
    let mut kept = match kept(services, keys_file).await? {
        Some(kept) => kept,
        None => make_keys(services, &tenant).await?,
    };
    keep(keys_file, &kept)?;
    let demo_collection = collections(services, &tenant).await?;
    if demo && !kept.demonstration_loaded {
        demonstrate(base_url, &kept, &demo_collection).await?;
        publish(services, &feed(services).await?).await?;
        kept.demonstration_loaded = true;
        keep(keys_file, &kept)?;
    }
    let keys = Keys { admin: kept.admin_key, writer: kept.writer_key, reader: kept.reader_key };
    let demo_feed = services.store().feed(FEED).await?.map(|_| FEED);
    Ok(Made { keys, demo_collection, demo_feed })
}

/// The keys of an earlier start, if the store knows every one of them.
async fn kept(services: &Services, file: &Path) -> Result<Option<Kept>, FirstStartError> {
    let read = std::fs::read(file).ok().and_then(|text| serde_json::from_slice::<Kept>(&text).ok());
    let Some(kept) = read else { return Ok(None) };
    for text in [&kept.admin_key, &kept.writer_key, &kept.reader_key] {
        let Ok(key) = text.parse::<KeyText>() else { return Ok(None) };
        let stored = services.store().key(key.id()).await?;
        if stored.is_none_or(|stored| !stored.digest.matches(&key.digest())) {
            return Ok(None);
        }
    }
    Ok(Some(kept))
}

fn keep(file: &Path, kept: &Kept) -> Result<(), FirstStartError> {
    let text = serde_json::to_vec_pretty(kept)?;
    atomic_file::write_private(file, &text)
        .map_err(|source| FirstStartError::Keep { file: file.to_owned(), source })
}

async fn make_keys(services: &Services, tenant: &TenantId) -> Result<Kept, FirstStartError> {
    use Scope::{
        DeleteIocStream, ReadCsv, ReadIocStream, ReadStix, ReadStream, ReadTaxii,
        WriteNotifications, WriteObjects,
    };
    let reads = [ReadTaxii, ReadStix, ReadStream, ReadCsv, ReadIocStream];
    let writes = [DeleteIocStream, WriteObjects, WriteNotifications];
    let make = async |name: &str,
                      tenant: TenantId,
                      scopes: Vec<Scope>,
                      clearance|
           -> Result<String, FirstStartError> {
        let key = NewKey {
            tenant,
            name: name.to_owned(),
            scopes,
            plan: PLAN.parse()?,
            clearance,
            expires: None,
        };
        Ok(services.store().create_key(key).await?.reveal())
    };
    Ok(Kept {
        admin_key: make("admin", TenantId::operator(), Scope::ALL.to_vec(), Tlp::Red).await?,
        writer_key: make("writer", tenant.clone(), [&reads[..], &writes].concat(), Tlp::Amber)
            .await?,
        reader_key: make("reader", tenant.clone(), reads.to_vec(), Tlp::Amber).await?,
        demonstration_loaded: false,
    })
}

/// The collections of a new service; returns the id of `demo`.
async fn collections(services: &Services, tenant: &TenantId) -> Result<String, FirstStartError> {
    let everything = json!({
        "title": "Demonstration",
        "description": "Everything up to TLP:AMBER; the writer key may write to it.",
        "alias": COLLECTION,
        "ceiling": Tlp::Amber,
        "writers": [tenant],
    });
    let detection = json!({
        "title": "Detection",
        "description": "Indicators with the label detection, up to TLP:AMBER.",
        "alias": "detection",
        "filter": { "mode": "and", "filters": [
            { "key": "entity_type", "values": ["Indicator"] },
            { "key": "label", "values": ["detection"] },
        ] },
        "ceiling": Tlp::Amber,
        "writers": [tenant],
    });
    let id = collection(services, everything).await?;
    collection(services, detection).await?;
    Ok(id)
}

async fn collection(services: &Services, settings: Value) -> Result<String, FirstStartError> {
    let settings: CollectionSettings = serde_json::from_value(settings)?;
    let alias = settings.alias.as_ref().map(ToString::to_string).unwrap_or_default();
    if let Some(found) = services.collection(&alias).await? {
        return Ok(found.collection.id.to_string());
    }
    Ok(services.create_collection(settings).await?.id.to_string())
}

/// The feed of the demonstration collection.
async fn feed(services: &Services) -> Result<Feed, FirstStartError> {
    if let Some(feed) = services.store().feed(FEED).await? {
        return Ok(feed);
    }
    let settings: FeedSettings = serde_json::from_value(json!({
        "name": "Demonstration",
        "alias": FEED,
        "collection": COLLECTION,
        "publish_every_minutes": 1,
        "formats": ["csv", "csv.gz", "txt", "json", "splunk", "sentinel"],
    }))?;
    Ok(services.store().create_feed(&Actor::System, settings).await?)
}

/// Publishes a feed now: nobody waits a minute for a first file.
async fn publish(services: &Services, feed: &Feed) -> Result<(), FirstStartError> {
    let request = csv_publish::Request { feed, rebuild: false, heeds_claims: false };
    // Boxed: the future is large, and callers hold it within theirs.
    Box::pin(csv_publish::publish(services, request, &csv_publish::Progress::default())).await?;
    Ok(())
}

/// Sends the demonstration objects as a client of the operator would, as the export has no others'
/// indicators, and waits until a client can read them.
async fn demonstrate(base_url: &str, keys: &Kept, collection: &str) -> Result<(), FirstStartError> {
    let failed = |reason: String| FirstStartError::Demonstration(reason);
    let client = http_client::to(base_url)?;
    let answer = client
        .post(format!("{base_url}/api/v1/objects"))
        .header("X-API-Key", &keys.admin_key)
        .header("Content-Type", "application/json")
        .body(DEMONSTRATION)
        .send()
        .await
        .map_err(|error| failed(error.to_string()))?;
    let status = answer.status();
    let answer = answer.text().await.map_err(|error| failed(error.to_string()))?;
    let document: Value = serde_json::from_str(&answer).unwrap_or_default();
    let (Some(results), true) =
        (document.get("results").and_then(Value::as_array), status.is_success())
    else {
        return Err(failed(format!("{status} {answer}")));
    };
    if let Some(refused) = results.iter().find(|result| result["outcome"] == "rejected") {
        return Err(failed(refused.to_string()));
    }
    let expected = results.len();
    let objects = format!("{base_url}/taxii2/intel/collections/{collection}/objects/?limit=1000");
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        let answer = client.get(&objects).header("X-API-Key", &keys.reader_key).send().await;
        let answer = answer.map_err(|error| failed(error.to_string()))?.bytes().await;
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        let page: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if page["objects"].as_array().is_some_and(|objects| objects.len() >= expected) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(failed(format!("they are not readable after {} s", PATIENCE.as_secs())))
}
