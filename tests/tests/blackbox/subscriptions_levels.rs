//! What was told at a level that falls later: who may see it then does, and nobody is told twice.

use serde_json::json;
use shared::access::Scope;
use shared::tlp::Tlp;
use tests::client::Client;
use tests::collection::CollectionSpec;
use tests::fixtures::{Object, SECOND, THIRD, indicator, malware, relationship, tlp_marking};
use tests::keys::KeySpec;
use tests::notifications::{NOTIFICATIONS, all};
use tests::subscribing::{actor, at_rest, attributed, names, one_by_one, subscribe, told};
use tests::world::World;
use tests::worse_days::{Faults, Kind, Only};

const TENANT: &str = "acme";
const FOURTH: &str = "2026-05-18T08:30:00.000Z";
const FIFTH: &str = "2026-05-19T08:30:00.000Z";

async fn cleared(w: &World, tenant: &str, clearance: Tlp) -> Client {
    let scopes = [Scope::ReadTaxii, Scope::ReadIocStream, Scope::DeleteIocStream];
    let spec = KeySpec::of(tenant).with(scopes).cleared(clearance);
    w.http.with_key(&w.key(spec).await.text)
}

/// Clients of one tenant that see all, and that see up to amber.
async fn readers(w: &World) -> (Client, Client) {
    (cleared(w, TENANT, Tlp::Red).await, cleared(w, TENANT, Tlp::Amber).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_collection_told_is_seen_when_its_level_has_fallen() {
    let w = World::http().await;
    let (red, amber) = readers(&w).await;
    let c = w.collection(CollectionSpec::everything().ceiling(Tlp::Red)).await;
    subscribe(&red, "collection", &c.id).await;
    let marking = tlp_marking("green");
    let falls = indicator().marked(Tlp::Red).labelled("secret");
    let deleted = indicator().marked(Tlp::Red);
    let stays = indicator().marked(Tlp::Red);
    let unknown = indicator().set("object_marking_refs", json!([marking.id()]));
    let whole = [falls.clone(), deleted.clone(), stays.clone(), unknown.clone()];
    w.send(&whole).await;
    at_rest(&w).await;
    assert_eq!(told(&red).await, names(&whole));
    assert!(told(&amber).await.is_empty());
    let before = all(&red, &[]).await;
    let entity = deleted["name"].as_str().unwrap();
    let filter = format!("entity_id:{entity}");
    let one = all(&red, &[("filter", &filter)]).await.remove(0);
    assert_eq!(red.delete(&format!("{NOTIFICATIONS}/{one}")).await.status, 200);
    let late = cleared(&w, "late", Tlp::Red).await;
    subscribe(&late, "collection", &c.id).await;
    // By a newer version, to the lowest step by step; and as its marking becomes known.
    let falls = falls.labelled("known");
    one_by_one(&w, &[&falls.clone().at(SECOND).marked(Tlp::Amber)]).await;
    for (tag, count) in [("secret", 0), ("known", 1)] {
        let filter = format!("tag:{tag}");
        assert_eq!(all(&amber, &[("filter", &filter)]).await.len(), count, "{tag}");
    }
    assert_eq!(told(&amber).await, names(std::slice::from_ref(&falls)));
    one_by_one(&w, &[&falls.clone().at(THIRD).marked(Tlp::Clear)]).await;
    one_by_one(&w, &[&deleted.at(SECOND).marked(Tlp::Green), &marking]).await;
    let seen = names(&[falls.clone(), unknown]);
    assert_eq!(told(&amber).await, seen);
    let clear = cleared(&w, TENANT, Tlp::Clear).await;
    assert_eq!(told(&clear).await, names(std::slice::from_ref(&falls)));
    // Each is what it was, once, by whatever it is looked for, and can be deleted.
    let left: Vec<String> = before.into_iter().filter(|id| *id != one).collect();
    for filter in ["", "origin:subscriptions", "source_type:collection entity_type:domain"] {
        assert_eq!(all(&red, &[("filter", filter)]).await, left, "{filter}");
        assert_eq!(all(&amber, &[("filter", filter)]).await.len(), 2, "{filter}");
    }
    for id in all(&amber, &[]).await {
        assert!(left.contains(&id), "{id} is new");
        assert_eq!(amber.get(&format!("{NOTIFICATIONS}/{id}")).await.status, 200);
        assert_eq!(amber.delete(&format!("{NOTIFICATIONS}/{id}")).await.status, 200);
    }
    assert_eq!(told(&red).await, names(&[stays]));
    assert!(told(&late).await.is_empty(), "who came after it is not told");
}

/// Of two that name the same, each falls for itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_objects_name_is_at_the_level_of_the_lower() {
    let w = World::http().await;
    let (red, amber) = readers(&w).await;
    let c = w.collection(CollectionSpec::everything().ceiling(Tlp::Red)).await;
    subscribe(&red, "collection", &c.id).await;
    let first = indicator().marked(Tlp::Red);
    let second = indicator()
        .set("name", first["name"].clone())
        .set("pattern", first["pattern"].clone())
        .marked(Tlp::Red);
    one_by_one(&w, &[&first, &second]).await;
    assert_eq!(told(&red).await.len(), 1);
    one_by_one(&w, &[&second.at(SECOND).marked(Tlp::Amber)]).await;
    assert_eq!(told(&amber).await, names(std::slice::from_ref(&first)));
    assert_eq!(all(&red, &[]).await, all(&amber, &[]).await);
}

/// Every part of a way to an actor counts, but for the actor's own level when it was told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_actor_told_is_seen_when_no_part_of_the_way_lies_above() {
    let w = World::http().await;
    let (red, amber) = readers(&w).await;
    let group = actor("Example Group");
    one_by_one(&w, &[&group]).await;
    subscribe(&red, "threat_actor", group.id()).await;
    let mut seen = Vec::new();
    for hidden in 0..4 {
        let (family, object) = (malware("Example Family"), indicator());
        let way = [
            object.clone(),
            family.clone(),
            relationship(&object, &family),
            attributed(&family, &group),
        ];
        let parts = way
            .clone()
            .map(|part| if part.id() == way[hidden].id() { part.marked(Tlp::Red) } else { part });
        one_by_one(&w, &parts.iter().collect::<Vec<_>>()).await;
        assert_eq!(told(&amber).await, names(&seen), "part {hidden}");
        assert_eq!(told(&red).await.len(), seen.len() + 1);
        seen.push(object);
        one_by_one(&w, &[&way[hidden].clone().at(SECOND).marked(Tlp::Amber)]).await;
        assert_eq!(told(&amber).await, names(&seen), "part {hidden}");
    }
    assert_eq!(all(&red, &[]).await, all(&amber, &[]).await);
}

