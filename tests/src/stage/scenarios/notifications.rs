//! Notifications: told, read and deleted.

use chrono::TimeDelta;
use serde_json::json;
use shared::access::Scope;
use shared::store::{Cause, DeletionJob, Fed, FeedJob, FeedPlace, NotificationJob};
use shared::subscription::SubscriptionSource;
use shared::tlp::Tlp;

use super::{actor, attributed, everything, subscribe};
use crate::fixtures::{indicator, malware, relationship, tlp_marking};
use crate::notifications::{NOTIFICATIONS, STREAM, first_cause, made};
use crate::stage::{Ask, Stage, Step};

/// Notifications of `acme`, some of which are about an object.
async fn notified(stage: &mut Stage, scopes: &[Scope]) -> Vec<String> {
    stage.key("acme", scopes).await;
    let marking = tlp_marking("green");
    let known = indicator().set("object_marking_refs", json!([marking.id()]));
    stage.settle("operator", &[marking, known.clone()]).await;
    let first = first_cause();
    let mut all: Vec<_> = (0..12).map(|number| made("acme", first, number)).collect();
    all[5].object = Some(known.id().parse().unwrap());
    let tenant = "acme".parse().unwrap();
    stage.plain().store().load_notifications(&tenant, &all).await.unwrap();
    all.iter().map(|one| one.id.to_string()).collect()
}

pub(super) async fn list(stage: &mut Stage) -> Vec<Step> {
    notified(stage, &[Scope::ReadIocStream]).await;
    let get = |query: &str| Step::Ask(Ask::new("GET", format!("{STREAM}?{query}")));
    vec![
        get("limit=40"),
        get("limit=2"),
        get("limit=5&filter=tag:tag-1"),
        get("filter=entity_type:file%20tag:tag-4"),
    ]
}

pub(super) async fn get(stage: &mut Stage) -> Vec<Step> {
    let ids = notified(stage, &[Scope::ReadIocStream]).await;
    [&ids[0], &ids[5]].map(|id| Step::Ask(Ask::new("GET", format!("{NOTIFICATIONS}/{id}")))).into()
}

pub(super) async fn delete(stage: &mut Stage) -> Vec<Step> {
    let ids = notified(stage, &[Scope::ReadIocStream, Scope::DeleteIocStream]).await;
    let one = |id: &str| Step::Ask(Ask::new("DELETE", format!("{NOTIFICATIONS}/{id}")));
    let by_tag = || Step::Ask(Ask::new("DELETE", format!("{STREAM}?filter=tag:tag-1")));
    // The second is told that the first is under way.
    vec![one(&ids[0]), one(&ids[5]), by_tag(), by_tag()]
}

pub(super) async fn subscriptions(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::ReadIocStream]).await;
    let collection = stage.collection(everything("all")).await;
    let who = actor();
    stage.settle("operator", std::slice::from_ref(&who)).await;
    let path = "/api/v1/subscriptions";
    let collection = format!("{path}/collection/{}", collection.id);
    vec![
        Step::Ask(Ask::new("PUT", &collection)),
        Step::Ask(Ask::new("PUT", format!("{path}/threat_actor/{}", who.id()))),
        Step::Ask(Ask::new("GET", path)),
        Step::Ask(Ask::new("GET", &collection)),
        Step::Ask(Ask::new("DELETE", collection)),
    ]
}

pub(super) async fn notify_feed(stage: &mut Stage) -> Vec<Step> {
    let collection = stage.collection(everything("all")).await;
    let (one, family, who) = (indicator(), malware("a family"), actor());
    let joins = [relationship(&one, &family), attributed(&family, &who)];
    subscribe(stage, "collection", &collection.id.to_string()).await;
    subscribe(stage, "threat_actor", who.id()).await;
    let objects = [one, family, who, joins[0].clone(), joins[1].clone()];
    stage.settle("operator", &objects).await;
    vec![Step::Jobs("NOTIFY"), Step::Jobs("NOTIFY")]
}

pub(super) async fn notify_deletion(stage: &mut Stage) -> Vec<Step> {
    notified(stage, &[Scope::ReadIocStream, Scope::DeleteIocStream]).await;
    let request = Ask::new("DELETE", format!("{STREAM}?filter=tag:tag-1"));
    let services = stage.plain().clone();
    let asked = stage.ask("IocStreamDeleteFunction", &services, request).await;
    assert_eq!(asked.status, 200, "{asked:?}");
    // Only what was stored before the call is deleted.
    vec![Step::Jobs("NOTIFY"), Step::Jobs("NOTIFY")]
}

pub(super) async fn notify_due(stage: &mut Stage) -> Vec<Step> {
    let one = indicator();
    stage.settle("operator", std::slice::from_ref(&one)).await;
    let store = stage.plain().store().clone();
    let source =
        SubscriptionSource::parse("collection", &uuid::Uuid::new_v4().to_string()).unwrap();
    let (object, cause) = (one.id().parse().unwrap(), Cause::Came(store.position_now()));
    let fed = Fed { object, cause, ways: Vec::new() };
    let job = FeedJob::new(source, FeedPlace::Objects(vec![fed])).unwrap();
    assert!(store.add_notification_job(&NotificationJob::Feed(job)).await.unwrap());
    let deletion = NotificationJob::Deletion(DeletionJob {
        tenant: "acme".parse().unwrap(),
        filter: String::new(),
        called: store.position_now(),
        clearance: Tlp::Amber,
        reached: None,
    });
    assert!(store.add_notification_job(&deletion).await.unwrap());
    stage.later(TimeDelta::hours(5));
    vec![Step::Event(json!({"detail-type": "Scheduled Event"}))]
}
