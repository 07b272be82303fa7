//! The hard rules on the wire: over HTTP, and through the function's real binary, streaming.

use std::time::Duration;

use serde_json::json;
use shared::access::Scope;
use shared::http::{MAX_ENCODED_BYTES, encoded_bytes};
use tests::collection::{Collection, CollectionSpec};
use tests::event_stream::{EventStream, Frame};
use tests::fixtures::{SECOND, THIRD, indicator, indicators, malware, relationship};
use tests::keys::KeySpec;
use tests::world::World;

over_both_transports!(
    streams:
    the_answer_is_a_stream_that_nothing_holds_back,
    a_connection_says_first_where_it_stands,
    an_idle_connection_says_that_it_lives,
    events_come_as_they_happen_and_ids_rise,
    who_resumes_misses_nothing_and_gets_nothing_twice,
    an_update_has_its_patches_both_ways,
);

async fn everything(w: &World) -> Collection {
    w.collection(CollectionSpec::everything()).await
}

async fn open(w: &World, c: &Collection, parameters: &str) -> EventStream {
    let path = format!("{}?{parameters}", c.stream());
    let mut stream = w.stream_reader().get(&path).open().await;
    assert_eq!(stream.status, 200);
    let first = stream.next().await.expect("a first frame");
    assert_eq!(first.event, "connected");
    stream
}

async fn the_answer_is_a_stream_that_nothing_holds_back(w: &World) {
    let c = everything(w).await;
    let request = w.stream_reader().get(&c.stream()).header("accept-encoding", "gzip, zstd");
    let stream = request.open().await;
    let header = |name: &str| stream.headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(header("cache-control"), Some("no-cache, no-transform"));
    assert_eq!(header("content-length"), None);
    assert_eq!(header("content-encoding"), None);
    assert!(header("x-request-id").is_some());
    assert_eq!(header("access-control-allow-origin"), Some("*"));
}

async fn a_connection_says_first_where_it_stands(w: &World) {
    let c = w.holding(&indicators(3)).await;
    let mut stream = w.stream_reader().get(&format!("{}?from=0", c.stream())).open().await;
    let first = stream.next().await.unwrap();
    assert_eq!((first.event.as_str(), first.id.as_str()), ("connected", "0-0"));
    assert!(first.retry.is_some_and(|retry| retry > 0 && retry < 45_000), "{first:?}");
    for member in [
        "firstEventId",
        "firstEventDate",
        "lastEventId",
        "lastEventDate",
        "streamSize",
        "connectionId",
    ] {
        assert!(!first.data[member].is_null(), "{member} in {}", first.data);
    }
    let events = stream.events(3).await;
    assert_eq!(events[2].id, first.data["lastEventId"], "the last event of the log");
}

async fn an_idle_connection_says_that_it_lives(w: &World) {
    let c = w.holding(&indicators(1)).await;
    let mut stream = open(w, &c, "from=0").await;
    let event = stream.next_event().await;
    let waited = tokio::time::timeout(Duration::from_secs(5), stream.next()).await;
    let heartbeat = waited.expect("a frame within 5 s").unwrap();
    assert_eq!(heartbeat.event, "heartbeat");
    assert_eq!(heartbeat.id, event.id, "the last position read, never the clock");
    let date = heartbeat.data.as_str().expect("a quoted date");
    assert!(chrono::DateTime::parse_from_rfc3339(date).is_ok(), "{date}");
}

async fn events_come_as_they_happen_and_ids_rise(w: &World) {
    let c = everything(w).await;
    let mut stream = open(w, &c, "").await;
    let mut last = (0, 0);
    for object in indicators(3) {
        w.send(std::slice::from_ref(&object)).await;
        let event = stream.next_event().await;
        assert_eq!(event.said(), ("create".to_owned(), object.id().to_owned()));
        assert!(event.id_parts() > last, "{} after {last:?}", event.id);
        assert_eq!(event.id_parts().1 % 1000, 999, "the group's own event");
        assert_eq!(event.data["version"], "4");
        assert_eq!(event.data["scope"], "external");
        assert_eq!(event.data["origin"], json!({"referer": "live"}));
        last = event.id_parts();
    }
}

async fn who_resumes_misses_nothing_and_gets_nothing_twice(w: &World) {
    let objects = indicators(20);
    let c = w.holding(&objects).await;
    let mut seen = Vec::new();
    let mut cursor = "0".to_owned();
    while seen.len() < objects.len() {
        let request = w.stream_reader().get(&c.stream()).header("last-event-id", &cursor);
        let mut stream = request.open().await;
        assert_eq!(stream.next().await.unwrap().event, "connected");
        for event in stream.events(7.min(objects.len() - seen.len())).await {
            cursor.clone_from(&event.id);
            seen.push(event.object_id().to_owned());
        }
    }
    let mut sent: Vec<String> = objects.iter().map(|object| object.id().to_owned()).collect();
    let mut sorted = seen.clone();
    sorted.sort();
    sent.sort();
    assert_eq!(sorted, sent);
}

