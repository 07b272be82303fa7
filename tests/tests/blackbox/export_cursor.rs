//! stix-export.md, `limit`, `cursor`, `since` and the answer's size.

use chrono::TimeDelta;
use serde_json::json;
use shared::access::Scope;
use shared::tlp::Tlp;
use tests::export::Export;
use tests::fixtures::{Object, SECOND, THIRD, indicator, indicators};
use tests::keys::KeySpec;
use tests::patience::until;
use tests::world::World;

fn ids(objects: &[Object]) -> Vec<String> {
    objects.iter().map(|object| object.id().to_owned()).collect()
}

/// Sends objects one after the other, waiting for each: then their order is known.
async fn send_in_order(world: &World, objects: &[Object]) {
    for object in objects {
        world.send(std::slice::from_ref(object)).await;
        world.at_rest().await;
    }
}

/// Indicators of all levels and of several types, newest last.
fn mixed(count: usize) -> Vec<Object> {
    let one = |number: usize| {
        let object = indicator().marked(Tlp::ALL[number % 3]);
        match number % 4 {
            0 => object.set("pattern", format!("[ipv4-addr:value = '192.0.2.{number}']")),
            1 => object.set(
                "pattern",
                format!("[url:value = 'http://example.com/{number}' OR ipv4-addr:value = '198.51.100.{number}']"),
            ),
            2 => object.set("pattern", format!("[file:name = '{number}.exe']")),
            _ => object,
        }
    };
    (0..count).map(one).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_any_size_hold_each_indicator_once_newest_first() {
    let world = World::of_operator().await;
    let objects = mixed(24);
    send_in_order(&world, &objects).await;
    let export = world.exporter(Tlp::Red).await;
    let mut expected = ids(&objects);
    expected.reverse();
    for limit in ["1", "5", "7", "24", "1000"] {
        let pages = export.pages(&[("limit", limit)]).await;
        let walked: Vec<String> =
            pages.iter().flat_map(tests::export::Bundle::indicators).collect();
        assert_eq!(walked, expected, "limit {limit}");
        let full = limit.parse::<usize>().unwrap();
        assert!(pages.iter().all(|page| (1..=full).contains(&page.indicators().len())));
    }
    // Those that name several of the types asked for come once, on whatever page.
    let several = "ipv4,url,domain";
    let of_type: Vec<String> =
        (0..24).rev().filter(|n| n % 4 != 2).map(|n| objects[n].id().to_owned()).collect();
    for limit in ["1", "4", "500"] {
        let pages = export.pages(&[("limit", limit), ("type", several)]).await;
        let walked: Vec<String> =
            pages.iter().flat_map(tests::export::Bundle::indicators).collect();
        assert_eq!(walked, of_type, "limit {limit}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_carries_what_was_asked_and_cannot_be_altered() {
    let world = World::of_operator().await;
    send_in_order(&world, &mixed(9)).await;
    let export = world.exporter(Tlp::Red).await;
    let query = [("limit", "2"), ("type", "ipv4"), ("tlp", "red"), ("format", "objects")];
    let first = export.request(&query).await;
    let next = first.header("x-next-cursor").unwrap().to_owned();
    let second = export.get(&[("cursor", &next), ("limit", "1"), ("type", "md5")]).await;
    assert_eq!(second.indicators().len(), 1);
    let marking = &second.of_type("indicator")[0]["object_marking_refs"];
    assert_eq!(*marking, json!([Tlp::Red.marking_id()]));
    assert!(export.request(&[("cursor", &next)]).await.text().starts_with('['));
    // Twice, by another key: what that may see.
    let clear = world.exporter(Tlp::Clear).await;
    for object in clear.get(&[("cursor", &next)]).await.of_type("indicator") {
        assert!(object["pattern"].as_str().unwrap().contains("ipv4"));
    }
    for bad in ["", "x", &next[1..], &format!("{next}A")] {
        let error = export.request(&[("cursor", bad)]).await.expect(400).json();
        assert_eq!(error["error"]["details"]["parameter"], "cursor");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updated_ones_come_first_and_revoked_and_expired_ones_only_when_asked_for() {
    let world = World::of_operator().await;
    let objects = indicators(4);
    send_in_order(&world, &objects).await;
    let export = world.exporter(Tlp::Amber).await;
    let updated = objects[0].clone().at(SECOND);
    let revoked = objects[1].clone().at(SECOND).set("revoked", true);
    let expired = objects[2].clone().at(SECOND).set("valid_until", "2026-01-02T00:00:00.000Z");
    send_in_order(&world, &[updated.clone(), revoked.clone(), expired.clone()]).await;
    let active = export.get(&[]).await;
    assert_eq!(active.indicators(), [objects[0].id(), objects[3].id()]);
    assert_eq!(active.of_type("indicator")[0]["modified"], SECOND);
    let all = export.get(&[("include_revoked", "true")]).await;
    assert_eq!(
        all.indicators(),
        [objects[2].id(), objects[1].id(), objects[0].id(), objects[3].id()]
    );
    send_in_order(&world, &[objects[1].clone().at(THIRD)]).await;
    assert_eq!(export.get(&[("limit", "1")]).await.indicators(), [objects[1].id()]);
    assert_eq!(export.get(&[("include_revoked", "1")]).await.indicators().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn since_is_inclusive_and_goes_by_when_it_was_added_here() {
    let world = World::of_operator().await;
    let objects = indicators(3);
    send_in_order(&world, &objects).await;
    let export = world.exporter(Tlp::Amber).await;
    let log = shared::log::LogId::Indicators { level: Tlp::Amber, kind: None, active: true };
    let positions: Vec<String> =
        world.entries(log).await.iter().map(|seen| seen.entry.position.to_string()).collect();
    assert_eq!(positions.len(), 3);
    for (index, at) in positions.iter().enumerate() {
        let found = export.get(&[("since", at)]).await.indicators();
        assert_eq!(found.len(), 3 - index, "since {at}");
    }
    assert!(export.get(&[("since", "2999-01-01")]).await.indicators().is_empty());
    assert_eq!(export.get(&[("since", "2020-01-01")]).await.indicators().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_reaches_back_to_its_horizon_and_says_so() {
    let world = World::of_operator().await;
    world.send(&indicators(2)).await;
    world.at_rest().await;
    let pro = world.key(KeySpec::of("reader").with([Scope::ReadStix]).on("pro")).await;
    let pro = Export(world.http.with_key(&pro.text));
    let name = "x-lookback-clamped-to";
    let answer = pro.request(&[("since", "2020-01-01")]).await.expect(200);
    assert!(answer.header(name).unwrap().ends_with('Z'));
    assert_eq!(pro.request(&[("since", "2999-01-01")]).await.expect(200).header(name), None);
    assert_eq!(pro.get(&[]).await.indicators().len(), 2);
    world.later(TimeDelta::days(366));
    assert!(pro.get(&[]).await.indicators().is_empty());
    let enterprise = world.exporter(Tlp::Amber).await;
    let answer = enterprise.request(&[("since", "2020-01-01")]).await.expect(200);
    assert_eq!(answer.header(name), None);
    assert_eq!(enterprise.get(&[]).await.indicators().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_stays_below_six_megabytes_and_goes_on_by_cursor() {
    let world = World::of_operator().await;
    // Quotes take two bytes in what a function returns.
    let long = "\"'".repeat(60_000);
    let large: Vec<Object> =
        (0..40).map(|_| indicator().set("description", long.as_str())).collect();
    for part in large.chunks(20) {
        world.send(part).await;
    }
    world.at_rest().await;
    let export = world.exporter(Tlp::Amber).await;
    let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, None::<String>);
    loop {
        let mut query = vec![("limit", "1000"), ("include_observables", "true")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let answer = export.request(&query).await.expect(200);
        let encoded = json!({ "body": answer.text() }).to_string();
        assert!(encoded.len() < 6_000_000, "{} bytes", encoded.len());
        let bundle = tests::export::Bundle::of(&answer);
        seen.extend(bundle.indicators());
        pages += 1;
        cursor = bundle.next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(pages > 1, "40 indicators of 240 KB do not fit in one answer");
    seen.sort();
    let mut expected = ids(&large);
    expected.sort();
    assert_eq!(seen, expected);
    let wide: Vec<String> = (0..15_000).map(|n| format!("'2001:db8::{n:x}'")).collect();
    let wide = indicator().set("pattern", format!("[ipv6-addr:value IN ({})]", wide.join(",")));
    world.send(std::slice::from_ref(&wide)).await;
    until("the widest indicator comes", async || {
        let found = export.get(&[("limit", "1"), ("include_observables", "true")]).await;
        (found.indicators() == [wide.id()]).then_some(())
    })
    .await;
}
