//! docs/openapi.yaml, held against a running system: the routes, methods, statuses, codes,
//! headers and members it names are there, and no others.

use std::collections::BTreeSet;

use local::routing::Router;
use local::template::Template;
use serde_json::{Value, json};
use shared::access::Scope;
use tests::client::{Answer, Client, Request, TAXII};
use tests::collection::CollectionSpec;
use tests::event_stream::Frame;
use tests::fixtures::{envelope, indicators};
use tests::keys::KeySpec;
use tests::notifications;
use tests::world::World;

/// What deletes comes last, so that the others find what they ask for.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Headers that tell a client something only where the file says so.
const TELLING: [&str; 5] = [
    "allow",
    "retry-after",
    "www-authenticate",
    "x-taxii-date-added-first",
    "x-taxii-date-added-last",
];

/// The file.
struct Document(Value);

impl Document {
    fn read() -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.yaml");
        let text = std::fs::read_to_string(file).unwrap();
        Self(serde_yaml_ng::from_str(&text).unwrap())
    }

    fn paths(&self) -> Vec<&str> {
        self.0["paths"].as_object().unwrap().keys().map(String::as_str).collect()
    }

    fn operation(&self, path: &str, method: &str) -> Option<&Value> {
        self.0["paths"][path].get(method.to_ascii_lowercase())
    }

    /// Path, method and operation of all, by method.
    fn operations(&self) -> Vec<(&str, &'static str, &Value)> {
        let mut all = Vec::new();
        for method in METHODS {
            let mut paths = self.paths();
            // One is deleted before all are.
            if method == "DELETE" {
                paths.reverse();
            }
            for path in paths {
                all.extend(self.operation(path, method).map(|found| (path, method, found)));
            }
        }
        all
    }

    fn follow<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        while let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').expect("references stay within the file");
            let found = self.0.pointer(pointer);
            value = found.unwrap_or_else(|| panic!("{reference} leads nowhere"));
        }
        value
    }

    /// Holds an answer against what the operation lists for its status.
    fn check(&self, operation: &Value, answer: &Answer) {
        let listed = operation["responses"].get(answer.status.to_string());
        let listed = listed.unwrap_or_else(|| {
            panic!("{}: {} is not listed: {}", answer.what, answer.status, answer.text())
        });
        self.check_response(listed, answer);
    }

    fn check_response(&self, listed: &Value, answer: &Answer) {
        let what = format!("{} answered {}", answer.what, answer.status);
        let response = self.follow(listed);
        self.check_headers(response, answer, &what);
        let Some(content) = response["content"].as_object() else {
            assert!(answer.body.is_empty(), "{what} with a body: {}", answer.text());
            return;
        };
        let sent = answer.header("content-type").unwrap_or_default();
        let media = content.get(sent).unwrap_or_else(|| panic!("{what} as {sent:?}, not listed"));
        if sent.starts_with("text/event-stream") {
            assert!(!Frame::all_of(&answer.text()).is_empty(), "{what} without a frame");
            return;
        }
        if !sent.contains("json") || sent.contains("ndjson") {
            return;
        }
        let body = answer.json();
        self.check_value(&media["schema"], &body, &what);
        let code = body.pointer("/error/code").or_else(|| body.get("error_code"));
        if let Some(code) = code.and_then(Value::as_str) {
            // A description beside a reference replaces the one it leads to.
            let description = listed.get("description").unwrap_or(&response["description"]);
            let named = description.as_str().unwrap().contains(&format!("`{code}`"));
            assert!(named, "{what} with {code}, which is not among: {description}");
        }
    }

    fn check_headers(&self, response: &Value, answer: &Answer, what: &str) {
        let mut listed = BTreeSet::new();
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let header = self.follow(header);
            let sent = answer.header(name);
            assert!(sent.is_some() || header["required"] != true, "{what} without {name}");
            if let Some(constant) = header["schema"].get("const").and_then(Value::as_str) {
                assert_eq!(sent, Some(constant), "{what}");
            }
            listed.insert(name.to_ascii_lowercase());
        }
        for name in TELLING {
            let known = listed.contains(name) || answer.header(name).is_none();
            assert!(known, "{what} with {name}, which is not listed");
        }
    }

    /// Members must be named by the schema, unless it declares that there may be others.
    fn check_value(&self, schema: &Value, value: &Value, at: &str) {
        let schema = self.follow(schema);
        let kind = schema["type"].as_str();
        assert!(kind.is_none_or(|kind| is_a(kind, value)), "{at} is no {kind:?}: {value}");
        if let Some(constant) = schema.get("const") {
            assert_eq!(value, constant, "{at}");
        }
        if let Some(allowed) = schema["enum"].as_array() {
            assert!(allowed.contains(value), "{at} is {value}, not one of {allowed:?}");
        }
        for item in value.as_array().into_iter().flatten() {
            self.check_value(&schema["items"], item, &format!("{at}[]"));
        }
        let Some(members) = value.as_object() else { return };
        for name in schema["required"].as_array().into_iter().flatten() {
            let there = members.contains_key(name.as_str().unwrap());
            assert!(there, "{at} without {name}: {value}");
        }
        for (name, member) in members {
            if let Some(known) = schema["properties"].get(name) {
                self.check_value(known, member, &format!("{at}.{name}"));
            } else {
                let open = schema["additionalProperties"] == true;
                assert!(open, "{at}.{name} is not in the file: {value}");
            }
        }
    }
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        other => panic!("this test does not know the type {other}"),
    }
}

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
