//! A whole system of a test's own, in process, and the ways a test reaches it. The only file
//! that calls the product's own interface: everything else goes over HTTP or runs its binaries.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::Utc;
use local::engines::clients;
use local::serve::{Options, Running, Storage, start_between};
use serde_json::{Value, json};
use shared::access::{NewKey, TenantId};
use shared::collection::CollectionSettings;
use shared::compaction::{Compacted, compact_all};
use shared::id::ObjectId;
use shared::log::{CollectionId, LogId, Reader, Seen};
use shared::services::{Services, Settings};
use shared::store::{DefineCollectionError, Store};
use shared::time::Position;

use crate::client::Client;
use crate::collection::{Collection, CollectionSpec};
use crate::fixtures::{Object, envelope};
use crate::function::Function;
use crate::gateway_event;
use crate::keys::{Key, KeySpec, make_unlimited_plan};
use crate::metered::Metered;
use crate::packed_log;
use crate::patience::{DEADLINE, until};
use crate::taxii_reading::{Page, pages_by_next};
use crate::worse_days::Proxy;

/// A system of the test's own. It ends with the test.
pub struct World {
    running: Running,
    /// The service over HTTP, without a key.
    pub http: Client,
    /// The TAXII surface over the transport under test, without a key.
    pub taxii: Client,
    /// Between the functions and `DynamoDB`.
    proxy: Option<Proxy>,
    writer: String,
    reader: String,
}

impl World {
    /// An empty system, reached over HTTP, with the tenants `acme` (which writes) and `reader`.
    pub async fn http() -> Self {
        Self::start(false).await
    }

    /// As [`World::http`], with a proxy between the functions and `DynamoDB` that does nothing
    /// until it is told to.
    pub async fn on_worse_days() -> (Self, Proxy) {
        let mut proxy = None;
        let between = |engine| proxy.insert(Proxy::start(engine)).address();
        let world = Self::start_between(false, between).await;
        let proxy = proxy.expect("the functions' way to DynamoDB was asked for");
        (Self { proxy: Some(proxy.clone()), ..world }, proxy)
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
        Self::start_between(demo, std::convert::identity).await
    }

