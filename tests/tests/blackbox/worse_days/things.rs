//! Items of a test's own, put and read past the store.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryPartition;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use tests::world::World;

/// Items of a test's own in the table of objects.
pub struct Things {
    pub client: Client,
    table: String,
}

type Item = HashMap<String, AttributeValue>;

fn key(sort: &str) -> Item {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    HashMap::from([("id".to_owned(), text("thing")), ("sk".to_owned(), text(sort))])
}

impl Things {
    /// By the way the functions go. Retries of a process are rationed by partition: what another
    /// test uses up is not this one's.
    pub fn of(world: &World) -> Self {
        let client = world.dynamodb_client(world.dynamodb());
        let table = world.objects_table().to_owned();
        let partition = RetryPartition::new(uuid::Uuid::new_v4().to_string());
        let config = client.config().to_builder().retry_partition(partition).build();
        Self { client: Client::from_conf(config), table }
    }

    /// Puts an item and returns the error's code, if it fails.
    pub async fn put(&self, sort: &str, value: &str, new: bool) -> Result<(), Option<String>> {
        let mut item = key(sort);
        item.insert("value".into(), AttributeValue::S(value.into()));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let condition = new.then(|| "attribute_not_exists(id)".to_owned());
        let sent = put.set_condition_expression(condition).send().await;
        sent.map(drop).map_err(|error| error.code().map(str::to_owned))
    }

    /// Deletes an item.
    pub async fn delete(&self, sort: &str) {
        let delete = self.client.delete_item().table_name(&self.table);
        delete.set_key(Some(key(sort))).send().await.unwrap();
    }

    /// The value of an item.
    pub async fn value(&self, sort: &str, consistent: bool) -> Option<String> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key(sort)));
        let got: GetItemOutput = get.consistent_read(consistent).send().await.unwrap();
        got.item().map(value)
    }

    /// Sort keys and values of a Query from `L#2` to `L#8`.
    pub async fn query(&self, consistent: bool, forward: bool, limit: i32) -> Vec<String> {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let query = self.client.query().table_name(&self.table);
        let answer = query
            .key_condition_expression("id = :id AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":id", text("thing"))
            .expression_attribute_values(":from", text("L#2"))
            .expression_attribute_values(":to", text("L#8"))
            .scan_index_forward(forward)
            .consistent_read(consistent)
            .limit(limit)
            .send()
            .await
            .unwrap();
        assert_eq!(usize::try_from(answer.count()).unwrap(), answer.items().len());
        let shown = answer.items().iter();
        shown.map(|item| format!("{}={}", item["sk"].as_s().unwrap(), value(item))).collect()
    }

    /// Sort keys and values of what one `BatchGetItem` brings, and the keys it leaves.
    pub async fn batch(
        &self,
        sorts: &[String],
        consistent: bool,
    ) -> (BTreeSet<String>, Vec<String>) {
        let keys = sorts.iter().map(|sort| key(sort)).collect();
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys));
        let wanted = wanted.consistent_read(consistent).build().unwrap();
        let batch = self.client.batch_get_item().request_items(&self.table, wanted);
        let answer = batch.send().await.unwrap();
        let sort = |item: &Item| item["sk"].as_s().unwrap().clone();
        let items = answer.responses().and_then(|tables| tables.get(&self.table));
        let items = items.into_iter().flatten();
        let shown = items.map(|item| format!("{}={}", sort(item), value(item))).collect();
        let left = answer.unprocessed_keys().and_then(|tables| tables.get(&self.table));
        (shown, left.map(|left| left.keys().iter().map(sort).collect()).unwrap_or_default())
    }
}

fn value(item: &Item) -> String {
    item["value"].as_s().unwrap().clone()
}
