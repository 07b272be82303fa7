//! Unmodified clients over connections that are cut at arbitrary moments, and a service that is
//! killed: pycti's `ListenStream` and npm's `eventsource`. `IOCAST_STREAM_EVENTS` says how many
//! events each is sent at the least.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::tempdir;
use tests::client::Client;
use tests::fixtures::{
    FIRST, Object, SECOND, THIRD, envelope, identity, indicator, indicators, malware, relationship,
};
use tests::flaky_front::FlakyFront;
use tests::patience::{DEADLINE, until, until_within};
use tests::service::Service;
use tests::taxii_reading::{items, pages_by_next};
use tests::{node, python};

const FOURTH: &str = "2026-04-01T00:00:00.000Z";

const OPENCTI: &str = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba";

/// Indicators, if not told otherwise: every one of them makes an event at the least, however late
/// a reader is.
const COUNT: usize = 600;

/// An event is of so many bytes, and each client is cut off so often.
const BYTES: usize = 1_500;
const CUTS: usize = 30;

/// A connection ends by itself after so many seconds.
const SECONDS: &str = "7";

fn count() -> usize {
    let asked = std::env::var("IOCAST_STREAM_EVENTS").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(COUNT)
}

/// How long the clients, and what is written, may take: the more the longer.
fn patience() -> Duration {
    DEADLINE * u32::try_from(1 + count() / COUNT).unwrap()
}

/// Sends objects, again where the service is busy: it was just started, and clients read.
async fn send(service: &Service, objects: &[Object]) {
    let client = service.client(&service.ready.writer_key);
    for part in objects.chunks(250) {
        let answer = until("objects are taken", async || {
            let request = client.post("/api/v1/objects").body("application/json", envelope(part));
            Some(request.await).filter(|answer| answer.status != 503)
        });
        let answer = answer.await.expect(200).json();
        assert_eq!(answer["rejected"], 0, "{answer}");
    }
}

fn address(service: &Service) -> SocketAddr {
    service.ready.base_url.trim_start_matches("http://").parse().unwrap()
}

fn detection(objects: &[Object], version: &str) -> Vec<Object> {
    objects.iter().map(|one| one.clone().at(version).labelled("detection")).collect()
}

/// The collection `detection`, whose filter is the brief's.
async fn collection(service: &Service) -> Vec<Value> {
    let client: Client = service.client(&service.ready.reader_key);
    let path = "/taxii2/intel/collections/detection/objects/";
    items(&pages_by_next(&client, path, &[("limit", "1000")]).await)
}

/// Waits until the collection holds exactly these, by id and version. Objects overtake each other:
/// that one is there does not say that those sent before it are.
async fn settled(service: &Service, expected: &BTreeSet<(String, String)>) {
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    until_within(patience(), "everything is in the collection", async || {
        let members = collection(service).await;
        let found = members.iter().map(|item| (text(item, "id"), text(item, "modified")));
        if found.collect::<BTreeSet<_>>() == *expected {
            return Some(());
        }
        // The clients read as well.
        tokio::time::sleep(Duration::from_millis(300)).await;
        None
    })
    .await;
}

/// What was sent, without what was added to it.
fn plain(mut shown: Value) -> Value {
    let extensions = shown["extensions"].as_object_mut().unwrap();
    assert!(extensions.remove(OPENCTI).is_some());
    if extensions.is_empty() {
        shown.as_object_mut().unwrap().remove("extensions");
    }
    shown
}

/// What was written.
struct Written {
    /// First versions.
    objects: Vec<Object>,
    /// What all indicators depend on: before and after it changed, with nobody told.
    author: [Object; 2],
    /// What some are joined to, the same.
    family: [Object; 2],
}

