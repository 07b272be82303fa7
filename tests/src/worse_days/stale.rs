//! Eventually consistent reads that see their items as they were a moment ago.
//!
//! A read whose answer cannot be told to be whole (of an index, with a filter, without the key's
//! attributes) is left as it is.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::time::Instant;

use serde_json::{Map, Value};

use super::answer::Answer;
use super::key::{Key, KeyNames};
use super::key_condition::{KeyCondition, attribute, order};
use super::past::Past;
use super::request::Asked;

/// What changes an answer makes it another than the one with all attributes of all items.
const PARTIAL: [&str; 7] = [
    "AttributesToGet",
    "FilterExpression",
    "IndexName",
    "KeyConditions",
    "QueryFilter",
    "ScanFilter",
    "Select",
];

/// What reads may see.
pub(super) struct Lag<'a> {
    /// Old images.
    pub(super) past: &'a Past,
    /// The earliest moment a read may see.
    pub(super) since: Instant,
    /// Which of so many old images of an item is shown, if one is.
    pub(super) choose: &'a dyn Fn(&Key, usize) -> Option<usize>,
}

/// What a read asks of each item of one table.
struct Read<'a> {
    lag: &'a Lag<'a>,
    table: &'a str,
    names: &'a KeyNames,
    /// The attributes asked for; all when `None`.
    attributes: Option<Vec<String>>,
}

impl Lag<'_> {
    /// Shows items of an eventually consistent read's answer as they were.
    pub(super) fn show(
        &self,
        asked: &Asked,
        names: impl Fn(&str) -> Option<KeyNames>,
        answer: &mut Answer,
    ) {
        let Some(mut body) = answer.done() else { return };
        let before = body.clone();
        let shown = match asked.operation.as_str() {
            "BatchGetItem" => self.show_batch(asked, names, &mut body),
            "GetItem" | "Query" | "Scan" => self.show_table(asked, names, &mut body),
            _ => return,
        };
        if shown.is_some() && body != before {
            answer.replace(&body);
        }
    }

    fn show_table(
        &self,
        asked: &Asked,
        names: impl Fn(&str) -> Option<KeyNames>,
        body: &mut Value,
    ) -> Option<()> {
        let table = asked.body["TableName"].as_str()?;
        let names = names(table)?;
        let read = Read::of(self, table, &names, &asked.body)?;
        match asked.operation.as_str() {
            "GetItem" => read.get(&asked.items.first()?.key, body),
            "Query" => read.query(&asked.body, body)?,
            _ => read.scan(&asked.body, body)?,
        }
        Some(())
    }

    fn show_batch(
        &self,
        asked: &Asked,
        names: impl Fn(&str) -> Option<KeyNames>,
        body: &mut Value,
    ) -> Option<()> {
        for (table, wanted) in asked.body["RequestItems"].as_object()? {
            let Some(names) = names(table) else { continue };
            let Some(read) = Read::of(self, table, &names, wanted) else { continue };
            if !read.shows_keys() {
                continue;
            }
            let whole = body["UnprocessedKeys"][table.as_str()].is_null();
            let items = body["Responses"][table.as_str()].as_array_mut()?;
            let present = read.replace(items);
            let absent = asked
                .keys()
                .into_iter()
                .filter(|key| whole && key.table == *table && !present.contains(key));
            for key in absent {
                items.extend(read.returned(key, |_| true));
            }
        }
        Some(())
    }
}

/// What stood under a key a moment ago.
enum Earlier {
    Item(Value),
    Nothing,
}

impl<'a> Read<'a> {
    /// `None` for a consistent read and for one that is left as it is.
    fn of(lag: &'a Lag<'a>, table: &'a str, names: &'a KeyNames, request: &Value) -> Option<Self> {
        let left = PARTIAL.iter().any(|member| !request[member].is_null());
        if request["ConsistentRead"] == true || left {
            return None;
        }
        let attributes = match request["ProjectionExpression"].as_str() {
            None => None,
            Some(text) if text.contains(['.', '[']) => return None,
            Some(text) => {
                let shown = text.split(',').map(|word| attribute(request, word.trim()));
                Some(shown.map(|name| name.map(str::to_owned)).collect::<Option<_>>()?)
            }
        };
        Some(Self { lag, table, names, attributes })
    }

    /// Whether the answer has every item's key.
    fn shows_keys(&self) -> bool {
        let keys = [Some(&self.names.partition), self.names.sort.as_ref()];
        let mut keys = keys.into_iter().flatten();
        keys.all(|key| self.attributes.as_ref().is_none_or(|shown| shown.contains(key)))
    }

