//! Subscriptions: who is told of what, and that each is told once, whatever happens on the way.

use serde_json::{Value, json};
use shared::access::Scope;
use shared::tlp::Tlp;
use tests::collection::CollectionSpec;
use tests::fixtures::{Object, SECOND, THIRD, indicator, malware, relationship};
use tests::keys::KeySpec;
use tests::notifications::{STREAM, all};
use tests::patience::until;
use tests::subscribing::{actor, at_rest, attributed, names, one_by_one, subscribe, told};
use tests::world::World;
use tests::worse_days::{Faults, Kind, Only};

const TENANT: &str = "acme";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_tells_of_what_enters_it_once() {
    let w = World::http().await;
    let client = w.stream_client(TENANT).await;
    let c = w.collection(CollectionSpec::labelled("hot")).await;
    let late = w.stream_client("late").await;
    let hot = |object: Object| object.labelled("hot");
    let before = hot(indicator());
    w.load(&c, std::slice::from_ref(&before)).await;
    let first = subscribe(&client, "collection", &c.id).await;
    assert_eq!(subscribe(&client, "collection", &c.id).await, first);
    let entering: Vec<Object> = (0..5).map(|_| hot(indicator())).collect();
    let cold = indicator();
    w.load(&c, &entering).await;
    w.send(std::slice::from_ref(&cold)).await;
    at_rest(&w).await;
    assert_eq!(told(&client).await, names(&entering));
    assert!(told(&late).await.is_empty());
    // What comes in by a newer version is told; what leaves and comes again is not told twice.
    let warmed = hot(cold.at(SECOND));
    w.send(std::slice::from_ref(&warmed)).await;
    w.send(&[entering[0].clone().labelled("cold").at(SECOND)]).await;
    at_rest(&w).await;
    w.send(&[entering[0].clone().at(THIRD)]).await;
    at_rest(&w).await;
    let mut expected = entering.clone();
    expected.push(warmed);
    assert_eq!(told(&client).await, names(&expected));
    let page = client.get(STREAM).query("filter", "source_type:collection tag:hot").await;
    let one = page.expect(200).json()["data"][0].clone();
    let source = &one["context_attributes"]["sources"][0];
    assert_eq!((&source["type"], &source["id"]), (&json!("collection"), &json!(c.id)));
    assert_eq!(source["label"], c.spec.title);
    // Those of a tenant that is not told any more stay.
    let path = format!("/api/v1/subscriptions/collection/{}", c.id);
    let listed = client.get("/api/v1/subscriptions").await.expect(200).json();
    assert_eq!(listed["subscriptions"], json!([first]));
    assert_eq!(client.delete(&path).await.status, 200);
    assert_eq!(client.delete(&path).await.status, 404);
    assert_eq!(client.get(&path).await.status, 404);
    w.send(&[hot(indicator())]).await;
    at_rest(&w).await;
    assert_eq!(told(&client).await, names(&expected));
}

/// A version that may not be told overtakes what is to be told of the one before it; and one that
/// may, comes before anybody projected that.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_does_not_belong_in_a_collection_any_more_is_not_told() {
    let (w, proxy) = World::on_worse_days().await;
    let red = KeySpec::of(TENANT).with([Scope::ReadIocStream]).cleared(Tlp::Red);
    let client = w.http.with_key(&w.key(red).await.text);
    let c = w.collection(CollectionSpec::labelled("hot")).await;
    w.rebuilt(&c).await;
    subscribe(&client, "collection", &c.id).await;
    let telling =
        || Kind::Throttled.always().on(Only::everything().operation("GetItem").key("NOTIFY/FEED"));
    let projecting = || {
        Kind::Throttled
            .always()
            .on(Only::everything().operation("PutItem").table("collections").key(&c.id))
    };
    let entering: Vec<Object> = (0..3).map(|_| indicator().labelled("hot")).collect();
    proxy.set(Faults::only(telling()));
    w.send(&entering).await;
    w.at_rest().await;
    proxy.set(Faults::none().with(telling()).with(projecting()));
    let secret = |object: &Object| {
        object.clone().at(SECOND).set("pattern", "[domain-name:value = 'secret.example.com']")
    };
    let overtaken = [secret(&entering[0]).labelled("cold"), secret(&entering[1]).marked(Tlp::Red)];
    w.send(&overtaken).await;
    proxy.set(Faults::only(projecting()));
    w.notified().await;
    assert_eq!(told(&client).await, names(&entering[2..]));
    w.send(&[entering[0].clone().at(THIRD)]).await;
    proxy.set(Faults::none());
    w.sweep().await;
    at_rest(&w).await;
    assert_eq!(told(&client).await, names(&[entering[0].clone(), entering[2].clone()]));
}

