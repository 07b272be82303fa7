//! The brief's table, row by row, both columns: the exact sequence of events.

use serde_json::json;
use shared::tlp::Tlp;
use tests::collection::{Collection, CollectionSpec};
use tests::event_stream::{EventStream, Frame};
use tests::fixtures::{Object, SECOND, THIRD, identity, indicator, malware, relationship};
use tests::world::World;

/// The objects the brief names.
struct Named {
    author: Object,
    emotet: Object,
    indicator: Object,
    indicates: Object,
}

impl Named {
    fn new() -> Self {
        let author = identity("CrowdStrike");
        let by = |object: Object| object.marked(Tlp::Green).set("created_by_ref", author.id());
        let emotet = by(malware("Emotet"));
        let indicator = by(indicator());
        let indicates = by(relationship(&indicator, &emotet));
        Self { author: author.clone(), emotet, indicator, indicates }
    }

    fn others(&self) -> Vec<Object> {
        vec![self.author.clone(), self.emotet.clone(), self.indicates.clone()]
    }
}

fn detection() -> CollectionSpec {
    let filters = json!([
        {"key": "entity_type", "values": ["Indicator"], "operator": "eq", "mode": "or"},
        {"key": "label", "values": ["detection"], "operator": "eq", "mode": "or"},
    ]);
    let filter = json!({"mode": "and", "filters": filters, "filterGroups": []});
    CollectionSpec { filter, ..CollectionSpec::everything() }
}

async fn open(w: &World, c: &Collection, no_dependencies: &str) -> EventStream {
    let request = w.stream_reader().get(&c.stream()).header("no-dependencies", no_dependencies);
    let mut stream = request.open().await;
    assert_eq!(stream.next().await.expect("a first frame").event, "connected");
    stream
}

fn said(frames: &[Frame]) -> Vec<(String, String)> {
    frames.iter().map(Frame::said).collect()
}

fn creates(ids: &[&str]) -> Vec<(String, String)> {
    ids.iter().map(|id| ("create".to_owned(), (*id).to_owned())).collect()
}

fn delete(id: &str) -> Vec<(String, String)> {
    vec![("delete".to_owned(), id.to_owned())]
}

async fn rows(no_dependencies: bool) {
    let w = World::http().await;
    let c = w.collection(detection()).await;
    let all = w.collection(CollectionSpec::everything()).await;
    let named = Named::new();
    let green = Tlp::Green.marking_id();
    let (indicator, indicates) = (named.indicator.id(), named.indicates.id());
    let mut stream = open(&w, &c, &no_dependencies.to_string()).await;

    // 1. Create an indicator: nothing. Were there an event, it would come before those of 2.
    let mut objects = named.others();
    objects.insert(0, named.indicator.clone());
    w.load(&all, &objects).await;

    // 2. Add the label detection.
    w.send(&[named.indicator.clone().at(SECOND).labelled("detection")]).await;
    let expected = if no_dependencies {
        creates(&[green, named.author.id(), indicator])
    } else {
        creates(&[green, named.author.id(), named.emotet.id(), indicator, indicates])
    };
    assert_eq!(said(&stream.events(expected.len()).await), expected, "row 2");

    // 3. Remove the label.
    w.send(&[named.indicator.clone().at(THIRD)]).await;
    assert_eq!(said(&stream.events(1).await), delete(indicator), "row 3");

    // 4. Add it again.
    let fourth = named.indicator.clone().at("2026-04-01T00:00:00.000Z").labelled("detection");
    w.send(&[fourth]).await;
    let expected =
        if no_dependencies { creates(&[indicator]) } else { creates(&[indicator, indicates]) };
    assert_eq!(said(&stream.events(expected.len()).await), expected, "row 4");

    // 5. Delete the indicator.
    let _ = w.ingest().delete(&format!("/api/v1/objects/{indicator}")).await.expect(200);
    assert_eq!(said(&stream.events(1).await), delete(indicator), "row 5");

    // And nothing else: what comes next is what is made next.
    let last = tests::fixtures::indicator().labelled("detection");
    w.send(std::slice::from_ref(&last)).await;
    assert_eq!(said(&stream.events(1).await), creates(&[last.id()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_without_dependencies() {
    rows(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_with_dependencies() {
    rows(false).await;
}
