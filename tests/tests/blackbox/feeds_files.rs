//! What is published, read by the readers people have.

use chrono::TimeDelta;
use serde_json::json;
use tests::collection::CollectionSpec;
use tests::feeds::{feed, ids, path, publish, read, reader};
use tests::fixtures::{Object, indicator, indicators, malware};
use tests::keys::KeySpec;
use tests::python;
use tests::service::file;
use tests::world::World;

/// Texts that break flat files.
fn nasty() -> Vec<String> {
    let mut texts: Vec<String> = [
        "plain",
        "with, comma; and semicolon",
        "\"quoted\" and \"\"twice\"\"",
        "'single' `back` \\ backslash \\\" both",
        "# no comment, # nor here",
        "unix\nbreak",
        "windows\r\nbreak",
        "old\rbreak",
        "vertical\u{b}form\u{c}file\u{1c}group\u{1d}record\u{1e}next\u{85}line\u{2028}paragraph\u{2029}end",
        "tab\there",
        "=1+1",
        "+49 30 1234",
        "-dash",
        "@SUM(A1:A9)",
        " =after a blank",
        "größe ßtraße ĳ \u{1F980}\u{200D}\u{1F525} עברית العربية 漢字 e\u{301}",
        "\u{feff}mark",
        "null",
        "NaN",
        "",
        "  blanks  ",
        "\"",
        "\",\"",
        "\r\n",
        "% _ $ & < > | ^ ~ { } [ ]",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("long ".repeat(20_000));
    texts.push("\"\n,".repeat(3_000));
    texts
}

/// IOC values that break flat files, or that a spreadsheet takes for formulas, with what the column
/// `type` says of them. Valid ones come as they are; others are free text of their indicator.
fn nasty_iocs() -> Vec<(&'static str, &'static str, String)> {
    let long = format!("http://example.com/{}", "=1,2;\"3\"/".repeat(6_000));
    [
        ("domain-name:value", "domain", "-dash.example.net"),
        ("domain-name:value", "indicator", "=1+1.example.net"),
        ("email-addr:value", "indicator", "@example.org"),
        ("email-addr:value", "email", "+49@example.org"),
        ("domain-name:value", "domain", "bücher.example"),
        ("url:value", "indicator", "=HYPERLINK(\"http://example.org/\")"),
        ("url:value", "url", "http://example.org/größe/\u{1F980}\u{200D}\u{1F525}/עברית/漢字"),
        ("url:value", "indicator", "http://example.org/\u{85}next\u{2028}line\u{2029}end"),
        ("url:value", "url", "http://example.org/'\\\"`"),
        ("url:value", "url", &long),
    ]
    .map(|(path, kind, value)| (path, kind, value.to_owned()))
    .to_vec()
}

/// A text on one line, by the words of the contract.
fn one_line(text: &str) -> String {
    let breaks = "\u{b}\u{c}\u{1c}\u{1d}\u{1e}\u{85}\u{2028}\u{2029}\r\n";
    let text = text.replace("\r\n", "\n");
    text.chars().map(|c| if breaks.contains(c) { ' ' } else { c }).collect()
}

/// A text as its field holds it, by the words of the contract.
fn as_field(text: &str) -> String {
    let line: String = one_line(text).chars().take(1_000).collect();
    let formula = line.starts_with(['=', '+', '-', '@']);
    if formula { format!("'{line}") } else { line }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_csv_pandas_and_a_line_reader_read_exactly_the_rows_of_the_window() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let old = indicators(30);
    w.load(&c, &old).await;
    w.later(TimeDelta::minutes(90));
    let (mut expected, mut lines) = (Vec::new(), Vec::new());
    let mut objects = Vec::new();
    for (number, text) in nasty().iter().enumerate() {
        let url = format!("http://example.com/{number}?a=1,2;b=\"=3\"#{}", "x".repeat(number));
        let object = indicator()
            .set("pattern", format!("[url:value = '{}']", url.replace('\\', "\\\\")))
            .set("description", text.as_str())
            .set("labels", json!([text, "b"]))
            .set("confidence", number);
        let short: String = text.chars().take(1_000).collect();
        let listed = if short == *text { vec![short.as_str(), "b"] } else { vec![short.as_str()] };
        let tags = as_field(&listed.join(";"));
        let id = object.id().to_owned();
        lines.push(json!({"id": id, "type": "url", "value": url, "confidence": number,
            "tags": listed, "description": short}));
        expected.push(vec![id, "url".into(), url, number.to_string(), tags, as_field(text)]);
        objects.push(object);
    }
    for (path, kind, value) in nasty_iocs() {
        let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
        let object = indicator().set("pattern", format!("[{path} = '{quoted}']"));
        let object = object.without("description");
        lines.push(json!({"id": object.id(), "type": kind, "value": value}));
        let field = if kind == "indicator" { as_field(&value) } else { one_line(&value) };
        expected.push([object.id(), kind, &field, "", "", ""].map(str::to_owned).into());
        objects.push(object);
    }
    let several = "[ipv4-addr:value = '192.0.2.9' OR domain-name:value = 'a.example.org']";
    let several = indicator().set("pattern", several).without("description");
    for (kind, value) in [("ipv4", "192.0.2.9"), ("domain", "a.example.org")] {
        lines.push(json!({"id": several.id(), "type": kind, "value": value}));
        let row = [several.id(), kind, value, "", "", ""];
        expected.push(row.map(str::to_owned).to_vec());
    }
    let family = malware("-Example Family");
    let named = json!({"id": family.id(), "type": "malware", "value": "-Example Family"});
    lines.push(named);
    let row = [family.id(), "malware", "'-Example Family", "", "", ""];
    expected.push(row.map(str::to_owned).to_vec());
    objects.extend([several, family]);
    w.load(&c, &objects).await;
    let columns = ["id", "type", "value", "confidence", "tags", "description", "added"];
    let more = json!({"alias": "nasty", "rolling_minutes": 60, "columns": columns,
        "formats": ["csv", "json"]});
    let f = feed(&w, &c, more).await;
    publish(&w, &f).await;
    let folder = tempfile::tempdir().unwrap();
    let text = json!({"columns": columns, "rows": expected, "lines": lines}).to_string();
    let wanted = file(folder.path(), "expected.json", text);
    let url = format!("{}{}", w.http.base_url(), path(&f, "csv"));
    let key = w.key(KeySpec::of("acme").with([shared::access::Scope::ReadCsv])).await;
    let said = python::run("feed.py", &[&url, &key.text, wanted.to_str().unwrap()]).await;
    assert!(said.contains(&format!("{} rows", expected.len())), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_appear_change_and_go_with_the_collection() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::labelled("listed")).await;
    let listed = |object: Object| object.labelled("listed");
    let soon = chrono::Utc::now() + TimeDelta::minutes(30);
    let objects: Vec<Object> = indicators(6).into_iter().map(listed).collect();
    let expires = listed(indicator()).set("valid_until", json!(soon.format("%FT%TZ").to_string()));
    w.load(&c, &objects).await;
    w.load(&c, std::slice::from_ref(&expires)).await;
    let active = feed(&w, &c, json!({"rolling_minutes": 600})).await;
    let all = feed(&w, &c, json!({"only_active": false, "columns": ["id", "description"]})).await;
    let client = reader(&w, "acme").await;
    let published = async |f| {
        publish(&w, f).await;
        let mut ids = ids(&read(&client, f, "csv").await.text());
        ids.sort();
        ids
    };
    let of = |objects: &[&Object]| {
        let mut ids: Vec<String> = objects.iter().map(|o| o.id().to_owned()).collect();
        ids.sort();
        ids
    };
    let [changes, revoked, relabelled, deleted, stays, other] = objects.as_slice() else {
        panic!("six objects")
    };
    assert_eq!(
        published(&active).await,
        of(&[changes, revoked, relabelled, deleted, stays, other, &expires])
    );
    assert_eq!(
        published(&all).await,
        of(&[changes, revoked, relabelled, deleted, stays, other, &expires])
    );
    // One is revoked, one loses its label, one is deleted, one changes.
    let later = "2026-06-01T00:00:00.000Z";
    let anew = changes.clone().at(later).set("description", "anew");
    let over = revoked.clone().at(later).set("revoked", true);
    w.load(&c, &[anew, over]).await;
    w.send(&[relabelled.clone().at(later).labelled("other")]).await;
    let _ = w.ingest().delete(&format!("/api/v1/objects/{}", deleted.id())).await.expect(200);
    w.quiet(&c, &listed(indicator()).set("id", stays.id()).at(later)).await;
    tests::patience::until("the deleted object has left", async || {
        let left = w.log_of(&c).await;
        let leaves = left.iter().filter(|seen| seen.entry.op == shared::log::Op::Leave);
        (leaves.count() == 2).then_some(())
    })
    .await;
    assert_eq!(published(&active).await, of(&[changes, stays, other, &expires]));
    assert_eq!(published(&all).await, of(&[changes, revoked, stays, other, &expires]));
    assert!(read(&client, &all, "csv").await.text().contains("\"anew\""));
    // It ceases to be valid, though nobody writes it.
    w.later(TimeDelta::minutes(31));
    assert_eq!(published(&active).await, of(&[changes, stays, other]));
    assert_eq!(published(&all).await, of(&[changes, revoked, stays, other, &expires]));
    // The window passes.
    w.later(TimeDelta::minutes(601));
    assert_eq!(published(&active).await, of(&[]));
    let text = read(&client, &active, "csv").await.text();
    assert!(text.ends_with("# END 0 rows\r\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_holds_the_same() {
    let w = World::http().await;
    let objects = vec![
        indicator().set("pattern", "[ipv4-addr:value = '192.0.2.1']").set("confidence", 90),
        indicator().set("pattern", "[domain-name:value = 'a.example.com']"),
        indicator().set("pattern", "[url:value = 'http://a.example.com/']"),
        indicator().set("pattern", "[email-addr:value = 'a@example.com']"),
        indicator().set("pattern", format!("[file:hashes.MD5 = '{}']", "0a".repeat(16))),
        malware("Family"),
    ];
    let c = w.holding(&objects).await;
    let formats = json!(["csv", "csv.gz", "txt", "json", "splunk", "sentinel"]);
    let f = feed(&w, &c, json!({"alias": "every", "formats": formats})).await;
    publish(&w, &f).await;
    let client = reader(&w, "acme").await;
    let csv = read(&client, &f, "csv").await;
    let packed = read(&client, &f, "csv.gz").await;
    assert_eq!(packed.header("content-type"), Some("application/gzip"));
    let mut unpacked = String::new();
    let mut decoder = flate2::read::GzDecoder::new(&packed.body[..]);
    std::io::Read::read_to_string(&mut decoder, &mut unpacked).unwrap();
    assert_eq!(unpacked, csv.text());
    let plain = read(&client, &f, "txt").await;
    assert_eq!(plain.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(plain.header("x-feed-rows"), Some("5"));
    let text = plain.text();
    let mut values: Vec<&str> = text.lines().collect();
    values.sort_unstable();
    let digest = "0a".repeat(16);
    let all = [&digest, "192.0.2.1", "a.example.com", "a@example.com", "http://a.example.com/"];
    assert_eq!(values, all);
    let json = read(&client, &f, "json").await;
    assert_eq!(json.header("content-type"), Some("application/x-ndjson"));
    let text = json.text();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 6);
    let ip = lines.iter().find(|line| line["type"] == "ipv4").unwrap();
    assert_eq!((&ip["value"], &ip["confidence"]), (&json!("192.0.2.1"), &json!(90)));
    for (kind, header, value) in [
        ("ip", "description,ip,weight", "192.0.2.1"),
        ("domain", "description,domain,weight", "a.example.com"),
        ("http", "description,http_referrer,http_user_agent,url,weight", "http://a.example.com/"),
        ("file", "description,file_hash,file_name,weight", &digest),
        ("email", "description,src_user,subject,weight", "a@example.com"),
    ] {
        let splunk = read(&client, &f, &format!("splunk.{kind}.csv")).await;
        assert_eq!(splunk.header("x-feed-rows"), Some("1"), "{kind}");
        let text = splunk.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines.len(), lines[0]), (2, header));
        assert!(lines[1].contains(&format!("\"{value}\"")), "{text}");
    }
    let sentinel = read(&client, &f, "sentinel.csv").await.text();
    assert!(sentinel.starts_with("threatTypes,tags,name,description,confidence,"), "{sentinel}");
    assert_eq!(sentinel.lines().count(), 5, "{sentinel}");
    let sums = client.get("/feeds/every.sha256").await.expect(200).text();
    assert_eq!(sums.lines().count(), 10);
    for line in sums.lines() {
        let (digest, name) = line.split_once("  ").unwrap();
        let body = client.get(&format!("/feeds/{name}")).await.expect(200).body;
        let found = <sha2::Sha256 as sha2::Digest>::digest(&body);
        let found = format!("{found:x}");
        assert_eq!(found, digest, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_says_its_level_as_far_as_the_operator_defined_it() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let statement = Object::of(json!({
        "type": "marking-definition", "spec_version": "2.1",
        "id": tests::fixtures::fresh_id("marking-definition"), "created": tests::fixtures::FIRST,
        "definition_type": "statement", "definition": {"statement": "Copyright Example"},
    }));
    let operator = w.http.with_key(w.admin_key());
    let body = tests::fixtures::envelope(std::slice::from_ref(&statement));
    let _ = operator.post("/api/v1/objects").body("application/json", body).await.expect(200);
    let clear = shared::tlp::Tlp::Clear.marking_id();
    let known = indicator().set("object_marking_refs", json!([statement.id(), clear]));
    let objects = [known.clone(), indicator().marked(shared::tlp::Tlp::Green)];
    tests::patience::until("the definition is known", async || {
        w.send(&[indicator()]).await;
        let services = w.another_instance();
        let head = services.store().head(&statement.id().parse().unwrap()).await.unwrap();
        head.filter(|head| head.pending.is_none()).map(drop)
    })
    .await;
    w.load(&c, &objects).await;
    let f = feed(&w, &c, json!({"columns": ["id", "tlp"]})).await;
    publish(&w, &f).await;
    let csv = read(&reader(&w, "acme").await, &f, "csv").await.text();
    assert!(csv.contains(&format!("\"{}\",\"clear\"", known.id())), "{csv}");
    assert!(csv.contains(&format!("\"{}\",\"green\"", objects[1].id())), "{csv}");
    assert!(csv.contains("# tlp: TLP:AMBER\r\n"), "{csv}");
}