async fn an_update_has_its_patches_both_ways(w: &World) {
    let object = indicator();
    let c = w.holding(std::slice::from_ref(&object)).await;
    let mut stream = open(w, &c, "from=0").await;
    let created = stream.next_event().await;
    let second = object.clone().at(SECOND).labelled("a").set("description", "text");
    w.send(std::slice::from_ref(&second)).await;
    let updated = stream.next_event().await;
    assert_eq!(updated.event, "update");
    let patched = |from: &serde_json::Value, patch: &serde_json::Value| {
        let mut value = from.clone();
        let patch: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
        json_patch::patch(&mut value, &patch).unwrap();
        value
    };
    let (before, after) = (&created.data["data"], &updated.data["data"]);
    let context = &updated.data["context"];
    assert_eq!(&patched(before, &context["patch"]), after);
    assert_eq!(&patched(after, &context["reverse_patch"]), before);
    drop(stream);

    // Who resumes with the version that was replaced is told of an update as well; who has an
    // older one cannot compare.
    w.load(&c, &[object.clone().at(THIRD)]).await;
    for (id, expected) in [(&updated.id, "update"), (&created.id, "create")] {
        let mut stream = open(w, &c, &format!("from={id}")).await;
        let event = stream.next_event().await;
        assert_eq!(event.event, expected);
        assert_eq!(event.data["context"].is_null(), expected == "create");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_ends_in_time_between_two_frames() {
    let w = World::streaming_lambda(2).await;
    let c = w.holding(&indicators(2)).await;
    let request = w.stream_reader().get(&format!("{}?from=0", c.stream()));
    // A frame that is cut short fails the test.
    let frames = request.open().await.rest().await;
    assert_eq!(frames.iter().filter(|frame| frame.is_event()).count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_front_door_does_not_stream_answers_are_finite() {
    let w = World::http().await;
    let objects = indicators(3);
    let c = w.holding(&objects).await;
    let path = format!("{}?finite=true", c.stream());
    let mut cursor = "0".to_owned();
    for expected in [3, 1] {
        let answer = w.stream_reader().get(&path).header("last-event-id", &cursor).await;
        let frames = tests::event_stream::Frame::all_of(&answer.expect(200).text());
        let events = frames.iter().filter(|frame| frame.is_event());
        assert_eq!(events.count(), expected);
        frames.last().unwrap().id.clone_into(&mut cursor);
        w.load(&c, &[indicator()]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finite_answer_is_never_more_than_a_gateway_takes() {
    let w = World::http().await;
    // Quotes take four bytes in an answer that is a text within JSON.
    let large = |_| indicator().set("description", "\"".repeat(60_000));
    let objects: Vec<_> = (0..40).map(large).collect();
    let c = w.collection(CollectionSpec::everything()).await;
    for part in objects.chunks(10) {
        w.load(&c, part).await;
    }
    let (mut cursor, mut seen, mut answers) = ("0".to_owned(), Vec::new(), 0);
    while seen.len() < objects.len() {
        let request = w.stream_reader().get(&format!("{}?finite=true", c.stream()));
        let text = request.header("last-event-id", &cursor).await.expect(200).text();
        assert!(encoded_bytes(&text) <= MAX_ENCODED_BYTES, "{}", encoded_bytes(&text));
        let frames = tests::event_stream::Frame::all_of(&text);
        let events = frames.iter().filter(|frame| frame.is_event());
        let before = seen.len();
        seen.extend(events.map(|event| event.object_id().to_owned()));
        assert!(seen.len() > before, "it comes no further");
        frames.last().unwrap().id.clone_into(&mut cursor);
        answers += 1;
    }
    assert!(answers > 1);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), objects.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_resumes_is_sent_what_joins_an_object_before_its_update() {
    let w = World::http().await;
    let spec = CollectionSpec::filtered("entity_type", "Indicator");
    let c = w.collection(spec.streamed(json!({"dependencies": true}))).await;
    let (one, family) = (indicator(), malware("Example Family"));
    let link = relationship(&one, &family);
    w.load(&c, std::slice::from_ref(&one)).await;
    w.send(&[family.clone(), link.clone()]).await;
    w.at_rest().await;
    let answer = w.stream_reader().get(&format!("{}?finite=true&from=0", c.stream())).await;
    let frames = tests::event_stream::Frame::all_of(&answer.expect(200).text());
    let cursor = &frames.last().unwrap().id;
    w.load(&c, &[one.clone().at(SECOND)]).await;
    let mut stream = open(&w, &c, &format!("from={cursor}")).await;
    let said: Vec<_> = stream.events(3).await.iter().map(Frame::said).collect();
    let expected = [("create", &family), ("create", &link), ("update", &one)];
    assert_eq!(said, expected.map(|(kind, what)| (kind.to_owned(), what.id().to_owned())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_ends_when_its_reader_may_no_longer_read() {
    let w = World::http().await;
    let c = w.holding(&indicators(1)).await;
    let stopped = w.holding(&indicators(1)).await;
    let key = w.key(KeySpec::of("reader").with([Scope::ReadStream])).await;
    let reader = w.streams.with_key(&key.text);
    let path = format!("{}?from=0", c.stream());
    let mut by_key = reader.get(&path).open().await;
    let _ = by_key.next_event().await;
    let mut of_stream = open(&w, &stopped, "from=0").await;
    let _ = of_stream.next_event().await;
    w.revoke(&key).await;
    w.change(&stopped, |spec| spec.streamed(json!({"enabled": false}))).await;
    // Both are asked for again now and then, and end between two frames.
    let _ = futures::join!(by_key.rest(), of_stream.rest());
    let _ = reader.get(&path).await.expect(401);
    let _ = w.stream_reader().get(&stopped.stream()).await.expect(410);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_server_ends_its_streams_between_two_frames() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--data".into(), folder.path().join("data").into_os_string()];
    let service = tests::service::Service::start(&arguments).await;
    let client = service.client(&service.ready.reader_key);
    let mut stream = client.get("/stream/demo?from=0").open().await;
    let _ = stream.next_event().await;
    service.interrupt();
    // A frame that is cut short fails the test.
    let _ = stream.rest().await;
}
