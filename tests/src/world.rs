//! A whole system of a test's own, in process, and the ways a test reaches it. The only file
//! that calls the product's own interface: everything else goes over HTTP or runs its binaries.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use local::engines::clients;
use local::serve::{Options, Running, Storage, start};
use serde_json::{Value, json};
use shared::access::{KeyId, NewKey, Scope, TenantId};
use shared::collection::CollectionSettings;
use shared::tlp::Tlp;

use crate::client::Client;
use crate::collection::{Collection, CollectionSpec};
use crate::fixtures::{Object, envelope};
use crate::function::Function;
use crate::gateway_event;
use crate::patience::until;
use crate::taxii_reading::{Page, pages_by_next};

/// What a key shall be; [`KeySpec::of`] a tenant and change what matters.
#[derive(Debug, Clone)]
pub struct KeySpec {
    /// The tenant's name; made when it is not there.
    pub tenant: String,
    /// May read TAXII collections.
    pub reads: bool,
    /// May write objects.
    pub writes: bool,
    /// The highest level it sees.
    pub clearance: Tlp,
    /// When it ends, if ever.
    pub expires: Option<DateTime<Utc>>,
}

impl KeySpec {
    /// A key that may read and write, cleared for TLP:AMBER, for ever.
    pub fn of(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            reads: true,
            writes: true,
            clearance: Tlp::Amber,
            expires: None,
        }
    }

    /// The same, for reading only.
    #[must_use]
    pub fn read_only(self) -> Self {
        Self { writes: false, ..self }
    }

    /// The same, for writing only.
    #[must_use]
    pub fn write_only(self) -> Self {
        Self { reads: false, ..self }
    }

    /// The same with another clearance.
    #[must_use]
    pub fn cleared(self, clearance: Tlp) -> Self {
        Self { clearance, ..self }
    }
}

/// A key that exists.
pub struct Key {
    /// The text a client sends.
    pub text: String,
    id: KeyId,
}

/// A system of the test's own. It ends with the test.
pub struct World {
    running: Running,
    /// The service over HTTP, without a key.
    pub http: Client,
    /// The TAXII surface over the transport under test, without a key.
    pub taxii: Client,
    writer: String,
    reader: String,
}

impl World {
    /// An empty system, reached over HTTP, with the tenants `acme` (which writes) and `reader`.
    pub async fn http() -> Self {
        Self::start(false).await
    }

    /// As [`World::http`], but TAXII goes through the function's real binary.
    pub async fn lambda() -> Self {
        let mut world = Self::start(false).await;
        let environment = world.function_environment();
        let function = Arc::new(Function::start("taxii", &environment).await);
        let base_url = format!("https://{}", gateway_event::HOST);
        world.taxii = Client::function(function, &base_url);
        world
    }

    /// A system with the demonstration set.
    pub async fn with_demo() -> Self {
        Self::start(true).await
    }

