//! access.md, whole: every route, asked with every kind of key, answers with exactly the status,
//! the code and the headers that kind deserves. A route that docs/openapi.yaml names and this
//! table does not fails the test.

mod route;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::access::Scope;
use shared::tlp::Tlp;
use tests::client::Answer;
use tests::collection::{Collection, CollectionSpec};
use tests::feeds;
use tests::fixtures::{Object, envelope, indicator};
use tests::keys::KeySpec;
use tests::notifications;
use tests::world::World;

use route::{
    ACCEPTED, Expected, LACKS_CLEARANCE, LACKS_PLAN, LACKS_SCOPE, NOT_ITS_OWN, NOT_THERE, OK,
    Route, managed,
};

/// What the routes are asked about.
struct Stage {
    world: World,
    collection: Collection,
    object: Object,
    status: String,
    notification: String,
    feed: String,
}

impl Stage {
    async fn set() -> Self {
        let world = World::http().await;
        // Known to `acme` alone.
        let readers = Some(vec!["acme".to_owned()]);
        let spec = CollectionSpec { readers, ..CollectionSpec::everything() };
        let collection = world.collection(spec).await;
        let object = indicator();
        world.load(&collection, std::slice::from_ref(&object)).await;
        let sent = world
            .writer()
            .post(&collection.path("objects/"))
            .body("application/taxii+json;version=2.1", envelope(&[indicator()]))
            .await;
        let status = sent.expect(202).json()["id"].as_str().unwrap().to_owned();
        let client = world.stream_client("acme").await;
        let notification = notifications::post(
            &client,
            &notifications::posted("host.example.com", "ruleset-1", &[]),
        )
        .await;
        let subscription = format!("/api/v1/subscriptions/collection/{}", collection.id);
        let _ = client.request("PUT", &subscription).await.expect(201);
        let defined = feeds::feed(&world, &collection, json!({})).await;
        feeds::publish(&world, &defined).await;
        let feed = feeds::path(&defined, "csv");
        Self { world, collection, object, status, notification, feed }
    }

