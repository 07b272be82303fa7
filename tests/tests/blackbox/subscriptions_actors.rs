//! Subscriptions to threat actors: by which ways who is told of what, and that an old way is not
//! told anew.

use shared::access::Scope;
use shared::tlp::Tlp;
use tests::client::Client;
use tests::collection::CollectionSpec;
use tests::fixtures::{
    Object, SECOND, THIRD, envelope, indicator, malware, relationship, tlp_marking,
};
use tests::keys::KeySpec;
use tests::notifications::all;
use tests::subscribing::{actor, at_rest, attributed, names, one_by_one, subscribe, told};
use tests::world::World;
use tests::worse_days::{Faults, Kind, Only};

const TENANT: &str = "acme";

/// Who writes, and a client that does.
async fn writer(w: &World, tenant: &str) -> Client {
    w.http.with_key(&w.key(KeySpec::of(tenant).write_only()).await.text)
}

/// Sends objects as somebody, one by one.
async fn send(w: &World, writer: &Client, objects: &[&Object]) {
    for object in objects {
        let body = envelope(std::slice::from_ref(*object));
        let request = writer.post("/api/v1/objects").body("application/json", body);
        let answer = request.await.expect(200).json();
        assert_eq!(answer["rejected"], 0, "{answer}");
        at_rest(w).await;
    }
}

/// The same object under the first, or last, id of its type.
fn numbered(object: Object, digit: char) -> Object {
    let kind = object["type"].as_str().unwrap().to_owned();
    let uuid = "xxxxxxxx-xxxx-4xxx-axxx-xxxxxxxxxxxx".replace('x', &digit.to_string());
    object.set("id", format!("{kind}--{uuid}"))
}

