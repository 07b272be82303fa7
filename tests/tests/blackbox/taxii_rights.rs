//! taxii.md, Reads and Writes: who is answered what, on every route of a collection.

use serde_json::json;
use shared::tlp::Tlp;
use tests::client::{Client, TAXII};
use tests::collection::{Collection, CollectionSpec};
use tests::fixtures::{Object, envelope, indicator};
use tests::keys::KeySpec;
use tests::world::World;

async fn reads(client: &Client, c: &Collection, object: &Object) -> Vec<u16> {
    let mut statuses = Vec::new();
    for path in [c.objects(), c.manifest(), c.object(object.id()), c.versions(object.id())] {
        statuses.push(client.get(&path).await.status);
    }
    statuses
}

async fn write(client: &Client, c: &Collection) -> u16 {
    client.post(&c.objects()).body(TAXII, envelope(&[indicator()])).await.status
}

async fn a_key_with_no_read_right_is_403_and_one_that_may_not_know_404(w: &World) {
    let object = indicator();
    let readers = Some(vec!["acme".to_owned(), "reader".to_owned()]);
    let c = w.collection(CollectionSpec { readers, ..CollectionSpec::everything() }).await;
    w.load(&c, std::slice::from_ref(&object)).await;
    let write_only = w.client(KeySpec::of("acme").write_only()).await;
    let stranger = w.client(KeySpec::of("globex")).await;
    let nobody = w.taxii.anonymous();
    assert_eq!(reads(&w.writer(), &c, &object).await, [200; 4]);
    assert_eq!(reads(&w.reader(), &c, &object).await, [200; 4]);
    assert_eq!(reads(&write_only, &c, &object).await, [403; 4]);
    assert_eq!(reads(&stranger, &c, &object).await, [404; 4]);
    assert_eq!(reads(&nobody, &c, &object).await, [401; 4]);
}

async fn writing_without_the_right_is_403(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let other_tenant = w.client(KeySpec::of("globex")).await;
    let write_only = w.client(KeySpec::of("acme").write_only()).await;
    assert_eq!(write(&w.writer(), &c).await, 202);
    assert_eq!(write(&write_only, &c).await, 202);
    assert_eq!(write(&w.reader(), &c).await, 403);
    assert_eq!(write(&other_tenant, &c).await, 403, "writes, but not to this collection");
    assert_eq!(write(&w.taxii.anonymous(), &c).await, 401);
}

async fn a_403_names_what_is_missing(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let write_only = w.client(KeySpec::of("acme").write_only()).await;
    let body = write_only.get(&c.objects()).await.expect(403).json();
    assert_eq!(body["error_code"], "missing_scope", "{body}");
    assert!(body.to_string().contains("read:taxii"), "{body}");
    let request = w.reader().post(&c.objects()).body(TAXII, envelope(&[indicator()]));
    let body = request.await.expect(403).json();
    assert_eq!(body["error_code"], "missing_scope", "{body}");
    assert!(body.to_string().contains("write:objects"), "{body}");
}

async fn a_key_below_the_ceiling_may_not_read_the_collection(w: &World) {
    let object = indicator().marked(Tlp::Clear);
    let c = w.collection(CollectionSpec::everything().ceiling(Tlp::AmberStrict)).await;
    let cleared = w.client(KeySpec::of("reader").read_only().cleared(Tlp::AmberStrict)).await;
    let below = w.client(KeySpec::of("reader").read_only().cleared(Tlp::Amber)).await;
    w.send(std::slice::from_ref(&object)).await;
    tests::patience::until("the cleared key reads it", async || {
        (cleared.get(&c.object(object.id())).await.status == 200).then_some(())
    })
    .await;
    assert_eq!(reads(&below, &c, &object).await, [403; 4]);
    let body = below.get(&c.objects()).await.expect(403).json();
    assert_eq!(body["error_code"], "clearance_required", "{body}");
}

async fn a_key_may_read_what_lies_below_its_clearance(w: &World) {
    let object = indicator().marked(Tlp::Green);
    let c = w.collection(CollectionSpec::everything().ceiling(Tlp::Green)).await;
    w.load(&c, std::slice::from_ref(&object)).await;
    let body = w.reader().get(&c.path("")).await.expect(200).json();
    assert_eq!(body["can_read"], json!(true));
    assert_eq!(reads(&w.reader(), &c, &object).await, [200; 4]);
}

over_both_transports!(
    a_key_with_no_read_right_is_403_and_one_that_may_not_know_404,
    writing_without_the_right_is_403,
    a_403_names_what_is_missing,
    a_key_below_the_ceiling_may_not_read_the_collection,
    a_key_may_read_what_lies_below_its_clearance,
);
