//! A store that does not answer: the reader hears that the connection lives before it would give
//! it up, and misses nothing once the store answers again.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use serde_json::json;
use shared::access::Scope;
use shared::http::StreamedBody;
use tests::aws_front::{Fault, Strike};
use tests::collection::CollectionSpec;
use tests::event_stream::Frame;
use tests::fixtures::indicators;
use tests::lab::block_on;
use tests::patience::DEADLINE;
use tests::stage::Stage;

/// After this long clients take a connection for dead (contract: live-stream, hard rules).
const GIVEN_UP: Duration = Duration::from_secs(45);

/// The next frames, that came at once.
async fn next(stream: &mut StreamedBody) -> Vec<Frame> {
    let frame = tokio::time::timeout(DEADLINE, stream.frame()).await.expect("frames in time");
    let Ok(frame) = frame.expect("the connection lasts");
    let bytes = frame.into_data().expect("a chunk of the body");
    Frame::all_of(std::str::from_utf8(&bytes).unwrap())
}

#[test]
fn a_store_that_never_answers_does_not_make_a_stream_fall_silent() {
    block_on(async {
        let mut stage = Stage::new().await;
        stage.key("acme", &[Scope::ReadStream]).await;
        let spec = CollectionSpec { alias: Some("all".into()), ..CollectionSpec::everything() };
        stage.collection(spec.streamed(json!({"enabled": true}))).await;
        let objects = indicators(2);
        stage.settle("operator", &objects[..1]).await;
        let services = stage.instance();
        let mut stream = stage.stream(&services, "/stream/all").await;
        assert_eq!(next(&mut stream).await[0].event, "connected");
        assert_eq!(next(&mut stream).await[0].event, "heartbeat");
        // By now it only looks whether the log has grown.
        let call = stage.front().calls().last().expect("a poll").name.clone();
        stage.front().strike(Some(Strike { call, nth: None, fault: Fault::Hangs }));
        let silent = Instant::now();
        assert_eq!(next(&mut stream).await[0].event, "heartbeat");
        let first = silent.elapsed();
        assert_eq!(next(&mut stream).await[0].event, "heartbeat");
        let second = silent.elapsed().saturating_sub(first);
        assert!(stage.front().struck() > 0, "it polled");
        assert!(first.max(second) < GIVEN_UP, "silent for {first:?} and {second:?}");
        stage.front().strike(None);
        stage.settle("operator", &objects[1..]).await;
        let said = loop {
            let frames = next(&mut stream).await;
            if let Some(event) = frames.iter().find(|frame| frame.is_event()) {
                break event.said();
            }
        };
        assert_eq!(said, ("create".to_owned(), objects[1].id().to_owned()));
        drop(stream);
        stage.end().await;
    });
}
