//! ingest.md, Ways in (5): deletion.

use serde_json::json;
use tests::collection::CollectionSpec;
use tests::fixtures::{FIRST, SECOND, THIRD, indicator, indicators};
use tests::taxii_reading::{all_objects, ids};
use tests::world::World;

fn path(id: &str) -> String {
    format!("/api/v1/objects/{id}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_object_leaves_every_collection() {
    let w = World::http().await;
    let objects: Vec<_> = indicators(3).into_iter().map(|o| o.labelled("chosen")).collect();
    let c = w.collection(CollectionSpec::everything()).await;
    let chosen = w.collection(CollectionSpec::labelled("chosen")).await;
    w.load(&c, &objects).await;
    w.settled(&chosen, &objects).await;
    let gone = &objects[1];
    let answer = w.ingest().delete(&path(gone.id())).await.expect(200).json();
    let expected = json!({"id": gone.id(), "version": FIRST, "outcome": "deleted"});
    assert_eq!(answer, expected);
    for collection in [&c, &chosen] {
        tests::patience::until("the object has left", async || {
            let answer = w.reader().get(&collection.object(gone.id())).await;
            (answer.status == 404).then_some(())
        })
        .await;
        assert_eq!(all_objects(&w.reader(), collection).await.len(), 2);
        let _ = w.reader().get(&collection.versions(gone.id())).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_or_an_older_version_answers_deleted_and_a_newer_one_creates_again() {
    let w = World::http().await;
    let object = indicator();
    let second = object.clone().at(SECOND);
    let c = w.holding(std::slice::from_ref(&object)).await;
    w.load(&c, std::slice::from_ref(&second)).await;
    let answer = w.ingest().delete(&path(object.id())).await.expect(200).json();
    assert_eq!(answer["version"], SECOND, "the tombstone is at the highest known version");
    for old in [&object, &second] {
        let answer = w.send(std::slice::from_ref(old)).await;
        assert_eq!(answer["deleted"], 1, "{answer}");
        assert_eq!(answer["results"][0]["outcome"], "deleted", "{answer}");
    }
    w.quiet(&c, &indicator()).await;
    let _ = w.reader().get(&c.object(object.id())).await.expect(404);
    let third = object.clone().at(THIRD);
    let answer = w.send(std::slice::from_ref(&third)).await;
    assert_eq!(answer["created"], 1, "{answer}");
    w.settled(&c, std::slice::from_ref(&third)).await;
    assert!(ids(&all_objects(&w.reader(), &c).await).contains(&object.id().to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_again_changes_nothing_and_an_unknown_object_is_404() {
    let w = World::http().await;
    let object = indicator();
    let c = w.holding(std::slice::from_ref(&object)).await;
    let _ = w.ingest().delete(&path(object.id())).await.expect(200);
    let again = w.ingest().delete(&path(object.id())).await;
    assert!([200, 404].contains(&again.status), "{}", again.status);
    tests::patience::until("the object has left", async || {
        (w.reader().get(&c.object(object.id())).await.status == 404).then_some(())
    })
    .await;
    let unknown = "indicator--00000000-0000-4000-8000-000000000000";
    let answer = w.ingest().delete(&path(unknown)).await.expect(404);
    assert_eq!(answer.json()["error"]["code"], "not_found");
    let malformed = w.ingest().delete(&path("no-id")).await;
    assert!([400, 404].contains(&malformed.status));
}
