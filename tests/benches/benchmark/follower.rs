//! A reader that follows a collection and counts what it sees.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::http_client::Connection;

/// Wait before the end of a collection is asked again.
const PAUSE: Duration = Duration::from_millis(20);
/// How long nothing new may come.
const PATIENCE: Duration = Duration::from_mins(1);

/// A reader of one collection from some place on, by `added_after`.
pub struct Follower {
    connection: Connection,
    path: String,
    after: Option<String>,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, default)]
    objects: Vec<&'a RawValue>,
}

impl Follower {
    /// A reader from the beginning.
    pub async fn new(base_url: &str, key: &str, collection: &str) -> Self {
        let connection = Connection::open(base_url, key).await;
        let path = format!("/taxii2/intel/collections/{collection}/objects/?limit=1000");
        Self { connection, path, after: None }
    }

    /// Reads until `count` more objects came.
    pub async fn see(&mut self, count: usize) {
        let mut seen = 0;
        let mut last = Instant::now();
        while seen < count {
            let found = self.page().await;
            if found > 0 {
                last = Instant::now();
                seen += found;
            } else {
                assert!(last.elapsed() < PATIENCE, "{seen} of {count} objects became visible");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    async fn page(&mut self) -> usize {
        let after = self.after.as_ref().map(|after| format!("&added_after={after}"));
        let path = format!("{}{}", self.path, after.unwrap_or_default());
        let answer = self.connection.get(&path).await;
        let page: Page<'_> = serde_json::from_slice(answer.body()).expect("a page is JSON");
        let last = answer.headers().get("x-taxii-date-added-last");
        if let Some(last) = last.and_then(|last| last.to_str().ok()) {
            self.after = Some(last.to_owned());
        }
        page.objects.len()
    }
}
