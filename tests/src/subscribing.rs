//! Subscriptions for tests: who subscribes to what, and what a tenant is told of.

use serde_json::Value;

use crate::client::Client;
use crate::fixtures::{Object, malware, relationship};
use crate::notifications::STREAM;
use crate::patience::until;
use crate::world::World;

/// A threat actor.
pub fn actor(name: &str) -> Object {
    Object::of(malware(name).json())
        .without("is_family")
        .set("type", "threat-actor")
        .set("id", crate::fixtures::fresh_id("threat-actor"))
}

/// `source` is attributed to `target`.
pub fn attributed(source: &Object, target: &Object) -> Object {
    relationship(source, target).set("relationship_type", "attributed-to")
}

/// Subscribes the client's tenant; returns the answer.
pub async fn subscribe(client: &Client, kind: &str, id: &str) -> Value {
    let answer = client.request("PUT", &format!("/api/v1/subscriptions/{kind}/{id}")).await;
    assert!(answer.status < 300, "{}", answer.text());
    answer.json()
}

/// What the client's tenant is told of, by entity id.
pub async fn told(client: &Client) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let request = client.get(STREAM).query("limit", "40").query("cursor", &cursor);
        let page = request.await.expect(200).json();
        let ids = page["data"].as_array().unwrap().iter();
        found.extend(ids.map(|object| object["id"].as_str().unwrap().to_owned()));
        match page["meta"]["cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    found.sort();
    found
}

/// Everything sent is projected and told.
pub async fn at_rest(world: &World) {
    until("nothing is pending", async || world.is_at_rest().await.then_some(())).await;
    world.notified().await;
}

/// What indicators name, as [`told`] says it.
pub fn names(indicators: &[Object]) -> Vec<String> {
    let mut names: Vec<String> =
        indicators.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Sends objects one by one, each projected before the next comes.
pub async fn one_by_one(w: &World, objects: &[&Object]) {
    for object in objects {
        w.send(std::slice::from_ref(*object)).await;
        at_rest(w).await;
    }
}
