//! What objects go through, from where they come in to where they are compacted.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::{Value, json};
use shared::access::Scope;
use shared::audit::Actor;
use shared::log::LogId;

use super::{JSON, actor, attributed, everything, in_hours, remove, subscribe};
use crate::fixtures::{
    FIRST, Object, SECOND, THIRD, bundle, identity, indicator, indicators, malware, relationship,
    tlp_marking,
};
use crate::notifications::posted;
use crate::packed_log;
use crate::stage::{Ask, Stage, Step};

fn object_records(objects: &[Object]) -> Step {
    let records: Vec<Value> = objects
        .iter()
        .enumerate()
        .map(|(number, object)| {
            let keys = json!({"id": {"S": object.id()}, "sk": {"S": "HEAD"}});
            json!({"dynamodb": {"SequenceNumber": number.to_string(), "Keys": keys}})
        })
        .collect();
    Step::Event(json!({ "Records": records }))
}

pub(super) async fn ingest(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::WriteObjects, Scope::WriteNotifications]).await;
    stage.collection(everything("all")).await;
    let (known, author, marking) =
        (indicator().at(SECOND), identity("An author"), tlp_marking("amber"));
    stage.settle("acme", std::slice::from_ref(&known)).await;
    let marked = indicator().set("object_marking_refs", json!([marking.id()]));
    let family = malware("a family");
    let objects = [
        marking.clone(),
        author,
        marked.clone(),
        family.clone(),
        relationship(&marked, &family),
        known.clone().at(THIRD),
        known.at(FIRST),
    ];
    let notification = |id: &str| {
        posted("host.example.com", "ruleset", &["a"]).to_string().replacen(
            '{',
            &format!("{{\"id\":\"{id}\","),
            1,
        )
    };
    vec![
        Step::Ask(Ask::new("POST", "/api/v1/objects").body(JSON, bundle(&objects))),
        Step::Ask(
            Ask::new("POST", "/api/v1/objects?collection=all")
                .body(JSON, bundle(&[marked.clone().at(SECOND)])),
        ),
        Step::Ask(
            Ask::new("POST", "/api/v1/iocs").body(
                "application/x-ndjson",
                "{\"type\":\"domain\",\"value\":\"one.example.com\"}\n",
            ),
        ),
        Step::Ask(Ask::new("POST", "/api/v1/notifications").body(JSON, notification("n-1"))),
        Step::Ask(Ask::new("POST", "/api/v1/notifications").body(JSON, notification("n-1"))),
        Step::Ask(Ask::new("DELETE", format!("/api/v1/objects/{}", family.id()))),
    ]
}

pub(super) async fn drop_file(stage: &mut Stage) -> Vec<Step> {
    let (marking, known) = (tlp_marking("amber"), indicator().at(SECOND));
    stage.settle("operator", std::slice::from_ref(&known)).await;
    let marked = indicator().set("object_marking_refs", json!([marking.id()]));
    let objects =
        [marking, marked, identity("An author"), known.clone().at(THIRD), known.at(FIRST)];
    stage.put_file("inbox/a.json", bundle(&objects)).await;
    let event = |key: &str| Step::Event(json!({"Records": [{"s3": {"object": {"key": key}}}]}));
    vec![event("inbox/a.json"), event("inbox/a.json"), event("inbox/gone.json")]
}

pub(super) async fn project(stage: &mut Stage) -> Vec<Step> {
    let collection = stage.collection(everything("all")).await;
    let (one, family, who) = (indicator(), malware("a family"), actor());
    subscribe(stage, "collection", &collection.id.to_string()).await;
    subscribe(stage, "threat_actor", who.id()).await;
    let (old, older) = (attributed(&family, &who), indicator().at(SECOND));
    let marking = tlp_marking("amber");
    let before = [who, family.clone(), old.clone(), older.clone(), marking.clone()];
    stage.settle("operator", &before).await;
    remove(stage, "operator", &old).await;
    let one = one.set("valid_until", in_hours(5)).set("object_marking_refs", json!([marking.id()]));
    let new = [one.clone(), relationship(&one, &family), older.clone().at(THIRD), older.at(FIRST)];
    stage.take_in("operator", &new).await;
    let mut changed = new.to_vec();
    changed.push(old);
    vec![object_records(&changed)]
}

