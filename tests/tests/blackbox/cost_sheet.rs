//! docs/cost.json: what each surface takes of tables, bytes and time, which docs/cost.py makes
//! docs/cost.md of. `IOCAST_COST=write` writes it; otherwise what it says has to be measured again.

use std::path::{Path, PathBuf};
use std::time::Instant;

use aws_sdk_dynamodb::types::TableDescription;
use serde_json::{Value, json};
use shared::access::Scope;
use tests::client::{Client, Request};
use tests::collection::{Collection, CollectionSpec};
use tests::feeds::{feed, path, publish};
use tests::fixtures::envelope;
use tests::keys::KeySpec;
use tests::metered::Metered;
use tests::notifications::{NOTIFICATIONS, STREAM, first_cause, made};
use tests::realistic::realistic_indicator;
use tests::world::World;

/// Calls of a surface of which the mean is taken.
const CALLS: usize = 40;
/// Objects in the base.
const OBJECTS: usize = 2_000;
/// Objects of one request to ingest.
const BATCH: usize = 250;
const TENANT: &str = "acme";

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[allow(clippy::cast_precision_loss)]
fn each(total: f64, count: usize) -> f64 {
    rounded(total / count as f64)
}

/// What a call takes on a warm instance.
async fn calls(metered: &Metered, status: u16, request: impl AsyncFn(usize) -> Request) -> Value {
    // The first reads the key, its plan and the definitions as well.
    let _ = request(CALLS).await.await.expect(status);
    let (read, written) = (metered.read_units(), metered.write_units());
    let (mut bytes, mut times) = (0, Vec::new());
    for number in 0..CALLS {
        let request = request(number).await;
        let begun = Instant::now();
        let answer = request.await.expect(status);
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
        bytes += answer.body.len();
    }
    times.sort_by(f64::total_cmp);
    json!({
        "read_units": each(metered.read_units() - read, CALLS),
        "write_units": each(metered.write_units() - written, CALLS),
        "bytes": bytes / CALLS,
        "ms": rounded(times[CALLS / 2]),
    })
}

/// A client of a tenant on the plan with the largest limits.
async fn client(w: &World, scopes: [Scope; 7]) -> Client {
    w.client(KeySpec::of(TENANT).with(scopes).on("enterprise")).await
}

async fn surfaces(w: &World, c: &Collection) -> Value {
    use Scope::{
        DeleteIocStream, ReadCsv, ReadIocStream, ReadStix, ReadTaxii, WriteNotifications,
        WriteObjects,
    };
    let scopes = [
        ReadTaxii,
        ReadStix,
        ReadIocStream,
        ReadCsv,
        WriteObjects,
        WriteNotifications,
        DeleteIocStream,
    ];
    let client = client(w, scopes).await;
    let of = |function: &str| w.metered(function, &client);
    let mut all = json!({});
    let taxii = of("TaxiiFunction");
    for limit in ["100", "1000"] {
        let page = |client: &Client| client.get(&c.objects()).query("limit", limit);
        let next = page(&taxii.client).await.expect(200).json()["next"].clone();
        let next = next.as_str().expect("there is more").to_owned();
        let following = async |_| page(&taxii.client).query("next", &next);
        all[format!("TAXII page of {limit}, by next")] = calls(&taxii, 200, following).await;
    }
    let export = of("StixExportFunction");
    let newest = async |_| export.client.get("/api/v1/iocs/stix").query("limit", "100");
    all["STIX export of 100"] = calls(&export, 200, newest).await;
    let notifications: Vec<_> = (0..OBJECTS).map(|n| made(TENANT, first_cause(), n)).collect();
    w.load_notifications(TENANT, &notifications).await;
    let stream = of("IocStreamListFunction");
    let page = async |_| stream.client.get(STREAM).query("limit", "40");
    all["IoC stream page of 40"] = calls(&stream, 200, page).await;
    let one = of("IocStreamGetFunction");
    let get = async |n: usize| one.client.get(&format!("{NOTIFICATIONS}/{}", notifications[n].id));
    all["IoC stream, one notification"] = calls(&one, 200, get).await;
    let block = feed(w, c, json!({"formats": ["csv.gz"]})).await;
    publish(w, &block).await;
    let feeds = of("CsvFeedFunction");
    let file = path(&block, "csv.gz");
    let whole = async |_| feeds.client.get(&file);
    all["CSV feed of 2,000 rows, gzip"] = calls(&feeds, 200, whole).await;
    let etag = feeds.client.get(&file).await.expect(200).header("etag").unwrap().to_owned();
    let unchanged = async |_| feeds.client.get(&file).header("if-none-match", &etag);
    all["CSV feed, unchanged (304)"] = calls(&feeds, 304, unchanged).await;
    let ingest = of("IngestFunction");
    let notify = async |number: usize| {
        let body = json!({
            "entity": {"type": "domain", "value": format!("n{number}.example.net")},
            "source": {"type": "hunting_ruleset", "id": "1", "label": "Example"},
        });
        ingest.client.post("/api/v1/notifications").body("application/json", body.to_string())
    };
    all["POST of a notification"] = calls(&ingest, 200, notify).await;
    all
}

