//! A whole service in this process, and the bare SDK beside it.

use aws_sdk_dynamodb::Client;
use chrono::TimeDelta;
use local::engines::clients;
use local::functions::{HttpHandler, http};
use local::serve::{Options, Running, Storage, start};
use serde_json::json;
use shared::collection::Collection;
use shared::services::Services;
use tests::patience::until;

/// A running service and what measures it.
pub struct System {
    running: Running,
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
        let sdk = clients::dynamodb(running.dynamodb, &clients::http());
        let taxii = http(&running.services, "TaxiiFunction").expect("there is a TAXII function");
        Self { running, sdk, taxii }
    }

    /// What the functions work with.
    pub fn services(&self) -> &Services {
        &self.running.services
    }

    /// Where it answers, without a final slash.
    pub fn base_url(&self) -> &str {
        &self.running.base_url
    }

    /// A key that reads.
    pub fn reader(&self) -> &str {
        &self.running.keys.reader
    }

    /// A key that writes to the collection `demo`, which takes everything.
    pub fn writer(&self) -> &str {
        &self.running.keys.writer
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
