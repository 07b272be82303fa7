//! taxii.md, Reads: the `next` token.

use tests::client::Client;
use tests::collection::Collection;
use tests::fixtures::{Object, indicators, malware};
use tests::taxii_reading::{Page, ids, items, pages_by_next};
use tests::world::World;

/// 40 objects of which every fourth is a malware.
fn mixed() -> Vec<Object> {
    let mut objects = indicators(30);
    for index in 0..10 {
        objects.insert(index * 4, malware(&format!("Family {index}")));
    }
    objects
}

async fn token(client: &Client, collection: &Collection, query: &[(&str, &str)]) -> String {
    let page = Page::of(&client.get(&collection.objects()).queries(query).await);
    page.next.expect("there is a second page")
}

async fn next_carries_the_filters_that_clients_drop(w: &World) {
    let c = w.holding(&mixed()).await;
    let query = [("match[type]", "malware"), ("limit", "3")];
    let read = items(&pages_by_next(&w.reader(), &c.objects(), &query).await);
    assert_eq!(read.len(), 10);
    assert!(read.iter().all(|object| object["type"] == "malware"));
}

async fn next_keeps_the_first_requests_added_after(w: &World) {
    let c = w.holding(&indicators(20)).await;
    let first = Page::of(&w.reader().get(&c.objects()).query("limit", "5").await);
    let after = first.last.unwrap();
    let query = [("added_after", &*after), ("limit", "6")];
    let read = items(&pages_by_next(&w.reader(), &c.objects(), &query).await);
    assert_eq!(read.len(), 15);
}

async fn next_keeps_the_version_filter(w: &World) {
    let objects = indicators(12);
    let c = w.holding(&objects).await;
    let newer: Vec<_> = objects.iter().map(|o| o.clone().at(tests::fixtures::SECOND)).collect();
    w.load(&c, &newer).await;
    let query = [("match[version]", "all"), ("limit", "5")];
    let read = items(&pages_by_next(&w.reader(), &c.objects(), &query).await);
    assert_eq!(read.len(), 24);
}

async fn filters_repeated_beside_next_are_fine(w: &World) {
    let c = w.holding(&mixed()).await;
    let query = [("match[type]", "malware"), ("limit", "4")];
    let next = token(&w.reader(), &c, &query).await;
    let with = w.reader().get(&c.objects()).queries(&query).query("next", &next).await;
    let without = w.reader().get(&c.objects()).query("next", &next).query("limit", "4").await;
    assert_eq!(with.expect(200).json()["objects"], without.expect(200).json()["objects"]);
}

async fn another_limit_beside_next_is_fine(w: &World) {
    let c = w.holding(&indicators(40)).await;
    let next = token(&w.reader(), &c, &[("limit", "10")]).await;
    let page = w.reader().get(&c.objects()).query("limit", "25").query("next", &next).await;
    assert_eq!(Page::of(&page).items.len(), 25);
}

async fn next_may_be_used_twice(w: &World) {
    let c = w.holding(&indicators(40)).await;
    let next = token(&w.reader(), &c, &[("limit", "10")]).await;
    let once = Page::of(&w.reader().get(&c.objects()).query("next", &next).await);
    let again = Page::of(&w.reader().get(&c.objects()).query("next", &next).await);
    assert_eq!(ids(&once.items), ids(&again.items));
    assert_eq!(once.items.len(), 10, "the limit is the token's unless the client says otherwise");
}

async fn next_works_for_another_key_and_while_objects_arrive(w: &World) {
    let c = w.holding(&indicators(20)).await;
    let next = token(&w.writer(), &c, &[("limit", "15")]).await;
    w.load(&c, &indicators(7)).await;
    let page = Page::of(&w.reader().get(&c.objects()).query("next", &next).await);
    assert_eq!(page.items.len(), 12, "five were left, seven came");
}

async fn a_token_that_is_not_ours_is_refused(w: &World) {
    let c = w.holding(&indicators(20)).await;
    let good = token(&w.reader(), &c, &[("limit", "10")]).await;
    let mut bad: Vec<String> = ["", " ", "garbage", "0", "AAAA", "====", "\u{1F980}", "../../x"]
        .map(ToOwned::to_owned)
        .to_vec();
    bad.push(good[..good.len() - 1].to_owned());
    bad.push(format!("{good}A"));
    bad.push(format!("{good}{good}"));
    bad.push("A".repeat(4_000));
    let mut letters: Vec<char> = good.chars().collect();
    for index in 0..letters.len() {
        let old = letters[index];
        letters[index] = if old == 'A' { 'B' } else { 'A' };
        // The last letter of a base64 text may hold bits that do not count.
        if index + 1 < letters.len() {
            bad.push(letters.iter().collect());
        }
        letters[index] = old;
    }
    for token in bad {
        let answer = w.reader().get(&c.objects()).query("next", &token).await;
        assert_eq!(answer.status, 400, "next={token:?}: {}", answer.text());
        assert!(answer.json()["details"].to_string().contains("next"), "{}", answer.text());
    }
    let twice = w.reader().get(&c.objects()).query("next", &good).query("next", &good).await;
    let _ = twice.expect(400);
}

async fn a_token_of_another_collection_is_refused(w: &World) {
    let objects = indicators(20);
    let c = w.collection(tests::collection::CollectionSpec::everything()).await;
    let other = w.collection(tests::collection::CollectionSpec::everything()).await;
    w.load(&c, &objects).await;
    w.settled(&other, &objects).await;
    let next = token(&w.reader(), &c, &[("limit", "10")]).await;
    let _ = w.reader().get(&c.objects()).query("next", &next).await.expect(200);
    let _ = w.reader().get(&other.objects()).query("next", &next).await.expect(400);
}

over_both_transports!(
    next_carries_the_filters_that_clients_drop,
    next_keeps_the_first_requests_added_after,
    next_keeps_the_version_filter,
    filters_repeated_beside_next_are_fine,
    another_limit_beside_next_is_fine,
    next_may_be_used_twice,
    next_works_for_another_key_and_while_objects_arrive,
    a_token_that_is_not_ours_is_refused,
    a_token_of_another_collection_is_refused,
);
