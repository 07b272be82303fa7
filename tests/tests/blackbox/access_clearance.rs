//! access.md, TLP clearance, as a property: over random markings (granular ones, unknown ones,
//! definitions that come late), ceilings and keys, nobody is sent an object above its clearance,
//! and everybody all that its key and the collection allow.
//!
//! `IOCAST_SEED` says with which chance.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::access::Scope;
use shared::feed::Feed;
use shared::tlp::Tlp;
use tests::chance::{Chance, seed};
use tests::client::Client;
use tests::collection::{Collection, CollectionSpec};
use tests::event_stream::Frame;
use tests::export::{Bundle, Export};
use tests::feeds;
use tests::fixtures::{Object, indicator, malware, tlp_marking};
use tests::keys::KeySpec;
use tests::notifications;
use tests::taxii_reading::{all_objects, ids, manifest};
use tests::world::World;

const OBJECTS: usize = 60;

/// What a marking stands for: a level, nothing, or what nobody knows yet.
#[derive(Clone, Copy, PartialEq)]
enum Meaning {
    Level(Tlp),
    Statement,
    Unknown,
}

/// What objects may be marked with.
struct Markings {
    /// OASIS' own, of both editions.
    known: Vec<(String, Meaning)>,
    /// Defined in the middle of the story.
    late: Vec<(Object, Meaning)>,
}

impl Markings {
    fn make() -> Self {
        let tlp_1 = [
            ("613f2e26-407d-48c7-9eca-b8e91df99dc9", Tlp::Clear),
            ("34098fce-860f-48ae-8e50-ebd3cc5e41da", Tlp::Green),
            ("f88d31f6-486f-44da-b317-01333bde0b82", Tlp::Amber),
            ("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Tlp::Red),
        ];
        let tlp_1 = tlp_1.map(|(id, level)| (format!("marking-definition--{id}"), level));
        let tlp_2 = Tlp::ALL.map(|level| (level.marking_id().to_owned(), level));
        let statement = tlp_marking("unused")
            .set("definition_type", "statement")
            .set("definition", json!({"statement": "Copyright Example"}))
            .without("name");
        let late = ["green", "amber", "red"].map(|name| {
            let level = Tlp::ALL.into_iter().find(|level| level.name() == name).unwrap();
            (tlp_marking(name), Meaning::Level(level))
        });
        Self {
            known: tlp_1
                .into_iter()
                .chain(tlp_2)
                .map(|(id, level)| (id, Meaning::Level(level)))
                .collect(),
            late: late.into_iter().chain([(statement, Meaning::Statement)]).collect(),
        }
    }

    /// What a marking stands for, before or after the late ones are defined.
    fn meaning(&self, id: &str, defined: bool) -> Meaning {
        let known = self.known.iter().find(|(known, _)| known == id).map(|(_, meaning)| *meaning);
        let late = self.late.iter().find(|(marking, _)| marking.id() == id);
        known.or(late.filter(|_| defined).map(|(_, meaning)| *meaning)).unwrap_or(Meaning::Unknown)
    }

    fn any(&self, chance: &mut Chance) -> String {
        match chance.below(10) {
            0 => Self::of_nobody(chance),
            1..=4 => self.late[chance.below(self.late.len())].0.id().to_owned(),
            _ => self.known[chance.below(self.known.len())].0.clone(),
        }
    }
}

impl Markings {
    /// What stands for nothing, and never will: an id that is no marking's, or no id.
    fn of_nobody(chance: &mut Chance) -> String {
        let (kind, uuid) = Tlp::Clear.marking_id().split_once("--").unwrap();
        match chance.below(5) {
            0 => format!("{kind}--{}", uuid.to_uppercase()),
            1 => "TLP:CLEAR".to_owned(),
            2 => String::new(),
            3 => format!("identity--{}", uuid::Uuid::new_v4()),
            _ => format!("{kind}--{}", uuid::Uuid::new_v4()),
        }
    }
}

/// The level of an object, by the contract's words.
fn level(object: &Object, markings: &Markings, defined: bool) -> Tlp {
    let object = object.json();
    let whole = object["object_marking_refs"].as_array().into_iter().flatten();
    let parts = object["granular_markings"].as_array().into_iter().flatten();
    let parts = parts.map(|part| &part["marking_ref"]);
    let levels = whole.chain(parts).filter_map(|id: &Value| {
        match markings.meaning(id.as_str().unwrap(), defined) {
            Meaning::Level(level) => Some(level),
            Meaning::Statement => None,
            Meaning::Unknown => Some(Tlp::Red),
        }
    });
    levels.max().unwrap_or_else(|| match object["confidence"].as_u64() {
        None | Some(30..70) => Tlp::Amber,
        Some(0..30) => Tlp::Clear,
        Some(_) => Tlp::Green,
    })
}

fn random_object(chance: &mut Chance, markings: &Markings) -> Object {
    let mut object = if chance.below(3) == 0 { malware("Example") } else { indicator() };
    if chance.below(2) == 0 {
        object = object.set("confidence", chance.below(101));
    }
    let whole: Vec<String> = (0..chance.below(3)).map(|_| markings.any(chance)).collect();
    if !whole.is_empty() {
        object = object.set("object_marking_refs", json!(whole));
    }
    if chance.below(4) == 0 {
        let part = json!([{"marking_ref": markings.any(chance), "selectors": ["name"]}]);
        object = object.set("granular_markings", part);
    }
    object
}

/// A key that may read everything that is not above its clearance.
struct Reader {
    http: Client,
    streams: Client,
}

struct Story {
    world: World,
    collections: Vec<(Tlp, Collection, Feed)>,
    readers: BTreeMap<Tlp, Reader>,
    writer: Client,
}

impl Story {
    async fn begin(chance: &mut Chance) -> Self {
        let world = World::http().await;
        let mut collections = Vec::new();
        // Each level once, and some by chance.
        let more: Vec<Tlp> = (0..2).map(|_| Tlp::ALL[chance.below(Tlp::ALL.len())]).collect();
        for ceiling in Tlp::ALL.into_iter().chain(more) {
            let spec = CollectionSpec::everything().ceiling(ceiling);
            let collection = world.collection(spec).await;
            let feed = feeds::feed(&world, &collection, json!({})).await;
            collections.push((ceiling, collection, feed));
        }
        let mut readers = BTreeMap::new();
        for clearance in Tlp::ALL {
            use Scope::{ReadCsv, ReadIocStream, ReadStix, ReadStream, ReadTaxii};
            let scopes = [ReadTaxii, ReadStix, ReadStream, ReadCsv, ReadIocStream];
            let key = world.key(KeySpec::of("reader").with(scopes).cleared(clearance)).await.text;
            let (http, streams) = (world.http.with_key(&key), world.streams.with_key(&key));
            readers.insert(clearance, Reader { http, streams });
        }
        let (_, most, _) = &collections[Tlp::ALL.len() - 1];
        let subscription = format!("/api/v1/subscriptions/collection/{}", most.id);
        let _ = readers[&Tlp::Red].http.request("PUT", &subscription).await.expect(201);
        let writer =
            world.http.with_key(&world.key(KeySpec::of("operator").cleared(Tlp::Red)).await.text);
        Self { world, collections, readers, writer }
    }

