//! taxii.md, Routes and Reads (discovery): what a client learns before it reads objects.

use serde_json::json;
use tests::client::TAXII;
use tests::collection::CollectionSpec;
use tests::fixtures::indicator;
use tests::keys::KeySpec;
use tests::taxii_reading::ids;
use tests::world::World;

async fn discovery_names_its_roots_by_absolute_urls(w: &World) {
    let body = w.reader().get("/taxii2/").await.expect(200).json();
    assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{body}");
    let root = format!("{}/taxii2/intel/", w.reader().base_url());
    let roots = body["api_roots"].as_array().unwrap();
    assert!(roots.contains(&json!(root)), "{root} is not one of {body}");
    assert!(roots.contains(&body["default"]), "default is literally one of api_roots: {body}");
}

async fn an_api_root_says_its_versions_and_the_largest_body(w: &World) {
    let body = w.reader().get("/taxii2/intel/").await.expect(200).json();
    assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{body}");
    assert_eq!(body["versions"], json!([TAXII]));
    assert_eq!(body["max_content_length"], 4 * 1024 * 1024);
}

async fn routes_answer_with_and_without_the_final_slash(w: &World) {
    let object = indicator();
    let c = w.holding(std::slice::from_ref(&object)).await;
    let status = w.writer().post(&c.objects()).body(TAXII, tests::fixtures::envelope(&[]));
    let status = status.await.expect(202).json()["id"].as_str().unwrap().to_owned();
    let paths = [
        "/taxii2/".to_owned(),
        "/taxii2/intel/".to_owned(),
        format!("/taxii2/intel/status/{status}/"),
        "/taxii2/intel/collections/".to_owned(),
        c.path(""),
        c.manifest(),
        c.objects(),
        c.object(object.id()),
        c.versions(object.id()),
    ];
    for path in paths {
        let with = w.writer().get(&path).await.expect(200);
        let without = w.writer().get(path.trim_end_matches('/')).await.expect(200);
        assert_eq!(with.json(), without.json(), "{path}");
        assert_eq!(with.header("content-type"), Some(TAXII), "{path}");
    }
    let without = c.objects().trim_end_matches('/').to_owned();
    let _ = w.writer().post(&without).body(TAXII, "{\"objects\":[]}").await.expect(202);
    let without = c.object(object.id()).trim_end_matches('/').to_owned();
    let _ = w.writer().delete(&without).await.expect(200);
}

async fn collections_are_sorted_by_id_and_titles_are_unique_and_without_dots(w: &World) {
    // A title that may not be is refused, or changed: what counts is what clients are shown.
    let mut made = 0;
    for title in ["Feed v1.2", "Same", "Same", "Other"] {
        let spec = CollectionSpec { title: title.into(), ..CollectionSpec::everything() };
        made += usize::from(w.try_collection(spec).await.is_ok());
    }
    assert!(made >= 2);
    let body = w.reader().get("/taxii2/intel/collections/").await.expect(200).json();
    let collections = body["collections"].as_array().unwrap();
    assert!(collections.len() >= made, "{body}");
    let found = ids(collections);
    let mut sorted = found.clone();
    sorted.sort();
    assert_eq!(found, sorted);
    let mut titles: Vec<&str> = collections.iter().map(|c| c["title"].as_str().unwrap()).collect();
    assert!(titles.iter().all(|title| !title.contains('.')), "{titles:?}");
    let count = titles.len();
    titles.sort_unstable();
    titles.dedup();
    assert_eq!(titles.len(), count, "titles are unique: {titles:?}");
}

async fn a_collection_has_a_uuid_v4_as_id_and_says_its_media_types(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let body = w.reader().get(&c.path("")).await.expect(200).json();
    assert_eq!(body["id"], c.id);
    assert_eq!(uuid::Uuid::parse_str(&c.id).unwrap().get_version_num(), 4);
    assert_eq!(body["title"], c.spec.title);
    let media_types = body["media_types"].as_array().unwrap();
    assert!(media_types.contains(&json!("application/stix+json;version=2.1")), "{body}");
}

async fn a_collection_is_reached_by_its_alias(w: &World) {
    let spec = CollectionSpec { alias: Some("daily".into()), ..CollectionSpec::everything() };
    let c = w.collection(spec).await;
    let object = indicator();
    w.load(&c, std::slice::from_ref(&object)).await;
    let body = w.reader().get("/taxii2/intel/collections/daily/").await.expect(200).json();
    assert_eq!(body["id"], c.id);
    assert_eq!(body["alias"], "daily");
    let objects = w.reader().get("/taxii2/intel/collections/daily/objects/").await.expect(200);
    assert_eq!(objects.json()["objects"][0], object.json());
}

