//! taxii.md, Writes: the status resource.

use serde_json::{Value, json};
use tests::client::TAXII;
use tests::collection::CollectionSpec;
use tests::fixtures::{Object, envelope, indicator, indicators};
use tests::keys::KeySpec;
use tests::taxii_reading::assert_taxii_timestamp;
use tests::world::World;

fn assert_counts_agree(status: &Value) {
    let count = |name: &str| status[name].as_u64().unwrap_or_else(|| panic!("{name}: {status}"));
    let parts = count("success_count") + count("failure_count") + count("pending_count");
    assert_eq!(parts, count("total_count"), "{status}");
    for (list, name) in [
        ("successes", "success_count"),
        ("failures", "failure_count"),
        ("pendings", "pending_count"),
    ] {
        let listed = status[list].as_array().map_or(0, Vec::len) as u64;
        assert_eq!(listed, count(name), "{list}: {status}");
    }
    assert_eq!(status["status"] == "complete", count("pending_count") == 0, "{status}");
}

async fn a_post_answers_with_a_whole_status(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let mut objects = indicators(4);
    objects.push(indicator().without("valid_from"));
    let request = w.writer().post(&c.objects()).body(TAXII, envelope(&objects));
    let answer = request.await.expect(202);
    assert_eq!(answer.header("content-type"), Some(TAXII));
    let status = answer.json();
    let id = uuid::Uuid::parse_str(status["id"].as_str().unwrap()).unwrap();
    assert_eq!(id.get_version_num(), 4);
    assert!(["pending", "complete"].contains(&status["status"].as_str().unwrap()), "{status}");
    assert_taxii_timestamp(status["request_timestamp"].as_str().unwrap());
    assert_eq!(status["total_count"], 5);
    assert_counts_agree(&status);
}

async fn the_status_is_kept_and_ends_complete(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let objects = indicators(3);
    let request = w.writer().post(&c.objects()).body(TAXII, envelope(&objects));
    let posted = request.await.expect(202).json();
    let path = format!("/taxii2/intel/status/{}/", posted["id"].as_str().unwrap());
    let status = tests::patience::until("the status is complete", async || {
        let status = w.writer().get(&path).await.expect(200).json();
        assert_counts_agree(&status);
        (status["status"] == "complete").then_some(status)
    })
    .await;
    assert_eq!(status["id"], posted["id"]);
    assert_eq!(status["request_timestamp"], posted["request_timestamp"]);
    let listed = status["successes"].as_array().unwrap();
    let mut listed: Vec<_> =
        listed.iter().map(|s| (s["id"].clone(), s["version"].clone())).collect();
    let mut sent: Vec<_> =
        objects.iter().map(|o: &Object| (json!(o.id()), json!(o.version()))).collect();
    listed.sort_by_key(|entry| entry.0.to_string());
    sent.sort_by_key(|entry| entry.0.to_string());
    assert_eq!(listed, sent);
}

async fn a_status_nobody_asked_for_is_404(w: &World) {
    let unknown = "/taxii2/intel/status/2d086da7-4bdc-4f91-900e-d77486753710/";
    let _ = w.writer().get(unknown).await.expect(404);
    let _ = w.writer().get("/taxii2/intel/status/no-uuid/").await.expect(404);
}

async fn another_tenants_status_is_404(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let posted = w.writer().post(&c.objects()).body(TAXII, envelope(&[indicator()])).await;
    let id = posted.expect(202).json()["id"].as_str().unwrap().to_owned();
    let stranger = w.client(KeySpec::of("globex")).await;
    let _ = stranger.get(&format!("/taxii2/intel/status/{id}/")).await.expect(404);
}

async fn an_empty_envelope_is_complete_at_once(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let posted = w.writer().post(&c.objects()).body(TAXII, envelope(&[])).await;
    let status = posted.expect(202).json();
    assert_eq!((&status["status"], &status["total_count"]), (&json!("complete"), &json!(0)));
    assert_counts_agree(&status);
}

async fn a_status_is_kept_for_more_than_a_day_and_then_gone(w: &World) {
    let path = |id: String| format!("/taxii2/intel/status/{id}/");
    let kept = path(w.receipt_of(25).await);
    assert_eq!(w.writer().get(&kept).await.expect(200).json()["status"], "complete");
    let _ = w.reader().get(&kept).await.expect(404);
    let gone = path(w.receipt_of(27).await);
    let _ = w.writer().get(&gone).await.expect(404);
}

over_both_transports!(
    a_status_is_kept_for_more_than_a_day_and_then_gone,
    a_post_answers_with_a_whole_status,
    the_status_is_kept_and_ends_complete,
    a_status_nobody_asked_for_is_404,
    another_tenants_status_is_404,
    an_empty_envelope_is_complete_at_once,
);
