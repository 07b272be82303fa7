//! What events name: what leaves a collection, objects that refer to each other, and what is not
//! sent for want of room.

use serde_json::{Value, json};
use shared::tlp::Tlp;
use tests::collection::{Collection, CollectionSpec};
use tests::event_stream::Frame;
use tests::fixtures::{
    FIRST, Object, SECOND, envelope, fresh_id, identity, indicator, malware, relationship,
};
use tests::keys::KeySpec;
use tests::world::World;

/// A marking without a level.
fn statement() -> Object {
    Object::of(json!({
        "type": "marking-definition", "spec_version": "2.1",
        "id": fresh_id("marking-definition"), "created": FIRST,
        "definition_type": "statement", "definition": {"statement": "Example"},
    }))
}

async fn finite(w: &World, c: &Collection, parameters: &str) -> Vec<Frame> {
    let path = format!("{}?finite=true&{parameters}", c.stream());
    Frame::all_of(&w.stream_reader().get(&path).await.expect(200).text())
}

fn told(frames: &[Frame]) -> Vec<&str> {
    frames.iter().filter(|frame| frame.is_event()).map(Frame::object_id).collect()
}

fn members(frame: &Frame) -> Vec<&str> {
    let data = frame.data["data"].as_object().unwrap();
    data.keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delete_says_no_more_than_its_reader_may_know() {
    let w = World::http().await;
    let detection = CollectionSpec::labelled("detection").ceiling(Tlp::Green);
    let c = w.collection(detection).await;
    let (copyright, author) = (statement(), identity("Secret Org").marked(Tlp::Red));
    let green = |name: &str| {
        let one = indicator().marked(Tlp::Green).labelled("detection");
        one.set("name", name).set("created_by_ref", author.id())
    };
    let (raised, left) = (green("raised"), green("left"));
    w.send(&[copyright.clone(), author.clone()]).await;
    w.load(&c, &[raised.clone(), left.clone()]).await;
    let cursor = finite(&w, &c, "from=0").await.last().unwrap().id.clone();
    // Red, and with a marking that has to be looked up.
    let markings = json!([Tlp::Red.marking_id(), copyright.id()]);
    let raised = raised.at(SECOND).set("object_marking_refs", markings);
    w.send(&[raised.clone().set("name", "secret now")]).await;
    let relabelled = left.clone().at(SECOND).labelled("other").set("description", "plain now");
    w.send(&[relabelled]).await;
    w.at_rest().await;
    let frames = finite(&w, &c, &format!("from={cursor}")).await;
    let text = format!("{frames:?}");
    let delete = |id: &str| {
        let found = frames.iter().find(|frame| frame.object_id() == id).expect("a delete");
        assert_eq!(found.event, "delete");
        found
    };
    assert_eq!(members(delete(raised.id())), ["id", "spec_version", "type"]);
    assert!(!text.contains("secret now"), "{text}");
    assert_eq!(delete(left.id()).data["data"]["description"], "plain now");
    assert!(!text.contains(author.id()), "its author is withheld: {text}");
    assert_eq!(delete(left.id()).data["data"]["object_marking_refs"][0], Tlp::Green.marking_id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_no_longer_write_to_a_collection_is_not_heard_by_a_delete() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let object = indicator();
    w.load(&c, std::slice::from_ref(&object)).await;
    let cursor = finite(&w, &c, "from=0").await.last().unwrap().id.clone();
    w.change(&c, |spec| CollectionSpec { writers: Vec::new(), ..spec }).await;
    w.send(&[object.clone().at(SECOND).set("description", "secret now")]).await;
    w.rebuilt(&c).await;
    w.at_rest().await;
    let frames = finite(&w, &c, &format!("from={cursor}")).await;
    assert_eq!(told(&frames), [object.id()]);
    let delete = frames.iter().find(|frame| frame.event == "delete").expect("a delete");
    assert_eq!(members(delete), ["id", "spec_version", "type"]);
    assert!(!format!("{frames:?}").contains("secret now"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_that_refer_to_each_other_are_sent_whole_and_after_each_other() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::filtered("entity_type", "Indicator")).await;
    // As in MITRE's own bundles.
    let marking = statement();
    let author = identity("Example").set("object_marking_refs", json!([marking.id()]));
    let marking = marking.set("created_by_ref", author.id());
    let one = indicator().set("created_by_ref", author.id());
    let one = one.set("object_marking_refs", json!([marking.id(), Tlp::Green.marking_id()]));
    w.send(&[marking.clone(), author.clone()]).await;
    w.load(&c, std::slice::from_ref(&one)).await;
    let frames = finite(&w, &c, "from=0").await;
    let mut has: Vec<(String, Value)> = Vec::new();
    for event in frames.iter().filter(|frame| frame.is_event()) {
        let data = &event.data["data"];
        let named = data["object_marking_refs"].as_array().into_iter().flatten();
        for named in named.chain(data.get("created_by_ref")) {
            let named = named.as_str().unwrap();
            assert!(has.iter().any(|(id, _)| id == named), "{} names {named}", event.object_id());
        }
        has.retain(|(id, _)| id != event.object_id());
        has.push((event.object_id().to_owned(), data.clone()));
    }
    let last = |id: &str| &has.iter().find(|(known, _)| known == id).expect("it was sent").1;
    assert_eq!(last(marking.id())["created_by_ref"], author.id());
    assert_eq!(last(author.id())["object_marking_refs"][0], marking.id());
    assert_eq!(last(one.id())["created_by_ref"], author.id());
    assert_eq!(last(one.id())["object_marking_refs"].as_array().unwrap().len(), 2);
}

/// Relationships of the same two objects.
fn relationships(from: &Object, to: &Object, count: usize) -> Vec<Object> {
    (0..count).map(|_| relationship(from, to)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_do_not_crowd_out_what_joins_an_object_and_what_is_left_out_is_said() {
    let w = World::http().await;
    let spec = CollectionSpec::filtered("entity_type", "Indicator");
    let c = w.collection(spec.streamed(json!({"dependencies": true}))).await;
    let (one, family) = (indicator(), malware("Example Family"));
    w.load(&c, std::slice::from_ref(&one)).await;
    w.send(std::slice::from_ref(&family)).await;
    let other = w.client(KeySpec::of("other").write_only()).await;
    for part in relationships(&one, &family, 1_200).chunks(250) {
        let request = other.post("/api/v1/objects");
        let _ = request.body("application/json", envelope(part)).await.expect(200);
    }
    // They lie last, wherever ids are spread to.
    let own = |number: u8| {
        let id = format!("relationship--ffffffff-ffff-4fff-bfff-ffffffffff{number:02x}");
        relationship(&one, &family).set("id", id)
    };
    let own: Vec<Object> = (200..=255).map(own).collect();
    w.send(&own).await;
    w.at_rest().await;
    let frames = finite(&w, &c, "from=0").await;
    let told = told(&frames);
    for link in &own {
        assert!(told.contains(&link.id()), "{} was crowded out", link.id());
    }
    let event = |frames: &[Frame]| {
        let found = frames.iter().find(|frame| frame.object_id() == one.id());
        found.expect("its own event").clone()
    };
    assert!(event(&frames).data["context"].is_null(), "nothing is left out");
    // More of them than a group holds.
    for part in relationships(&one, &family, 1_000).chunks(250) {
        w.send(part).await;
    }
    w.at_rest().await;
    let frames = finite(&w, &c, "from=0").await;
    let group = event(&frames);
    assert_eq!(group.data["context"], json!({"truncated": true}));
    let at = group.id_parts().0;
    let of_group = frames.iter().filter(|frame| frame.is_event() && frame.id_parts().0 == at);
    assert_eq!(of_group.count(), 999, "its own and what goes with it");
}