async fn can_read_and_can_write_are_those_of_the_key(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let write_only = w.client(KeySpec::of("acme").write_only()).await;
    let stranger = w.client(KeySpec::of("globex")).await;
    let rights = [
        (w.writer(), true, true),
        (w.reader(), true, false),
        (write_only, false, true),
        (stranger, true, false),
    ];
    for (client, read, write) in rights {
        let listed = client.get("/taxii2/intel/collections/").await.expect(200).json();
        let listed = listed["collections"].as_array().unwrap().iter().find(|e| e["id"] == c.id);
        let single = client.get(&c.path("")).await.expect(200).json();
        for body in [listed.unwrap(), &single] {
            assert_eq!((&body["can_read"], &body["can_write"]), (&json!(read), &json!(write)));
        }
    }
}

async fn a_key_without_rights_does_not_see_the_collection(w: &World) {
    let readers = Some(vec!["acme".to_owned()]);
    let c = w.collection(CollectionSpec { readers, ..CollectionSpec::everything() }).await;
    let stranger = w.client(KeySpec::of("globex")).await;
    let body = stranger.get("/taxii2/intel/collections/").await.expect(200).json();
    let seen = body["collections"].as_array().cloned().unwrap_or_default();
    assert!(!ids(&seen).contains(&c.id), "{body}");
    let _ = stranger.get(&c.path("")).await.expect(404);
}

async fn public_collections_and_discovery_need_no_key(w: &World) {
    let nobody = w.taxii.anonymous();
    let _ = nobody.get("/taxii2/").await.expect(401);
    let private = w.collection(CollectionSpec::everything()).await;
    let spec = CollectionSpec { public: true, ..CollectionSpec::everything() };
    let public = w.collection(spec.ceiling(shared::tlp::Tlp::Clear)).await;
    let object = indicator().marked(shared::tlp::Tlp::Clear);
    w.load(&public, std::slice::from_ref(&object)).await;

    let discovered = tests::patience::until("discovery is open", async || {
        let answer = nobody.get("/taxii2/").await;
        (answer.status == 200).then(|| answer.json())
    })
    .await;
    assert!(discovered["api_roots"].is_array(), "{discovered}");
    let _ = nobody.get("/taxii2/intel/").await.expect(200);
    let listed = nobody.get("/taxii2/intel/collections/").await.expect(200).json();
    assert_eq!(ids(listed["collections"].as_array().unwrap()), [&*public.id]);
    assert_eq!(listed["collections"][0]["can_read"], true);
    assert_eq!(listed["collections"][0]["can_write"], false);
    let page = nobody.get(&public.objects()).await.expect(200).json();
    assert_eq!(page["objects"][0], object.json());
    let _ = nobody.get(&public.manifest()).await.expect(200);
    let _ = nobody.get(&private.objects()).await.expect(401);
    let _ = nobody.post(&public.objects()).body(TAXII, "{\"objects\":[]}").await.expect(401);
}

async fn head_answers_as_get_does_without_a_body(w: &World) {
    let object = indicator();
    let c = w.holding(std::slice::from_ref(&object)).await;
    for path in ["/taxii2/".to_owned(), c.objects(), c.manifest(), c.object(object.id())] {
        let head = w.reader().request("HEAD", &path).await.expect(200);
        let get = w.reader().get(&path).await.expect(200);
        assert_eq!(head.header("content-type"), get.header("content-type"));
        let last = "x-taxii-date-added-last";
        assert_eq!(head.header(last), get.header(last));
    }
    let head = w.http.with_key(w.reader_key()).request("HEAD", &c.objects()).await;
    assert!(head.body.is_empty());
}

async fn unknown_routes_are_404_and_wrong_methods_405_with_allow(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let object = c.path("objects/indicator--00000000-0000-4000-8000-000000000000/elsewhere/");
    for path in ["/taxii2/elsewhere/", "/taxii2/intel/nothing/", &c.path("nothing/"), &object] {
        let answer = w.reader().get(path).await.expect(404);
        assert_eq!(answer.json()["http_status"], "404", "{path}");
    }
    let wrong = [
        ("POST", "/taxii2/".to_owned(), &["GET"][..]),
        ("PUT", c.objects(), &["GET", "POST"]),
        ("DELETE", c.manifest(), &["GET"]),
    ];
    for (method, path, allowed) in wrong {
        let answer = w.writer().request(method, &path).await.expect(405);
        let allow = answer.header("allow").expect("405 carries Allow").to_owned();
        for method in allowed {
            assert!(allow.contains(method), "{path}: {allow}");
        }
        assert_eq!(answer.json()["http_status"], "405");
    }
}

over_both_transports!(
    discovery_names_its_roots_by_absolute_urls,
    an_api_root_says_its_versions_and_the_largest_body,
    routes_answer_with_and_without_the_final_slash,
    collections_are_sorted_by_id_and_titles_are_unique_and_without_dots,
    a_collection_has_a_uuid_v4_as_id_and_says_its_media_types,
    a_collection_is_reached_by_its_alias,
    can_read_and_can_write_are_those_of_the_key,
    a_key_without_rights_does_not_see_the_collection,
    public_collections_and_discovery_need_no_key,
    head_answers_as_get_does_without_a_body,
    unknown_routes_are_404_and_wrong_methods_405_with_allow,
);