/// Killed, refused and done again at any point.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_falls_and_rises_on_worse_days_is_there_once() {
    let (w, proxy) = World::on_worse_days().await;
    let (red, amber) = readers(&w).await;
    let c = w.collection(CollectionSpec::everything().ceiling(Tlp::Red)).await;
    subscribe(&red, "collection", &c.id).await;
    let objects: Vec<Object> = (0..12).map(|_| indicator().marked(Tlp::Red)).collect();
    w.send(&objects).await;
    at_rest(&w).await;
    let before = all(&red, &[]).await;
    let tables = || Only::everything().table("notifications");
    let settling = Only::everything().operation("UpdateItem").table("objects");
    let faults = Faults::none()
        .with(Kind::Throttled.at(0.1).on(tables()))
        .with(Kind::LostAnswer.at(0.1).on(tables()))
        .with(Kind::FailedWrite.at(0.1).on(tables()))
        .with(Kind::LostWrite.at(0.5).on(settling));
    proxy.set(faults.clone());
    let lower = |level: Tlp, at: &str| -> Vec<Object> {
        objects.iter().map(|one| one.clone().at(at).marked(level)).collect()
    };
    w.send(&lower(Tlp::Amber, SECOND)).await;
    let ids: Vec<String> = objects.iter().map(|one| one.id().to_owned()).collect();
    w.project_again(&ids).await;
    w.carry_on_notifications(std::time::Duration::from_millis(150)).await;
    w.send(&lower(Tlp::Green, THIRD)).await;
    w.project_again(&ids).await;
    proxy.set(Faults::none());
    w.sweep().await;
    w.at_rest().await;
    w.finish_notifications().await;
    let green = cleared(&w, TENANT, Tlp::Green).await;
    for client in [&red, &amber, &green] {
        assert_eq!(all(client, &[]).await, before);
    }
    // Up again, and one step down: what overlaps ends at the present level.
    proxy.set(faults);
    w.send(&lower(Tlp::Red, FOURTH)).await;
    w.project_again(&ids).await;
    w.carry_on_notifications(std::time::Duration::from_millis(150)).await;
    w.send(&lower(Tlp::Amber, FIFTH)).await;
    w.project_again(&ids).await;
    proxy.set(Faults::none());
    w.sweep().await;
    w.at_rest().await;
    w.finish_notifications().await;
    assert!(all(&green, &[]).await.is_empty());
    assert_eq!(all(&red, &[]).await, before);
    assert_eq!(all(&amber, &[]).await, before);
}

