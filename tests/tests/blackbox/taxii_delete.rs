//! taxii.md, Writes: DELETE, and that what was removed stays removed.

use tests::client::TAXII;
use tests::collection::{Collection, CollectionSpec};
use tests::fixtures::{FIRST, Object, SECOND, THIRD, envelope, indicator, indicators};
use tests::keys::KeySpec;
use tests::taxii_reading::{Page, all_objects, date_added, ids, whole_manifest};
use tests::world::World;

async fn delete(w: &World, collection: &Collection, object: &Object) {
    let answer = w.writer().delete(&collection.object(object.id())).await.expect(200);
    assert!(answer.body.is_empty(), "DELETE answers without a body: {}", answer.text());
}

async fn assert_gone(w: &World, collection: &Collection, object: &Object) {
    let _ = w.reader().get(&collection.object(object.id())).await.expect(404);
    let _ = w.reader().get(&collection.versions(object.id())).await.expect(404);
    let held = all_objects(&w.reader(), collection).await;
    assert!(!ids(&held).contains(&object.id().to_owned()));
    let listed = whole_manifest(&w.reader(), collection).await;
    assert!(!ids(&listed).contains(&object.id().to_owned()));
}

async fn a_deleted_object_is_in_neither_objects_manifest_nor_versions(w: &World) {
    let objects = indicators(5);
    let c = w.holding(&objects).await;
    delete(w, &c, &objects[2]).await;
    assert_gone(w, &c, &objects[2]).await;
    assert_eq!(all_objects(&w.reader(), &c).await.len(), 4);
    let _ = w.writer().delete(&c.object(objects[2].id())).await.expect(404);
}

async fn a_deletion_is_of_this_collection_only(w: &World) {
    let object = indicator();
    let c = w.collection(CollectionSpec::everything()).await;
    let other = w.collection(CollectionSpec::everything()).await;
    w.load(&c, std::slice::from_ref(&object)).await;
    w.settled(&other, std::slice::from_ref(&object)).await;
    delete(w, &c, &object).await;
    assert_gone(w, &c, &object).await;
    let _ = w.reader().get(&other.object(object.id())).await.expect(200);
}

async fn delete_takes_the_last_version_and_the_older_one_becomes_the_entry(w: &World) {
    let first = indicator();
    let c = w.holding(&[first.clone(), indicator()]).await;
    w.load(&c, &[first.clone().at(SECOND)]).await;
    let second_was = date_added(&w.reader(), &c, first.id()).await.unwrap();
    delete(w, &c, &first).await;
    let page = Page::of(&w.reader().get(&c.object(first.id())).await);
    assert_eq!(page.items, [first.json()]);
    let now = date_added(&w.reader(), &c, first.id()).await.unwrap();
    assert!(now > second_was, "the older version is at a new position: {now} {second_was}");
    let body = w.reader().get(&c.versions(first.id())).await.expect(200).json();
    assert_eq!(body["versions"], serde_json::json!([FIRST]));
    let news = w.reader().get(&c.objects()).query("added_after", &second_was).await;
    assert_eq!(Page::of(&news).items, [first.json()]);
}

async fn delete_with_all_takes_every_version(w: &World) {
    let first = indicator();
    let c = w.holding(&[first.clone(), indicator()]).await;
    w.load(&c, &[first.clone().at(SECOND)]).await;
    let request = w.writer().delete(&c.object(first.id())).query("match[version]", "all");
    let _ = request.await.expect(200);
    assert_gone(w, &c, &first).await;
}

async fn delete_takes_the_version_it_names(w: &World) {
    let first = indicator();
    let c = w.holding(std::slice::from_ref(&first)).await;
    w.load(&c, &[first.clone().at(SECOND)]).await;
    w.load(&c, &[first.clone().at(THIRD)]).await;
    let request = w.writer().delete(&c.object(first.id())).query("match[version]", SECOND);
    let _ = request.await.expect(200);
    let body = w.reader().get(&c.versions(first.id())).await.expect(200).json();
    assert_eq!(body["versions"], serde_json::json!([FIRST, THIRD]));
    let request = w.writer().delete(&c.object(first.id())).query("match[version]", "first");
    let _ = request.await.expect(200);
    let body = w.reader().get(&c.versions(first.id())).await.expect(200).json();
    assert_eq!(body["versions"], serde_json::json!([THIRD]));
    let bad = w.writer().delete(&c.object(first.id())).query("match[version]", "newest");
    let _ = bad.await.expect(400);
}

