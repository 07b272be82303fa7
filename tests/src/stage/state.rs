//! What a stage holds in the end, without ids and times.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::types::Object;
use local::engines::clients;
use shared::log::{LogId, Op, Reader};
use shared::time::Position;

use super::{Stage, bucket};
use crate::aws_front::shape;
use crate::fixtures::{FIRST, SECOND, THIRD};

/// Kinds of things, and how many of each there are.
pub type State = BTreeMap<String, usize>;

pub(super) type Item = HashMap<String, AttributeValue>;

impl Stage {
    /// All items of a table.
    pub(super) async fn items(&self, table: &str) -> Vec<Item> {
        let client = clients::dynamodb(&self.engine.endpoint());
        let (mut items, mut from) = (Vec::new(), None);
        loop {
            let page = client.scan().table_name(table).limit(500).set_exclusive_start_key(from);
            let page = page.send().await.unwrap();
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return items;
            }
        }
    }

    /// What there is now.
    pub(super) async fn state(&self) -> State {
        let mut state = State::new();
        let mut add = |line: String| *state.entry(line).or_default() += 1;
        for table in [&self.names.objects, &self.names.notifications, &self.names.access] {
            for item in self.items(table).await {
                if let Some(line) = told(&item) {
                    add(format!("{} {line}", table.splitn(3, '-').last().unwrap_or_default()));
                }
            }
        }
        for item in self.items(&self.names.collections).await {
            // Commits and marks are told of entry by entry; hints and progress are for speed.
            let sort = item["sk"].as_s().unwrap();
            let of_log = ["L#", "A#"].iter().any(|of_log| sort.starts_with(of_log)) || sort == "K";
            if let Some(line) = told(&item).filter(|_| !of_log) {
                add(format!("collections {line}"));
            }
        }
        // What is to be told, and what expires, may be listed twice: what comes of it is not.
        for (line, count) in &mut state {
            if line.contains(" NOTIFY FEED#") || line.contains(" EXPIRY#") {
                *count = 1;
            }
        }
        let mut add = |line: String| *state.entry(line).or_default() += 1;
        for log in self.logs().await {
            let store = self.plain.store();
            let mut reader = Reader::new(store, log, Position::default(), None).await.unwrap();
            while let Some(seen) = reader.next(1000).await.unwrap() {
                let entry = &seen.entry;
                let (log, id) = (shape(&log.to_string()), shape(&entry.id));
                let given = [FIRST, SECOND, THIRD].contains(&entry.version.as_str());
                let version = if given { entry.version.clone() } else { "now".to_owned() };
                // How it came there depends on what was projected between two tries.
                if seen.current && entry.op != Op::Leave {
                    add(format!("log {log} {id} {version}"));
                }
            }
        }
        let s3 = clients::s3(bucket().s3.access(), &clients::http());
        let listed = s3.list_objects_v2().bucket(&self.names.bucket).send().await.unwrap();
        let unnamed = self.unnamed_editions(listed.contents()).await;
        for object in listed.contents() {
            let key = object.key().unwrap_or_default();
            // Who makes a first edition says so for a while, also when that is over.
            if !key.ends_with("/claimed") && !unnamed.iter().any(|one| key.starts_with(one)) {
                add(format!("bucket {}", shape(key)));
            }
        }
        state
    }

    /// Editions of feeds there are that no document names: left by a run that failed, and deleted
    /// by a later one.
    async fn unnamed_editions(&self, objects: &[Object]) -> BTreeSet<String> {
        let mut unnamed = BTreeSet::new();
        let store = self.plain.store();
        for feed in store.feeds().await.unwrap() {
            let named = store.edition(feed.id).await.unwrap().map(|(edition, _)| edition);
            let named = serde_json::to_string(&named).unwrap();
            let prefix = format!("feeds/{}/", feed.id);
            let keys = objects.iter().filter_map(|object| object.key()?.strip_prefix(&*prefix));
            let editions = keys.filter_map(|key| key.split_once('/')).map(|(edition, _)| edition);
            let gone = editions.filter(|edition| !named.contains(edition));
            unnamed.extend(gone.map(|edition| format!("{prefix}{edition}/")));
        }
        unnamed
    }

    async fn logs(&self) -> Vec<LogId> {
        let collections = self.plain.store().collections().await.unwrap();
        let own = collections.into_iter().map(|collection| LogId::Collection(collection.id));
        let items = self.items(&self.names.collections).await;
        let built_in = LogId::built_in().filter(|log| {
            let name = log.to_string();
            items.iter().any(|item| item["id"].as_s().is_ok_and(|id| *id == name))
        });
        own.chain(built_in).collect()
    }
}

/// An item's key and what attributes it has; nothing of what only counts or notes uses.
fn told(item: &Item) -> Option<String> {
    let key = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let partition = key("id").or(key("pk"))?;
    if partition.starts_with("USED#") {
        return None;
    }
    let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
    names.retain(|name| !["id", "pk", "sk", "used", "ttl", "lvl", "complete"].contains(name));
    names.sort_unstable();
    let sort = shape(key("sk")?);
    // Lists of notifications are called by hashes.
    let hashed = partition.len() == 22 && !partition.contains('#');
    let partition = if hashed { "list".to_owned() } else { shape(partition) };
    Some(format!("{partition} {sort} [{}]", names.join(" ")))
}