    async fn send(&self, objects: &[Object]) {
        let body = tests::fixtures::envelope(objects);
        let answer = self.writer.post("/api/v1/objects").body("application/json", body).await;
        assert_eq!(answer.expect(200).json()["rejected"], 0);
    }

    /// What every key is sent of every collection, by every way there is.
    async fn check(&self, objects: &[Object], markings: &Markings, defined: bool) {
        self.world.at_rest().await;
        let levels: BTreeMap<&str, Tlp> =
            objects.iter().map(|object| (object.id(), level(object, markings, defined))).collect();
        for (ceiling, collection, feed) in &self.collections {
            feeds::publish(&self.world, feed).await;
            let allowed: BTreeSet<&str> =
                levels.iter().filter(|(_, level)| *level <= ceiling).map(|(id, _)| *id).collect();
            for (clearance, reader) in &self.readers {
                if clearance < ceiling {
                    self.check_refused(collection, feed, reader, objects).await;
                    continue;
                }
                eprintln!("ceiling {ceiling}, clearance {clearance}");
                check_taxii(collection, &reader.http, &levels, &allowed).await;
                check_stream(collection, &reader.streams, &levels, &allowed).await;
                let rows = feeds::ids(&feeds::read(&reader.http, feed, "csv").await.text());
                let ours = |id: &&str| levels.contains_key(id);
                let rows: BTreeSet<&str> = rows.iter().map(String::as_str).filter(ours).collect();
                assert_eq!(rows, allowed);
            }
        }
        self.world.notified().await;
        for (clearance, reader) in &self.readers {
            let below = levels.iter().filter(|(_, level)| *level <= clearance).map(|(id, _)| *id);
            let below = indicators(below);
            check_export(&reader.http, *clearance, &below).await;
            check_notifications(&reader.http, *clearance, objects, &below).await;
        }
    }

