//! Tenants, keys, plans and collections of a world.

use serde_json::Value;
use shared::access::{NewKey, TenantId};
use shared::collection::CollectionSettings;
use shared::store::DefineCollectionError;

use super::World;
use crate::client::Client;
use crate::collection::{Collection, CollectionSpec};
use crate::keys::{Key, KeySpec};
use crate::patience::until;

impl World {
    /// The tenant of that name, made if it is not there.
    pub(super) async fn tenant(&self, name: &str) -> TenantId {
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

    pub(super) async fn definition(
        &self,
        collection: &Collection,
    ) -> shared::collection::Collection {
        let all = self.running.services.store().collections().await.unwrap();
        let named = all.into_iter().find(|one| one.id.to_string() == collection.id);
        named.expect("the collection exists")
    }
}
