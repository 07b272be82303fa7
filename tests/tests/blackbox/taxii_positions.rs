//! taxii.md, Reads: `added_after` and the order in which objects become visible.

use std::collections::HashMap;

use tests::collection::CollectionSpec;
use tests::fixtures::{Object, SECOND, bundle, indicator, indicators};
use tests::taxii_reading::{Page, all_objects, date_added, ids, items, pages_by_added_after};
use tests::taxii_reading::{assert_taxii_timestamp, whole_manifest};
use tests::world::World;

async fn date_added_is_unique_and_strictly_increasing(w: &World) {
    let c = w.holding(&indicators(500)).await;
    let listed = whole_manifest(&w.reader(), &c).await;
    let dates: Vec<&str> = listed.iter().map(|e| e["date_added"].as_str().unwrap()).collect();
    for date in &dates {
        assert_taxii_timestamp(date);
    }
    assert!(dates.windows(2).all(|pair| pair[0] < pair[1]), "ascending, no two alike");
}

async fn added_after_is_strictly_after_at_every_precision(w: &World) {
    let c = w.holding(&indicators(9)).await;
    let listed = whole_manifest(&w.reader(), &c).await;
    let date = listed[4]["date_added"].as_str().unwrap();
    let (whole, micros) = date.trim_end_matches('Z').split_once('.').unwrap();
    let count = async |after: &str| {
        let page = w.reader().get(&c.objects()).query("added_after", after).await;
        Page::of(&page).items.len()
    };
    assert_eq!(count(date).await, 4, "the object of that date is not after it");
    assert_eq!(count(&format!("{whole}.{micros}000Z")).await, 4);
    assert_eq!(count(&format!("{whole}.{micros}001Z")).await, 4, "a nanosecond later");
    for digits in 1..=5 {
        let cut = format!("{whole}.{}Z", &micros[..digits]);
        let expected = listed.iter().filter(|e| {
            let date = e["date_added"].as_str().unwrap();
            date > format!("{whole}.{:0<6}Z", &micros[..digits]).as_str()
        });
        assert_eq!(count(&cut).await, expected.count(), "{cut}");
    }
    assert_eq!(count("2001-01-01T00:00:00Z").await, 9, "no fraction at all");
    assert_eq!(count("1970-01-01T00:00:00Z").await, 9);
}

