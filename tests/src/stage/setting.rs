//! How a stage is set: keys, collections, objects, files.

use local::engines::clients;
use local::template::REGION;
use shared::access::{NewKey, Scope, TenantId};
use shared::collection::{Collection, CollectionSettings};
use shared::feed::Feed;
use shared::id::ObjectId;
use shared::ingestion::{Candidate, Outcome as Taken, Submission, submit};
use shared::tlp::Tlp;

use super::{Stage, bucket};
use crate::collection::CollectionSpec;
use crate::fixtures::Object;

impl Stage {
    /// From here on requests are made with a key of `tenant` that may do this.
    pub async fn key(&mut self, tenant: &str, scopes: &[Scope]) {
        let new = NewKey {
            tenant: tenant.parse().unwrap(),
            name: "stage".to_owned(),
            scopes: scopes.to_vec(),
            plan: "pro".parse().unwrap(),
            clearance: Tlp::Amber,
            expires: None,
        };
        self.key = self.plain.store().create_key(new).await.unwrap().reveal();
    }

    /// The text of that key.
    pub fn key_text(&self) -> &str {
        &self.key
    }

    /// What a function's binary needs to reach this stage's tables and bucket.
    pub fn environment(&self) -> Vec<(String, String)> {
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        vec![
            set("AWS_ENDPOINT_URL_DYNAMODB", &format!("http://{}", self.engine.address())),
            set("AWS_ENDPOINT_URL_S3", &format!("http://{}", bucket().s3.access().address)),
            set("AWS_REGION", REGION),
            set("AWS_ACCESS_KEY_ID", clients::ACCESS_KEY),
            set("AWS_SECRET_ACCESS_KEY", &bucket().s3.access().secret),
            set("IOCAST_OBJECTS_TABLE", &self.names.objects),
            set("IOCAST_COLLECTIONS_TABLE", &self.names.collections),
            set("IOCAST_ACCESS_TABLE", &self.names.access),
            set("IOCAST_NOTIFICATIONS_TABLE", &self.names.notifications),
            set("IOCAST_BUCKET", &self.names.bucket),
            set("IOCAST_SOURCE_KEY_SECRET", "secret"),
            set("RUST_LOG", "info"),
        ]
    }

    /// Makes a collection.
    pub async fn collection(&self, spec: CollectionSpec) -> Collection {
        let settings: CollectionSettings = serde_json::from_value(spec.settings()).unwrap();
        self.plain.create_collection(settings).await.unwrap()
    }

    /// Takes objects in, and leaves them pending.
    pub async fn take_in(&self, tenant: &str, objects: &[Object]) {
        let owner: TenantId = tenant.parse().unwrap();
        let submission = Submission { owner: &owner, clearance: Tlp::Red, into: None };
        let candidates = objects.iter().map(|o| Candidate::read(o.json().to_string().as_bytes()));
        let taken = submit(&self.plain, submission, candidates.collect()).await.unwrap();
        assert!(taken.iter().all(|one| matches!(one, Taken::Accepted(_))), "{taken:?}");
    }

    /// Takes objects in and projects them, one after the other.
    pub async fn settle(&self, tenant: &str, objects: &[Object]) {
        for object in objects {
            self.take_in(tenant, std::slice::from_ref(object)).await;
            self.pump().await;
        }
    }

    /// Takes objects in and projects all of them at once.
    pub(crate) async fn settle_together(&self, tenant: &str, objects: &[Object]) {
        self.take_in(tenant, objects).await;
        let ids: Vec<ObjectId> = objects.iter().map(|one| one.id().parse().unwrap()).collect();
        let failures = self.plain.projector().project(&self.plain, &ids).await;
        assert!(failures.0.is_empty(), "{failures:?}");
    }

    /// Publishes a feed past the front.
    pub(crate) async fn publish(&self, feed: &Feed) {
        let request = csv_publish::Request { feed, rebuild: false, heeds_claims: false };
        let progress = csv_publish::Progress::default();
        csv_publish::publish(&self.plain, request, &progress).await.unwrap();
    }

    /// The objects that wait for their projection.
    pub(crate) async fn pending(&self) -> Vec<ObjectId> {
        let now = self.plain.store().position_now().next();
        self.plain.store().scan_pending(None, now).await.unwrap().found
    }

    /// Puts a file into the bucket.
    pub async fn put_file(&self, key: &str, content: String) {
        let s3 = clients::s3(bucket().s3.access(), &clients::http());
        let put = s3.put_object().bucket(&self.names.bucket).key(key);
        put.body(content.into_bytes().into()).send().await.unwrap();
    }
}
