//! The command line: `iocast serve`.

use tests::client::Client;
use tests::fixtures::{envelope, indicator};
use tests::service::{Service, iocast};

fn objects(collection: &str) -> String {
    format!("/taxii2/intel/collections/{collection}/objects/")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ready_file_holds_keys_and_a_collection_that_work() {
    let service = Service::start(&["--in-memory"]).await;
    let ready = service.ready.clone();
    assert!(!ready.base_url.ends_with('/'), "{}", ready.base_url);
    let demo = ready.demo_collection.clone().expect("there is a demonstration set");
    let reader = service.client(&ready.reader_key);
    let read = reader.get(&objects(&demo)).await.expect(200).json();
    let shown = read["objects"].as_array().expect("the first curl returns something");
    assert!(!shown.is_empty());
    let by_alias = reader.get(&objects("demo")).await.expect(200).json();
    assert_eq!(read["objects"], by_alias["objects"]);
    let object = indicator();
    let writer = service.client(&ready.writer_key);
    let body = envelope(std::slice::from_ref(&object));
    let request = writer.post(&objects(&demo)).body(tests::client::TAXII, body);
    let status = request.await.expect(202).json();
    assert_eq!(status["failure_count"], 0, "{status}");
    let path = format!("{}{}/", objects(&demo), object.id());
    tests::patience::until("the object is in the demonstration collection", async || {
        (reader.get(&path).await.status == 200).then_some(())
    })
    .await;
    let request = reader.post("/api/v1/objects").body("application/json", "[]");
    let _ = request.await.expect(403);
    let _ = service.client(&ready.admin_key).get("/taxii2/").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demonstration_has_a_collection_of_detections() {
    let service = Service::start(&["--in-memory"]).await;
    let reader = service.client(&service.ready.reader_key);
    let read = reader.get(&objects("detection")).await.expect(200).json();
    for object in read["objects"].as_array().into_iter().flatten() {
        assert_eq!(object["type"], "indicator");
        assert!(object["labels"].as_array().unwrap().contains(&"detection".into()), "{object}");
    }
}

/// With the README's command.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demonstration_is_in_the_export() {
    let service = Service::start(&["--in-memory"]).await;
    let reader = service.client(&service.ready.reader_key);
    // Logs are appended to side by side: the collection may have it a moment earlier.
    tests::patience::until("the README's indicator is exported", async || {
        let export = reader.get("/api/v1/iocs/stix?type=ipv6&limit=1").await.expect(200).json();
        let mut names = export["objects"].as_array().unwrap().iter().map(|one| &one["name"]);
        names.any(|name| name == "2001:db8::bad:1").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_demonstration_there_is_nothing() {
    let service = Service::start(&["--in-memory", "--no-demo"]).await;
    let reader = service.client(&service.ready.reader_key);
    let listed = reader.get("/taxii2/intel/collections/").await.expect(200).json();
    for collection in listed["collections"].as_array().into_iter().flatten() {
        let id = collection["id"].as_str().unwrap();
        assert_eq!(reader.get(&objects(id)).await.expect(200).text(), "{}", "{collection}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_start_prints_a_key_and_a_curl_that_returns_objects() {
    let service = Service::start(&["--in-memory"]).await;
    let ready = service.ready.clone();
    let nobody = Client::http(&ready.base_url);
    let demo = ready.demo_collection.clone().unwrap();
    let read = nobody.with_key(&ready.reader_key).get(&objects(&demo)).await.expect(200);
    assert!(read.json()["objects"].is_array());
    let printed = service.kill_and_read_output().await;
    assert!(printed.contains(&ready.reader_key), "{printed}");
    assert!(printed.contains(&ready.admin_key), "{printed}");
    let curl = printed.lines().find(|line| line.contains("curl")).expect("a curl is printed");
    assert!(curl.contains(&ready.base_url), "{curl}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_arguments_and_a_taken_port_are_told() {
    for arguments in [
        &["serve", "--listen", "nowhere"][..],
        &["serve", "--in-memory", "--data", "x"],
        &["serve", "--unknown"],
        &["nothing"],
    ] {
        let ended = iocast(arguments).await;
        assert!(ended.code != Some(0) && !ended.stderr.is_empty(), "{arguments:?}: {ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    }
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = iocast(&["serve", "--in-memory", "--listen", &address]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(&address), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
}
