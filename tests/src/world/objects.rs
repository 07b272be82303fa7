//! What a world holds: objects, files and packed logs, written as clients do and past them.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::Utc;
use serde_json::{Value, json};
use shared::access::Scope;
use shared::id::ObjectId;
use shared::log::{CollectionId, LogId, Reader, Seen};
use shared::time::Position;
use shared::tlp::Tlp;

use super::World;
use super::background::pending;
use crate::collection::{Collection, CollectionSpec};
use crate::export::Export;
use crate::fixtures::{Object, envelope};
use crate::keys::KeySpec;
use crate::packed_log;
use crate::patience::until;
use crate::taxii_reading::{Page, pages_by_next};

impl World {
    /// A collection of everything, holding `objects`.
    pub async fn holding(&self, objects: &[Object]) -> Collection {
        let collection = self.collection(CollectionSpec::everything()).await;
        self.load(&collection, objects).await;
        collection
    }

    /// Sends objects as `acme` and waits until all of them are in `collection`, and what was sent
    /// before them is where it belongs: objects overtake each other.
    pub async fn load(&self, collection: &Collection, objects: &[Object]) {
        for part in objects.chunks(250) {
            self.send(part).await;
        }
        self.settled(collection, objects).await;
        self.nothing_pending().await;
    }

    /// Sends objects to the ingest API as `acme`; none may be rejected. Returns the answer.
    pub async fn send(&self, objects: &[Object]) -> Value {
        let request = self.ingest().post("/api/v1/objects");
        let answer = request.body("application/json", envelope(objects)).await.expect(200).json();
        assert_eq!(answer["rejected"], 0, "{answer}");
        answer
    }

    /// Sends plain IOCs as `acme`; none may be rejected.
    pub async fn send_iocs(&self, lines: &str) {
        let request =
            self.ingest().post("/api/v1/iocs").body("application/x-ndjson", lines.to_owned());
        let answer = request.await.expect(200).json();
        assert_eq!(answer["rejected"], 0, "{answer}");
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
        self.nothing_pending().await;
    }

    async fn nothing_pending(&self) {
        let store = self.past_the_proxy().store().clone();
        until("nothing is pending", async || pending(&store).await.is_empty().then_some(())).await;
    }

    /// The export with a key that may do nothing else, cleared for a level.
    pub async fn exporter(&self, clearance: Tlp) -> Export {
        let spec = KeySpec::of("reader").with([Scope::ReadStix]).cleared(clearance);
        Export(self.http.with_key(&self.key(spec).await.text))
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

    /// Appends objects to a log past ingest, as [`World::append_packed`] does.
    pub async fn append_to(&self, log: LogId, objects: &[Object], per_commit: usize) {
        let services = self.past_the_proxy();
        packed_log::append(services.store(), log, objects, per_commit).await;
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

    /// Makes an object that was projected once look as if its projector had been killed before it
    /// settled the head.
    pub async fn unsettle(&self, id: &str) {
        let services = self.past_the_proxy();
        let head = services.store().head(&id.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((head.revision, head.projected, head.pending), (1, 1, None));
        let since = head.memberships.values().map(|membership| membership.position.micros());
        self.engine_client()
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

    /// Keys of the bucket that begin with `prefix`.
    pub async fn bucket_keys(&self, prefix: &str) -> Vec<String> {
        let client = self.bucket_client();
        let list = client.list_objects_v2().bucket(self.bucket_name()).prefix(prefix);
        let listed = list.send().await.unwrap();
        listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
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
        let client = self.bucket_client();
        let put = client.put_object().bucket(self.bucket_name()).key(key);
        put.body(content.into().into()).send().await.unwrap();
    }

    /// Waits for a file of the bucket and reads it as JSON.
    pub async fn json_file(&self, key: &str) -> Value {
        let client = self.bucket_client();
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
