//! What a function's real binary logs: one line for each request or event, with who asked, what
//! came of it and what it cost, joined to its trace; and never a secret.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::client::Client;
use tests::collection::CollectionSpec;
use tests::fixtures::indicators;
use tests::function::Function;
use tests::keys::{Key, KeySpec};
use tests::patience::until;
use tests::world::World;

/// The trace that our Runtime API says every invocation is part of.
const TRACE: &str = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700";

struct Logging {
    function: Arc<Function>,
    client: Client,
}

impl Logging {
    async fn start(w: &World, name: &str) -> Self {
        let mut environment = w.function_environment();
        environment.retain(|(name, _)| name != "RUST_LOG");
        environment.push(("RUST_LOG".to_owned(), "info".to_owned()));
        let function = Arc::new(Function::start(name, &environment).await);
        let base_url = format!("https://{}", tests::gateway_event::HOST);
        let client = Client::function(Arc::clone(&function), &base_url);
        Self { function, client }
    }

    /// The lines of requests, once there are so many.
    async fn lines(&self, count: usize) -> Vec<Value> {
        until("every request has its line", async || {
            let printed = self.function.printed();
            let lines: Vec<Value> =
                printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            let lines: Vec<Value> =
                lines.into_iter().filter(|line| line["target"] == "request").collect();
            (lines.len() >= count).then_some(lines)
        })
        .await
    }
}

/// The secret part of a key.
fn secret(key: &Key) -> &str {
    key.text.rsplit('_').next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_has_one_line_that_says_who_asked_and_what_it_cost() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    w.load(&c, &indicators(3)).await;
    w.at_rest().await;
    let logging = Logging::start(&w, "taxii").await;
    let key = w.key(KeySpec::of("acme")).await;
    let answer = logging.client.with_key(&key.text).get(&c.objects()).await.expect(200);
    let wrong = format!("{}x", &key.text[..key.text.len() - 1]);
    let refused = logging.client.with_key(&wrong).get(&c.objects()).await.expect(401);
    let posted = logging.client.with_key(&key.text).post("/taxii2/").body("x", "{").await;
    let lines = logging.lines(3).await;
    assert_eq!(lines.len(), 3, "{lines:?}");

    let line = &lines[0];
    assert_eq!(line["status"], 200, "{line}");
    assert_eq!(line["method"], "GET");
    assert_eq!(line["route"], "$default");
    assert_eq!(line["key"], json!(key.id.to_string()));
    assert_eq!(line["tenant"], "acme");
    assert_eq!(line["bytes"], json!(answer.body.len()), "{line}");
    assert!(line["read_units"].as_f64().unwrap() >= 1.0, "{line}");
    assert!(line["ms"].as_f64().unwrap() > 0.0, "{line}");
    assert_eq!(line["request_id"].as_str(), answer.header("x-request-id"));
    assert_eq!(line["trace_id"], TRACE);
    assert!(line["invocation"].is_string() && line["front"].is_string(), "{line}");

    // The cost sheet reckons with lines of this length.
    let sheet = std::fs::read_to_string(tests::binaries::workspace().join("docs/cost.json"));
    let sheet: Value = serde_json::from_str(&sheet.unwrap()).unwrap();
    let reckoned = sheet["deployed"]["request_line_bytes"].as_u64().unwrap();
    let (length, slack) = (line.to_string().len() as u64, reckoned / 5);
    assert!(length.abs_diff(reckoned) <= slack, "{length} bytes, {reckoned} in docs/cost.json");

    assert_eq!(lines[1]["status"], 401);
    assert_eq!(lines[1]["request_id"].as_str(), refused.header("x-request-id"));
    assert_eq!(lines[1]["tenant"], Value::Null, "nobody was known: {}", lines[1]);
    assert_eq!(lines[2]["status"], json!(posted.status));
    assert!(!logging.function.printed().contains(secret(&key)), "a secret is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_logged_and_counted_on_the_way_names_its_request() {
    let w = World::http().await;
    let key = w.key(KeySpec::of("acme").on("free").with([shared::access::Scope::ReadTaxii])).await;
    let mut environment = w.function_environment();
    // Nobody is there: the store cannot be asked.
    environment.retain(|(name, _)| name != "AWS_ENDPOINT_URL_DYNAMODB" && name != "RUST_LOG");
    environment.push(("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), "http://127.0.0.1:1".to_owned()));
    let function = Arc::new(Function::start("taxii", &environment).await);
    let base_url = format!("https://{}", tests::gateway_event::HOST);
    let client = Client::function(Arc::clone(&function), &base_url).with_key(&key.text);
    let answer = client.get("/taxii2/").await.expect(503);
    assert!(answer.header("retry-after").is_some());
    let id = answer.header("x-request-id").unwrap().to_owned();
    let printed = until("the failure is logged", async || {
        let printed = function.printed();
        printed.contains("\"status\":503").then_some(printed)
    })
    .await;
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let failure = lines.filter(|line| line["level"] == "ERROR").collect::<Vec<_>>();
    assert!(!failure.is_empty(), "{printed}");
    for line in failure {
        assert_eq!(line["span"]["request_id"], json!(id), "{line}");
        assert_eq!(line["span"]["trace_id"], TRACE, "{line}");
    }
    assert!(!printed.contains(secret(&key)), "a secret is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_has_one_line_too() {
    let w = World::http().await;
    let logging = Logging::start(&w, "expire").await;
    let event = json!({"source": "aws.events"});
    logging.function.invoke(&event).await.expect("expiry runs");
    logging.function.invoke(&json!([])).await.expect_err("no event of a schedule");
    let lines = logging.lines(2).await;
    assert_eq!(lines[0]["outcome"], "done", "{}", lines[0]);
    assert!(lines[0]["read_units"].as_f64().unwrap() > 0.0, "{}", lines[0]);
    assert_eq!(lines[0]["trace_id"], TRACE);
    assert_eq!(lines[1]["outcome"], "failed", "{}", lines[1]);
    assert!(lines[1]["error"].as_str().unwrap().contains("schedule"), "{}", lines[1]);
}
