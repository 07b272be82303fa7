//! One page of a collection, read from its log or, where ids are named, from the objects
//! (TAXII 2.1, section 3.4).

use chrono::{DateTime, SecondsFormat, Utc};
use lambda_http::http::{HeaderName, StatusCode};
use shared::access::Caller;
use shared::http::{Answer, Call, Query};
use shared::id::ObjectId;
use shared::log::{CollectionId, Entry, LogId, Reader};
use shared::services::{Defined, Services};
use shared::stix::SpecVersion;
use shared::time::Position;

use crate::cursor::Cursor;
use crate::fault::Fault;
use crate::media;
use crate::members;
use crate::selection::{DEFAULT_LIMIT, Selection, limit};

/// The most a page's objects may take once they are a text within the function's JSON answer:
/// below Lambda's 6 MB even where something on the way encodes them in base64.
const MAX_ENCODED_BYTES: usize = 4_500_000;

/// Says where a read began that asked for more than its caller's plan (contract: access).
const LOOKBACK_CLAMPED_TO: HeaderName = HeaderName::from_static("x-lookback-clamped-to");

/// One version of an object on a page.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its `date_added`.
    pub position: Position,
    /// The object's id.
    pub id: String,
    /// The version, as it came.
    pub version: String,
    /// Its specification.
    pub spec_version: SpecVersion,
    /// The object, verbatim.
    pub body: String,
}

impl From<Entry> for Item {
    fn from(entry: Entry) -> Self {
        Self {
            position: entry.position,
            id: entry.id,
            version: entry.version,
            spec_version: entry.spec_version,
            body: entry.body,
        }
    }
}

/// What a read asks for, and from where.
#[derive(Debug)]
pub struct Ask {
    collection: CollectionId,
    object: Option<ObjectId>,
    /// What is asked for.
    pub selection: Selection,
    after: Position,
    seq: Option<u64>,
    limit: usize,
    /// The plan's horizon, where the read reached further back.
    clamped: Option<DateTime<Utc>>,
}

/// A page.
#[derive(Debug)]
pub struct Page {
    /// The items, in order of position.
    pub items: Vec<Item>,
    next: Option<(Position, u64)>,
}

impl Ask {
    /// Reads the request's parameters. With `next`, everything but `limit` is the cursor's. What
    /// names no object begins no earlier than the caller's plan reaches back.
    pub async fn parse(
        services: &Services,
        call: &Call,
        caller: Option<&Caller>,
        defined: &Defined,
        object: Option<ObjectId>,
    ) -> Result<Self, Fault> {
        let query: Query = call.query()?;
        let asked = limit(&query)?;
        // Malformed filters are refused even beside a cursor, whose own hold.
        let sent = Selection::parse(&query)?;
        let collection = defined.collection.id;
        let Some(text) = query.one("next")? else {
            let after = sent.added_after.unwrap_or_default();
            let by_id = object.is_some() || sent.ids.is_some();
            let horizon = caller.filter(|_| !by_id).and_then(|c| c.horizon(services.store().now()));
            let clamped = horizon.filter(|horizon| Position::at_or_before(*horizon) > after);
            return Ok(Self {
                collection,
                object,
                selection: sent,
                after: clamped.map_or(after, Position::at_or_before),
                seq: None,
                limit: asked.unwrap_or(DEFAULT_LIMIT),
                clamped,
            });
        };
        let cursor = Cursor::open(services, text, collection, object.as_ref()).await?;
        Ok(Self {
            collection,
            object,
            after: cursor.after,
            seq: Some(cursor.seq),
            limit: asked.unwrap_or(cursor.limit),
            clamped: None,
            selection: cursor.into_selection(),
        })
    }

    /// Reads the page.
    pub async fn read(&self, services: &Services) -> Result<Page, Fault> {
        match (&self.object, &self.selection.ids) {
            (None, None) => self.walk(services).await,
            (Some(id), None) => self.gather(services, std::slice::from_ref(id)).await,
            (None, Some(ids)) => self.gather(services, ids).await,
            (Some(id), Some(ids)) => {
                let wanted: &[ObjectId] =
                    if ids.contains(id) { std::slice::from_ref(id) } else { &[] };
                self.gather(services, wanted).await
            }
        }
    }

    /// Reads the log as far as the page and the entry after it.
    async fn walk(&self, services: &Services) -> Result<Page, Fault> {
        let log = LogId::Collection(self.collection);
        let mut reader = Reader::new(services.store(), log, self.after, self.seq).await?;
        let mut page = Filling::new(self.limit);
        while let Some(seen) = reader.next(self.limit + 1 - page.items.len()).await? {
            if !self.selection.takes(&seen) {
                continue;
            }
            let before = (seen.entry.position.minus(1), seen.seq);
            if !page.add(Item::from(seen.entry)) {
                return Ok(Page { items: page.items, next: Some(before) });
            }
        }
        Ok(Page { items: page.items, next: None })
    }

    /// Reads the objects named by id.
    async fn gather(&self, services: &Services, ids: &[ObjectId]) -> Result<Page, Fault> {
        let items = members::members(services, self.collection, ids, &self.selection).await?;
        let mut page = Filling::new(self.limit);
        for item in items.into_iter().filter(|item| item.position > self.after) {
            let before = (item.position.minus(1), 1);
            if !page.add(item) {
                return Ok(Page { items: page.items, next: Some(before) });
            }
        }
        Ok(Page { items: page.items, next: None })
    }