    fn routes(&self) -> Vec<Route> {
        use Scope::{ReadTaxii, WriteObjects};
        let own = |rest: &str| self.collection.path(rest);
        let object = self.object.id();
        let stix = |objects: &[Object]| Some(("application/json", envelope(objects).into_bytes()));
        let taxii = |rest| format!("/taxii2/{rest}");
        let writing = |method, path, asked, body| Route {
            method,
            path,
            asked,
            body,
            scopes: vec![WriteObjects],
            // No plan gives or takes a scope of the operator's.
            poor: OK,
            low: OK,
            other: OK,
            right: OK,
        };
        [
            writing("POST", "/api/v1/objects", "/api/v1/objects".into(), stix(&[indicator()])),
            writing(
                "POST",
                "/api/v1/iocs",
                "/api/v1/iocs".into(),
                Some(("application/x-ndjson", br#"{"type":"ipv4","value":"192.0.2.7"}"#.to_vec())),
            ),
            Route::get("/taxii2/", taxii(""), ReadTaxii),
            Route::get("/taxii2/{root}/", taxii("intel/"), ReadTaxii),
            Route::get(
                "/taxii2/{root}/status/{status}/",
                taxii(&format!("intel/status/{}/", self.status)),
                ReadTaxii,
            )
            .other(NOT_THERE),
            Route::get("/taxii2/{root}/collections/", taxii("intel/collections/"), ReadTaxii),
            // Without a right in it a collection is not there; a reader is told what it lacks.
            Route::get("/taxii2/{root}/collections/{collection}/", own(""), ReadTaxii)
                .low(NOT_THERE)
                .other(NOT_THERE),
            Route::get(
                "/taxii2/{root}/collections/{collection}/manifest/",
                own("manifest/"),
                ReadTaxii,
            )
            .low(LACKS_CLEARANCE)
            .other(NOT_THERE),
            Route::get(
                "/taxii2/{root}/collections/{collection}/objects/",
                own("objects/"),
                ReadTaxii,
            )
            .low(LACKS_CLEARANCE)
            .other(NOT_THERE),
            Route::get(
                "/taxii2/{root}/collections/{collection}/objects/{object}/",
                own(&format!("objects/{object}/")),
                ReadTaxii,
            )
            .low(LACKS_CLEARANCE)
            .other(NOT_THERE),
            Route::get(
                "/taxii2/{root}/collections/{collection}/objects/{object}/versions/",
                own(&format!("objects/{object}/versions/")),
                ReadTaxii,
            )
            .low(LACKS_CLEARANCE)
            .other(NOT_THERE),
            Route {
                method: "POST",
                path: "/taxii2/{root}/collections/{collection}/objects/",
                asked: own("objects/"),
                body: Some((
                    "application/taxii+json;version=2.1",
                    envelope(&[indicator()]).into_bytes(),
                )),
                scopes: vec![WriteObjects],
                poor: ACCEPTED,
                low: ACCEPTED,
                other: NOT_THERE,
                right: ACCEPTED,
            },
        ]
        .into_iter()
        .chain(self.read_only_routes())
        .chain(managed())
        .chain([
            // What deletes comes last.
            Route {
                method: "DELETE",
                path: "/taxii2/{root}/collections/{collection}/objects/{object}/",
                asked: own(&format!("objects/{object}/")),
                body: None,
                scopes: vec![ReadTaxii, WriteObjects],
                poor: LACKS_PLAN,
                low: LACKS_CLEARANCE,
                other: NOT_THERE,
                right: OK,
            },
            writing("DELETE", "/api/v1/objects/{id}", format!("/api/v1/objects/{object}"), None)
                .other(NOT_ITS_OWN),
        ])
        .chain(self.stream_routes())
        .collect()
    }

    /// Those of the export, feeds and live streams.
    fn read_only_routes(&self) -> Vec<Route> {
        use Scope::{ReadCsv, ReadStix, ReadStream};
        vec![
            Route::get("/api/v1/iocs/stix", "/api/v1/iocs/stix".into(), ReadStix),
            Route::get("/api/v1/export/stix", "/api/v1/export/stix".into(), ReadStix),
            Route::get("/feeds/{file}", self.feed.clone(), ReadCsv)
                .low(LACKS_CLEARANCE)
                .other(NOT_THERE),
            Route::get("/api/v1/streams", "/api/v1/streams".into(), ReadStream),
            // Finite, so that the answer ends.
            Route::get(
                "/stream/{collection}",
                format!("{}?from=0&finite=true", self.collection.stream()),
                ReadStream,
            )
            .low(LACKS_CLEARANCE)
            .other(NOT_THERE),
        ]
    }

    /// Those of the IOC stream; what deletes comes last.
    fn stream_routes(&self) -> Vec<Route> {
        use Scope::{DeleteIocStream, ReadIocStream, WriteNotifications};
        let all = "/api/v3/ioc_stream";
        let one = "/api/v3/ioc_stream_notifications/{notification}";
        let this = format!("/api/v3/ioc_stream_notifications/{}", self.notification);
        let subscription = "/api/v1/subscriptions/{source_type}/{source_id}";
        let its = format!("/api/v1/subscriptions/collection/{}", self.collection.id);
        let streaming =
            |method, path, asked, scope| Route { method, ..Route::get(path, asked, scope) };
        let subscribing = |method| Route {
            method,
            ..Route::get(subscription, its.clone(), ReadIocStream).other(NOT_THERE)
        };
        let post = "/api/v1/notifications";
        let body = notifications::posted("host.example.com", "ruleset-1", &[]).to_string();
        vec![
            Route {
                method: "POST",
                body: Some(("application/json", body.into_bytes())),
                // No plan gives or takes a scope of the operator's.
                poor: OK,
                ..Route::get(post, post.into(), WriteNotifications)
            },
            Route::get("/api/v1/subscriptions", "/api/v1/subscriptions".into(), ReadIocStream),
            subscribing("GET"),
            // Who may not read the collection cannot subscribe to it.
            subscribing("PUT").low(NOT_THERE),
            streaming("GET", all, all.into(), ReadIocStream),
            // Above its clearance, a notification is not there.
            streaming("GET", one, this.clone(), ReadIocStream).low(NOT_THERE).other(NOT_THERE),
            streaming("DELETE", one, this, DeleteIocStream).low(NOT_THERE).other(NOT_THERE),
            // Gone by the key of low clearance.
            Route { right: NOT_THERE, ..subscribing("DELETE") },
            streaming("DELETE", all, format!("{all}?filter=tag:none"), DeleteIocStream),
        ]
    }
}

fn code(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let code = body["error"]["code"].as_str().or_else(|| body["error_code"].as_str());
    code.map(str::to_owned)
}

/// Holds an answer against what is expected of it, and its headers against its status.
fn check(answer: &Answer, expected: Expected, kind: &str, counted: bool, faults: &mut Vec<String>) {
    let mut fault = |what: String| faults.push(format!("{}, {kind}: {what}", answer.what));
    let (status, expected_code) = expected;
    let found = if answer.status < 400 { None } else { code(answer) };
    if answer.status != status || found.as_deref() != expected_code {
        fault(format!("{} {found:?}, not {expected:?}: {}", answer.status, answer.text()));
    }
    let has = |name: &str| answer.headers.contains_key(name);
    let request_id = answer.header("x-request-id").unwrap_or_default();
    if uuid::Uuid::try_parse(request_id).is_err() {
        fault(format!("X-Request-Id: {request_id:?}"));
    }
    if has("www-authenticate") != (answer.status == 401) {
        fault("WWW-Authenticate comes with 401 and with nothing else".to_owned());
    }
    if answer.header("access-control-allow-origin") != Some("*") {
        fault("CORS".to_owned());
    }
    for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
        if has(name) != counted {
            fault(format!("{name} is {}there", if counted { "not " } else { "" }));
        }
    }
    let text = answer.text();
    for internal in ["Exception", "dynamodb", "DynamoDB", "stack", "panicked", "127.0.0.1"] {
        if answer.status >= 400 && text.contains(internal) {
            fault(format!("{internal:?} leaves the service: {text}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_every_kind_of_key_as_it_deserves() {
    let stage = Stage::set().await;
    let world = &stage.world;
    world.plan("nothing", serde_json::json!({"scopes": [], "requests_per_minute": 1000})).await;
    let mut faults = Vec::new();
    let revoked = world.key(KeySpec::of("acme")).await;
    world.revoke(&revoked).await;
    let expired = KeySpec { expires: Some(chrono::DateTime::UNIX_EPOCH), ..KeySpec::of("acme") };
    let expired = world.key(expired).await.text;
    let mut unknown = world.reader_key().to_owned();
    let last = unknown.pop();
    unknown.push(if last == Some('a') { 'b' } else { 'a' });
    for route in stage.routes() {
        let ask = async |key: Option<&str>| {
            // A tenant's deletion is over before the next is asked for.
            world.notified().await;
            let request = route.request(world);
            match key {
                Some(key) => request.header("x-api-key", key).await,
                None => request.await,
            }
        };
        for (kind, key, code) in [
            ("no key", None, "missing_api_key"),
            ("malformed", Some("not-a-key"), "invalid_api_key"),
            ("unknown", Some(&*unknown), "invalid_api_key"),
            ("expired", Some(&*expired), "expired_api_key"),
            ("revoked", Some(&*revoked.text), "revoked_api_key"),
        ] {
            let expected = route.told((401, Some(code)));
            check(&ask(key).await, expected, kind, false, &mut faults);
        }
        let right = KeySpec { scopes: route.scopes.clone(), ..KeySpec::of("acme") };
        let right = right.on("enterprise");
        let lacking = Scope::ALL.into_iter().filter(|scope| {
            // TAXII lets in who may either read or write, and then says what is missing.
            !matches!(scope, Scope::ReadTaxii | Scope::WriteObjects)
                && !route.scopes.contains(scope)
        });
        let kinds = [
            ("wrong scope", KeySpec { scopes: lacking.collect(), ..right.clone() }, LACKS_SCOPE),
            ("wrong plan", right.clone().on("nothing"), route.poor),
            ("low clearance", right.clone().cleared(Tlp::Clear), route.low),
            ("other tenant", KeySpec { tenant: "other".into(), ..right.clone() }, route.other),
            ("right", right, route.right),
        ];
        for (kind, spec, expected) in kinds {
            let key = world.key(spec).await.text;
            check(&ask(Some(&key)).await, route.told(expected), kind, true, &mut faults);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_is_missing_in_the_table() {
    let stage = Stage::set().await;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.yaml");
    let document: Value = serde_yaml_ng::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let documented: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            let methods = methods.map(|method| method.to_uppercase());
            let methods = methods.filter(|method| method != "PARAMETERS" && method != "HEAD");
            methods.map(move |method| format!("{method} {path}")).collect::<Vec<_>>()
        })
        .collect();
    let asked: BTreeSet<String> = stage.routes().iter().map(Route::name).collect();
    assert_eq!(asked, documented);
}
