//! A whole service in this process, and the bare SDK beside it.

use aws_sdk_dynamodb::Client;
use chrono::TimeDelta;
use local::engines::clients::{self, Endpoint};
use local::functions::{HttpHandler, http};
use local::serve::{Options, Running, Storage, start};
use serde_json::json;
use shared::access::{NewKey, Scope};
use shared::collection::Collection;
use shared::services::Services;
use shared::tlp::Tlp;
use tests::keys::{UNLIMITED, make_unlimited_plan};
use tests::patience::until;

/// A running service and what measures it.
pub struct System {
    running: Running,
    reader: String,
    writer: String,
    /// The bare SDK, with connections of its own.
    pub sdk: Client,
    /// The TAXII function's handler, as the local gateway calls it.
    pub taxii: HttpHandler,
}

impl System {
    /// Starts a service on a port of its own.
    pub async fn start(storage: Storage) -> Self {
        let listen = "127.0.0.1:0".parse().expect("an address");
        let options = Options { listen, storage, demo: false };
        let running = start(options).await.expect("the local service starts");
        let sdk = clients::dynamodb(&Endpoint::in_process(&running.dynamodb));
        let taxii = http(&running.services, "TaxiiFunction").expect("there is a TAXII function");
        make_unlimited_plan(running.services.store()).await;
        let mut system = Self { running, reader: String::new(), writer: String::new(), sdk, taxii };
        system.reader = system.key(UNLIMITED).await;
        system.writer = system.key(UNLIMITED).await;
        system
    }

    /// What the functions work with.
    pub fn services(&self) -> &Services {
        &self.running.services
    }

    /// A key of tenant `demo` on a plan of its own with this limit.
    pub async fn key_limited_to(&self, per_minute: Option<u32>) -> String {
        let Some(limit) = per_minute else { return self.key(UNLIMITED).await };
        let plan = format!("limited-to-{limit}");
        let terms = json!({"scopes": ["read:taxii"], "requests_per_minute": limit});
        let terms = serde_json::from_value(terms).expect("terms");
        let name = plan.parse().expect("a name");
        self.services().store().put_plan(&name, 0, &terms).await.expect("a plan");
        self.key(&plan).await
    }

    async fn key(&self, plan: &str) -> String {
        let key = NewKey {
            tenant: "demo".parse().expect("a tenant"),
            name: "benchmark".to_owned(),
            scopes: vec![Scope::ReadTaxii, Scope::ReadStix, Scope::WriteObjects],
            plan: plan.parse().expect("a plan's name"),
            clearance: Tlp::Amber,
            expires: None,
        };
        self.services().store().create_key(key).await.expect("a key").reveal()
    }

    /// Opens a collection to callers without a key.
    pub async fn make_public(&self, collection: &Collection) {
        let store = self.services().store();
        let all = store.collections().await.expect("collections");
        let known = all.into_iter().find(|one| one.id == collection.id).expect("the collection");
        let mut settings = known.settings.clone();
        settings.public = true;
        self.services().change_collection(&known, settings).await.expect("it is changed");
    }

    /// Where it answers, without a final slash.
    pub fn base_url(&self) -> &str {
        &self.running.base_url
    }

    /// A key that reads.
    pub fn reader(&self) -> &str {
        &self.reader
    }

    /// A key that writes to the collection `demo`, which takes everything.
    pub fn writer(&self) -> &str {
        &self.writer
    }

    /// The id of the collection `demo`.
    pub fn demo_collection(&self) -> &str {
        &self.running.demo_collection
    }

    /// A collection that nothing enters by itself.
    pub async fn empty_collection(&self, title: &str) -> Collection {
        let nothing = json!({ "mode": "and", "filterGroups": [], "filters": [
            { "key": "label", "values": ["nothing bears this label"], "operator": "eq", "mode": "or" },
        ] });
        let settings = json!({ "title": title, "ceiling": "amber", "filter": nothing });
        let settings = serde_json::from_value(settings).expect("settings");
        let made = self.services().create_collection(settings).await.expect("a collection");
        // What is stored already is looked through first, and there is nothing yet.
        until("the collection is rebuilt", async || {
            let all = self.services().store().collections().await.expect("collections");
            let now = all.into_iter().find(|one| one.id == made.id);
            now.filter(|one| one.rebuilding.is_none())
        })
        .await
    }

    /// Sets the service's clock so far ahead that readers take what is in the logs for settled.
    pub fn let_time_pass(&self) {
        self.services().settings().clock.step(TimeDelta::minutes(10));
    }

    /// Stops it; a temporary folder goes.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}
