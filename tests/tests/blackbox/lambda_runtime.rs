//! The functions' real binaries: events that are no HTTP requests, and faults of HTTP ones.

use serde_json::json;
use tests::collection::CollectionSpec;
use tests::fixtures::{bundle, indicator};
use tests::function::Function;
use tests::world::World;

/// A notification as S3 sends it to a function.
fn object_created(bucket: &str, key: &str) -> serde_json::Value {
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1",
        "eventTime": "2026-01-01T00:00:00.000Z", "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:TEST"},
        "requestParameters": {"sourceIPAddress": "192.0.2.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "x"},
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "drop",
            "bucket": {"name": bucket, "ownerIdentity": {"principalId": "TEST"},
                       "arn": format!("arn:aws:s3:::{bucket}")},
            "object": {"key": key, "size": 1, "eTag": "x", "sequencer": "0A1B2C3D4E5F678901"},
        },
    }]})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ingest_function_answers_requests() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let function = Function::start("ingest", &w.function_environment()).await;
    let base_url = format!("https://{}", tests::gateway_event::HOST);
    let client = tests::client::Client::function(std::sync::Arc::new(function), &base_url);
    let object = indicator();
    let request = client.with_key(w.writer_key()).post("/api/v1/objects");
    let body = bundle(std::slice::from_ref(&object));
    let answer = request.body("application/stix+json;version=2.1", body).await.expect(200).json();
    assert_eq!(answer["created"], 1, "{answer}");
    w.settled(&c, std::slice::from_ref(&object)).await;
    let answer = client.post("/api/v1/objects").body("application/json", "[]").await.expect(401);
    assert!(answer.headers.contains_key("www-authenticate"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_drop_function_takes_a_notification_of_the_bucket() {
    let w = World::http().await;
    let function = Function::start("ingest-drop", &w.function_environment()).await;
    let object = indicator();
    // Outside `inbox/`, so that the system itself does not take it first.
    w.put_file("held/first file.json", bundle(std::slice::from_ref(&object))).await;
    let event = object_created(w.bucket_name(), "held/first+file.json");
    function.invoke(&event).await.expect("the function takes the notification");
    let result = w.json_file("held/first file.json.result.json").await;
    assert_eq!(result["accepted"], 1, "{result}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_projecting_function_takes_records_of_the_stream_again_without_a_second_entry() {
    let w = World::http().await;
    let object = indicator();
    let c = w.holding(std::slice::from_ref(&object)).await;
    let before = tests::taxii_reading::whole_manifest(&w.reader(), &c).await;
    let function = Function::start("project", &w.function_environment()).await;
    let record = json!({
        "eventID": "1", "eventVersion": "1.1", "eventName": "INSERT",
        "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/objects/stream/x",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_767_225_600,
            "Keys": w.object_key(object.id()),
            "NewImage": w.object_key(object.id()),
            "SequenceNumber": "100000000000000000001", "SizeBytes": 100,
            "StreamViewType": "NEW_IMAGE",
        },
    });
    for _ in 0..3 {
        let event = json!({"Records": [record]});
        let outcome = function.invoke(&event).await.expect("a replayed record is no fault");
        let report: serde_json::Value = serde_json::from_slice(&outcome).unwrap();
        let failures = report["batchItemFailures"].as_array().map_or(0, Vec::len);
        assert_eq!(failures, 0, "{report}");
    }
    let after = tests::taxii_reading::whole_manifest(&w.reader(), &c).await;
    assert_eq!(before, after);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_survives_requests_it_refuses() {
    let w = World::lambda().await;
    let c = w.collection(CollectionSpec::everything()).await;
    for path in ["/taxii2/intel/collections/%FF/objects/", "/taxii2//", "/", "/taxii2/%2e%2e/"] {
        let answer = w.reader().get(path).await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
    }
    let _ = w.reader().get(&format!("{}?%FF=%", c.objects())).await;
    let _ = w.reader().get(&c.objects()).await.expect(200);
}