/// What rose moves out of the way of those who may not see it, and comes back when it falls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_rises_is_passed_over_at_no_price_and_comes_back() {
    let w = World::http().await;
    let (red, amber) = readers(&w).await;
    let c = w.collection(CollectionSpec::everything().ceiling(Tlp::Amber)).await;
    subscribe(&red, "collection", &c.id).await;
    let objects: Vec<Object> = (0..60).map(|_| indicator().marked(Tlp::Green)).collect();
    w.send(&objects).await;
    at_rest(&w).await;
    let before = all(&amber, &[]).await;
    assert_eq!(before.len(), objects.len());
    // One level above the ceiling of the collection, which they leave by that, and one below it.
    let (amber_ones, red_ones) = objects.split_at(20);
    let raise = |objects: &[Object], level: Tlp, at: &str| -> Vec<Object> {
        objects.iter().map(|one| one.clone().at(at).marked(level)).collect()
    };
    w.send(&raise(red_ones, Tlp::Red, SECOND)).await;
    w.send(&raise(amber_ones, Tlp::Amber, SECOND)).await;
    at_rest(&w).await;
    assert_eq!(told(&amber).await, names(amber_ones));
    assert_eq!(all(&red, &[]).await, before, "who may see it has what it had");
    let green = cleared(&w, TENANT, Tlp::Green).await;
    let stream = w.metered("IocStreamListFunction", &green);
    assert!(told(&stream.client).await.is_empty());
    let before_it = stream.read_units();
    assert!(told(&stream.client).await.is_empty());
    let units = stream.read_units() - before_it;
    assert!(units <= 4.0, "{units} units to see nothing");
    w.send(&raise(&objects, Tlp::Clear, THIRD)).await;
    at_rest(&w).await;
    // What left and came back may stand where it came back, and is there once.
    assert_eq!(told(&green).await, names(&objects));
    assert_eq!(all(&red, &[]).await.len(), objects.len());
}

/// Whoever knows of it by a way that did not rise still sees it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_actor_told_is_hidden_when_every_way_or_the_actor_rose() {
    let w = World::http().await;
    let (red, amber) = readers(&w).await;
    let group = actor("Example Group");
    one_by_one(&w, &[&group]).await;
    subscribe(&red, "threat_actor", group.id()).await;
    let (object, one, other) = (indicator(), malware("One"), malware("Other"));
    let ways = [
        relationship(&object, &one),
        attributed(&one, &group),
        relationship(&object, &other),
        attributed(&other, &group),
    ];
    let parts: Vec<&Object> = [&object, &one, &other].into_iter().chain(&ways).collect();
    one_by_one(&w, &parts).await;
    let seen = names(std::slice::from_ref(&object));
    assert_eq!(told(&amber).await, seen);
    let before = all(&red, &[]).await;
    one_by_one(&w, &[&one.clone().at(SECOND).marked(Tlp::Red)]).await;
    assert_eq!(told(&amber).await, seen, "there is another way");
    one_by_one(&w, &[&ways[3].clone().at(SECOND).marked(Tlp::Red)]).await;
    assert!(told(&amber).await.is_empty(), "none is left");
    assert_eq!(all(&red, &[]).await, before);
    one_by_one(&w, &[&one.at(THIRD).marked(Tlp::Amber)]).await;
    assert_eq!(told(&amber).await, seen);
    one_by_one(&w, &[&group.clone().at(SECOND).marked(Tlp::Red)]).await;
    assert!(told(&amber).await.is_empty(), "its name is in what is told");
    assert_eq!(all(&red, &[]).await, before);
    one_by_one(&w, &[&group.at(THIRD).marked(Tlp::Amber)]).await;
    assert_eq!(all(&amber, &[]).await, before);
}
