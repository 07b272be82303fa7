//! taxii.md, Reads: limits, pages and their headers.

use tests::collection::CollectionSpec;
use tests::fixtures::{indicator, indicators, malware};
use tests::taxii_reading::{Page, ids, items, pages_by_added_after, pages_by_next, whole_manifest};
use tests::world::World;

async fn a_page_holds_100_unless_the_client_says_otherwise(w: &World) {
    let c = w.holding(&indicators(150)).await;
    let first = Page::of(&w.reader().get(&c.objects()).await);
    assert_eq!(first.items.len(), 100);
    let next = first.next.expect("150 objects do not fit on the first page");
    let second = Page::of(&w.reader().get(&c.objects()).query("next", &next).await);
    assert_eq!((second.items.len(), second.next), (50, None));
}

async fn a_page_never_holds_more_than_asked(w: &World) {
    let c = w.holding(&indicators(25)).await;
    for limit in [1, 7, 24, 25, 26] {
        let query = [("limit", &*limit.to_string())];
        for path in [c.objects(), c.manifest()] {
            let pages = pages_by_next(&w.reader(), &path, &query).await;
            assert!(pages.iter().all(|page| page.items.len() <= limit), "{path} {limit}");
            assert_eq!(items(&pages).len(), 25, "{path} {limit}");
            let full = pages.len() - 1;
            assert!(pages[..full].iter().all(|page| page.items.len() == limit), "{path} {limit}");
        }
    }
}

async fn a_limit_above_1000_is_capped_silently(w: &World) {
    let c = w.holding(&indicators(1_100)).await;
    for limit in ["1001", "5000", "99999999999999999999"] {
        for path in [c.objects(), c.manifest()] {
            let page = Page::of(&w.reader().get(&path).query("limit", limit).await);
            assert_eq!(page.items.len(), 1_000, "{path} {limit}");
            assert!(page.next.is_some());
        }
    }
}

async fn a_limit_that_is_no_positive_integer_is_refused(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    for limit in ["0", "-1", "1.5", "1e2", "ten", "", " "] {
        for path in [c.objects(), c.manifest()] {
            let answer = w.reader().get(&path).query("limit", limit).await;
            assert_eq!(answer.status, 400, "limit={limit:?}");
            assert!(answer.text().contains("limit"), "{}", answer.text());
        }
    }
    let twice = w.reader().get(&c.objects()).query("limit", "5").query("limit", "5").await;
    assert!(twice.expect(400).text().contains("limit"));
}

async fn objects_come_untouched_in_the_order_of_their_manifest(w: &World) {
    let mut objects = indicators(120);
    objects.push(malware("Example"));
    let c = w.holding(&objects).await;
    let query = [("limit", "50")];
    let read = items(&pages_by_next(&w.reader(), &c.objects(), &query).await);
    let listed = whole_manifest(&w.reader(), &c).await;
    assert_eq!(ids(&read), ids(&listed));
    assert_eq!(read.len(), objects.len());
    for object in &objects {
        assert!(read.contains(&object.json()), "{} came back changed", object.id());
    }
}

async fn the_headers_are_the_dates_of_the_first_and_the_last_of_a_page(w: &World) {
    let objects = indicators(30);
    let c = w.holding(&objects).await;
    let listed = whole_manifest(&w.reader(), &c).await;
    let dates: Vec<&str> = listed.iter().map(|e| e["date_added"].as_str().unwrap()).collect();
    for path in [c.objects(), c.manifest()] {
        let pages = pages_by_next(&w.reader(), &path, &[("limit", "10")]).await;
        assert_eq!(pages.len(), 3);
        for (page, dates) in pages.iter().zip(dates.chunks(10)) {
            assert_eq!(page.first.as_deref(), Some(dates[0]), "{path}");
            assert_eq!(page.last.as_deref(), Some(dates[9]), "{path}");
        }
    }
    let id = listed[4]["id"].as_str().unwrap();
    for path in [c.object(id), c.versions(id)] {
        let page = Page::of(&w.reader().get(&path).await);
        assert_eq!(page.first.as_deref(), Some(dates[4]), "{path}");
        assert_eq!(page.last.as_deref(), Some(dates[4]), "{path}");
    }
}

async fn an_empty_page_is_an_empty_object_that_repeats_added_after(w: &World) {
    let c = w.holding(&[indicator()]).await;
    let empty = w.collection(CollectionSpec::labelled("nothing-has-this")).await;
    for path in [empty.objects(), empty.manifest()] {
        let answer = w.reader().get(&path).await.expect(200);
        assert_eq!(answer.text(), "{}", "{path}");
        assert_eq!(answer.header("x-taxii-date-added-first"), None, "{path}");
        assert_eq!(answer.header("x-taxii-date-added-last"), None, "{path}");
    }
    let after = "2999-01-01T00:00:00.000000Z";
    for path in [c.objects(), c.manifest(), empty.objects()] {
        let answer = w.reader().get(&path).query("added_after", after).await.expect(200);
        assert_eq!(answer.text(), "{}", "{path}");
        assert_eq!(answer.header("x-taxii-date-added-first"), Some(after), "{path}");
        assert_eq!(answer.header("x-taxii-date-added-last"), Some(after), "{path}");
    }
}

async fn a_rare_type_never_makes_an_empty_page_with_more(w: &World) {
    let mut objects = indicators(700);
    objects.insert(3, malware("Early"));
    objects.insert(650, malware("Late"));
    let c = w.holding(&objects).await;
    let query = [("match[type]", "malware"), ("limit", "1")];
    let pages = pages_by_next(&w.reader(), &c.objects(), &query).await;
    assert_eq!(items(&pages).len(), 2);
    assert_eq!(pages.len(), 2, "one a page, and no page after the last");
}

async fn resuming_with_added_after_works_as_well_as_next(w: &World) {
    let c = w.holding(&indicators(333)).await;
    for limit in ["1000", "100", "37"] {
        let query = [("limit", limit)];
        let by_next = items(&pages_by_next(&w.reader(), &c.objects(), &query).await);
        let by_time = items(&pages_by_added_after(&w.reader(), &c.objects(), &query).await);
        assert_eq!(by_next, by_time, "limit={limit}");
        assert_eq!(by_next.len(), 333);
    }
}

async fn a_page_is_cut_by_bytes_below_what_a_function_may_answer(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let large = |_| indicator().set("description", "x".repeat(300_000));
    let objects: Vec<_> = (0..40).map(large).collect();
    for part in objects.chunks(10) {
        w.send(part).await;
    }
    w.settled(&c, &objects).await;
    let answer = w.reader().get(&c.objects()).query("limit", "1000").await;
    assert!(answer.body.len() < 6 * 1024 * 1024 * 3 / 4, "{} bytes", answer.body.len());
    assert!(Page::of(&answer).next.is_some());
    let read = items(&pages_by_next(&w.reader(), &c.objects(), &[("limit", "1000")]).await);
    assert_eq!(read.len(), 40);
}

over_both_transports!(
    a_page_holds_100_unless_the_client_says_otherwise,
    a_page_never_holds_more_than_asked,
    a_limit_above_1000_is_capped_silently,
    a_limit_that_is_no_positive_integer_is_refused,
    objects_come_untouched_in_the_order_of_their_manifest,
    the_headers_are_the_dates_of_the_first_and_the_last_of_a_page,
    an_empty_page_is_an_empty_object_that_repeats_added_after,
    a_rare_type_never_makes_an_empty_page_with_more,
    resuming_with_added_after_works_as_well_as_next,
    a_page_is_cut_by_bytes_below_what_a_function_may_answer,
);
