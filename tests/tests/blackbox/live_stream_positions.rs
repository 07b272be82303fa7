//! Positions that are older than leaves are kept: of who is up to date, of who is within a replay,
//! and of who lacks something.

use chrono::TimeDelta;
use serde_json::json;
use shared::access::Scope;
use shared::services::Services;
use tests::collection::CollectionSpec;
use tests::event_stream::Frame;
use tests::fixtures::indicators;
use tests::lab::block_on;
use tests::stage::Stage;

async fn stage() -> (Stage, Services) {
    let mut stage = Stage::new().await;
    stage.key("acme", &[Scope::ReadStream]).await;
    let spec = CollectionSpec { alias: Some("all".into()), ..CollectionSpec::everything() };
    stage.collection(spec.streamed(json!({"enabled": true}))).await;
    let services = stage.instance();
    (stage, services)
}

async fn read(stage: &Stage, services: &Services, from: &str) -> Vec<Frame> {
    Frame::all_of(&stage.whole(services, &format!("/stream/all?from={from}")).await)
}

fn told(frames: &[Frame]) -> Vec<&str> {
    frames.iter().filter(|frame| frame.is_event()).map(Frame::object_id).collect()
}

#[test]
fn who_is_up_to_date_is_not_reset_after_a_quiet_month() {
    block_on(async {
        let (stage, services) = stage().await;
        let objects = indicators(2);
        stage.settle("operator", &objects[..1]).await;
        let first = read(&stage, &services, "0").await;
        let plain = &first.iter().rfind(|frame| frame.is_event()).unwrap().id;
        stage.later(TimeDelta::days(40));
        // Also with an id of before ids said more.
        let quiet = read(&stage, &services, plain).await;
        assert!(quiet[0].data["reset"].is_null(), "{quiet:?}");
        assert!(told(&quiet).is_empty(), "{quiet:?}");
        let beat = &quiet.last().unwrap().id;
        assert!(beat.len() > plain.len(), "{beat} says more than {plain}");
        // The log goes on: who was up to date then misses nothing, who was not begins anew.
        stage.later(TimeDelta::days(60));
        stage.settle("operator", &objects[1..]).await;
        let up_to_date = read(&stage, &services, beat).await;
        assert!(up_to_date[0].data["reset"].is_null());
        assert_eq!(told(&up_to_date), [objects[1].id()]);
        let gone_long = read(&stage, &services, plain).await;
        assert_eq!(gone_long[0].data["reset"], true);
        assert_eq!(told(&gone_long), [objects[0].id(), objects[1].id()]);
        // Ids of what is recent are what they always were.
        let recent = up_to_date.iter().rfind(|frame| frame.is_event()).unwrap();
        assert!(recent.id_parts().1 < 1_000_000, "{}", recent.id);
        stage.later(TimeDelta::days(95));
        let late = read(&stage, &services, beat).await;
        assert_eq!(late[0].data["reset"], true, "it was up to date too long ago");
        stage.end().await;
    });
}

#[test]
fn a_replay_of_an_old_log_comes_to_its_end_over_several_connections() {
    block_on(async {
        let (stage, services) = stage().await;
        let objects = indicators(4);
        stage.settle("operator", &objects).await;
        stage.later(TimeDelta::days(40));
        let mut cursor = "0".to_owned();
        for object in &objects {
            let frames = read(&stage, &services, &cursor).await;
            assert!(frames[0].data["reset"].is_null(), "{cursor}");
            let event = frames.iter().find(|frame| frame.is_event()).expect("an event");
            assert_eq!(event.object_id(), object.id());
            // It drops after the first.
            cursor.clone_from(&event.id);
        }
        assert!(told(&read(&stage, &services, &cursor).await).is_empty());
        stage.end().await;
    });
}
