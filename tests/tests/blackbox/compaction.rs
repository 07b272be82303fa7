//! design.md, Compaction: what a collection's readers see stays byte for byte the same, and reading
//! gets cheaper.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use shared::log::{Op, Seen};
use tests::collection::{Collection, CollectionSpec};
use tests::fixtures::{FIRST, Object, SECOND, THIRD, indicator, indicators};
use tests::taxii_reading::{Page, all_objects, ids, whole_manifest};
use tests::world::World;

/// What was answered, by request.
type Answers = BTreeMap<String, String>;

async fn ask(w: &World, path: &str, query: &[(&str, &str)], answers: &mut Answers) -> Page {
    let answer = w.reader().get(path).queries(query).await;
    let page = Page::of(&answer);
    let headers = format!("{:?} {:?} ", page.first, page.last);
    answers.insert(format!("{path} {query:?}"), headers + &answer.text());
    page
}

/// Every way to read a collection: both listings, every choice of versions, from every position,
/// by every cursor, and every object by itself.
async fn read_all_ways(w: &World, c: &Collection, objects: &[Object]) -> Answers {
    let mut answers = Answers::new();
    for path in [c.objects(), c.manifest()] {
        for versions in ["last", "first", "all", FIRST, SECOND, "first,last"] {
            for limit in ["1000", "7", "1"] {
                let query = [("match[version]", versions), ("limit", limit)];
                let mut page = ask(w, &path, &query, &mut answers).await;
                while let Some(next) = page.next.clone() {
                    page = ask(w, &path, &[("next", &next)], &mut answers).await;
                }
            }
        }
    }
    for entry in whole_manifest(&w.reader(), c).await {
        let after = entry["date_added"].as_str().unwrap();
        let query = [("added_after", after), ("match[version]", "all"), ("limit", "3")];
        ask(w, &c.objects(), &query, &mut answers).await;
    }
    for object in objects {
        for path in [c.object(object.id()), c.versions(object.id())] {
            let answer = w.reader().get(&path).query("match[version]", "all").await;
            // An error's text names the request.
            let body = if answer.status == 200 { answer.text() } else { String::new() };
            answers.insert(path, format!("{} {body}", answer.status));
        }
    }
    answers
}

/// Asks again what was asked, cursors and all.
async fn assert_same_answers(w: &World, before: &Answers, c: &Collection, objects: &[Object]) {
    let after = read_all_ways(w, c, objects).await;
    assert!(before.keys().eq(after.keys()), "the same cursors lead on");
    for (request, answer) in before {
        assert_eq!(after[request], *answer, "{request}");
    }
}

fn present(entries: &[Seen]) -> Vec<&Seen> {
    entries.iter().filter(|seen| seen.present).collect()
}