/// Whatever the instance that tells remembers of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_a_collection_now_is_told() {
    let (w, proxy) = World::on_worse_days().await;
    let client = w.stream_client(TENANT).await;
    let c = w.collection(CollectionSpec::everything()).await;
    let objects: Vec<Object> = (0..2).map(|_| indicator()).collect();
    w.load(&c, &objects).await;
    subscribe(&client, "collection", &c.id).await;
    let elsewhere = w.deployed_instance();
    // Nobody but the other instance tells.
    let jobs = Only::everything().operation("GetItem").key("NOTIFY/FEED");
    let held = Faults::only(Kind::Throttled.always().on(jobs));
    let readers = [Some(vec!["other".to_owned()]), None];
    for (object, readers) in objects.iter().zip(readers) {
        elsewhere.definitions().await.unwrap();
        proxy.set(held.clone());
        let told_to_all = readers.is_none();
        w.change(&c, |spec| CollectionSpec { readers, ..spec }).await;
        let job = w.feed(&c, std::slice::from_ref(object)).await;
        proxy.set(Faults::none());
        let until = std::time::Instant::now() + tests::patience::DEADLINE;
        shared::notification::feed::carry_on(&elsewhere, &job.name(), until).await.unwrap();
        w.notified().await;
        let expected = if told_to_all { std::slice::from_ref(object) } else { &[] };
        assert_eq!(told(&client).await, names(expected));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_tells_nobody() {
    let w = World::http().await;
    let client = w.stream_client(TENANT).await;
    let objects: Vec<Object> = (0..5).map(|_| indicator().labelled("later")).collect();
    w.holding(&objects).await;
    let c = w.collection(CollectionSpec::labelled("other")).await;
    w.rebuilt(&c).await;
    subscribe(&client, "collection", &c.id).await;
    let c = w
        .change(&c, |spec| CollectionSpec {
            filter: CollectionSpec::labelled("later").filter,
            ..spec
        })
        .await;
    w.rebuilt(&c).await;
    w.settled(&c, &objects).await;
    at_rest(&w).await;
    assert!(told(&client).await.is_empty());
    let live = indicator().labelled("later");
    w.load(&c, std::slice::from_ref(&live)).await;
    at_rest(&w).await;
    assert_eq!(told(&client).await, names(&[live]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_tells_of_what_becomes_related_by_any_path_in_any_order() {
    let w = World::http().await;
    let client = w.stream_client(TENANT).await;
    let group = actor("Example Group");
    let family = malware("Example Family");
    one_by_one(&w, &[&group, &family]).await;
    subscribe(&client, "threat_actor", group.id()).await;
    let made: Vec<Object> = (0..6).map(|_| indicator()).collect();
    // Directly: indicator first, relationship first.
    one_by_one(&w, &[&made[0], &relationship(&made[0], &group)]).await;
    one_by_one(&w, &[&relationship(&made[1], &group), &made[1]]).await;
    assert_eq!(told(&client).await, names(&made[..2]));
    // Through malware: what attributes it comes last, then comes before.
    one_by_one(&w, &[&made[2], &relationship(&made[2], &family)]).await;
    one_by_one(&w, &[&made[3], &relationship(&made[3], &family)]).await;
    assert_eq!(told(&client).await, names(&made[..2]));
    one_by_one(&w, &[&attributed(&family, &group)]).await;
    assert_eq!(told(&client).await, names(&made[..4]));
    one_by_one(&w, &[&made[4], &relationship(&made[4], &family)]).await;
    // A second path tells nothing new; other relationships tell nothing.
    one_by_one(&w, &[&attributed(&made[4], &group)]).await;
    let seen = relationship(&made[5], &group).set("relationship_type", "related-to");
    one_by_one(&w, &[&made[5], &seen]).await;
    assert_eq!(told(&client).await, names(&made[..5]));
    let page = client.get(STREAM).query("filter", &format!("source_id:{}", group.id())).await;
    let one = page.expect(200).json()["data"][0]["context_attributes"].clone();
    assert_eq!(one["sources"][0]["label"], "Example Group");
    assert!(one["tags"].as_array().unwrap().contains(&json!("Example Group")), "{one}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_learns_of_what_it_may_not_see() {
    let w = World::http().await;
    let acme = w.stream_client(TENANT).await;
    let other = w.stream_client("other").await;
    let spec =
        CollectionSpec { readers: Some(vec![TENANT.into()]), ..CollectionSpec::everything() };
    let c = w.collection(spec).await;
    let path = format!("/api/v1/subscriptions/collection/{}", c.id);
    assert_eq!(other.request("PUT", &path).await.status, 404);
    subscribe(&acme, "collection", &c.id).await;
    // `acme`'s actor is not there for another tenant.
    let group = actor("Example Group");
    one_by_one(&w, &[&group]).await;
    let path = format!("/api/v1/subscriptions/threat_actor/{}", group.id());
    assert_eq!(other.request("PUT", &path).await.status, 404);
    let bad = acme.request("PUT", "/api/v1/subscriptions/hunting_ruleset/x").await.expect(400);
    assert_eq!(bad.json()["error"]["code"], "invalid_subscription");
    // Raised after it was told of, it is seen no more.
    let amber = indicator();
    w.load(&c, std::slice::from_ref(&amber)).await;
    at_rest(&w).await;
    assert_eq!(told(&acme).await, names(std::slice::from_ref(&amber)));
    one_by_one(&w, &[&amber.at(SECOND).marked(Tlp::Red)]).await;
    assert!(told(&acme).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_is_told_once_whatever_happens_on_the_way() {
    let (w, proxy) = World::on_worse_days().await;
    let c = w.collection(CollectionSpec::labelled("hot")).await;
    w.rebuilt(&c).await;
    let mut clients = Vec::new();
    for number in 0..25 {
        let client = w.stream_client(&format!("tenant-{number}")).await;
        subscribe(&client, "collection", &c.id).await;
        clients.push(client);
    }
    let objects: Vec<Object> = (0..12).map(|_| indicator().labelled("hot")).collect();
    let tables = || Only::everything().table("notifications");
    let mut faults = Faults::none()
        .with(Kind::Throttled.at(0.1).on(tables()))
        .with(Kind::LostAnswer.at(0.1).on(tables()))
        .with(Kind::LateWrite.at(0.02).on(tables()))
        .with(Kind::FailedWrite.at(0.1).on(tables()));
    // A projector that is killed before it settles.
    faults = faults.with(
        Kind::LostWrite.at(0.5).on(Only::everything().operation("UpdateItem").table("objects")),
    );
    proxy.set(faults);
    w.send(&objects).await;
    let all_objects: Vec<String> = objects.iter().map(|one| one.id().to_owned()).collect();
    // Others do the same at the same time, again and again, and stop halfway.
    for _ in 0..4 {
        w.project_again(&all_objects).await;
        w.carry_on_notifications(std::time::Duration::from_millis(150)).await;
    }
    proxy.set(Faults::none());
    w.sweep().await;
    w.settled(&c, &objects).await;
    w.finish_notifications().await;
    for client in &clients {
        assert_eq!(told(client).await, names(&objects));
        assert_eq!(all(client, &[]).await.len(), objects.len());
    }
}

/// How far a feeding came is written down while writes fail, so it ends though they go on failing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_told_is_not_begun_anew_where_faults_go_on() {
    let (w, proxy) = World::on_worse_days().await;
    let client = w.stream_client(TENANT).await;
    let c = w.collection(CollectionSpec::labelled("hot")).await;
    let objects: Vec<Object> = (0..6).map(|_| indicator().labelled("hot")).collect();
    w.load(&c, &objects).await;
    subscribe(&client, "collection", &c.id).await;
    let puts = || Only::everything().operation("TransactWriteItems").table("notifications");
    proxy.set(Faults::only(Kind::Throttled.always().after(2).on(puts())));
    let job = w.feed(&c, &objects).await;
    let done = until("it is written down that two are told of", async || {
        w.objects_done(&job).await.filter(|done| *done > 0)
    })
    .await;
    assert_eq!(done, 2);
    proxy.set(Faults::only(Kind::Throttled.at(0.3).on(puts())));
    w.notified().await;
    proxy.set(Faults::none());
    assert_eq!(told(&client).await, names(&objects));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_tells_nobody_of_an_actors_indicators() {
    let w = World::http().await;
    let client = w.stream_client(TENANT).await;
    let group = actor("Example Group");
    let (known, fresh) = (indicator().labelled("later"), indicator().labelled("later"));
    one_by_one(&w, &[&group, &known, &relationship(&known, &group)]).await;
    subscribe(&client, "threat_actor", group.id()).await;
    let c = w.collection(CollectionSpec::labelled("later")).await;
    w.rebuilt(&c).await;
    w.settled(&c, std::slice::from_ref(&known)).await;
    at_rest(&w).await;
    assert!(told(&client).await.is_empty());
    one_by_one(&w, &[&fresh, &relationship(&fresh, &group)]).await;
    assert_eq!(told(&client).await, names(&[fresh]));
}

/// A notification names the actor, so it is seen by who may see the actor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_names_an_actor_has_its_level() {
    let w = World::http().await;
    let amber = w.stream_client(TENANT).await;
    let red = KeySpec::of(TENANT).with([Scope::ReadIocStream]).cleared(Tlp::Red);
    let red = w.http.with_key(&w.key(red).await.text);
    let group = actor("Example Group").marked(Tlp::Red);
    let object = indicator();
    one_by_one(&w, &[&group, &object]).await;
    let path = format!("/api/v1/subscriptions/threat_actor/{}", group.id());
    assert_eq!(amber.request("PUT", &path).await.status, 404);
    subscribe(&red, "threat_actor", group.id()).await;
    one_by_one(&w, &[&relationship(&object, &group)]).await;
    assert_eq!(told(&red).await, names(&[object]));
    assert!(told(&amber).await.is_empty());
}

/// The subscriptions of a tenant, as an operator sees them.
async fn managed(w: &World, tenant: &str) -> Vec<Value> {
    let admin = w.http.with_key(w.admin_key());
    let listed = admin.get("/api/v1/manage/subscriptions").query("tenant", tenant);
    listed.await.expect(200).json()["subscriptions"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_subscribes_again_is_kept_what_it_is_told_as_its_plan_says_now() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let first = subscribe(&w.stream_client(TENANT).await, "collection", &c.id).await;
    assert_eq!(managed(&w, TENANT).await[0]["retention_days"], 30);
    w.plan("short", json!({"scopes": ["read:ioc_stream"], "retention_days": 5})).await;
    let short = KeySpec::of(TENANT).with([Scope::ReadIocStream]).on("short");
    let short = w.http.with_key(&w.key(short).await.text);
    assert_eq!(subscribe(&short, "collection", &c.id).await, first);
    let managed = managed(&w, TENANT).await;
    assert_eq!((managed.len(), &managed[0]["retention_days"]), (1, &json!(5)), "{managed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_tenant_subscribes_to_nothing() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    for tenant in ["globex", "other"] {
        subscribe(&w.stream_client(tenant).await, "collection", &c.id).await;
    }
    w.close_tenant_and_die("globex").await;
    until("its subscriptions are gone", async || {
        managed(&w, "globex").await.is_empty().then_some(())
    })
    .await;
    until("the job is over", async || w.is_at_rest().await.then_some(())).await;
    assert_eq!(managed(&w, "other").await.len(), 1);
}