async fn reader(w: &World, tenant: &str, clearance: Tlp) -> Client {
    let spec = KeySpec::of(tenant).with([Scope::ReadIocStream]).cleared(clearance);
    w.http.with_key(&w.key(spec).await.text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_belongs_to_another_tenant_neither_tells_nor_hides() {
    let w = World::http().await;
    let (operator, other) = (writer(&w, "operator").await, writer(&w, "other").await);
    let (acme, others) = (w.stream_client(TENANT).await, w.stream_client("other").await);
    let (group, family) = (actor("Example Group"), malware("Example Family"));
    send(&w, &operator, &[&group, &family]).await;
    subscribe(&acme, "threat_actor", group.id()).await;
    subscribe(&others, "threat_actor", group.id()).await;
    // Of two relationships on the same way, the other tenant's is found first.
    send(&w, &other, &[&numbered(attributed(&family, &group), '0')]).await;
    let only_theirs = indicator();
    send(&w, &operator, &[&only_theirs, &relationship(&only_theirs, &family)]).await;
    assert!(told(&acme).await.is_empty());
    assert_eq!(told(&others).await, names(std::slice::from_ref(&only_theirs)));
    // Becoming attributed for all, it is told to all.
    send(&w, &operator, &[&attributed(&family, &group)]).await;
    assert_eq!(told(&acme).await, names(std::slice::from_ref(&only_theirs)));
    let both = indicator();
    send(&w, &operator, &[&relationship(&both, &family), &both]).await;
    let theirs_first = indicator();
    send(&w, &other, &[&numbered(relationship(&theirs_first, &family), '1')]).await;
    send(&w, &operator, &[&relationship(&theirs_first, &family), &theirs_first]).await;
    let all = [only_theirs, both, theirs_first];
    assert_eq!(told(&acme).await, names(&all));
    assert_eq!(told(&others).await, names(&all));
    // By a family of the other tenant, nobody else is told.
    let secret = malware("Secret Family");
    send(&w, &other, &[&secret]).await;
    let by_secret = indicator();
    let (first, second) = (relationship(&by_secret, &secret), attributed(&secret, &group));
    send(&w, &operator, &[&by_secret, &first, &second]).await;
    assert_eq!(told(&acme).await, names(&all));
    assert_eq!(told(&others).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_ways_the_one_that_most_may_see_counts() {
    let w = World::http().await;
    let (amber, red) = (w.stream_client(TENANT).await, reader(&w, TENANT, Tlp::Red).await);
    let (group, family) = (actor("Example Group"), malware("Example Family"));
    one_by_one(&w, &[&group, &family]).await;
    subscribe(&amber, "threat_actor", group.id()).await;
    let hidden = numbered(attributed(&family, &group), '0').marked(Tlp::Red);
    let seen = attributed(&family, &group);
    one_by_one(&w, &[&hidden, &seen]).await;
    let one = indicator();
    one_by_one(&w, &[&one, &relationship(&one, &family)]).await;
    assert_eq!(told(&amber).await, names(std::slice::from_ref(&one)));
    // Two relationships of its own, there before it comes.
    let two = indicator();
    let hidden = numbered(relationship(&two, &group), '0').marked(Tlp::Red);
    one_by_one(&w, &[&hidden, &relationship(&two, &group), &two]).await;
    assert_eq!(told(&amber).await, names(&[one.clone(), two.clone()]));
    // Told to some by the first way, to all once there is one that all may see; each has it once.
    let late = indicator();
    let hidden = relationship(&late, &group).marked(Tlp::Red);
    one_by_one(&w, &[&late, &hidden]).await;
    assert_eq!(told(&amber).await.len(), 2);
    assert_eq!(told(&red).await, names(&[one.clone(), two.clone(), late.clone()]));
    let before = all(&red, &[]).await;
    one_by_one(&w, &[&relationship(&late, &group)]).await;
    let seen = names(&[one.clone(), two.clone(), late.clone()]);
    assert_eq!((told(&amber).await, told(&red).await), (seen.clone(), seen.clone()));
    assert!(all(&amber, &[]).await[0] > before[0], "it stands where it is new");
    for filter in [format!("entity_id:{}", late["name"].as_str().unwrap()), "date:1d+".into()] {
        let found = all(&red, &[("filter", &filter)]).await;
        assert_eq!(found[0], all(&amber, &[]).await[0], "{filter}");
        assert_eq!(found.len(), if filter.starts_with("date") { 3 } else { 1 });
    }
    // By a family that only some may see, they alone are told.
    let secret = malware("Secret Family").marked(Tlp::Red);
    let three = indicator();
    let way = [&secret, &relationship(&three, &secret), &attributed(&secret, &group), &three];
    one_by_one(&w, &way).await;
    assert_eq!(told(&amber).await, seen);
    assert_eq!(told(&red).await, names(&[one, two, late, three]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_related_before_is_told_to_nobody_who_comes_later() {
    let w = World::http().await;
    let client = w.stream_client(TENANT).await;
    let (group, family) = (actor("Example Group"), malware("Example Family"));
    let direct = indicator();
    let marking = tlp_marking("amber");
    let through = indicator().set("object_marking_refs", serde_json::json!([marking.id()]));
    let leading = relationship(&direct, &group);
    let first = relationship(&through, &family)
        .set("object_marking_refs", serde_json::json!([marking.id()]));
    let second = attributed(&family, &group);
    one_by_one(&w, &[&group, &family, &direct, &through, &leading, &first, &second]).await;
    subscribe(&client, "threat_actor", group.id()).await;
    // Their marking becomes known, newer versions come, collections take them.
    one_by_one(&w, &[&marking]).await;
    let newer = |object: &Object| object.clone().at(SECOND).set("description", "again");
    let again: Vec<Object> =
        [&direct, &through, &leading, &first, &second, &family, &group].map(newer).into();
    one_by_one(&w, &again.iter().collect::<Vec<_>>()).await;
    let c = w.collection(CollectionSpec::everything()).await;
    w.rebuilt(&c).await;
    at_rest(&w).await;
    assert!(told(&client).await.is_empty());
    // An indicator that is in no log has versions too.
    let unseen = indicator().set("object_marking_refs", serde_json::json!([tlp_marking("x").id()]));
    one_by_one(&w, &[&unseen, &unseen.clone().at(SECOND).set("description", "again")]).await;
    assert!(told(&client).await.is_empty());
    let fresh = indicator();
    one_by_one(&w, &[&fresh, &relationship(&fresh, &family)]).await;
    assert_eq!(told(&client).await, names(std::slice::from_ref(&fresh)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_that_is_no_more_tells_nothing() {
    let w = World::http().await;
    let client = w.stream_client(TENANT).await;
    let (group, other) = (actor("Example Group"), actor("Other Group"));
    let families: Vec<Object> = (0..3).map(|_| malware("Example Family")).collect();
    let attributions: Vec<Object> =
        families.iter().map(|family| attributed(family, &group)).collect();
    one_by_one(&w, &[&group, &other, &families[0], &families[1], &families[2]]).await;
    one_by_one(&w, &attributions.iter().collect::<Vec<_>>()).await;
    subscribe(&client, "threat_actor", group.id()).await;
    subscribe(&client, "threat_actor", other.id()).await;
    // Revoked, deleted, and its family deleted.
    one_by_one(&w, &[&attributions[0].clone().at(SECOND).set("revoked", true)]).await;
    for gone in [&attributions[1], &families[2]] {
        assert!(w.ingest().delete(&format!("/api/v1/objects/{}", gone.id())).await.status < 300);
        at_rest(&w).await;
    }
    let late: Vec<Object> = (0..3).map(|_| indicator()).collect();
    for (one, family) in late.iter().zip(&families) {
        one_by_one(&w, &[one, &relationship(one, family)]).await;
    }
    assert!(told(&client).await.is_empty());
    // Valid again, what it relates is told, and a way that leads elsewhere now leads there.
    one_by_one(&w, &[&attributions[0].clone().at(THIRD)]).await;
    assert_eq!(told(&client).await, names(&late[..1]));
    one_by_one(&w, &[&families[2].clone().at(SECOND)]).await;
    assert_eq!(told(&client).await, names(&[late[0].clone(), late[2].clone()]));
    assert_eq!(all(&client, &[]).await.len(), 2);
}

/// Deleted, or revoked, and there again before anybody projected that.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_comes_back_before_its_end_was_projected_is_told_as_new() {
    let (w, proxy) = World::on_worse_days().await;
    let client = w.stream_client(TENANT).await;
    let group = actor("Example Group");
    one_by_one(&w, &[&group]).await;
    let objects: Vec<Object> = (0..4).map(|_| indicator()).collect();
    let ways: Vec<Object> = objects.iter().map(|one| relationship(one, &group)).collect();
    w.send(&objects).await;
    w.send(&ways).await;
    at_rest(&w).await;
    subscribe(&client, "threat_actor", group.id()).await;
    let settling = Only::everything().operation("UpdateItem").table("objects").key("/HEAD");
    proxy.set(Faults::only(Kind::Throttled.always().on(settling)));
    for gone in [&objects[0], &ways[1]] {
        let path = format!("/api/v1/objects/{}", gone.id());
        assert!(w.ingest().delete(&path).await.status < 300);
    }
    w.send(&[ways[2].clone().at(SECOND).set("revoked", true)]).await;
    w.send(&[objects[0].clone().at(THIRD), ways[1].clone().at(THIRD)]).await;
    w.send(&[ways[2].clone().at(THIRD)]).await;
    // What was there all the time is not told, however quickly it changes.
    for version in [SECOND, THIRD] {
        w.send(&[objects[3].clone().at(version), ways[3].clone().at(version)]).await;
    }
    assert!(!w.is_at_rest().await, "nothing of it is settled");
    proxy.set(Faults::none());
    w.sweep().await;
    at_rest(&w).await;
    assert_eq!(told(&client).await, names(&objects[..3]));
}

/// More ways than are looked at at once, onward from what comes last.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_ways_onward_none_is_lost() {
    let w = World::http().await;
    let client = w.stream_client(TENANT).await;
    let (group, family) = (numbered(actor("Example Group"), 'f'), malware("Example Family"));
    let one = indicator();
    one_by_one(&w, &[&group, &one, &relationship(&one, &family)]).await;
    subscribe(&client, "threat_actor", group.id()).await;
    let ways: Vec<Object> = (0..220).map(|_| attributed(&family, &actor("Other Group"))).collect();
    w.send(&ways).await;
    w.send(&[attributed(&family, &group)]).await;
    at_rest(&w).await;
    assert!(told(&client).await.is_empty());
    one_by_one(&w, &[&family]).await;
    assert_eq!(told(&client).await, names(&[one]));
}

/// More ways than are looked at at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_ways_none_is_lost() {
    let w = World::http().await;
    let client = w.stream_client(TENANT).await;
    let (group, last) = (actor("Example Group"), numbered(malware("Last Family"), 'f'));
    one_by_one(&w, &[&group, &last, &attributed(&last, &group)]).await;
    subscribe(&client, "threat_actor", group.id()).await;
    let one = indicator();
    let ways: Vec<Object> =
        (0..520).map(|_| relationship(&one, &malware("Example Family"))).collect();
    for part in ways.chunks(250) {
        w.send(part).await;
    }
    w.send(&[relationship(&one, &last)]).await;
    at_rest(&w).await;
    one_by_one(&w, &[&one]).await;
    assert_eq!(told(&client).await, names(&[one]));
}

/// However often it is begun, killed and done again, at the same time and in any order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_way_is_told_once_whatever_happens_on_the_way() {
    let (w, proxy) = World::on_worse_days().await;
    let (group, family) = (actor("Example Group"), malware("Example Family"));
    one_by_one(&w, &[&group]).await;
    let acme = w.stream_client(TENANT).await;
    subscribe(&acme, "threat_actor", group.id()).await;
    let objects: Vec<Object> = (0..12).map(|_| indicator()).collect();
    let mut sent = vec![attributed(&family, &group), family.clone()];
    for (number, one) in objects.iter().enumerate() {
        let target = if number % 2 == 0 { &group } else { &family };
        let way = relationship(one, target);
        if number % 3 == 0 {
            sent.extend([way, one.clone()]);
        } else {
            sent.extend([one.clone(), way]);
        }
    }
    let tables = || Only::everything().table("notifications");
    let settling = Only::everything().operation("UpdateItem").table("objects");
    proxy.set(
        Faults::none()
            .with(Kind::Throttled.at(0.1).on(tables()))
            .with(Kind::LostAnswer.at(0.1).on(tables()))
            .with(Kind::LateWrite.at(0.02).on(tables()))
            .with(Kind::FailedWrite.at(0.1).on(tables()))
            // A projector that is killed before it settles.
            .with(Kind::LostWrite.at(0.5).on(settling)),
    );
    for part in sent.chunks(7) {
        w.send(part).await;
    }
    let mut ids: Vec<String> = sent.iter().map(|one| one.id().to_owned()).collect();
    for _ in 0..4 {
        ids.rotate_left(5);
        w.project_again(&ids).await;
        w.carry_on_notifications(std::time::Duration::from_millis(150)).await;
    }
    let again: Vec<Object> =
        sent.iter().map(|one| one.clone().at(SECOND).set("description", "again")).collect();
    w.send(&again).await;
    w.project_again(&ids).await;
    proxy.set(Faults::none());
    w.sweep().await;
    w.at_rest().await;
    w.finish_notifications().await;
    assert_eq!(told(&acme).await, names(&objects));
    assert_eq!(all(&acme, &[]).await.len(), objects.len());
}