    async fn check_refused(
        &self,
        collection: &Collection,
        feed: &Feed,
        reader: &Reader,
        objects: &[Object],
    ) {
        let one = objects[0].id();
        let paths = [
            collection.objects(),
            collection.manifest(),
            collection.object(one),
            collection.versions(one),
            format!("{}?match[id]={one}", collection.objects()),
        ];
        for path in paths {
            let answer = reader.http.get(&path).await.expect(403);
            assert_eq!(answer.json()["error_code"], "clearance_required");
        }
        let stream = format!("{}?finite=true&from=0", collection.stream());
        for answer in
            [reader.streams.get(&stream).await, reader.http.get(&feeds::path(feed, "csv")).await]
        {
            let answer = answer.expect(403).json();
            assert_eq!(answer["error"]["code"], "clearance_required");
        }
    }
}

/// Those that the export and notifications are about.
fn indicators<'a>(ids: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    ids.filter(|id| id.starts_with("indicator--")).collect()
}

async fn check_taxii(
    collection: &Collection,
    reader: &Client,
    levels: &BTreeMap<&str, Tlp>,
    allowed: &BTreeSet<&str>,
) {
    let held = ids(&all_objects(reader, collection).await);
    let ours = |id: &&str| levels.contains_key(id);
    let sent: BTreeSet<&str> = held.iter().map(String::as_str).filter(ours).collect();
    assert_eq!(sent, *allowed);
    let listed = manifest(reader, collection).await;
    let listed = listed.iter().map(|entry| entry["id"].as_str().unwrap()).filter(ours);
    assert_eq!(listed.collect::<BTreeSet<_>>(), *allowed);
    for (id, _) in levels.iter().step_by(7) {
        let status = if allowed.contains(id) { 200 } else { 404 };
        let _ = reader.get(&collection.object(id)).await.expect(status);
        let _ = reader.get(&collection.versions(id)).await.expect(status);
    }
}

/// What a stream creates and does not delete is what the collection holds; nothing else is told.
async fn check_stream(
    collection: &Collection,
    reader: &Client,
    levels: &BTreeMap<&str, Tlp>,
    allowed: &BTreeSet<&str>,
) {
    let path = format!("{}?finite=true&from=0", collection.stream());
    let frames = Frame::all_of(&reader.get(&path).await.expect(200).text());
    let mut held = BTreeSet::new();
    for frame in frames.iter().filter(|frame| levels.contains_key(frame.object_id())) {
        if frame.event == "delete" {
            held.remove(frame.object_id());
        } else {
            assert!(allowed.contains(frame.object_id()), "{frame:?}");
            held.insert(frame.object_id());
        }
    }
    assert_eq!(held, *allowed);
}

async fn check_export(reader: &Client, clearance: Tlp, below: &BTreeSet<&str>) {
    let pages = Export(reader.clone()).pages(&[("limit", "50")]).await;
    let sent: Vec<String> = pages.iter().flat_map(Bundle::indicators).collect();
    let sent: BTreeSet<&str> = sent.iter().map(String::as_str).collect();
    assert_eq!(sent, *below, "clearance {clearance}");
}

/// A level that was lowered shows no notification that was hidden, so some may be missing.
async fn check_notifications(
    reader: &Client,
    clearance: Tlp,
    objects: &[Object],
    below: &BTreeSet<&str>,
) {
    let told: BTreeSet<String> = notifications::entities(reader).await.into_iter().collect();
    let allowed = objects.iter().filter(|object| below.contains(object.id()));
    let allowed: BTreeSet<String> =
        allowed.map(|object| object.json()["name"].as_str().unwrap().to_owned()).collect();
    assert!(told.is_subset(&allowed), "clearance {clearance}: {told:?} of {allowed:?}");
    if clearance == Tlp::Red {
        assert_eq!(told, allowed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_sent_an_object_above_its_clearance() {
    let seed = seed(0);
    eprintln!("IOCAST_SEED={seed}");
    let mut chance = Chance::of(seed);
    let markings = Markings::make();
    let story = Story::begin(&mut chance).await;
    let mut objects: Vec<Object> =
        (0..OBJECTS).map(|_| random_object(&mut chance, &markings)).collect();
    story.send(&objects).await;
    story.check(&objects, &markings, false).await;

    let late: Vec<Object> = markings.late.iter().map(|(marking, _)| marking.clone()).collect();
    story.send(&late).await;
    story.check(&objects, &markings, true).await;

    // A third of them is marked anew.
    for object in objects.iter_mut().step_by(3) {
        let marked = vec![markings.any(&mut chance)];
        *object = object
            .clone()
            .at(tests::fixtures::SECOND)
            .set("object_marking_refs", json!(marked))
            .without("granular_markings");
    }
    let changed: Vec<Object> = objects.iter().step_by(3).cloned().collect();
    story.send(&changed).await;
    story.check(&objects, &markings, true).await;
}