/// What the whole system takes to bring objects into one collection and the built-in ones.
async fn ingestion(w: &World) -> Value {
    let objects: Vec<_> = (0..OBJECTS).map(realistic_indicator).collect();
    w.at_rest().await;
    let (read, written, begun) = (w.read_units(), w.write_units(), Instant::now());
    let bytes: usize = objects.iter().map(|o| envelope(std::slice::from_ref(o)).len()).sum();
    for part in objects.chunks(BATCH) {
        w.send(part).await;
    }
    w.at_rest().await;
    let elapsed = begun.elapsed().as_secs_f64() * 1000.0;
    json!({
        "read_units": each(w.read_units() - read, OBJECTS),
        "write_units": each(w.write_units() - written, OBJECTS),
        "bytes": bytes / OBJECTS,
        "stored_bytes": stored(w).await / OBJECTS,
        "ms": each(elapsed, OBJECTS),
    })
}

/// What the tables hold, in bytes as `DynamoDB` counts them.
async fn stored(w: &World) -> usize {
    let client = w.dynamodb_client(w.dynamodb());
    let mut bytes = 0;
    for name in ["ObjectsTable", "CollectionsTable"] {
        let told = client.describe_table().table_name(name).send().await.unwrap();
        bytes += told.table().and_then(TableDescription::table_size_bytes).unwrap();
    }
    usize::try_from(bytes).unwrap()
}

/// What a run of each schedule takes when there is nothing to do.
async fn idle(w: &World) -> Value {
    let mut all = json!({});
    for function in [
        "ExpireFunction",
        "CsvPublishFunction",
        "CompactFunction",
        "RescanFunction",
        "NotifyFunction",
    ] {
        let services = w.another_instance();
        let run = local::functions::event(&services, function).unwrap();
        let now = chrono::Utc::now().to_rfc3339();
        let event = json!({"source": "aws.events", "detail-type": "Scheduled Event",
            "detail": {}, "time": now});
        // What is to be done the first time.
        let _ = run(event.clone()).await.unwrap();
        let (before, begun) = (services.store().units(), Instant::now());
        let _ = run(event).await.unwrap();
        let units = services.store().units() - before;
        all[function] = json!({
            "read_units": units.read,
            "write_units": units.write,
            "ms": rounded(begun.elapsed().as_secs_f64() * 1000.0),
        });
    }
    all
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cost.json")
}

/// The units of both have to agree, whatever the machine; its times need not.
fn agree(committed: &Value, measured: &Value, place: &str) {
    for (name, value) in measured.as_object().unwrap() {
        let place = format!("{place}/{name}");
        match value {
            Value::Object(_) => agree(&committed[name], value, &place),
            _ if name == "ms" => {}
            _ => {
                let (was, is) = (committed[name].as_f64(), value.as_f64().unwrap());
                let was = was.unwrap_or_else(|| panic!("{place} is not in docs/cost.json"));
                let slack = 0.3 * was.max(is) + 1.0;
                assert!((was - is).abs() <= slack, "{place}: {was} in docs/cost.json, {is} now");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sheets_figures_are_measured() {
    let w = World::of_operator().await;
    let c = w.collection(CollectionSpec::everything()).await;
    w.rebuilt(&c).await;
    let ingestion = ingestion(&w).await;
    // Read as it is an hour later, with nothing that may still change at its end.
    w.later(chrono::TimeDelta::hours(1));
    let measured = json!({
        "calls": surfaces(&w, &c).await,
        "object": ingestion,
        "idle_run": idle(&w).await,
    });
    let mut sheet: Value = match std::fs::read_to_string(file()) {
        Ok(text) => serde_json::from_str(&text).unwrap(),
        Err(_) => json!({}),
    };
    if std::env::var("IOCAST_COST").is_ok_and(|value| value == "write") {
        for (name, value) in measured.as_object().unwrap() {
            sheet[name] = value.clone();
        }
        let text = serde_json::to_string_pretty(&sheet).unwrap();
        std::fs::write(file(), text + "\n").unwrap();
    } else {
        agree(&sheet, &measured, "");
    }
}

#[test]
fn the_sheet_is_made_of_its_figures() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cost.py");
    let made = std::process::Command::new("python3").arg(script).arg("--check").output().unwrap();
    let messages = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "python3 docs/cost.py makes another docs/cost.md: {messages}");
}