/// Objects that come one by one, are changed, become known late, leave and are deleted.
async fn lived_in(w: &World) -> (Collection, Vec<Object>) {
    let c = w.collection(CollectionSpec::labelled("kept")).await;
    let new = |_| indicator().at(SECOND).labelled("kept");
    let objects: Vec<Object> = (0..36).map(new).collect();
    for (index, object) in objects.iter().enumerate() {
        w.load(&c, std::slice::from_ref(object)).await;
        match index % 6 {
            1 => w.load(&c, &[object.clone().at(THIRD).set("name", "newer")]).await,
            2 => w.load(&c, &[object.clone().at(FIRST).set("name", "late")]).await,
            3 => {
                w.load(&c, &[object.clone().at(THIRD)]).await;
                let _ = w.writer().delete(&c.object(object.id())).await.expect(200);
            }
            4 => {
                w.load(&c, &[object.clone().at(FIRST)]).await;
                let gone = w.writer().delete(&c.object(object.id()));
                let _ = gone.query("match[version]", "first").await.expect(200);
            }
            5 => {
                w.send(&[object.clone().at(THIRD).without("labels")]).await;
                w.quiet(&c, &indicator().labelled("kept")).await;
            }
            _ => {}
        }
    }
    (c, objects)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_the_same_before_and_after() {
    let w = World::http().await;
    let (c, objects) = lived_in(&w).await;
    let before = read_all_ways(&w, &c, &objects).await;
    let entries = w.log_of(&c).await;

    let seen = w.compact(TimeDelta::zero()).await.unwrap();
    assert_eq!((seen.written, seen.merged), (0, 0), "what was just appended is left alone");
    let done = w.compact(TimeDelta::hours(1)).await.unwrap();
    assert!(done.written > 0 && done.merged > 40 && done.dropped > 5, "{done:?}");
    assert_same_answers(&w, &before, &c, &objects).await;
    let after = w.log_of(&c).await;
    assert_eq!(present(&after), present(&entries));
    assert!(after.len() < entries.len(), "entries of versions that left are gone");
    let leaves = |entries: &[Seen]| entries.iter().filter(|s| s.entry.op == Op::Leave).count();
    assert!(leaves(&entries) >= 6 && leaves(&after) == leaves(&entries), "leaves are kept");

    let again = w.compact(TimeDelta::hours(2)).await.unwrap();
    assert_eq!((again.written, again.merged, again.dropped), (0, 0, 0));
    assert_same_answers(&w, &before, &c, &objects).await;

    for days in [40, 41] {
        w.compact(TimeDelta::days(days)).await.unwrap();
    }
    assert_eq!(present(&w.log_of(&c).await), present(&entries));
    assert_same_answers(&w, &before, &c, &objects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaves_go_once_they_are_old_and_most_of_their_commit_is_dead() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::labelled("kept")).await;
    // What the filling of a new collection overtakes closes its log, with a leave of its own.
    w.rebuilt(&c).await;
    for _ in 0..6 {
        let object = indicator().labelled("kept");
        w.load(&c, std::slice::from_ref(&object)).await;
        w.send(&[object.at(SECOND).without("labels")]).await;
    }
    // The last commit stays as it is: it is to hold no leave.
    w.at_rest().await;
    w.quiet(&c, &indicator().labelled("kept")).await;
    for hours in [0, 1] {
        w.compact(TimeDelta::hours(hours)).await.unwrap();
    }
    let leaves = |entries: &[Seen]| entries.iter().filter(|s| s.entry.op == Op::Leave).count();
    let young = w.log_of(&c).await;
    assert_eq!((leaves(&young), young.len()), (6, 7), "only the entries of what left are gone");
    w.compact(TimeDelta::days(40)).await.unwrap();
    let old = w.log_of(&c).await;
    assert_eq!((leaves(&old), old.len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_later_takes_the_place_of_what_was_compacted() {
    let w = World::http().await;
    let (c, objects) = lived_in(&w).await;
    for hours in [0, 1] {
        w.compact(TimeDelta::hours(hours)).await.unwrap();
    }
    let held = ids(&all_objects(&w.reader(), &c).await);
    let named = |index: usize| held.iter().find(|id| *id == objects[index].id()).unwrap();
    let newest = "2026-04-01T00:00:00.000Z";
    let changed = objects[0].clone().at(newest).set("name", "changed");
    w.load(&c, std::slice::from_ref(&changed)).await;
    let _ = w.writer().delete(&c.object(named(6))).await.expect(200);
    let late = objects[12].clone().at(FIRST).set("name", "later still");
    w.load(&c, std::slice::from_ref(&late)).await;
    let mut expected: Vec<&String> =
        held.iter().filter(|id| *id != named(0) && *id != named(6)).collect();
    let changed_id = changed.id().to_owned();
    expected.push(&changed_id);
    let now = all_objects(&w.reader(), &c).await;
    assert_eq!(ids(&now).iter().collect::<Vec<_>>(), expected);
    assert_eq!(now.last(), Some(&changed.json()));
    let first =
        w.reader().get(&c.objects()).query("match[version]", "first").query("limit", "1000");
    let first = Page::of(&first.await);
    assert!(first.items.contains(&late.json()) && !first.items.contains(&objects[12].json()));

    let before = read_all_ways(&w, &c, &objects).await;
    for hours in [2, 3, 24 * 8, 24 * 9] {
        w.compact(TimeDelta::hours(hours)).await.unwrap();
        assert_same_answers(&w, &before, &c, &objects).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_single_entries_is_read_at_the_price_of_a_packed_one() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    w.append_packed(&c, &indicators(1_000), 1).await;
    w.later(TimeDelta::hours(1));
    let taxii = w.metered("TaxiiFunction", &w.reader());
    let _ = taxii.client.get(&c.path("")).await.expect(200);
    let page = async || {
        let before = taxii.read_units();
        let answer = taxii.client.get(&c.objects()).query("limit", "1000").await.expect(200);
        (answer.text(), taxii.read_units() - before)
    };
    let (single, dear) = page().await;
    for hours in [0, 2] {
        w.compact(TimeDelta::hours(hours) + TimeDelta::hours(1)).await.unwrap();
    }
    let (packed, cheap) = page().await;
    assert_eq!(single, packed);
    println!("1,000 entries, one per commit: {dear} read units; compacted: {cheap}");
    assert!(cheap <= 40.0 && cheap * 1.5 < dear, "{dear} before, {cheap} after");
}
