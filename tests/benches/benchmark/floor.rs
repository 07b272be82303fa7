//! The floor under every figure: the bare SDK on the same engine.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ReturnConsumedCapacity, ScalarAttributeType,
};
use futures::stream::{self, StreamExt};
use shared::log::MAX_ENTRIES;

/// The Query a page of commits needs: partition, where its sort keys begin, and how many.
#[derive(Debug, Clone)]
pub struct CommitQuery {
    /// The table of collections.
    pub table: String,
    /// The log.
    pub log: String,
    /// The first commit.
    pub seq: u64,
    /// Commits asked for: what a page of this size asks for.
    pub commits: i32,
}

impl CommitQuery {
    /// Commits a page of `limit` objects and the one after it may take, wherever it begins.
    pub fn commits_for(limit: usize) -> i32 {
        i32::try_from((limit + 1).div_ceil(MAX_ENTRIES) + 1).unwrap_or(i32::MAX)
    }

    /// Sends it; the number of commits that came, and their read units.
    pub async fn send(&self, sdk: &Client) -> (usize, f64) {
        let text = |value: String| AttributeValue::S(value);
        let answer = sdk
            .query()
            .table_name(&self.table)
            .key_condition_expression("id = :id AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":id", text(self.log.clone()))
            .expression_attribute_values(":from", text(format!("L#{:012}#", self.seq)))
            .expression_attribute_values(":to", text("L#~".to_owned()))
            .limit(self.commits)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .expect("the engine answers");
        let units = answer
            .consumed_capacity()
            .and_then(aws_sdk_dynamodb::types::ConsumedCapacity::capacity_units);
        (answer.items().len(), units.unwrap_or_default())
    }
}

/// How many of these Queries a second the engine answers, `connections` under way at once.
pub async fn queries_per_second(
    sdk: &Client,
    queries: &[CommitQuery],
    connections: usize,
    duration: Duration,
) -> f64 {
    let begun = Instant::now();
    let one = async |number: usize| {
        let mut answered = 0_u32;
        for query in queries.iter().cycle().skip(number * queries.len() / connections) {
            query.send(sdk).await;
            answered += 1;
            if begun.elapsed() >= duration {
                break;
            }
        }
        f64::from(answered)
    };
    let counts = futures::future::join_all((0..connections).map(one)).await;
    counts.iter().sum::<f64>() / begun.elapsed().as_secs_f64()
}

/// An item of a table.
pub type Item = HashMap<String, AttributeValue>;

/// A table of no other use: the product's key, no stream, no index.
pub async fn plain_table(sdk: &Client, name: &str) {
    let mut request = sdk.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, role) in [("id", KeyType::Hash), ("sk", KeyType::Range)] {
        let kind = ScalarAttributeType::S;
        let defined =
            AttributeDefinition::builder().attribute_name(attribute).attribute_type(kind).build();
        let key = KeySchemaElement::builder().attribute_name(attribute).key_type(role).build();
        request = request
            .attribute_definitions(defined.expect("an attribute"))
            .key_schema(key.expect("a key"));
    }
    request.send().await.expect("the table is made");
}

/// The `HEAD` of an object, as the product stored it.
pub async fn stored_head(sdk: &Client, table: &str, id: &str) -> Item {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let get = sdk.get_item().table_name(table).key("id", text(id)).key("sk", text("HEAD"));
    get.send().await.expect("the engine answers").item.expect("the object is stored")
}

/// Puts copies of an item under ids of their own, `concurrency` at once; items a second.
pub async fn puts_per_second(
    sdk: &Client,
    table: &str,
    item: &Item,
    ids: impl Iterator<Item = String>,
    concurrency: usize,
) -> f64 {
    let begun = Instant::now();
    let put = async |id: String| {
        let mut item = item.clone();
        item.insert("id".to_owned(), AttributeValue::S(id));
        item.insert("sk".to_owned(), AttributeValue::S("FLOOR".to_owned()));
        sdk.put_item().table_name(table).set_item(Some(item)).send().await.expect("put");
        1.0
    };
    let puts = stream::iter(ids).map(put).buffer_unordered(concurrency);
    let count = puts.fold(0.0, |sum, one| std::future::ready(sum + one)).await;
    count / begun.elapsed().as_secs_f64()
}