    async fn start_between(demo: bool, between: impl FnOnce(SocketAddr) -> SocketAddr) -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        let options = Options { listen, storage: Storage::InMemory, demo };
        let running = start_between(options, between).await.expect("the local service starts");
        let http = Client::http(&running.base_url);
        let mut world = Self {
            taxii: http.clone(),
            http,
            proxy: None,
            running,
            writer: String::new(),
            reader: String::new(),
        };
        make_unlimited_plan(world.running.services.store()).await;
        world.writer = world.key(KeySpec::of("acme")).await.text;
        world.reader = world.key(KeySpec::of("reader").read_only()).await.text;
        world
    }

    /// What the functions' binaries need to reach this system's engines, tables and bucket.
    pub fn function_environment(&self) -> Vec<(String, String)> {
        let names = &self.running.services.settings().names;
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        vec![
            set("AWS_ENDPOINT_URL_DYNAMODB", &format!("http://{}", self.dynamodb())),
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

    /// Where the functions reach `DynamoDB`.
    pub fn dynamodb(&self) -> SocketAddr {
        self.proxy.as_ref().map_or(self.running.dynamodb, Proxy::address)
    }

    /// What one more instance of the functions works with: the same tables by the same way, with
    /// memories of its own.
    pub fn another_instance(&self) -> Services {
        self.services_at(self.dynamodb())
    }

    /// What a witness works with: the same tables, but past the proxy.
    pub fn past_the_proxy(&self) -> Services {
        self.services_at(self.running.dynamodb)
    }

    /// An SDK client, set up as the functions' own, for the tables at an address.
    pub fn dynamodb_client(&self, address: SocketAddr) -> aws_sdk_dynamodb::Client {
        clients::dynamodb(address, &clients::http())
    }

    /// The name of the table of objects.
    pub fn objects_table(&self) -> &str {
        &self.running.services.settings().names.objects
    }

    fn services_at(&self, dynamodb: SocketAddr) -> Services {
        let http = clients::http();
        let settings = self.running.services.settings().clone();
        let s3 = clients::s3(self.running.s3, &http);
        Services::new(clients::dynamodb(dynamodb, &http), s3, settings)
    }

    /// What a collection's log says from its beginning on, read past the proxy.
    pub async fn log_of(&self, collection: &Collection) -> Vec<Seen> {
        self.entries(LogId::Collection(CollectionId(collection.id.parse().unwrap()))).await
    }

    /// What any log says from its beginning on, read past the proxy.
    pub async fn entries(&self, log: LogId) -> Vec<Seen> {
        let services = self.past_the_proxy();
        let reader = Reader::new(services.store(), log, Position::default(), None).await;
        let mut reader = reader.unwrap();
        let mut entries = Vec::new();
        while let Some(seen) = reader.next(1000).await.unwrap() {
            entries.push(seen);
        }
        entries
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
        let new = NewKey {
            tenant: self.tenant(&spec.tenant).await,
            name: "black-box".to_owned(),
            scopes: spec.scopes,
            plan: spec.plan.parse().unwrap(),
            clearance: spec.clearance,
            expires: spec.expires,
        };
        let key = self.running.services.store().create_key(new).await.unwrap();
        Key { text: key.reveal(), id: key.id().clone() }
    }

    /// Writes a plan's row.
    pub async fn plan(&self, name: &str, terms: Value) {
        let terms = serde_json::from_value(terms).unwrap();
        let store = self.running.services.store();
        store.put_plan(&name.parse().unwrap(), 0, &terms).await.unwrap();
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

    /// Changes a collection's definition: again, if a backfill that ended changed it meanwhile.
    pub async fn change(
        &self,
        collection: &Collection,
        change: impl FnOnce(CollectionSpec) -> CollectionSpec,
    ) -> Collection {
        let spec = change(collection.spec.clone());
        let settings: CollectionSettings = serde_json::from_value(spec.settings()).unwrap();
        until("the collection is changed", async || {
            let known = self.definition(collection).await;
            match self.running.services.change_collection(&known, settings.clone()).await {
                Ok(_) => Some(()),
                Err(DefineCollectionError::Changed) => None,
                Err(error) => panic!("not changed: {error}"),
            }
        })
        .await;
        Collection { id: collection.id.clone(), spec }
    }

    /// Settles an object as a projector does that does not know of a collection it stands in.
    pub async fn settle_ignorantly(&self, collection: &Collection, id: &str) {
        let store = self.running.services.store();
        let id: ObjectId = id.parse().unwrap();
        let log = LogId::Collection(CollectionId(collection.id.parse().unwrap()));
        until("the object is settled by who does not know", async || {
            store.reproject(&id, store.position_now()).await.unwrap();
            let heads = store.heads(std::slice::from_ref(&id), true).await.unwrap();
            let mut head = heads[&id].clone();
            head.memberships.remove(&log).expect("it stands there");
            store.settle(&head).await.unwrap().then_some(())
        })
        .await;
    }

    /// Waits until a collection holds what its definition says of what was stored before it.
    pub async fn rebuilt(&self, collection: &Collection) {
        until("the collection is rebuilt", async || {
            (!self.is_rebuilding(collection).await).then_some(())
        })
        .await;
    }

    /// Whether what is stored is still being re-evaluated for a collection.
    pub async fn is_rebuilding(&self, collection: &Collection) -> bool {
        self.definition(collection).await.rebuilding.is_some()
    }

    async fn definition(&self, collection: &Collection) -> shared::collection::Collection {
        let all = self.running.services.store().collections().await.unwrap();
        let named = all.into_iter().find(|one| one.id.to_string() == collection.id);
        named.expect("the collection exists")
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
    /// and no other waits any more, so what is not there by then does not come.
    pub async fn quiet(&self, collection: &Collection, witness: &Object) {
        self.send(std::slice::from_ref(witness)).await;
        let client = self.http.with_key(&self.writer);
        until("a witness reaches the collection", async || {
            let request = client.get(&collection.manifest()).query("match[id]", witness.id());
            (!Page::of(&request.await).items.is_empty()).then_some(())
        })
        .await;
        // Objects overtake each other: that one is there does not say that those before it are.
        let store = self.past_the_proxy().store().clone();
        until("nothing is pending", async || pending(&store).await.is_empty().then_some(())).await;
    }

    /// Waits until everything that was sent is in its logs.
    pub async fn at_rest(&self) {
        until("nothing is pending", async || self.is_at_rest().await.then_some(())).await;
    }

    /// TAXII by an instance of its own, which remembers definitions as long as a deployed one.
    pub fn metered(&self) -> Metered {
        let http = clients::http();
        let settings = Settings {
            definition_memory: Duration::from_secs(30),
            ..self.running.services.settings().clone()
        };
        let dynamodb = clients::dynamodb(self.dynamodb(), &http);
        let services = Services::new(dynamodb, clients::s3(self.running.s3, &http), settings);
        Metered::new(services, self.http.base_url(), &self.reader)
    }

    /// Write units the tables have charged so far.
    pub fn write_units(&self) -> f64 {
        self.running.services.store().units().write
    }

    /// Runs the function behind the schedule of expiry, in an instance of its own, at the present
    /// moment of the system's clock; returns its answer.
    pub async fn expire(&self) -> Value {
        let expire = local::functions::event(&self.another_instance(), "ExpireFunction").unwrap();
        expire(json!({"source": "aws.events", "detail": {}})).await.expect("expiry runs")
    }

    /// Runs it until nothing that is due waits for another projector.
    ///
    /// The stream brings what a run asks to be projected to a second one; a run that comes second
    /// leaves the object to the next run.
    pub async fn expire_all(&self) {
        until("nothing that is due waits for its projection", async || {
            let answer = self.expire().await;
            (answer["complete"] == true && answer["waiting"] == 0).then_some(())
        })
        .await;
    }

    /// Makes an object that was projected once look as if its projector had been killed before it
    /// settled the head.
    pub async fn unsettle(&self, id: &str) {
        let services = self.past_the_proxy();
        let head = services.store().head(&id.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((head.revision, head.projected, head.pending), (1, 1, None));
        let since = head.memberships.values().map(|membership| membership.position.micros());
        self.dynamodb_client(self.running.dynamodb)
            .update_item()
            .table_name(self.objects_table())
            .key("id", AttributeValue::S(id.to_owned()))
            .key("sk", AttributeValue::S("HEAD".to_owned()))
            .update_expression("SET pending = :since REMOVE mem, st, prj")
            .expression_attribute_values(
                ":since",
                AttributeValue::N(since.min().unwrap().to_string()),
            )
            .send()
            .await
            .unwrap();
    }

    /// Whether nothing waits: no object for its projection, no collection to be rebuilt. Asked
    /// past the proxy.
    pub async fn is_at_rest(&self) -> bool {
        let store = self.past_the_proxy().store().clone();
        store.jobs().await.unwrap().is_empty() && pending(&store).await.is_empty()
    }

    /// Events that were given up after three attempts.
    pub fn parked(&self) -> usize {
        self.running.parked.count()
    }

    /// Does what the sweep does for what the streams have lost, without waiting for its time.
    pub async fn sweep(&self) {
        let (services, store) = (&self.running.services, self.past_the_proxy().store().clone());
        let until = Instant::now() + DEADLINE;
        for job in store.jobs().await.unwrap() {
            shared::rescan::carry_on(services, job.kind, until).await.unwrap();
        }
        let ids = pending(&store).await;
        services.projector().project(services, &ids).await;
    }

    /// Changes a collection's definition to this one, as often as that fails.
    pub async fn change_to(&self, collection: &Collection, spec: &CollectionSpec) {
        let settings: CollectionSettings = serde_json::from_value(spec.settings()).unwrap();
        until("the collection is changed", async || {
            let all = self.past_the_proxy().store().collections().await.unwrap();
            let known = all.into_iter().find(|one| one.id.to_string() == collection.id).unwrap();
            if known.settings == settings {
                return Some(());
            }
            self.running.services.change_collection(&known, settings.clone()).await.ok().map(drop)
        })
        .await;
    }

    /// Compacts every log, in an instance of its own, as if `later` had passed. Logs that could not
    /// be compacted are among what it returns.
    ///
    /// # Errors
    /// Why none could be.
    pub async fn compact(&self, later: chrono::TimeDelta) -> Result<Compacted, String> {
        let now = Position::at_or_before(Utc::now() + later);
        let until = Instant::now() + DEADLINE;
        let done = compact_all(&self.another_instance(), now, until).await;
        done.map_err(|error| error.to_string())
    }

    /// Steps the system's clock to be this much ahead.
    pub fn later(&self, ahead: chrono::TimeDelta) {
        self.running.services.settings().clock.step(ahead);
    }

    /// Appends objects to a collection's log past ingest, `per_commit` of them together; returns
    /// the `date_added` of each. Only its pages know of them.
    pub async fn append_packed(
        &self,
        collection: &Collection,
        objects: &[Object],
        per_commit: usize,
    ) -> Vec<String> {
        let services = self.past_the_proxy();
        let log = LogId::Collection(CollectionId(collection.id.parse().unwrap()));
        let positions = packed_log::append(services.store(), log, objects, per_commit).await;
        positions.iter().map(ToString::to_string).collect()
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

/// The objects that wait for their projection.
async fn pending(store: &Store) -> Vec<ObjectId> {
    let now = store.position_now().next();
    let (mut ids, mut from) = (Vec::new(), None);
    loop {
        let scanned = store.scan_pending(from.as_ref(), now).await.unwrap();
        ids.extend(scanned.found);
        from = scanned.next;
        if from.is_none() {
            return ids;
        }
    }
}

fn text(entry: &Value, name: &str) -> String {
    entry[name].as_str().unwrap_or_default().to_owned()
}
