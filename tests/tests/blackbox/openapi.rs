//! docs/openapi.yaml, held against a running system: the routes, methods, statuses, codes,
//! headers and members it names are there, and no others.

mod document;

use std::collections::BTreeSet;

use local::routing::Router;
use local::template::Template;
use serde_json::{Value, json};
use shared::access::Scope;
use tests::client::{Client, Request, TAXII};
use tests::collection::CollectionSpec;
use tests::fixtures::{envelope, indicators};
use tests::keys::KeySpec;
use tests::notifications;
use tests::world::World;

use document::{Document, METHODS};

/// A variable of the file's paths, and its value.
type Variable = (&'static str, String);

/// A system that holds what the paths name.
async fn world() -> (World, Vec<Variable>) {
    let w = World::http().await;
    let objects = indicators(2);
    let c = w.holding(&objects).await;
    let sent = w.writer().post(&c.objects()).body(TAXII, envelope(&[]));
    let status = sent.await.expect(202).json()["id"].as_str().unwrap().to_owned();
    let client = w.stream_client("acme").await;
    let notification =
        notifications::post(&client, &notifications::posted("host.example.com", "ruleset-1", &[]))
            .await;
    let path = format!("/api/v1/subscriptions/collection/{}", c.id);
    let _ = client.request("PUT", &path).await.expect(201);
    let everybody = CollectionSpec { public: true, ..CollectionSpec::everything() };
    let open = w.collection(everybody).await;
    let feed = tests::feeds::feed(&w, &open, serde_json::json!({"public": true})).await;
    tests::feeds::publish(&w, &feed).await;
    let values = vec![
        ("file", format!("{}.csv", feed.id)),
        ("root", "intel".to_owned()),
        ("collection", c.id.clone()),
        ("object", objects[0].id().to_owned()),
        ("id", objects[1].id().to_owned()),
        ("status", status),
        ("notification", notification),
        ("source_type", "collection".to_owned()),
        ("source_id", c.id.clone()),
    ];
    (w, values)
}

/// The variables of a path, with a resource of its own for the operation to change or delete.
async fn for_one(w: &World, path: &str, values: &[Variable]) -> Vec<Variable> {
    let mut values = values.to_vec();
    let subscriber = format!("s-{}", uuid::Uuid::new_v4().simple());
    let made = [
        ("subscription", "tenants", "id", json!({"id": subscriber})),
        (
            "subscription",
            "subscriptions",
            "id",
            json!({"tenant": subscriber, "source_type": "collection", "source_id": "detection"}),
        ),
        ("feed", "feeds", "id", json!({"name": "A feed", "collection": "detection"})),
        ("tenant", "tenants", "id", json!({"id": format!("t-{}", uuid::Uuid::new_v4().simple())})),
        (
            "key",
            "keys",
            "id",
            json!({"tenant": "operator", "name": "k", "plan": "pro", "scopes": ["read:csv"]}),
        ),
        (
            "plan",
            "plans",
            "name",
            json!({"name": format!("p-{}", uuid::Uuid::new_v4().simple()), "scopes": []}),
        ),
        (
            "name",
            "collections",
            "id",
            json!({"title": uuid::Uuid::new_v4().to_string(), "ceiling": "green"}),
        ),
        ("record", "tenants", "id", json!({"id": format!("r-{}", uuid::Uuid::new_v4().simple())})),
    ];
    let admin = w.http.with_key(w.admin_key());
    for (variable, list, name, body) in made {
        if !path.contains(&format!("{{{variable}}}")) {
            continue;
        }
        let request = admin.post(&format!("/api/v1/manage/{list}"));
        let answer = request.body("application/json", body.to_string()).await.expect(201).json();
        let mut value = answer[name].as_str().unwrap().to_owned();
        if variable == "record" {
            let audit = admin.get("/api/v1/manage/audit").await.expect(200).json();
            audit["audit"][0]["id"].as_str().unwrap().clone_into(&mut value);
        }
        values.retain(|(known, _)| *known != variable);
        values.push((variable, value));
    }
    values
}

/// Keys that may do what a path is for.
struct Keys {
    admin: Client,
    user: Client,
}

impl Keys {
    async fn make(w: &World) -> Self {
        let scopes = Scope::ALL.into_iter().filter(|scope| *scope != Scope::Admin).collect();
        let user = w.key(KeySpec { scopes, ..KeySpec::of("acme") }).await;
        Self { admin: w.http.with_key(w.admin_key()), user: w.http.with_key(&user.text) }
    }

    fn right(&self, path: &str) -> &Client {
        if path.starts_with("/api/v1/manage/") { &self.admin } else { &self.user }
    }
}

fn fill(path: &str, values: &[Variable]) -> String {
    let filled = values
        .iter()
        .fold(path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
    assert!(!filled.contains('{'), "this test has no value for a variable of {path}");
    // Whose answer would not end by itself.
    if filled.starts_with("/stream/") { format!("{filled}?finite=true&from=0") } else { filled }
}

/// The operation's request, once for each type of body, with the file's example.
fn requests(client: &Client, method: &str, path: &str, operation: &Value) -> Vec<Request> {
    let mut request = client.request(method, path);
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    if parameters.into_iter().any(|one| one["$ref"] == "#/components/parameters/IfMatch") {
        request = request.header("if-match", "*");
    }
    let Some(content) = operation["requestBody"]["content"].as_object() else {
        return vec![request];
    };
    let examples = content.iter().map(|(kind, media)| {
        let body = match &media["example"] {
            Value::Null => panic!("{method} {path}: {kind} has no example"),
            Value::String(text) => text.clone(),
            example => example.to_string(),
        };
        request.clone().body(kind, body)
    });
    examples.collect()
}

/// Requests with something wrong, each in another way; some of it does not matter everywhere.
fn faulty(
    w: &World,
    client: &Client,
    method: &str,
    path: &str,
    values: &[Variable],
    operation: &Value,
) -> Vec<Request> {
    let here = fill(path, values);
    let mut all = requests(&w.http.anonymous(), method, &here, operation);
    all.extend(requests(&w.http.with_key("no key"), method, &here, operation));
    all.extend(requests(&w.http.with_key(w.reader_key()), method, &here, operation));
    for (name, _) in values.iter().filter(|(name, _)| path.contains(&format!("{{{name}}}"))) {
        let elsewhere = fill(&path.replace(&format!("{{{name}}}"), "unknown"), values);
        all.extend(requests(client, method, &elsewhere, operation));
    }
    for request in requests(client, method, &here, operation) {
        all.push(request.clone().accept("text/html"));
        all.push(request.clone().query("collection", "unknown"));
        all.push(request.clone().query("limit", "0").query("match[version]", "newest"));
        all.push(request.clone().query("limit", "1").query("limit", "1"));
        if !request.body.is_empty() {
            all.push(request.clone().header("content-encoding", "br"));
            all.push(request.header("content-encoding", "gzip"));
        }
    }
    for (kind, _) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
        for body in ["", "{", "[]", "{\"object\":[]}"] {
            all.push(client.request(method, &here).body(kind, body));
        }
        all.push(client.request(method, &here).body(kind, vec![b' '; (4 << 20) + 1]));
    }
    if operation.get("requestBody").is_some() {
        all.push(client.request(method, &here).body("text/html", "<p>"));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_as_the_file_says_is_answered_as_it_says() {
    let document = Document::read();
    let (w, values) = world().await;
    let keys = Keys::make(&w).await;
    for (path, method, operation) in document.operations() {
        let values = for_one(&w, path, &values).await;
        for request in requests(keys.right(path), method, &fill(path, &values), operation) {
            let answer = request.await;
            assert!(answer.status < 300, "{}: {}", answer.what, answer.text());
            document.check(operation, &answer);
            for count in ["\"rejected\":", "\"failure_count\":"] {
                let text = answer.text();
                let none = !text.contains(count) || text.contains(&format!("{count}0"));
                assert!(none, "an example of the file is refused: {text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_wrongly_is_answered_with_a_status_and_code_of_the_file() {
    let document = Document::read();
    let (w, values) = world().await;
    let keys = Keys::make(&w).await;
    for (path, method, operation) in document.operations() {
        let values = for_one(&w, path, &values).await;
        for request in faulty(&w, keys.right(path), method, path, &values, operation) {
            document.check(operation, &request.await);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_the_file_does_not_list_is_405() {
    let document = Document::read();
    let (w, values) = world().await;
    let keys = Keys::make(&w).await;
    for path in document.paths() {
        let values = for_one(&w, path, &values).await;
        let client = keys.right(path);
        let (mut listed, others): (BTreeSet<&str>, BTreeSet<&str>) =
            METHODS.into_iter().partition(|method| document.operation(path, method).is_some());
        if listed.contains("GET") {
            listed.insert("HEAD");
        }
        for method in others {
            let answer = client.request(method, &fill(path, &values)).await.expect(405);
            let allow = answer.header("allow").unwrap_or_default();
            let allowed: BTreeSet<&str> = allow.split(',').map(str::trim).collect();
            assert_eq!(allowed, listed, "{}", answer.what);
            let taxii = answer.header("content-type") == Some(TAXII);
            let name = match path {
                _ if taxii => "TaxiiMethodNotAllowed",
                path if path.starts_with("/api/v3/") => "StreamMethodNotAllowed",
                _ => "MethodNotAllowed",
            };
            document.check_response(&document.0["components"]["responses"][name], &answer);
        }
    }
}

#[test]
fn the_file_and_the_template_name_the_same_routes() {
    let document = Document::read();
    let routes = Template::embedded().unwrap().routes();
    let gateway = Router::new(routes.clone());
    let mut covered = BTreeSet::new();
    for (path, method, _) in document.operations() {
        let path = path.replace(['{', '}'], "");
        for path in [path.as_str(), path.trim_end_matches('/')] {
            let found = gateway.find(method, path).unwrap();
            // An HTTP API has no route that ends in a slash: what goes nowhere goes to TAXII.
            if path == "/taxii2/" {
                assert_eq!(
                    (found.route_key.as_str(), found.function),
                    ("$default", "TaxiiFunction")
                );
                continue;
            }
            assert_ne!(found.route_key, "$default", "the template has no route for {path}");
            covered.insert(found.route_key);
        }
    }
    for route in routes.iter().filter(|route| route.path != "$default") {
        let key = format!("{} {}", route.method, route.path);
        assert!(covered.contains(&key), "the file has no path for the route {key}");
    }
}
