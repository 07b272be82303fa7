//! What a request asks for, as far as faults must know it.

use http::HeaderMap;
use serde_json::Value;

use super::engine::Engine;
use super::faults::Kind;
use super::key::{Key, KeyNames};
use super::key_condition::KeyCondition;

/// What `x-amz-target` begins with; Streams have another.
pub(super) const TARGET: &str = "DynamoDB_20120810.";

/// A request for items.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// `PutItem` and so on.
    pub(super) operation: String,
    /// The request.
    pub(super) body: Value,
    /// The items it is for; for a Query or a Scan, what is known of their keys.
    pub(super) items: Vec<Wanted>,
}

/// One item a request is for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) key: Key,
    /// The key's attributes, when the whole key is known.
    pub(super) attributes: Option<Value>,
}

impl Asked {
    /// Reads a request; `None` for one that is not for items.
    pub(super) async fn read(engine: &Engine, headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let target = headers.get("x-amz-target")?.to_str().ok()?;
        let operation = target.strip_prefix(TARGET)?.to_owned();
        let body: Value = serde_json::from_slice(body).ok()?;
        let mut items = Vec::new();
        for (table, named) in named(&operation, &body)? {
            let names = engine.key_names(headers, table).await?;
            items.push(match named {
                Named::Item(item) => Wanted {
                    key: names.key(table, item)?,
                    attributes: Some(names.attributes(item)),
                },
                Named::Some => part_of(table, &body, &names),
            });
        }
        Some(Self { operation, body, items })
    }

    /// Whether it writes.
    pub(super) fn writes(&self) -> bool {
        let writes =
            ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"];
        writes.contains(&self.operation.as_str())
    }

    /// Whether it is a batch that may be done in part.
    pub(super) fn divides(&self) -> bool {
        matches!(self.operation.as_str(), "BatchGetItem" | "BatchWriteItem") && self.items.len() > 1
    }

    /// The keys of its items.
    pub(super) fn keys(&self) -> Vec<&Key> {
        self.items.iter().map(|wanted| &wanted.key).collect()
    }

    /// Whether a fault of this kind, which takes the place of a whole answer, can befall it.
    pub(super) fn may_suffer(&self, kind: Kind) -> bool {
        match kind {
            Kind::LostWrite | Kind::FailedWrite | Kind::LateWrite => self.writes(),
            Kind::Unprocessed => self.divides(),
            Kind::OverThroughput | Kind::Throttled | Kind::LostAnswer | Kind::FailedAnswer => true,
            Kind::Slow | Kind::StaleRead => false,
        }
    }
}

enum Named<'a> {
    /// An item, or its key.
    Item(&'a Value),
    /// Items not named one by one.
    Some,
}

/// The tables and items a request names; `None` for an operation that is not for items.
fn named<'a>(operation: &str, body: &'a Value) -> Option<Vec<(&'a str, Named<'a>)>> {
    let table = || body["TableName"].as_str();
    Some(match operation {
        "PutItem" => vec![(table()?, Named::Item(&body["Item"]))],
        "GetItem" | "UpdateItem" | "DeleteItem" => vec![(table()?, Named::Item(&body["Key"]))],
        "Query" | "Scan" => vec![(table()?, Named::Some)],
        "BatchGetItem" => in_batches(body, |wanted| wanted["Keys"].as_array(), |key| key)?,
        "BatchWriteItem" => in_batches(body, Value::as_array, |write| {
            write.get("PutRequest").map_or(&write["DeleteRequest"]["Key"], |put| &put["Item"])
        })?,
        "TransactWriteItems" | "TransactGetItems" => in_transaction(body)?,
        _ => return None,
    })
}

type All<'a> = Option<Vec<(&'a str, Named<'a>)>>;

fn in_batches<'a>(
    body: &'a Value,
    of_table: impl Fn(&'a Value) -> Option<&'a Vec<Value>>,
    item: impl Fn(&'a Value) -> &'a Value,
) -> All<'a> {
    let tables = body["RequestItems"].as_object()?.iter();
    let all = tables.flat_map(|(table, wanted)| {
        let wanted = of_table(wanted).into_iter().flatten();
        wanted.map(|one| (table.as_str(), Named::Item(item(one)))).collect::<Vec<_>>()
    });
    Some(all.collect())
}

fn in_transaction(body: &Value) -> All<'_> {
    let actions = body["TransactItems"].as_array()?.iter();
    actions
        .filter_map(|action| action.as_object()?.values().next())
        .map(|action| {
            let item = action.get("Item").unwrap_or(&action["Key"]);
            Some((action["TableName"].as_str()?, Named::Item(item)))
        })
        .collect()
}

/// What a Query or a Scan says of the keys it is for.
fn part_of(table: &str, body: &Value, names: &KeyNames) -> Wanted {
    let condition = KeyCondition::of(body, names);
    let partition = condition.map(|condition| condition.partition).unwrap_or_default();
    let key = Key { table: table.to_owned(), partition, sort: String::new() };
    Wanted { key, attributes: None }
}