    /// An item as this read shows it.
    fn projected(&self, item: Value) -> Value {
        match (&self.attributes, item) {
            (Some(shown), Value::Object(item)) => {
                let shown = item.into_iter().filter(|(name, _)| shown.contains(name));
                Value::Object(shown.collect::<Map<_, _>>())
            }
            (_, item) => item,
        }
    }

    /// What this read sees in place of `now`, if it looks back for this item.
    fn earlier(
        &self,
        key: &Key,
        now: Option<&Value>,
        covered: impl Fn(&Value) -> bool,
    ) -> Option<Earlier> {
        let images = self.lag.past.images(key, self.lag.since).into_iter();
        let mut images: Vec<_> = images
            .filter(|image| image.as_ref().is_none_or(&covered))
            .map(|image| image.map(|image| self.projected(image)))
            .filter(|image| image.as_ref() != now)
            .collect();
        images.dedup();
        if images.is_empty() {
            return None;
        }
        let chosen = (self.lag.choose)(key, images.len())?;
        Some(images.swap_remove(chosen).map_or(Earlier::Nothing, Earlier::Item))
    }

    /// An item that is gone, if this read still sees it.
    fn returned(&self, key: &Key, covered: impl Fn(&Value) -> bool) -> Option<Value> {
        match self.earlier(key, None, covered)? {
            Earlier::Item(item) => Some(item),
            Earlier::Nothing => None,
        }
    }

    /// Shows items as they were, or not at all; returns the keys of those that are there now.
    fn replace(&self, items: &mut Vec<Value>) -> HashSet<Key> {
        let mut present = HashSet::new();
        let shown = std::mem::take(items).into_iter().filter_map(|item| {
            let Some(key) = self.names.key(self.table, &item) else { return Some(item) };
            let earlier = self.earlier(&key, Some(&item), |_| true);
            present.insert(key);
            match earlier {
                None => Some(item),
                Some(Earlier::Item(earlier)) => Some(earlier),
                Some(Earlier::Nothing) => None,
            }
        });
        *items = shown.collect();
        present
    }

    fn get(&self, key: &Key, body: &mut Value) {
        let now = body.get("Item").cloned();
        match self.earlier(key, now.as_ref(), |_| true) {
            None => {}
            Some(Earlier::Item(item)) => body["Item"] = item,
            Some(Earlier::Nothing) => {
                body.as_object_mut().and_then(|body| body.remove("Item"));
            }
        }
    }

    fn query(&self, request: &Value, body: &mut Value) -> Option<()> {
        let condition = KeyCondition::of(request, self.names)?;
        let sort = self.names.sort.as_ref().filter(|_| self.shows_keys())?;
        let forward = request["ScanIndexForward"] != false;
        let (start, end) = (&request["ExclusiveStartKey"][sort], &body["LastEvaluatedKey"][sort]);
        let (start, end) = (start.clone(), end.clone());
        let directed = |a: &Value, b: &Value| {
            let order = order(a, b);
            if forward { order } else { order.map(Ordering::reverse) }
        };
        let on_the_page = |item: &Value| {
            let after = start.is_null() || directed(&item[sort], &start) == Some(Ordering::Greater);
            let before = end.is_null() || directed(&item[sort], &end).is_some_and(Ordering::is_le);
            condition.covers(&item[sort]) && after && before
        };
        let items = body["Items"].as_array_mut()?;
        let present = self.replace(items);
        let past = self.lag.past;
        for key in past.written(self.table, Some(&condition.partition), self.lag.since) {
            if !present.contains(&key) {
                items.extend(self.returned(&key, on_the_page));
            }
        }
        items.sort_by(|a, b| directed(&a[sort], &b[sort]).unwrap_or(Ordering::Equal));
        count(body);
        Some(())
    }

    fn scan(&self, request: &Value, body: &mut Value) -> Option<()> {
        self.shows_keys().then_some(())?;
        // Where on which page of several a gone item would have been is not known here.
        let whole = ["ExclusiveStartKey", "Segment"].iter().all(|name| request[name].is_null())
            && body["LastEvaluatedKey"].is_null();
        let items = body["Items"].as_array_mut()?;
        let present = self.replace(items);
        if whole {
            for key in self.lag.past.written(self.table, None, self.lag.since) {
                if !present.contains(&key) {
                    items.extend(self.returned(&key, |_| true));
                }
            }
        }
        count(body);
        Some(())
    }
}

/// Sets the numbers of items to what is shown.
fn count(body: &mut Value) {
    let shown = body["Items"].as_array().map_or(0, Vec::len);
    body["Count"] = shown.into();
    body["ScannedCount"] = shown.into();
}