async fn added_after_takes_offsets_also_with_a_plus_that_became_a_space(w: &World) {
    let c = w.holding(&indicators(5)).await;
    let listed = whole_manifest(&w.reader(), &c).await;
    let date = listed[1]["date_added"].as_str().unwrap();
    let instant = chrono::DateTime::parse_from_rfc3339(date).unwrap();
    for seconds in [0, 2 * 3_600, -(5 * 3_600 + 1_800)] {
        let offset = chrono::FixedOffset::east_opt(seconds).unwrap();
        let local = instant.with_timezone(&offset).format("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string();
        let encoded = w.reader().get(&c.objects()).query("added_after", &local).await;
        assert_eq!(Page::of(&encoded).items.len(), 3, "{local}");
        let raw = format!("{}?added_after={local}", c.objects());
        let bare = w.reader().get(&raw).await;
        assert_eq!(Page::of(&bare).items.len(), 3, "{local} with a bare plus");
    }
}

async fn a_malformed_added_after_is_refused(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let malformed = [
        "",
        "yesterday",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00.Z",
        "1767225600",
    ];
    for after in malformed {
        for path in [c.objects(), c.manifest()] {
            let answer = w.reader().get(&path).query("added_after", after).await;
            assert_eq!(answer.status, 400, "added_after={after:?}");
            assert!(answer.json()["details"].to_string().contains("added_after"));
        }
    }
    let after = "2026-01-01T00:00:00Z";
    let twice = w.reader().get(&c.objects()).query("added_after", after);
    let _ = twice.query("added_after", after).await.expect(400);
}

async fn the_last_date_of_a_commit_survives_being_cut_to_milliseconds(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    for count in [1, 3, 40] {
        w.load(&c, &indicators(count)).await;
        let page = w.reader().get(&c.objects()).query("limit", "1000").await;
        let last = Page::of(&page).last.unwrap();
        assert!(last.ends_with("000Z"), "the last position is on a whole millisecond: {last}");
        let cut = format!("{}Z", &last[..last.len() - "000Z".len()]);
        let again = w.reader().get(&c.objects()).query("added_after", &cut).await;
        assert_eq!(again.expect(200).text(), "{}", "OpenCTI would fetch the last for ever");
    }
}

async fn a_changed_object_moves_to_a_new_position_and_its_old_one_is_gone(w: &World) {
    let objects = indicators(6);
    let c = w.holding(&objects).await;
    let before = all_objects(&w.reader(), &c).await;
    let end = Page::of(&w.reader().get(&c.objects()).await).last.unwrap();
    let changed = objects[2].clone().at(SECOND).set("name", "changed");
    let was = date_added(&w.reader(), &c, changed.id()).await.unwrap();
    w.load(&c, std::slice::from_ref(&changed)).await;
    let now = date_added(&w.reader(), &c, changed.id()).await.unwrap();
    assert!(was < now);
    let news = w.reader().get(&c.objects()).query("added_after", &end).await;
    assert_eq!(Page::of(&news).items, [changed.json()]);
    let after = all_objects(&w.reader(), &c).await;
    let mut expected: Vec<_> = ids(&before).into_iter().filter(|id| id != changed.id()).collect();
    expected.push(changed.id().to_owned());
    assert_eq!(ids(&after), expected);
}

async fn a_reader_that_resumes_misses_nothing_of_concurrent_writers(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let batches: Vec<Vec<Object>> = (0..48).map(|_| indicators(5)).collect();
    let writers = batches.chunks(12).map(|mine| {
        let client = w.ingest();
        async move {
            for batch in mine {
                let request = client.post("/api/v1/objects");
                let _ = request.body("application/json", bundle(batch)).await.expect(200);
            }
        }
    });
    let mut seen: HashMap<String, usize> = HashMap::new();
    let reader = async {
        let mut after = "2001-01-01T00:00:00Z".to_owned();
        tests::patience::until("the reader has as many objects as were sent", async || {
            let request = w.reader().get(&c.objects()).query("added_after", &after);
            let page = Page::of(&request.query("limit", "7").await);
            for id in page.ids() {
                *seen.entry(id).or_default() += 1;
            }
            after = page.last.unwrap();
            (seen.len() >= 240).then_some(())
        })
        .await;
    };
    futures::join!(futures::future::join_all(writers), reader);
    let sent = batches.iter().flatten();
    assert!(sent.clone().all(|object| seen.get(object.id()) == Some(&1)), "each exactly once");
    assert_eq!(seen.len(), sent.count());
    let all = items(&pages_by_added_after(&w.reader(), &c.objects(), &[("limit", "50")]).await);
    assert_eq!(all.len(), 240);
}

async fn an_object_is_read_as_soon_as_its_position_is(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    for _ in 0..10 {
        let object = indicator();
        w.load(&c, std::slice::from_ref(&object)).await;
        let read = w.reader().get(&c.object(object.id())).await.expect(200).json();
        assert_eq!(read["objects"][0], object.json());
    }
}

over_both_transports!(
    date_added_is_unique_and_strictly_increasing,
    added_after_is_strictly_after_at_every_precision,
    added_after_takes_offsets_also_with_a_plus_that_became_a_space,
    a_malformed_added_after_is_refused,
    the_last_date_of_a_commit_survives_being_cut_to_milliseconds,
    a_changed_object_moves_to_a_new_position_and_its_old_one_is_gone,
    a_reader_that_resumes_misses_nothing_of_concurrent_writers,
    an_object_is_read_as_soon_as_its_position_is,
);
