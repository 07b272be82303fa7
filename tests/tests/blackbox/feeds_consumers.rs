//! The forms for firewalls, Splunk and Sentinel, with values that break flat files.

use serde_json::json;
use tests::collection::CollectionSpec;
use tests::feeds::{feed, publish, read, reader};
use tests::fixtures::indicator;
use tests::world::World;

/// With whether each is a valid URL: what is not reaches none of these forms.
const URLS: [(&str, bool); 10] = [
    ("=HYPERLINK(\"http://example.org/\")", false),
    ("http://example.org/\"quoted\",comma;semicolon", true),
    ("http://example.org/unix\nbreak", false),
    ("http://example.org/windows\r\nbreak\u{85}next\u{2028}line", false),
    ("http://example.org/#fragment,# not a comment", false),
    ("http://example.org/größe/\u{1F980}\u{200D}\u{1F525}/עברית/漢字", true),
    ("@example.org/'\\\"`", false),
    ("-dash +plus\ttab", false),
    ("http://example.org/#fragment,#comment", true),
    ("http://example.org/'\\\"`=1+1", true),
];

const TEXTS: [&str; 10] = [
    "=1+1",
    "+49 30 1234",
    "-dash",
    "@SUM(A1:A9)",
    "\"quoted\", \"\"twice\"\"",
    "unix\nbreak\r\n=2+2",
    "\u{2028}line \u{1F980}",
    "plain",
    "=cmd|' /C calc'!A0",
    "@1+1",
];

/// A text on one line, by the words of the contract.
fn one_line(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.chars().map(|c| if "\n\r\u{85}\u{2028}".contains(c) { ' ' } else { c }).collect()
}

/// Free text as a spreadsheet takes it for text.
fn guarded(text: &str) -> String {
    let line = one_line(text);
    if line.starts_with(['=', '+', '-', '@']) { format!("'{line}") } else { line }
}

/// The fields of one line of RFC 4180, by a reader of its own.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        let field = fields.last_mut().unwrap();
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => field.push(rest.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => field.push(c),
        }
    }
    assert!(!quoted, "{line}");
    fields
}

/// The rows of a file, each by the name of its column; a reader that splits at every line break.
fn table(text: &str) -> Vec<std::collections::HashMap<String, String>> {
    let breaks = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let mut lines = text.split("\r\n").filter(|line| !line.is_empty());
    let names = fields(lines.next().unwrap());
    let row = |line: &str| {
        assert!(!line.contains(breaks), "{line:?}");
        let fields = fields(line);
        assert_eq!(fields.len(), names.len(), "{line}");
        names.iter().cloned().zip(fields).collect()
    };
    lines.map(row).collect()
}

fn sorted<T: Ord>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.into_iter().collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nasty_values_come_as_they_are_in_every_consumers_form() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    w.rebuilt(&c).await;
    let object = |((url, _), text): (&(&str, bool), &&str)| {
        let quoted = url.replace('\\', "\\\\").replace('\'', "\\'");
        let pattern = format!("[url:value = '{quoted}']");
        indicator().set("pattern", pattern).set("description", *text).set("labels", json!([text]))
    };
    let objects: Vec<_> = URLS.iter().zip(&TEXTS).map(object).collect();
    w.append_packed(&c, &objects, 4).await;
    let f = feed(&w, &c, json!({"formats": ["txt", "splunk", "sentinel"]})).await;
    publish(&w, &f).await;
    let client = reader(&w, "acme").await;
    let pairs = || {
        let pairs = URLS.iter().zip(TEXTS).filter(|((_, valid), _)| *valid);
        pairs.map(|((url, _), text)| (*url, text))
    };
    let txt = read(&client, &f, "txt").await.text();
    let lines = sorted(txt.lines().map(str::to_owned));
    assert_eq!(lines, sorted(pairs().map(|(url, _)| url.to_owned())), "{txt}");
    let splunk = table(&read(&client, &f, "splunk.http.csv").await.text());
    let found = splunk.iter().map(|row| (row["url"].clone(), row["description"].clone()));
    let expected = pairs().map(|(url, text)| (one_line(url), guarded(text)));
    assert_eq!(sorted(found), sorted(expected));
    let sentinel = table(&read(&client, &f, "sentinel.csv").await.text());
    let found = sentinel.iter().map(|row| {
        let of = |name: &str| row[name].clone();
        (of("observableValue"), of("description"), of("tags"), of("observableType"))
    });
    let expected =
        pairs().map(|(url, text)| (one_line(url), guarded(text), guarded(text), "url".to_owned()));
    assert_eq!(sorted(found), sorted(expected));
}