/// What a client has, held against the collection: every member as it is, and beside them only
/// what they depend on, as it was when it was sent last.
fn compare(state: &Value, members: &[Value], written: &Written) {
    let faults = state["faults"].as_array().unwrap();
    assert!(faults.is_empty(), "{faults:?}");
    let has = state["has"].as_object().unwrap();
    for member in members {
        let id = member["id"].as_str().unwrap();
        let shown = has.get(id).unwrap_or_else(|| panic!("it lacks {id}")).clone();
        assert_eq!(&plain(shown), member);
    }
    // The last event came on a connection that began after the change.
    assert_eq!(plain(has[written.author[1].id()].clone()), written.author[1].json());
    if let Some(shown) = has.get(written.family[0].id()) {
        let shown = plain(shown.clone());
        assert!(written.family.iter().any(|version| version.json() == shown), "{shown}");
    }
    let indicators = has.keys().filter(|id| id.starts_with("indicator--")).count();
    assert_eq!(indicators, members.len(), "an indicator that left is gone");
    for (id, shown) in has.iter().filter(|(id, _)| id.starts_with("relationship--")) {
        let sent = written.objects.iter().find(|one| one.id() == id).expect("it was sent");
        assert_eq!(shown["source_ref"], sent["source_ref"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pycti_and_eventsource_hold_the_collection_over_forced_reconnects_and_a_killed_service() {
    // First, so that the clients listen from the beginning on.
    let _ = (python::pycti(), node::installed());
    let folder = tempdir().unwrap();
    let arguments: [OsString; 3] =
        ["--no-demo".into(), "--data".into(), folder.path().join("data").into()];
    let start = || Service::start_set(&arguments, "IOCAST_STREAM_SECONDS", SECONDS);
    let service = start().await;
    let reader_key = service.ready.reader_key.clone();
    let count = count();
    let front = FlakyFront::start(address(&service), count * BYTES / CUTS).await;
    let (author, family) = (identity("Example Org"), malware("Example Family"));
    let last = indicator().labelled("detection").set("created_by_ref", author.id());
    let outputs = ["pycti.json", "eventsource.json"].map(|name| folder.path().join(name));
    let [pycti, eventsource] = [outputs[0].to_str().unwrap(), outputs[1].to_str().unwrap()];
    let url = format!("{}/stream/detection", front.base_url());
    let from_start = format!("{url}?from=0&no-dependencies=false");

    let began = Instant::now();

    let writing = async {
        let by = |one: Object| one.set("created_by_ref", author.id());
        let plain: Vec<Object> = indicators(count).into_iter().map(by).collect();
        let joins: Vec<Object> =
            plain.iter().take(count / 30).map(|one| relationship(one, &family)).collect();
        let mut first = vec![author.clone(), family.clone()];
        first.extend(detection(&plain, FIRST));
        first.extend(joins.iter().cloned());
        let (before, after) = first.split_at(count / 2);
        send(&service, before).await;
        service.kill().await;
        let service = start().await;
        front.moved(address(&service));
        send(&service, after).await;
        let later = |one: &Object| one.clone().at(SECOND).set("name", "of another name");
        let (author, family) = ([author.clone(), later(&author)], [family.clone(), later(&family)]);
        send(&service, &[author[1].clone(), family[1].clone()]).await;
        let renamed = Instant::now();
        send(&service, &detection(&plain[..count / 5], SECOND)).await;
        let third = |one: &Object| one.clone().at(THIRD);
        send(&service, &plain[..count / 10].iter().map(third).collect::<Vec<_>>()).await;
        send(&service, &detection(&plain[..count / 20], FOURTH)).await;
        let client = service.client(&service.ready.writer_key);
        for one in &plain[count - count / 50..] {
            let path = format!("/api/v1/objects/{}", one.id());
            let _ = client.delete(&path).await.expect(200);
        }
        let (again, left, changed) = (count / 20, count / 10, count / 5);
        let kept = (0..count - count / 50).filter(|at| !(again..left).contains(at));
        let version = |at: usize| match at {
            at if at < again => FOURTH,
            at if at < changed => SECOND,
            _ => FIRST,
        };
        let stands = kept.map(|at| (plain[at].id().to_owned(), version(at).to_owned()));
        settled(&service, &stands.collect()).await;
        // Readers are behind; they are left in peace once they were cut off often enough.
        let cut = async || (front.cuts() >= CUTS / 3).then_some(());
        until_within(patience(), "readers were cut off", cut).await;
        front.calm();
        until("connections of before the change are over", async || {
            (renamed.elapsed() > Duration::from_secs(SECONDS.parse::<u64>().unwrap() + 2))
                .then_some(())
        })
        .await;
        send(&service, std::slice::from_ref(&last)).await;
        println!("written after {:?}", began.elapsed());
        first.extend(plain);
        (service, Written { objects: first, author, family })
    };
    let by_pycti = [url.as_str(), reader_key.as_str(), last.id(), pycti];
    let by_eventsource = [from_start.as_str(), reader_key.as_str(), last.id(), eventsource];
    let (pycti_says, eventsource_says, (service, written)) = futures::join!(
        python::run_pycti("listen.py", &by_pycti),
        node::run("listen.mjs", &by_eventsource),
        writing,
    );
    let members = collection(&service).await;
    println!("read after {:?}", began.elapsed());
    assert_eq!(members.len(), count - count / 20 - count / 50 + 1);
    for (output, said) in outputs.iter().zip([pycti_says, eventsource_says]) {
        let state: Value = serde_json::from_slice(&std::fs::read(output).unwrap()).unwrap();
        println!("{}: {} events {said}", output.display(), state["events"]);
        assert!(state["events"].as_u64().unwrap() >= count as u64, "{}", state["events"]);
        compare(&state, &members, &written);
    }
    println!("{} connections were cut", front.cuts());
    assert!(front.cuts() >= CUTS / 3, "{} cuts", front.cuts());
}
