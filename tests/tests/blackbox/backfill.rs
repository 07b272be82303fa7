//! ingest.md, Filters: a new or changed collection takes what is stored already, in the
//! background, exactly, whatever is written meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use shared::tlp::Tlp;
use tests::collection::{Collection, CollectionSpec};
use tests::fixtures::{Object, SECOND, envelope, indicator, indicators, malware, relationship};
use tests::keys::KeySpec;
use tests::patience::until;
use tests::taxii_reading::{Page, all_objects, pages_by_next};
use tests::world::World;

fn sorted(objects: impl IntoIterator<Item = Value>) -> BTreeMap<String, Value> {
    objects.into_iter().map(|o| (o["id"].as_str().unwrap().to_owned(), o)).collect()
}

fn by_id(objects: &[Object]) -> BTreeMap<String, Value> {
    sorted(objects.iter().map(Object::json))
}

async fn becomes(w: &World, collection: &Collection, expected: &BTreeMap<String, Value>) {
    until("the collection holds what its definition says", async || {
        (sorted(all_objects(&w.reader(), collection).await) == *expected).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_collection_takes_what_is_stored_already() {
    let w = World::http().await;
    let everything = w.collection(CollectionSpec::everything()).await;
    let mut objects: Vec<Object> =
        indicators(120).into_iter().map(|object| object.labelled("wanted")).collect();
    objects.extend(indicators(80).into_iter().map(|object| object.labelled("other")));
    let family = malware("Family");
    objects.push(relationship(&objects[0], &family));
    objects.push(family);
    w.load(&everything, &objects).await;
    let newer = objects[3].clone().at(SECOND);
    w.load(&everything, std::slice::from_ref(&newer)).await;
    objects[3] = newer;
    let wanted = w.collection(CollectionSpec::labelled("wanted")).await;
    becomes(&w, &wanted, &by_id(&objects[..120])).await;
    let all = w.collection(CollectionSpec::everything()).await;
    becomes(&w, &all, &by_id(&objects)).await;
    // Once each, in an order that can be resumed from.
    let pages = pages_by_next(&w.reader(), &all.manifest(), &[("limit", "50")]).await;
    let entries: Vec<Value> = pages.into_iter().flat_map(|page| page.items).collect();
    let added: Vec<&str> = entries.iter().map(|e| e["date_added"].as_str().unwrap()).collect();
    assert!(added.is_sorted_by(|a, b| a < b), "{added:?}");
    let mut first: BTreeMap<&str, &Value> = BTreeMap::new();
    for entry in &entries {
        let earlier = first.insert(entry["id"].as_str().unwrap(), entry);
        assert_eq!(earlier, None, "twice: {entry}");
    }
    assert_eq!(entries.len(), objects.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_filter_lets_go_and_takes_up_and_remembers_deletions() {
    let w = World::http().await;
    let red: Vec<Object> = indicators(40).into_iter().map(|o| o.labelled("red")).collect();
    let blue: Vec<Object> = indicators(40).into_iter().map(|o| o.labelled("blue")).collect();
    let c = w.collection(CollectionSpec::labelled("red")).await;
    w.load(&c, &red).await;
    w.send(&blue).await;
    let _ = w.writer().delete(&c.object(red[0].id())).await.expect(200);
    // Put there explicitly, whatever the filter says.
    let posted = indicator().labelled("posted");
    let post = w
        .writer()
        .post(&c.objects())
        .body(tests::client::TAXII, envelope(std::slice::from_ref(&posted)));
    let _ = post.await.expect(202);

    let blue_too = w
        .change(&c, |spec| CollectionSpec {
            filter: CollectionSpec::labelled("blue").filter,
            ..spec
        })
        .await;
    let mut expected = by_id(&blue);
    expected.extend(by_id(std::slice::from_ref(&posted)));
    becomes(&w, &blue_too, &expected).await;
    for gone in &red {
        let _ = w.reader().get(&c.object(gone.id())).await.expect(404);
    }

    let everything = w
        .change(&blue_too, |spec| CollectionSpec {
            filter: CollectionSpec::everything().filter,
            ..spec
        })
        .await;
    expected.extend(by_id(&red[1..]));
    becomes(&w, &everything, &expected).await;
    let _ = w.reader().get(&c.object(red[0].id())).await.expect(404);
}

/// Two projectors had the same revision when a definition was new: one knew it and appended, the
/// other did not and settled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_appended_by_a_new_definition_and_settled_by_an_old_one_is_there_once() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::labelled("even")).await;
    w.rebuilt(&c).await;
    let objects: Vec<Object> = indicators(4).into_iter().map(|o| o.labelled("even")).collect();
    w.load(&c, &objects).await;
    w.at_rest().await;
    for object in &objects[..3] {
        w.settle_ignorantly(&c, object.id()).await;
    }
    // One does not belong there any more, and the log must say so all the same.
    let left = objects[0].clone().at(SECOND).labelled("odd");
    w.send(std::slice::from_ref(&left)).await;
    w.at_rest().await;
    // Another definition that selects the same.
    let c = w
        .change(&c, |mut spec| {
            spec.filter["filters"][0]["values"] = json!(["even", "neither"]);
            spec
        })
        .await;
    w.rebuilt(&c).await;
    w.at_rest().await;
    let entries = Page::of(&w.reader().get(&c.manifest()).await).items;
    let mut ids: Vec<&str> = entries.iter().map(|e| e["id"].as_str().unwrap()).collect();
    let mut expected: Vec<&str> = objects[1..].iter().map(Object::id).collect();
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_is_exact_under_live_writes() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::labelled("even")).await;
    let before: Vec<Object> = indicators(200).into_iter().map(|o| o.labelled("even")).collect();
    w.send(&before).await;
    let ended = AtomicBool::new(false);
    let writers = futures::future::join_all((0..3).map(|writer| write_on(&w, writer, &ended)));
    let changes = async {
        let filter = CollectionSpec::labelled("odd").filter;
        let odd = w.change(&c, |spec| CollectionSpec { filter, ..spec }).await;
        let late = w.collection(CollectionSpec::labelled("odd")).await;
        for collection in [&odd, &late] {
            w.rebuilt(collection).await;
        }
        ended.store(true, Ordering::Relaxed);
        [odd, late]
    };
    let (sent, collections) = futures::join!(writers, changes);
    let sent = sent.into_iter().flatten();
    let expected: Vec<Object> = sent.filter(|object| object["labels"][0] == "odd").collect();
    assert!(!expected.is_empty());
    for collection in &collections {
        becomes(&w, collection, &by_id(&expected)).await;
    }
}

/// Writes every object twice, and every third changes sides; returns the last versions.
async fn write_on(w: &World, writer: usize, ended: &AtomicBool) -> Vec<Object> {
    let label = |n: usize| if (n + writer).is_multiple_of(2) { "even" } else { "odd" };
    let mut last = Vec::new();
    for round in 0_usize.. {
        let fresh = indicators(10).into_iter().map(|object| object.labelled(label(round)));
        let fresh: Vec<Object> = fresh.collect();
        w.send(&fresh).await;
        let changed = fresh.into_iter().enumerate().map(|(n, object)| match n % 3 {
            0 => object.labelled(label(round + 1)).at(SECOND),
            _ => object,
        });
        let changed: Vec<Object> = changed.collect();
        w.send(&changed).await;
        last.extend(changed);
        if ended.load(Ordering::Relaxed) {
            break;
        }
    }
    last
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lowered_ceiling_opens_the_collection_only_when_what_lay_above_is_gone() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let amber = indicators(60).into_iter().map(|object| object.marked(Tlp::Amber));
    let green = indicators(30).into_iter().map(|object| object.marked(Tlp::Green));
    let (amber, green): (Vec<Object>, Vec<Object>) = (amber.collect(), green.collect());
    w.load(&c, &amber).await;
    w.load(&c, &green).await;
    let low = w.client(KeySpec::of("low").read_only().cleared(Tlp::Green)).await;
    assert_eq!(low.get(&c.objects()).await.status, 403);
    let lowered = w.change(&c, |spec| spec.ceiling(Tlp::Green)).await;
    let secret: BTreeSet<String> = amber.iter().map(|object| object.id().to_owned()).collect();
    until("the low key may read", async || {
        let answer = low.get(&lowered.objects()).query("limit", "1000").await;
        if answer.status == 403 {
            return None;
        }
        let page = Page::of(&answer);
        let seen = page.items.iter().map(|item| item["id"].as_str().unwrap().to_owned());
        assert!(seen.collect::<BTreeSet<_>>().is_disjoint(&secret), "above its clearance");
        assert_eq!(page.items.len(), green.len());
        Some(())
    })
    .await;
    becomes(&w, &lowered, &by_id(&green)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_selects_the_same_rebuilds_nothing() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    w.load(&c, &indicators(5)).await;
    w.rebuilt(&c).await;
    let before = w.reader().get(&c.manifest()).await.text();
    let title = format!("Another {}", uuid::Uuid::new_v4().simple());
    let renamed = w.change(&c, |spec| CollectionSpec { title: title.clone(), ..spec }).await;
    assert!(!w.is_rebuilding(&renamed).await);
    let shown = w.reader().get(&c.path("")).await.expect(200).json();
    assert_eq!(shown["title"], title);
    assert_eq!(w.reader().get(&c.manifest()).await.text(), before);
    // The old title is free again, the new one taken.
    let old = CollectionSpec { title: c.spec.title.clone(), ..CollectionSpec::everything() };
    let _ = w.collection(old).await;
    let taken = CollectionSpec { title, ..CollectionSpec::everything() };
    assert!(w.try_collection(taken).await.is_err());
}