    async fn start(demo: bool) -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        let options = Options { listen, storage: Storage::InMemory, demo };
        let running = start(options).await.expect("the local service starts");
        let http = Client::http(&running.base_url);
        let mut world = Self {
            taxii: http.clone(),
            http,
            running,
            writer: String::new(),
            reader: String::new(),
        };
        world.writer = world.key(KeySpec::of("acme")).await.text;
        world.reader = world.key(KeySpec::of("reader").read_only()).await.text;
        world
    }

    /// What the functions' binaries need to reach this system's engines, tables and bucket.
    pub fn function_environment(&self) -> Vec<(String, String)> {
        let names = &self.running.services.settings().names;
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        vec![
            set("AWS_ENDPOINT_URL_DYNAMODB", &format!("http://{}", self.running.dynamodb)),
            set("AWS_ENDPOINT_URL_S3", &format!("http://{}", self.running.s3)),
            set("AWS_ACCESS_KEY_ID", clients::ACCESS_KEY),
            set("AWS_SECRET_ACCESS_KEY", clients::SECRET_KEY),
            set("IOCAST_OBJECTS_TABLE", &names.objects),
            set("IOCAST_COLLECTIONS_TABLE", &names.collections),
            set("IOCAST_ACCESS_TABLE", &names.access),
            set("IOCAST_BUCKET", &names.bucket),
            set("RUST_LOG", "warn"),
        ]
    }

    /// TAXII with `acme`'s key, which reads and writes.
    pub fn writer(&self) -> Client {
        self.taxii.with_key(&self.writer)
    }

    /// TAXII with a key that only reads, cleared for TLP:AMBER.
    pub fn reader(&self) -> Client {
        self.taxii.with_key(&self.reader)
    }

    /// The ingest API with `acme`'s key.
    pub fn ingest(&self) -> Client {
        self.http.with_key(&self.writer)
    }

    /// The key the system made for its operator at its first start.
    pub fn admin_key(&self) -> &str {
        &self.running.keys.admin
    }

    /// The text of `acme`'s key.
    pub fn writer_key(&self) -> &str {
        &self.writer
    }

    /// The text of the key that only reads.
    pub fn reader_key(&self) -> &str {
        &self.reader
    }

    /// The tenant of that name, made if it is not there.
    async fn tenant(&self, name: &str) -> TenantId {
        let id: TenantId = name.parse().unwrap();
        self.running.services.store().create_tenant(&id).await.unwrap();
        id
    }

    /// Makes a key.
    pub async fn key(&self, spec: KeySpec) -> Key {
        let mut scopes = Vec::new();
        if spec.reads {
            scopes.push(Scope::ReadTaxii);
        }
        if spec.writes {
            scopes.push(Scope::WriteObjects);
        }
        let new = NewKey {
            tenant: self.tenant(&spec.tenant).await,
            name: "black-box".to_owned(),
            scopes,
            plan: "enterprise".into(),
            clearance: spec.clearance,
            expires: spec.expires,
        };
        let key = self.running.services.store().create_key(new).await.unwrap();
        Key { text: key.reveal(), id: key.id().clone() }
    }

    /// TAXII with a key made for the purpose.
    pub async fn client(&self, spec: KeySpec) -> Client {
        self.taxii.with_key(&self.key(spec).await.text)
    }

    /// Revokes a key.
    pub async fn revoke(&self, key: &Key) {
        self.running.services.store().revoke_key(&key.id).await.unwrap();
    }

    /// Makes a collection and waits until the transport under test knows it.
    pub async fn collection(&self, spec: CollectionSpec) -> Collection {
        self.try_collection(spec).await.unwrap_or_else(|error| panic!("no collection: {error}"))
    }

    /// Makes a collection, unless the operator is refused it.
    ///
    /// # Errors
    /// Why it is refused.
    pub async fn try_collection(&self, spec: CollectionSpec) -> Result<Collection, String> {
        for name in spec.writers.iter().chain(spec.readers.iter().flatten()) {
            self.tenant(name).await;
        }
        let settings: CollectionSettings =
            serde_json::from_value(spec.settings()).map_err(|error| error.to_string())?;
        let made = self.running.services.create_collection(settings).await;
        let id = made.map_err(|error| error.to_string())?.id.to_string();
        let collection = Collection { id, spec };
        let path = collection.path("");
        until("the collection is known", async || {
            (self.writer().get(&path).await.status != 404).then_some(())
        })
        .await;
        Ok(collection)
    }

    /// A collection of everything, holding `objects`.
    pub async fn holding(&self, objects: &[Object]) -> Collection {
        let collection = self.collection(CollectionSpec::everything()).await;
        self.load(&collection, objects).await;
        collection
    }

    /// Sends objects as `acme` and waits until all of them are in `collection`.
    pub async fn load(&self, collection: &Collection, objects: &[Object]) {
        for part in objects.chunks(250) {
            self.send(part).await;
        }
        self.settled(collection, objects).await;
    }

    /// Sends objects to the ingest API as `acme`; none may be rejected. Returns the answer.
    pub async fn send(&self, objects: &[Object]) -> Value {
        let request = self.ingest().post("/api/v1/objects");
        let answer = request.body("application/json", envelope(objects)).await.expect(200).json();
        assert_eq!(answer["rejected"], 0, "{answer}");
        answer
    }

    /// Waits until every one of `objects` is in the collection's manifest at its version.
    pub async fn settled(&self, collection: &Collection, objects: &[Object]) {
        let client = self.http.with_key(&self.writer);
        let query = [("limit", "1000"), ("match[version]", "all")];
        until("what was sent reaches the collection", async || {
            let pages = pages_by_next(&client, &collection.manifest(), &query).await;
            let seen: HashSet<(String, String)> = pages
                .iter()
                .flat_map(|page| &page.items)
                .map(|entry| (text(entry, "id"), text(entry, "version")))
                .collect();
            let all =
                objects.iter().all(|o| seen.contains(&(o.id().to_owned(), o.version().to_owned())));
            all.then_some(())
        })
        .await;
    }

    /// Waits until everything sent so far is projected: an object sent now is in the collection,
    /// and projection keeps order, so what is not there by then does not come.
    pub async fn quiet(&self, collection: &Collection, witness: &Object) {
        self.send(std::slice::from_ref(witness)).await;
        let client = self.http.with_key(&self.writer);
        until("a witness reaches the collection", async || {
            let request = client.get(&collection.manifest()).query("match[id]", witness.id());
            (!Page::of(&request.await).items.is_empty()).then_some(())
        })
        .await;
    }

    /// Read units the tables have charged so far.
    pub fn read_units(&self) -> f64 {
        self.running.services.store().units().read
    }

    /// Keeps the receipt of a POST that `acme` made `hours` ago; returns its id.
    pub async fn receipt_of(&self, hours: i64) -> String {
        let receipt = shared::store::Receipt {
            id: uuid::Uuid::new_v4(),
            tenant: "acme".parse().unwrap(),
            requested: Utc::now() - chrono::TimeDelta::hours(hours),
            accepted: Vec::new(),
            failures: Vec::new(),
            complete: true,
        };
        self.running.services.store().put_receipt(&receipt).await.unwrap();
        receipt.id.to_string()
    }

    /// The name of the bucket.
    pub fn bucket_name(&self) -> &str {
        &self.running.services.settings().names.bucket
    }

    /// The key of an object's head in the table of objects, as a stream's record spells it.
    pub fn object_key(&self, id: &str) -> Value {
        json!({"id": {"S": id}, "sk": {"S": "HEAD"}})
    }

    /// Puts a file into the bucket.
    pub async fn put_file(&self, key: &str, content: impl Into<Vec<u8>>) {
        let client = clients::s3(self.running.s3, &clients::http());
        let put = client.put_object().bucket(self.bucket_name()).key(key);
        put.body(content.into().into()).send().await.unwrap();
    }

    /// Waits for a file of the bucket and reads it as JSON.
    pub async fn json_file(&self, key: &str) -> Value {
        let client = clients::s3(self.running.s3, &clients::http());
        until(&format!("{key} is in the bucket"), async || {
            let get = client.get_object().bucket(self.bucket_name()).key(key);
            let content = get.send().await.ok()?.body.collect().await.unwrap().into_bytes();
            Some(serde_json::from_slice(&content).expect("the file is JSON"))
        })
        .await
    }
}

fn text(entry: &Value, name: &str) -> String {
    entry[name].as_str().unwrap_or_default().to_owned()
}