pub(super) async fn expire(stage: &mut Stage) -> Vec<Step> {
    let marking = tlp_marking("amber");
    let one = indicator().set("object_marking_refs", json!([marking.id()]));
    let objects = [marking, one.clone(), one.at(SECOND), indicator()];
    let expiring = |object: Object| object.set("valid_until", in_hours(1));
    let [marking, rest @ ..] = objects;
    stage.settle("operator", &[marking]).await;
    stage.settle("operator", &rest.map(expiring)).await;
    // What expires belongs into it, and no backfill has come yet.
    let collection = stage.collection(everything("all")).await;
    subscribe(stage, "collection", &collection.id.to_string()).await;
    stage.later(TimeDelta::hours(3));
    vec![Step::Event(json!({"source": "aws.events"}))]
}

/// What was there before a collection, which a backfill brings into it; a sweep; something pending.
pub(super) async fn rescan(stage: &mut Stage) -> Vec<Step> {
    let (one, family, who) = (indicator(), malware("a family"), actor());
    let (marking, gone) = (tlp_marking("amber"), attributed(&family, &who));
    let one = one.set("object_marking_refs", json!([marking.id()]));
    let joins = [relationship(&one, &family), attributed(&family, &who)];
    let before = [marking, one.clone(), family, who, joins[0].clone(), gone.clone()];
    stage.settle("operator", &before).await;
    stage.collection(everything("all")).await;
    remove(stage, "operator", &gone).await;
    stage.take_in("operator", &[indicator(), joins[1].clone(), one.at(SECOND)]).await;
    shared::rescan::start_sweep(stage.plain()).await.unwrap();
    stage.later(TimeDelta::minutes(5));
    vec![Step::Jobs("JOBS"), Step::Jobs("JOBS")]
}

pub(super) async fn retire(stage: &mut Stage) -> Vec<Step> {
    let collection = stage.collection(everything("all")).await;
    stage.settle("operator", &indicators(3)).await;
    stage.key("acme", &[Scope::ReadTaxii]).await;
    subscribe(stage, "collection", &collection.id.to_string()).await;
    let store = stage.plain().store().clone();
    let tenant = store.tenant(&"acme".parse().unwrap()).await.unwrap().unwrap();
    store.close_tenant(&Actor::System, &tenant).await.unwrap();
    let known = store.collections().await.unwrap().remove(0);
    stage.plain().delete_collection(&Actor::System, &known).await.unwrap();
    stage.later(TimeDelta::minutes(5));
    vec![Step::Jobs("JOBS")]
}

pub(super) async fn rescan_due(stage: &mut Stage) -> Vec<Step> {
    stage.settle("operator", &indicators(1)).await;
    stage.collection(everything("all")).await;
    stage.later(TimeDelta::hours(5));
    vec![Step::Event(json!({"detail-type": "Scheduled Event"}))]
}

pub(super) async fn compact(stage: &mut Stage) -> Vec<Step> {
    let collection = stage.collection(everything("all")).await;
    let log = LogId::Collection(collection.id);
    packed_log::append(stage.plain().store(), log, &indicators(300), 10).await;
    stage.later(TimeDelta::hours(2));
    // A first run notes where the log ends; what lies before that is rewritten by the next.
    let (services, until) = (stage.plain(), Instant::now() + Duration::from_mins(1));
    let now = services.store().position_now();
    shared::compaction::compact_all(services, now, until).await.unwrap();
    stage.later(TimeDelta::hours(4));
    vec![Step::Event(json!({"source": "aws.events"}))]
}
