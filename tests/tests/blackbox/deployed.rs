//! The template as a stack in an emulator (`ministack`), with the real binaries, each under its own
//! role, which the emulator enforces: every way in and out, every kind of trigger.
//! docs/engines.md names what the emulator cannot do.

use serde_json::{Value, json};
use tests::event_stream::Frame;
use tests::patience::until;
use tests::service::{Inbox, iocast_with};
use tests::stack::{NAME, Stack};

/// The first key, made as docs/operations.md says.
async fn first_key(stack: &Stack) -> String {
    let scopes = "admin,write:objects,write:notifications,read:taxii,read:stix,read:stream,\
        read:ioc_stream,read:csv,delete:ioc_stream";
    let line = [
        ["key", "create", "--direct", "--stack", NAME, "--tenant", "operator", "--name", "me"],
        ["--plan", "enterprise", "--scope", scopes, "--clearance", "red", "--json", "", ""],
    ];
    let line: Vec<&str> = line.concat().into_iter().filter(|word| !word.is_empty()).collect();
    let ended = iocast_with(&line, &stack.emulator.environment()).await;
    ended.json()["key"].as_str().unwrap_or_else(|| panic!("no key: {ended:?}")).to_owned()
}

async fn post(stack: &Stack, key: &str, path: &str, body: Value) -> Value {
    let request = stack.request(key, "POST", path).body("application/json", body.to_string());
    let answer = request.await;
    assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.text());
    answer.json()
}

/// What a request is answered once it says something.
async fn once_it_says(stack: &Stack, key: &str, path: &str, something: &str) -> String {
    let what = format!("{path} says {something}");
    until(&what, async || {
        let answer = stack.request(key, "GET", path).await;
        let text = answer.text();
        (answer.status == 200 && text.contains(something)).then_some(text)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_template_deploys_and_works() {
    let stack = Stack::create().await;
    let key = &first_key(&stack).await;

    // Ingest, by the Api and by a file in the bucket (its trigger is the bucket's).
    let collection = json!({"title": "Detection", "alias": "detection", "ceiling": "amber"});
    let collection = post(&stack, key, "/api/v1/manage/collections", collection).await;
    let id = collection["id"].as_str().unwrap();
    let feed = json!({"name": "Block", "alias": "block", "collection": id, "formats": ["csv"],
        "publish_every_minutes": 1});
    post(&stack, key, "/api/v1/manage/feeds", feed).await;
    let subscription = format!("/api/v1/subscriptions/collection/{id}");
    assert_eq!(stack.request(key, "PUT", &subscription).await.expect(201).json()["source_id"], id);
    let ioc = r#"{"type":"domain","value":"bad.example.net","tlp":"green"}"#;
    let sent = stack.request(key, "POST", "/api/v1/iocs").body("application/x-ndjson", ioc).await;
    assert_eq!(sent.expect(200).json()["created"], 1);
    let inbox = Inbox::of(stack.emulator.s3(), stack.output("BucketName"));
    let dropped = br#"{"type":"domain","value":"dropped.example.net","tlp":"green"}"#;
    inbox.put("inbox/dropped.ndjson", dropped.to_vec()).await.unwrap();
    let notification = json!({
        "entity": {"type": "domain", "value": "found.example.net"},
        "source": {"type": "hunting_ruleset", "id": "1", "label": "Example"},
    });
    post(&stack, key, "/api/v1/notifications", notification).await;

    // Out again, once the stream's trigger has called the projector.
    let objects = "/taxii2/intel/collections/detection/objects/";
    once_it_says(&stack, key, objects, "bad.example.net").await;
    once_it_says(&stack, key, objects, "dropped.example.net").await;
    once_it_says(&stack, key, "/api/v1/iocs/stix?type=domain", "dropped.example.net").await;
    let export = stack.request(key, "GET", "/api/v1/export/stix").await.expect(200).json();
    assert_eq!(export["type"], "bundle");
    once_it_says(&stack, key, "/api/v3/ioc_stream", "dropped.example.net").await;
    let told = once_it_says(&stack, key, "/api/v3/ioc_stream", "found.example.net").await;
    let told: Value = serde_json::from_str(&told).unwrap();
    let one = told["data"][0]["context_attributes"]["notification_id"].as_str().unwrap();
    let notification = format!("/api/v3/ioc_stream_notifications/{one}");
    let _ = stack.request(key, "GET", &notification).await.expect(200);
    let _ = stack.request(key, "DELETE", &notification).await.expect(200);
    let streams = stack.request(key, "GET", "/api/v1/streams").await.expect(200).json();
    assert!(streams.to_string().contains("detection"), "{streams}");
    // By the function's URL. The emulator gives an answer out as a whole, so it has to end.
    let stream = stack.stream(key, "/stream/detection?from=0&finite=true").await.expect(200);
    let frames = Frame::all_of(&stream.text());
    let created = frames.iter().filter(|frame| frame.event == "create").count();
    assert!(created >= 2, "{frames:?}");

    // The schedules of a minute: a feed's file, and what has ceased to be valid.
    let file = once_it_says(&stack, key, "/feeds/block.csv", "bad.example.net").await;
    assert!(file.contains("# END "), "{file}");
    let begun = format!("environment spawned for {}", stack.resource("ExpireFunction"));
    until("expire is called", async || stack.emulator.log().contains(&begun).then_some(())).await;

    // No function failed, nothing was refused to a role, and nothing was parked.
    let log = stack.emulator.log();
    for fault in ["AccessDenied", "\"level\":\"ERROR\"", "errorType"] {
        assert!(!log.contains(fault), "{fault}:\n{log}");
    }
    let doctor = ["doctor", "--stack", NAME, "--json"];
    let doctor = iocast_with(&doctor, &stack.emulator.environment()).await.json();
    let findings = doctor["findings"].as_array().unwrap();
    // The service itself is not what it is asked about: there is none at its usual address.
    let stack = findings.iter().filter(|one| {
        one["what"].as_str().unwrap().ends_with("Table") || one["what"] == "ParkedQueue"
    });
    let good = stack.filter(|one| one["health"] == "ok").count();
    assert_eq!(good, 5, "{doctor}");
}