async fn a_removal_is_remembered_whatever_way_the_version_comes_again(w: &World) {
    let object = indicator();
    let c = w.holding(std::slice::from_ref(&object)).await;
    delete(w, &c, &object).await;
    let again = w.writer().post(&c.objects()).body(TAXII, envelope(std::slice::from_ref(&object)));
    let _ = again.await.expect(202);
    w.send(std::slice::from_ref(&object)).await;
    w.quiet(&c, &indicator()).await;
    assert_gone(w, &c, &object).await;
}

async fn a_newer_version_comes_back_after_a_removal(w: &World) {
    let object = indicator();
    let c = w.holding(std::slice::from_ref(&object)).await;
    delete(w, &c, &object).await;
    let newer = object.clone().at(SECOND);
    w.load(&c, std::slice::from_ref(&newer)).await;
    let page = Page::of(&w.reader().get(&c.object(object.id())).await);
    assert_eq!(page.items, [newer.json()]);
    let body = w.reader().get(&c.versions(object.id())).await.expect(200).json();
    assert_eq!(body["versions"], serde_json::json!([SECOND]), "the removed one stays removed");
}

async fn a_reader_that_resumes_after_a_removal_misses_nothing(w: &World) {
    let objects = indicators(20);
    let c = w.holding(&objects).await;
    let page = Page::of(&w.reader().get(&c.objects()).query("limit", "10").await);
    let (last, next) = (page.last.clone().unwrap(), page.next.clone().unwrap());
    let held = ids(&all_objects(&w.reader(), &c).await);
    for id in [&held[9], &held[10]] {
        let _ = w.writer().delete(&c.object(id)).await.expect(200);
    }
    let resumed = w.reader().get(&c.objects()).query("added_after", &last).await;
    assert_eq!(Page::of(&resumed).ids(), held[11..]);
    let resumed = w.reader().get(&c.objects()).query("next", &next).await;
    assert_eq!(Page::of(&resumed).ids(), held[11..]);
}

async fn delete_answers_by_the_rights_of_the_key(w: &World) {
    let object = indicator();
    let readers = Some(vec!["acme".to_owned(), "reader".to_owned()]);
    let c = w.collection(CollectionSpec { readers, ..CollectionSpec::everything() }).await;
    w.load(&c, std::slice::from_ref(&object)).await;
    let stranger = w.client(KeySpec::of("globex")).await;
    let write_only = w.client(KeySpec::of("acme").write_only()).await;
    let _ = stranger.delete(&c.object(object.id())).await.expect(404);
    let _ = w.reader().delete(&c.object(object.id())).await.expect(403);
    let _ = write_only.delete(&c.object(object.id())).await.expect(403);
    let _ = w.taxii.anonymous().delete(&c.object(object.id())).await.expect(401);
    let _ = w.reader().get(&c.object(object.id())).await.expect(200);
    let unknown = "indicator--00000000-0000-4000-8000-000000000000";
    let _ = w.writer().delete(&c.object(unknown)).await.expect(404);
}

over_both_transports!(
    a_deleted_object_is_in_neither_objects_manifest_nor_versions,
    a_deletion_is_of_this_collection_only,
    delete_takes_the_last_version_and_the_older_one_becomes_the_entry,
    delete_with_all_takes_every_version,
    delete_takes_the_version_it_names,
    a_removal_is_remembered_whatever_way_the_version_comes_again,
    a_newer_version_comes_back_after_a_removal,
    a_reader_that_resumes_after_a_removal_misses_nothing,
    delete_answers_by_the_rights_of_the_key,
);
