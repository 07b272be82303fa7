//! ingest.md, What is promised: what was answered is not lost, whenever the process is killed,
//! and nothing is there twice.
//!
//! `IOCAST_KILLS` says how often it is killed (6), `IOCAST_SEED` with which chance.

mod load;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use tempfile::tempdir;
use tests::chance::{Chance, asked_for, seed};
use tests::client::{Answer, Client, TAXII};
use tests::exact::Exact;
use tests::fixtures::{bundle, envelope};
use tests::patience::until;
use tests::service::{Inbox, Service};
use tests::taxii_reading::{Page, ids, items, pages_by_next};

use load::{Holding, Part, parts};

const SENDERS: usize = 4;
const OBJECTS_PER_KILL: usize = 200;
/// The longest life of a process under load.
const LIFE: usize = 900;

/// Sends its parts in order, from wherever it has to.
#[derive(Debug)]
struct Sender {
    parts: Vec<Part>,
    /// How many parts were answered.
    answered: usize,
    /// Ids of the indicators made of IOCs, by domain.
    iocs: BTreeMap<String, String>,
    /// Ids of the status resources of posts.
    posts: Vec<String>,
}

/// What reaches one process.
struct Way {
    client: Client,
    objects: String,
    inbox: Inbox,
}

impl Way {
    fn to(service: &Service) -> Self {
        let demo = service.ready.demo_collection.as_deref().unwrap();
        Self {
            client: service.client(&service.ready.writer_key),
            objects: format!("/taxii2/intel/collections/{demo}/objects/"),
            inbox: service.inbox(),
        }
    }

    async fn listed(&self, path: &str) -> Vec<Value> {
        let path = self.objects.replace("/objects/", path);
        let query = [("limit", "1000"), ("match[version]", "all")];
        items(&pages_by_next(&self.client, &path, &query).await)
    }
}

impl Sender {
    /// Sends parts from `begin` on until one is not answered.
    async fn send(&mut self, way: &Way, begin: usize) {
        for index in begin..self.parts.len() {
            let part = self.parts[index].clone();
            if self.send_part(way, part).await.is_err() {
                return;
            }
            self.answered = self.answered.max(index + 1);
        }
    }

    async fn send_part(&mut self, way: &Way, part: Part) -> Result<(), String> {
        let client = &way.client;
        let accepted = |answer: &Answer| {
            assert_eq!(answer.json()["rejected"], 0, "{}", answer.text());
        };
        match part {
            Part::Bundle(objects) => {
                let request = client.post("/api/v1/objects");
                let request = request.body("application/json", bundle(&objects));
                accepted(&request.attempt().await?.expect(200));
            }
            Part::Post(objects) => {
                let request = client.post(&way.objects).body(TAXII, envelope(&objects));
                let status = request.attempt().await?.expect(202).json();
                self.posts.push(status["id"].as_str().unwrap().to_owned());
            }
            Part::Iocs(domains) => {
                let line = |domain| format!("{{\"type\":\"domain\",\"value\":\"{domain}\"}}\n");
                let body: String = domains.iter().map(line).collect();
                let request = client.post("/api/v1/iocs").body("application/x-ndjson", body);
                let answer = request.attempt().await?.expect(200);
                accepted(&answer);
                let made = ids(answer.json()["results"].as_array().unwrap());
                self.iocs.extend(domains.into_iter().zip(made));
            }
            Part::Drop(key, objects) => way.inbox.put(&key, bundle(&objects)).await?,
            Part::Delete(id) => {
                let request = client.delete(&format!("/api/v1/objects/{id}"));
                let _ = request.attempt().await?.expect(200);
            }
        }
        Ok(())
    }

    /// What must be there, but for what the next part may have changed already.
    fn answered(&self) -> (Holding, Option<&str>) {
        let mut holding = Holding::default();
        self.parts[..self.answered].iter().for_each(|part| holding.add(part));
        let unsure = match self.parts.get(self.answered) {
            Some(Part::Delete(id)) => Some(id.as_str()),
            _ => None,
        };
        (holding, unsure)
    }
}

/// Waits until all that was answered is in the collection, without anything being sent again.
async fn all_that_was_answered_is_there(way: &Way, senders: &[Sender]) {
    let mut said = BTreeSet::new();
    until("all that was answered is in the collection", async || {
        let lacking = lacking(way, senders).await;
        if lacking.is_empty() {
            return Some(());
        }
        if said != lacking {
            eprintln!("not yet as answered: {} objects, {:?} …", lacking.len(), lacking.first());
            said = lacking;
        }
        None
    })
    .await;
}

/// Objects that are not in the collection as was answered.
async fn lacking(way: &Way, senders: &[Sender]) -> BTreeSet<String> {
    let listed = way.listed("/manifest/").await;
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    let present: HashSet<(String, String)> =
        listed.iter().map(|entry| (text(entry, "id"), text(entry, "version"))).collect();
    let objects: HashSet<&str> = present.iter().map(|(id, _)| id.as_str()).collect();
    let mut lacking = BTreeSet::new();
    for sender in senders {
        let (holding, unsure) = sender.answered();
        let versions = holding.versions.into_keys().filter(|key| !present.contains(key));
        lacking.extend(versions.map(|(id, _)| id).filter(|id| unsure != Some(id.as_str())));
        lacking.extend(holding.gone.into_iter().filter(|id| objects.contains(id.as_str())));
        let made = sender.iocs.values();
        lacking.extend(made.filter(|id| !objects.contains(id.as_str())).cloned());
    }
    lacking
}