    /// The `next` of a page, if it has one.
    pub async fn next(&self, services: &Services, page: &Page) -> Result<Option<String>, Fault> {
        let Some(at) = page.next else { return Ok(None) };
        let cursor = Cursor::new(
            self.collection,
            self.object.clone(),
            at,
            self.selection.clone(),
            self.limit,
        );
        cursor.seal(services).await.map(Some)
    }

    /// An answer with this page's headers: on an empty one they repeat `added_after`, or, where
    /// a cursor led to it, where that stood.
    pub fn answer(&self, page: &Page, body: Vec<u8>) -> Answer {
        let asked = match self.seq {
            Some(_) => Some(self.after),
            None => self.selection.added_after,
        };
        let first = page.items.first().map(|item| item.position).or(asked);
        let last = page.items.last().map(|item| item.position).or(asked);
        let mut answer = Answer::new(StatusCode::OK, media::TAXII, body);
        if let Some(horizon) = self.clamped {
            let horizon = horizon.to_rfc3339_opts(SecondsFormat::Millis, true);
            answer = answer.with(LOOKBACK_CLAMPED_TO, &horizon);
        }
        match (first, last) {
            (Some(first), Some(last)) => answer
                .with(HeaderName::from_static("x-taxii-date-added-first"), &first.to_string())
                .with(HeaderName::from_static("x-taxii-date-added-last"), &last.to_string()),
            _ => answer,
        }
    }
}

/// A page on its way to its limit in count and bytes.
struct Filling {
    items: Vec<Item>,
    limit: usize,
    /// The most bytes that what was added can take in the answer.
    at_most: usize,
    /// The bytes that the items before `counted` do take there.
    bytes: usize,
    counted: usize,
}

impl Filling {
    fn new(limit: usize) -> Self {
        Self { items: Vec::new(), limit, at_most: 0, bytes: 0, counted: 0 }
    }

    /// Adds an item; says no when the page is full.
    fn add(&mut self, item: Item) -> bool {
        let too_long = self.would_be_too_long(&item);
        let full = self.items.len() >= self.limit || (too_long && !self.items.is_empty());
        if !full {
            self.items.push(item);
        }
        !full
    }

    /// Whether the answer would be too long with this item as well. Characters are looked at only
    /// where that is possible: few pages come near it.
    fn would_be_too_long(&mut self, item: &Item) -> bool {
        self.at_most += 2 * item.body.len() + 1;
        if self.at_most <= MAX_ENCODED_BYTES {
            return false;
        }
        let uncounted = self.items.iter().skip(self.counted);
        self.bytes += uncounted.map(encoded_bytes).sum::<usize>();
        self.counted = self.items.len();
        self.bytes + encoded_bytes(item) > MAX_ENCODED_BYTES
    }
}

/// What an item takes in an answer that is a JSON text within JSON: quotes and backslashes take
/// two bytes there.
fn encoded_bytes(item: &Item) -> usize {
    let escapes = item.body.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count();
    item.body.len() + escapes + 1
}

/// A page's JSON: `more` and `next` together or not at all, then a list of texts that are JSON
/// already.
pub fn body<'a>(
    next: Option<&str>,
    list: &str,
    items: impl ExactSizeIterator<Item = &'a str> + Clone,
) -> Vec<u8> {
    let members = next.map_or(0, str::len) + list.len() + 32;
    let length = members + items.clone().map(|item| item.len() + 1).sum::<usize>();
    let mut body = String::with_capacity(length);
    body.push('{');
    if let Some(next) = next {
        // A cursor is base64 and needs no escapes.
        body.push_str(r#""more":true,"next":""#);
        body.push_str(next);
        body.push('"');
    }
    if items.len() > 0 {
        if body.len() > 1 {
            body.push(',');
        }
        body.push('"');
        body.push_str(list);
        body.push_str("\":[");
        for (index, item) in items.enumerate() {
            if index > 0 {
                body.push(',');
            }
            body.push_str(item);
        }
        body.push(']');
    }
    body.push('}');
    body.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_and_next_come_together() {
        assert_eq!(body(None, "objects", [].into_iter()), b"{}");
        let page = body(Some("abc"), "objects", ["{}", "{\"a\":1.00}"].into_iter());
        assert_eq!(page, br#"{"more":true,"next":"abc","objects":[{},{"a":1.00}]}"#);
    }

    #[test]
    fn a_page_is_full_by_count_and_by_bytes() {
        let item = |bytes: usize| Item {
            position: Position::default(),
            id: String::new(),
            version: String::new(),
            spec_version: SpecVersion::V21,
            body: "\"".repeat(bytes),
        };
        let mut page = Filling::new(2);
        assert!(page.add(item(1)) && page.add(item(1)) && !page.add(item(1)));
        let mut page = Filling::new(100);
        assert!(page.add(item(MAX_ENCODED_BYTES)), "a page is never empty");
        assert!(!page.add(item(1)));
        // Every other character is a quote, so 3,000 take 4,500 bytes and a comma.
        let text = |_| Item { body: "\"a".repeat(1_500), ..item(0) };
        let mut page = Filling::new(2000);
        let taken = (0..2000).map(text).take_while(|item| page.add(item.clone())).count();
        assert_eq!(taken, MAX_ENCODED_BYTES / 4_501);
    }
}
