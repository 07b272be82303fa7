//! docs/cost.json: what each surface takes of tables, bytes and time, which docs/cost.py makes
//! docs/cost.md of. `IOCAST_COST=write` writes it; otherwise what it says has to be measured again.

use std::path::{Path, PathBuf};
use std::time::Instant;

use aws_sdk_dynamodb::types::TableDescription;
use local::engines::clients::{self, Endpoint};
use serde_json::{Value, json};
use shared::access::Scope;
use shared::services::Services;
use tests::aws_front::Front;
use tests::client::{Client, Request, TAXII};
use tests::collection::{Collection, CollectionSpec};
use tests::feeds::{feed, path, publish, publish_by};
use tests::fixtures::{envelope, indicator};
use tests::function::Function;
use tests::keys::KeySpec;
use tests::metered::Metered;
use tests::notifications::{NOTIFICATIONS, STREAM, first_cause, made};
use tests::patience::until;
use tests::realistic::realistic_indicator;
use tests::world::World;

/// Calls of a surface of which the mean is taken.
const CALLS: usize = 40;
/// Objects in the base.
const OBJECTS: usize = 2_000;
/// Objects of one request to ingest.
const BATCH: usize = 250;
/// A POST to TAXII, of so many objects. It asks until they are readable, and how often is a race
/// with who projects them.
const POST: &str = "TAXII POST of 10";
const POSTED: usize = 10;
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
        "function": metered.function,
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
    let post = async |number: usize| {
        let first = OBJECTS + number * POSTED;
        let objects: Vec<_> = (first..first + POSTED).map(realistic_indicator).collect();
        taxii.client.post(&c.objects()).accept(TAXII).body(TAXII, envelope(&objects))
    };
    all[POST] = calls(&taxii, 202, post).await;
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
    let (read, written) = (w.read_units() - read, w.write_units() - written);
    // How many objects a commit holds is a race of projectors; once compacted it no longer shows.
    for hours in [2, 4] {
        let compacted = w.compact(chrono::TimeDelta::hours(hours)).await.unwrap();
        assert!(compacted.failures.is_empty(), "{compacted:?}");
    }
    json!({
        "read_units": each(read, OBJECTS),
        "write_units": each(written, OBJECTS),
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
        let _ = run(event.clone()).await.unwrap();
        let units = services.store().units() - before;
        all[function] = json!({
            "read_units": units.read,
            "write_units": units.write,
            "ms": rounded(begun.elapsed().as_secs_f64() * 1000.0),
            "log_bytes": logged(w, function, &event).await,
        });
    }
    all
}

/// What the function's real binary logs of such a run, in bytes as `CloudWatch` charges them.
async fn logged(w: &World, function: &str, event: &Value) -> usize {
    /// What an event of a log is charged beside its text.
    const EVENT: usize = 26;
    let binary = match function {
        "CsvPublishFunction" => "csv-publish".to_owned(),
        _ => function.trim_end_matches("Function").to_lowercase(),
    };
    let mut environment = w.function_environment();
    environment.retain(|(name, _)| name != "RUST_LOG");
    environment.push(("IOCAST_METRICS_NAMESPACE".to_owned(), "iocast/iocast".to_owned()));
    let running = Function::start(&binary, &environment).await;
    let told = async |times: usize| {
        until("the run has its line", async || {
            let printed = running.printed();
            (printed.matches("worked off").count() >= times).then_some(printed)
        })
        .await
    };
    running.invoke(event).await.expect("a run");
    let before = told(1).await;
    running.invoke(event).await.expect("another run");
    let after = told(2).await;
    let lines = &after[before.len()..];
    lines.len() + EVENT * lines.lines().count()
}

/// What an edition takes of a feed of which one row is new: its requests to the bucket, units, time.
async fn edition(w: &World, c: &Collection) -> Value {
    let changing = feed(w, c, json!({})).await;
    publish(w, &changing).await;
    w.append_packed(c, &[indicator()], 1).await;
    let front = Front::before(clients::http());
    let settings = w.another_instance().settings().clone();
    let dynamodb = clients::dynamodb(&Endpoint::over(w.dynamodb(), front.client()));
    let s3 = clients::s3(w.s3_access(), &front.client()).config().clone();
    let services = Services::new(dynamodb, s3, settings);
    let begun = Instant::now();
    let outcome = publish_by(&services, &changing).await.expect("it is published");
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    assert_eq!(outcome.name(), "published");
    let calls = front.calls();
    let count = |kinds: &[&str]| {
        calls.iter().filter(|call| kinds.iter().any(|kind| call.name.starts_with(kind))).count()
    };
    let units = services.store().units();
    json!({
        "puts": count(&["PutObject", "CreateMulti", "UploadPart", "CompleteMulti", "ListObjects"]),
        "gets": count(&["GetObject", "HeadObject"]),
        "read_units": units.read,
        "write_units": units.write,
        "ms": rounded(took),
    })
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cost.json")
}

/// How far apart a figure may be beside 15 %: how many objects a commit holds is a race of
/// projectors, how often a POST asks whether it is done another, and whether a feed has its turn in
/// the minute of an idle run is chance.
fn loose(place: &str) -> f64 {
    let of_logs = ["/calls/STIX export", "/calls/TAXII page"];
    match place {
        _ if place == format!("/calls/{POST}/read_units") => 30.0,
        _ if place.ends_with("/read_units") && of_logs.iter().any(|of| place.starts_with(of)) => {
            2.0
        }
        "/idle_run/CsvPublishFunction/log_bytes" => 700.0,
        "/idle_run/CsvPublishFunction/read_units" => 2.0,
        _ => 0.1,
    }
}

/// The units of both have to agree, whatever the machine; its times need not.
fn agree(committed: &Value, measured: &Value, place: &str) {
    for (name, value) in measured.as_object().unwrap() {
        let place = format!("{place}/{name}");
        match value {
            Value::Object(_) => agree(&committed[name], value, &place),
            _ if name == "ms" => {}
            Value::String(_) => assert_eq!(committed[name], *value, "{place}"),
            _ => {
                let (was, is) = (committed[name].as_f64(), value.as_f64().unwrap());
                let was = was.unwrap_or_else(|| panic!("{place} is not in docs/cost.json"));
                let slack = 0.15 * was.max(is) + loose(&place);
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
        "edition": edition(&w, &c).await,
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
