//! Whole files through `iocast load`: the real ones of the folder `IOCAST_REAL_DATA` names, or,
//! where it is not set, smaller ones of our own making that are as dirty. Of the real IOCs one line
//! in ten is loaded; a soak loads all.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::tempdir;
use tests::exact::Exact;
use tests::fixtures::{bundle, indicator, malware, relationship};
use tests::service::{Service, file, load};
use tests::soak::is_soak;
use tests::taxii_reading::Page;

fn real_data() -> Option<PathBuf> {
    std::env::var_os("IOCAST_REAL_DATA").map(PathBuf::from)
}

fn content(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_none_or(|extension| extension != "gz") {
        return String::from_utf8(bytes).unwrap();
    }
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap();
    text
}

fn bundles(folder: &Path) -> Vec<PathBuf> {
    if let Some(real) = real_data() {
        let entries = std::fs::read_dir(real.join("stix")).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "no bundles in {}", real.display());
        return paths;
    }
    (0..3)
        .map(|number| {
            let family = malware(&format!("Family {number}"));
            let mut objects = vec![family.clone()];
            for index in 0..80 {
                let custom = format!("[app:id = 'com.example.app{index}']");
                let plain = indicator();
                let object = if index % 4 == 0 { plain.set("pattern", custom) } else { plain };
                objects.push(relationship(&object, &family));
                objects.push(object);
            }
            file(folder, &format!("bundle-{number}.json"), bundle(&objects))
        })
        .collect()
}

/// The IOC file and the number of its lines (from 1) that have to be rejected.
fn iocs(folder: &Path) -> (PathBuf, BTreeSet<u64>) {
    if let Some(real) = real_data() {
        return real_iocs(&real.join("iocs/iocs.ndjson.gz"), folder);
    }
    let mut lines = Vec::new();
    let mut bad = BTreeSet::new();
    for number in 1..=12_000_u64 {
        let ioc = match number % 6 {
            0 => json!({"type": "ipv4", "value": format!("192.0.2.{}", number % 256)}),
            1 => json!({"type": "url", "value": format!("http://h{number}.example.com/p")}),
            2 => json!({"type": "md5", "value": format!("{number:032x}")}),
            3 => json!({"type": "sha256", "value": format!("{number:064X}")}),
            _ => json!({"type": "domain", "value": format!("H{number}.example.org")}),
        };
        let broken = number % 1_000 == 17;
        if broken {
            bad.insert(number);
        }
        lines.push(if broken {
            json!({"type": "url", "value": format!("https://h{number}.example.com /x")}).to_string()
        } else {
            ioc.to_string()
        });
    }
    (zipped(folder, &lines.join("\n")), bad)
}

/// The line of the real list, from 1, that has a space inside a host name, the only bad one.
const REAL_BAD_LINE: usize = 27_857;

fn real_iocs(path: &Path, folder: &Path) -> (PathBuf, BTreeSet<u64>) {
    if is_soak() {
        return (path.to_owned(), BTreeSet::from([REAL_BAD_LINE as u64]));
    }
    let text = content(path);
    let sampled = |number: &usize| number % 10 == REAL_BAD_LINE % 10;
    let lines: Vec<(usize, &str)> =
        (1..).zip(text.lines()).filter(|(number, _)| sampled(number)).collect();
    let bad = lines.iter().position(|(number, _)| *number == REAL_BAD_LINE).unwrap() + 1;
    let lines: Vec<&str> = lines.into_iter().map(|(_, line)| line).collect();
    (zipped(folder, &lines.join("\n")), BTreeSet::from([bad as u64]))
}

fn zipped(folder: &Path, text: &str) -> PathBuf {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    file(folder, "iocs.ndjson.gz", encoder.finish().unwrap())
}

fn counts(report: &Value) -> (u64, u64, u64) {
    let count = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("{name}: {report}"));
    (count("accepted"), count("unchanged"), count("rejected"))
}

async fn objects_of_demo(service: &Service) -> BTreeMap<String, Exact> {
    let client = service.client(&service.ready.reader_key);
    let path = "/taxii2/intel/collections/demo/objects/";
    let mut answer = client.get(path).query("limit", "1000").await.expect(200);
    let mut objects = Exact::by_id(&answer.text());
    while let Some(next) = Page::of(&answer).next {
        answer = client.get(path).query("limit", "1000").query("next", &next).await.expect(200);
        objects.extend(Exact::by_id(&answer.text()));
    }
    objects
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bundle_goes_in_whole_and_is_read_back_exactly() {
    let folder = tempdir().unwrap();
    let data: [OsString; 2] = ["--data".into(), folder.path().join("data").into()];
    let service = Service::start(&data).await;
    let mut loaded = BTreeMap::new();
    for path in bundles(folder.path()) {
        let objects = Exact::by_id(&content(&path));
        let total = Exact::parse(&content(&path)).items("objects").len() as u64;
        let fresh = objects.keys().filter(|id| !loaded.contains_key(*id)).count() as u64;
        let files = std::slice::from_ref(&path);
        let ended = load(files, &service.ready.base_url, &service.ready.writer_key).await;
        assert_eq!(ended.code, Some(0), "{}: {ended:?}", path.display());
        assert_eq!(counts(&ended.json()), (fresh, total - fresh, 0), "{}", path.display());
        let again = load(files, &service.ready.base_url, &service.ready.writer_key).await;
        assert_eq!(again.code, Some(0), "{}: {again:?}", path.display());
        assert_eq!(counts(&again.json()), (0, total, 0), "{}", path.display());
        loaded.extend(objects);
    }
    tests::patience::until("the last bundle is in the collection", async || {
        let read = objects_of_demo(&service).await;
        loaded.keys().all(|id| read.contains_key(id)).then_some(())
    })
    .await;
    service.kill().await;
    let service = Service::start(&data).await;
    let read = objects_of_demo(&service).await;
    for (id, object) in &loaded {
        assert_eq!(read.get(id), Some(object), "{id} came back changed, or not at all");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_ioc_is_accepted_or_rejected_with_its_line_and_a_second_load_changes_nothing() {
    let folder = tempdir().unwrap();
    let data: [OsString; 2] = ["--data".into(), folder.path().join("data").into()];
    let service = Service::start(&data).await;
    let (path, bad) = iocs(folder.path());
    let lines = content(&path).lines().count() as u64;
    let files = std::slice::from_ref(&path);
    let first = load(files, &service.ready.base_url, &service.ready.writer_key).await;
    assert_eq!(first.code, Some(2), "{}", first.stderr);
    let report = first.json();
    let (accepted, unchanged, rejected) = counts(&report);
    let rejections = &report["files"][0]["rejections"];
    assert_eq!(rejected, bad.len() as u64, "{rejections}");
    assert_eq!(accepted + unchanged + rejected, lines, "every line is accounted for");
    let said: BTreeSet<u64> = rejections
        .as_array()
        .unwrap()
        .iter()
        .map(|rejection| {
            let reason = rejection["reason"].as_str().unwrap_or_default();
            assert!(!reason.is_empty(), "{rejection}");
            rejection["line"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(said, bad);
    service.kill().await;

    let service = Service::start(&data).await;
    let second = load(files, &service.ready.base_url, &service.ready.writer_key).await;
    assert_eq!(second.code, Some(2), "{}", second.stderr);
    assert_eq!(counts(&second.json()), (0, lines - rejected, rejected));
}
