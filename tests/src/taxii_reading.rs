//! Reading a TAXII collection page by page, holding every page to what each must keep.

use serde_json::Value;

use crate::client::{Answer, Client};
use crate::collection::Collection;

/// One page of objects, versions or manifest entries.
#[derive(Debug, Clone)]
pub struct Page {
    /// What it lists.
    pub items: Vec<Value>,
    /// The token of the next page.
    pub next: Option<String>,
    /// `X-TAXII-Date-Added-First`
    pub first: Option<String>,
    /// `X-TAXII-Date-Added-Last`
    pub last: Option<String>,
}

impl Page {
    /// Reads a 200; fails the test where `more` and `next` part or a page with more is empty.
    pub fn of(answer: &Answer) -> Self {
        let answer = answer.clone().expect(200);
        let body = answer.json();
        let member = |name: &str| body.get(name).and_then(Value::as_array).cloned();
        let items = member("objects").or_else(|| member("versions")).unwrap_or_default();
        let more = body.get("more").and_then(Value::as_bool).unwrap_or(false);
        let next = body.get("next").map(|next| next.as_str().unwrap().to_owned());
        assert_eq!(more, next.is_some(), "{}: more and next come together", answer.what);
        assert!(!more || !items.is_empty(), "{}: an empty page with more", answer.what);
        let header = |name: &str| answer.header(name).map(ToOwned::to_owned);
        let first = header("x-taxii-date-added-first");
        let last = header("x-taxii-date-added-last");
        if !items.is_empty() {
            for at in [&first, &last] {
                let at = at.as_deref();
                assert_taxii_timestamp(at.expect("a page says when its objects were added"));
            }
            assert!(first <= last, "{}: first {first:?} is after last {last:?}", answer.what);
        }
        Self { items, next, first, last }
    }

    /// The ids of what the page lists.
    pub fn ids(&self) -> Vec<String> {
        ids(&self.items)
    }
}

/// The `id` members of objects or manifest entries, in order.
pub fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Fails the test unless `text` is TAXII's timestamp: UTC with exactly six fraction digits, so
/// that such texts compare as their instants do.
pub fn assert_taxii_timestamp(text: &str) {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    assert_eq!(shape, "9999-99-99T99:99:99.999999Z", "not a TAXII timestamp: {text}");
}

/// All pages of `path`, following `next`; `query` goes with the first request only.
pub async fn pages_by_next(client: &Client, path: &str, query: &[(&str, &str)]) -> Vec<Page> {
    let mut pages = vec![Page::of(&client.get(path).queries(query).await)];
    while let Some(next) = pages.last().and_then(|page| page.next.clone()) {
        let answer = client.get(path).query("next", &next).await;
        pages.push(Page::of(&answer));
        assert!(pages.len() < 20_000, "{path}: paging does not end");
    }
    pages
}

/// All pages of `path`, resuming with `added_after=<X-TAXII-Date-Added-Last>` until one is empty.
pub async fn pages_by_added_after(
    client: &Client,
    path: &str,
    query: &[(&str, &str)],
) -> Vec<Page> {
    let mut pages = vec![Page::of(&client.get(path).queries(query).await)];
    while let Some(last) = pages.last().filter(|page| !page.items.is_empty()) {
        let after = last.last.clone().unwrap();
        let request = client.get(path).queries(query).query("added_after", &after);
        pages.push(Page::of(&request.await));
        assert!(pages.len() < 20_000, "{path}: paging does not end");
    }
    pages
}

/// Everything that pages list, in order.
pub fn items(pages: &[Page]) -> Vec<Value> {
    pages.iter().flat_map(|page| page.items.clone()).collect()
}

/// Every object of a collection in its last version, in order.
pub async fn all_objects(client: &Client, collection: &Collection) -> Vec<Value> {
    items(&pages_by_next(client, &collection.objects(), &[("limit", "1000")]).await)
}

/// Every manifest entry of a collection, all versions, in order.
pub async fn whole_manifest(client: &Client, collection: &Collection) -> Vec<Value> {
    let query = [("limit", "1000"), ("match[version]", "all")];
    items(&pages_by_next(client, &collection.manifest(), &query).await)
}

/// Every manifest entry of a collection in its last version, in order.
pub async fn manifest(client: &Client, collection: &Collection) -> Vec<Value> {
    items(&pages_by_next(client, &collection.manifest(), &[("limit", "1000")]).await)
}

/// `date_added` of an object's last version, if the collection has it.
pub async fn date_added(client: &Client, collection: &Collection, id: &str) -> Option<String> {
    let answer = client.get(&collection.manifest()).query("match[id]", id).await;
    let page = Page::of(&answer);
    page.items.first().map(|entry| entry["date_added"].as_str().unwrap().to_owned())
}