async fn every_post_is_complete(way: &Way, senders: &[Sender]) {
    for post in senders.iter().flat_map(|sender| &sender.posts) {
        let path = format!("/taxii2/intel/status/{post}/");
        until(&format!("{path} is complete"), async || {
            let status = way.client.get(&path).await.expect(200).json();
            (status["status"] == "complete" && status["pending_count"] == 0).then_some(())
        })
        .await;
    }
}

/// Holds the collection to what was sent: the very bodies, in every version, each once.
async fn exactly_what_was_sent(way: &Way, senders: &[Sender]) {
    let mut expected = Holding::default();
    senders.iter().flat_map(|sender| &sender.parts).for_each(|part| expected.add(part));
    let mut iocs: BTreeMap<&str, &str> = BTreeMap::new();
    iocs.extend(
        senders.iter().flat_map(|s| &s.iocs).map(|(name, id)| (id.as_str(), name.as_str())),
    );

    let mut read: BTreeMap<(String, String), Exact> = BTreeMap::new();
    let mut next: Option<String> = None;
    loop {
        let request = way.client.get(&way.objects).query("limit", "1000");
        let request = request.query("match[version]", "all");
        let answer = next.iter().fold(request, |request, next| request.query("next", next)).await;
        for object in Exact::parse(&answer.text()).items("objects") {
            let key = (text(object, "id"), text(object, "modified"));
            assert!(read.insert(key.clone(), object.clone()).is_none(), "{key:?} is there twice");
        }
        next = Page::of(&answer).next;
        if next.is_none() {
            break;
        }
    }
    for ((id, version), object) in &read {
        if let Some(domain) = iocs.remove(id.as_str()) {
            let pattern = format!("[domain-name:value = '{domain}']");
            assert_eq!(text(object, "pattern"), pattern, "{id}");
        } else {
            let sent = expected.versions.remove(&(id.clone(), version.clone()));
            assert_eq!(sent.as_ref(), Some(object), "{id} at {version}");
        }
    }
    assert!(iocs.is_empty(), "these IOCs are lost: {iocs:?}");
    assert!(expected.versions.is_empty(), "these are lost: {:?}", expected.versions.keys());

    let listed = way.listed("/manifest/").await;
    let dates: Vec<&str> = listed.iter().map(|e| e["date_added"].as_str().unwrap()).collect();
    assert!(dates.is_sorted_by(|one, next| one < next), "positions rise");
    assert_eq!(listed.len(), read.len());
    let current = pages_by_next(&way.client, &way.objects, &[("limit", "1000")]).await;
    let current = ids(&items(&current));
    let once: HashSet<&String> = current.iter().collect();
    assert_eq!(once.len(), current.len(), "an object is there twice");
    let objects: HashSet<&String> = read.keys().map(|(id, _)| id).collect();
    assert_eq!(once, objects, "each object has a current version");
}

fn text(object: &Exact, name: &str) -> String {
    match object.get(name) {
        Some(Exact::Text(text)) => text.clone(),
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_is_twice_whenever_it_is_killed() {
    let (kills, seed) = (asked_for("IOCAST_KILLS", 6), seed(0));
    eprintln!("{kills} kills, IOCAST_SEED={seed}");
    let mut chance = Chance::of(seed);
    let objects = kills * OBJECTS_PER_KILL / SENDERS;
    let mut senders: Vec<Sender> = (0..SENDERS)
        .map(|sender| Sender {
            parts: parts(sender, objects, &mut chance),
            answered: 0,
            iocs: BTreeMap::new(),
            posts: Vec::new(),
        })
        .collect();
    let folder = tempdir().unwrap();
    let arguments: [OsString; 3] = ["--no-demo".into(), "--data".into(), folder.path().into()];
    for _ in 0..kills {
        let service = Service::start(&arguments).await;
        let way = Way::to(&service);
        all_that_was_answered_is_there(&way, &senders).await;
        // Sometimes everything is sent again from the start.
        let again = chance.below(3) == 0;
        let life = Duration::from_millis(chance.below(LIFE) as u64);
        let sending = senders.iter_mut().map(|sender| {
            let begin = if again { 0 } else { sender.answered };
            sender.send(&way, begin)
        });
        let killing = async {
            tokio::time::sleep(life).await;
            service.kill().await;
        };
        futures::future::join(join_all(sending), killing).await;
    }
    let service = Service::start(&arguments).await;
    let way = Way::to(&service);
    all_that_was_answered_is_there(&way, &senders).await;
    join_all(senders.iter_mut().map(|sender| sender.send(&way, sender.answered))).await;
    assert!(senders.iter().all(|sender| sender.answered == sender.parts.len()), "all is answered");
    all_that_was_answered_is_there(&way, &senders).await;
    every_post_is_complete(&way, &senders).await;
    exactly_what_was_sent(&way, &senders).await;
}
