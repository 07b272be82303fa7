//! A feed's file on the wire: validators, parts, codings, what is not there yet.

use serde_json::json;
use shared::feed::Feed;
use tests::client::{Answer, Client};
use tests::collection::CollectionSpec;
use tests::feeds::{feed, path, publish, read, reader};
use tests::fixtures::{indicator, indicators};
use tests::interruption::{Interrupter, Interruption};
use tests::world::World;

async fn published(w: &World) -> (Feed, Client) {
    let c = w.holding(&indicators(80)).await;
    let more = json!({"alias": "wire", "rolling_minutes": 90, "formats": ["csv", "csv.gz", "txt"]});
    let f = feed(w, &c, more).await;
    publish(w, &f).await;
    (f, reader(w, "acme").await)
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.header(name).unwrap_or_else(|| panic!("{} has no {name}", answer.what))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_says_what_it_is_and_for_how_long() {
    let w = World::http().await;
    let (f, client) = published(&w).await;
    let answer = read(&client, &f, "csv").await;
    assert_eq!(header(&answer, "content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(header(&answer, "cache-control"), "private, max-age=300");
    assert_eq!(header(&answer, "x-feed-rows"), "80");
    assert_eq!(header(&answer, "accept-ranges"), "bytes");
    assert!(header(&answer, "etag").starts_with('"'));
    let generated = header(&answer, "x-feed-generated");
    let window = header(&answer, "x-feed-window");
    let (from, to) = window.split_once('/').unwrap();
    let parse = |at: &str| at.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!((parse(to) - parse(from)).num_minutes(), 90);
    assert_eq!(to, generated);
    let text = answer.text();
    assert!(
        text.contains(&format!("# generated: {generated}\r\n# window: {window}\r\n")),
        "{text}"
    );
    // By id as by alias.
    let by_id = client.get(&format!("/feeds/{}.csv", f.id)).await.expect(200);
    assert_eq!(by_id.body, answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_it_already_is_told_so() {
    let w = World::http().await;
    let (f, client) = published(&w).await;
    let answer = read(&client, &f, "csv").await;
    let (etag, modified) = (header(&answer, "etag"), header(&answer, "last-modified"));
    let ask =
        async |name: &str, value: &str| client.get(&path(&f, "csv")).header(name, value).await;
    for known in [etag.to_owned(), "*".into(), format!("W/{etag}"), format!("\"x\", {etag}")] {
        let answer = ask("if-none-match", &known).await.expect(304);
        assert_eq!((answer.body.len(), answer.header("etag")), (0, Some(etag)));
        assert!(answer.header("cache-control").is_some());
        assert_eq!(header(&answer, "x-feed-rows"), "80");
        assert!(answer.header("x-feed-generated").is_some());
        assert!(answer.header("x-feed-window").is_some());
    }
    let sums = read(&client, &f, "sha256").await;
    assert_eq!(header(&sums, "x-feed-rows"), "80");
    let again = client.get(&path(&f, "sha256")).header("if-none-match", header(&sums, "etag"));
    assert_eq!(header(&again.await.expect(304), "x-feed-rows"), "80");
    let _ = ask("if-none-match", "\"other\"").await.expect(200);
    let _ = ask("if-modified-since", modified).await.expect(304);
    let _ = ask("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT").await.expect(200);
    let _ = ask("if-modified-since", "yesterday").await.expect(200);
    // The tag decides where both are sent.
    let both = client.get(&path(&f, "csv")).header("if-modified-since", modified);
    let _ = both.header("if-none-match", "\"other\"").await.expect(200);
    // A run with nothing new changes nothing; one with something new does.
    publish(&w, &f).await;
    let _ = ask("if-none-match", etag).await.expect(304);
    let all = w.another_instance().store().collections().await.unwrap();
    let title = all.iter().find(|one| one.id == f.collection).unwrap().settings.title.clone();
    let c = tests::collection::Collection {
        id: f.collection.to_string(),
        spec: CollectionSpec { title, ..CollectionSpec::everything() },
    };
    w.load(&c, &[indicator()]).await;
    publish(&w, &f).await;
    let newer = ask("if-none-match", etag).await.expect(200);
    assert_ne!(newer.header("etag"), Some(etag));
    assert_eq!(newer.header("x-feed-rows"), Some("81"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_is_served_as_a_part() {
    let w = World::http().await;
    let (f, client) = published(&w).await;
    let whole = read(&client, &f, "csv").await;
    let (all, etag) = (whole.body.clone(), header(&whole, "etag"));
    let ask = async |range: &str| client.get(&path(&f, "csv")).header("range", range).await;
    let length = all.len();
    for (range, first, last) in [
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, length - 1),
        ("bytes=-50", length - 50, length - 1),
        ("bytes=10-99999999", 10, length - 1),
    ] {
        let part = ask(range).await.expect(206);
        assert_eq!(part.body, all.slice(first..=last), "{range}");
        assert_eq!(header(&part, "content-range"), format!("bytes {first}-{last}/{length}"));
        assert_eq!(header(&part, "etag"), etag);
    }
    let none = ask(&format!("bytes={length}-")).await.expect(416);
    assert_eq!(header(&none, "content-range"), format!("bytes */{length}"));
    assert_eq!(ask("bytes=0-1,5-6").await.expect(200).body, all);
    let resumed = client.get(&path(&f, "csv")).header("range", "bytes=5-9");
    let same = resumed.clone().header("if-range", etag).await.expect(206);
    assert_eq!(same.body, all.slice(5..10));
    let dated = resumed.clone().header("if-range", header(&whole, "last-modified"));
    assert_eq!(dated.await.expect(206).body, all.slice(5..10));
    for other in ["\"other\"", "Sun, 06 Nov 1994 08:49:37 GMT", "Fri, 06 Nov 2094 08:49:37 GMT"] {
        let whole = resumed.clone().header("if-range", other).await.expect(200);
        assert_eq!(whole.body, all, "{other}");
    }
    // Never a part of what is compressed on its way.
    let part = client.get(&path(&f, "csv")).header("range", "bytes=0-1999");
    let part = part.header("accept-encoding", "gzip").await.expect(206);
    assert_eq!((part.header("content-encoding"), &part.body), (None, &all.slice(0..2000)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_and_gzip_say_the_same() {
    let w = World::http().await;
    let (f, client) = published(&w).await;
    for suffix in ["csv", "csv.gz", "txt", "sha256"] {
        let got = read(&client, &f, suffix).await;
        let head = client.request("HEAD", &path(&f, suffix)).await.expect(200);
        assert!(head.body.is_empty());
        for name in ["etag", "content-type", "last-modified", "x-feed-rows", "content-length"] {
            assert_eq!(head.header(name), got.header(name), "{suffix}: {name}");
        }
    }
    for suffix in ["csv", "txt"] {
        let plain = read(&client, &f, suffix).await;
        let packed = client.get(&path(&f, suffix)).header("accept-encoding", "gzip, br");
        let packed = packed.await.expect(200);
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{suffix}");
        assert!(packed.body.len() < plain.body.len());
        let mut text = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(&packed.body[..]);
        std::io::Read::read_to_end(&mut decoder, &mut text).unwrap();
        assert_eq!(text, plain.body);
        // Another representation, with a tag of its own.
        let tag = header(&packed, "etag");
        assert_ne!(Some(tag), plain.header("etag"));
        assert!(header(&packed, "vary").contains("Accept-Encoding"));
        let again = client.get(&path(&f, suffix)).header("accept-encoding", "gzip");
        let _ = again.header("if-none-match", tag).await.expect(304);
        let refused = client.get(&path(&f, suffix)).header("accept-encoding", "gzip;q=0");
        assert_eq!(refused.await.expect(200).header("content-encoding"), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_says_why() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let f = feed(&w, &c, json!({"alias": "young", "formats": ["csv"]})).await;
    let client = reader(&w, "acme").await;
    let code = |answer: &Answer| answer.json()["error"]["code"].as_str().unwrap().to_owned();
    let early = client.get(&path(&f, "csv")).await.expect(404);
    assert_eq!(code(&early), "not_published_yet");
    assert_eq!(early.header("retry-after"), Some("60"));
    publish(&w, &f).await;
    let empty = read(&client, &f, "csv").await;
    assert_eq!(empty.header("x-feed-rows"), Some("0"));
    let other = client.get(&path(&f, "txt")).await.expect(404);
    assert_eq!(code(&other), "format_not_published");
    assert!(other.text().contains(".csv, .sha256"), "{}", other.text());
    // It is added, and comes with the next edition.
    let more = json!({"alias": "young", "formats": ["csv", "txt"], "publish_every_minutes": 7});
    let more = serde_json::from_value(tests::feeds::settings(&c, more)).unwrap();
    let store = w.another_instance().store().clone();
    let f = store.change_feed(&shared::audit::Actor::System, &f, more).await.unwrap();
    let soon = client.get(&path(&f, "txt")).await.expect(404);
    assert_eq!(code(&soon), "not_published_yet");
    assert_eq!(soon.header("retry-after"), Some("420"));
    publish(&w, &f).await;
    let _ = read(&client, &f, "txt").await;
    for unknown in ["/feeds/other.csv", "/feeds/.csv", "/feeds/YOUNG.csv"] {
        assert_eq!(code(&client.get(unknown).await.expect(404)), "not_found", "{unknown}");
    }
    let posted = client.post(&path(&f, "csv")).await.expect(405);
    assert_eq!(posted.header("allow"), Some("GET, HEAD"));
    let _ = client.get("/feeds").await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_fetched_while_the_next_one_was_made_is_known_to_be_old() {
    let w = World::http().await;
    let c = w.holding(&indicators(3)).await;
    let f = feed(&w, &c, json!({})).await;
    publish(&w, &f).await;
    let client = reader(&w, "acme").await;
    let old = read(&client, &f, "csv").await;
    w.append_packed(&c, &[indicator()], 1).await;
    // A run is at its first file when a client fetches the old one, and the client's clock moves.
    let between = Interrupter::start(w.s3(), 0, Interruption::Waits, "/csv");
    let slow = w.instance_at(w.dynamodb(), between.address());
    let publishing = tokio::spawn({
        let f = f.clone();
        async move { tests::feeds::publish_by(&slow, &f).await }
    });
    between.reached().await;
    w.later(chrono::TimeDelta::seconds(90));
    let fetched = chrono::Utc::now() + chrono::TimeDelta::seconds(89);
    let same = read(&client, &f, "csv").await;
    assert_eq!(same.header("etag"), old.header("etag"));
    between.let_go();
    publishing.await.unwrap().unwrap();
    let since = fetched.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let asked = client.get(&path(&f, "csv")).header("if-modified-since", &since).await;
    assert_eq!(asked.expect(200).header("x-feed-rows"), Some("4"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_two_editions_were_modified_at_the_same_second() {
    let w = World::http().await;
    let c = w.holding(&indicators(1)).await;
    let f = feed(&w, &c, json!({})).await;
    let client = reader(&w, "acme").await;
    let mut known = Vec::new();
    for _ in 0..4 {
        w.append_packed(&c, &[indicator()], 1).await;
        publish(&w, &f).await;
        let answer = read(&client, &f, "csv").await;
        let modified = header(&answer, "last-modified").to_owned();
        assert!(!known.contains(&modified), "{modified} of {known:?}");
        for old in &known {
            let asked = client.get(&path(&f, "csv")).header("if-modified-since", old);
            let _ = asked.await.expect(200);
        }
        known.push(modified);
    }
}
