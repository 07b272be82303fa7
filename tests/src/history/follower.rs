//! A client that keeps a copy of a collection, and resumes where it stopped.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shared::collection::Collection;
use shared::services::Services;

use crate::lab::{Lab, Page};

/// A follower of one collection.
#[derive(Debug, Clone)]
pub struct Follower {
    /// Which collection.
    pub collection: usize,
    /// Whether it asks for all versions.
    pub all: bool,
    /// Whether it goes on by `next` where there is one.
    by_next: bool,
    next: Option<String>,
    after: Option<String>,
    /// The object it saw last of each id.
    pub copy: BTreeMap<String, String>,
    /// Every object it saw, as it is spelt.
    pub seen: BTreeSet<String>,
}

impl Follower {
    /// A follower that has not begun.
    pub fn new(collection: usize, all: bool, by_next: bool) -> Self {
        Self {
            collection,
            all,
            by_next,
            next: None,
            after: None,
            copy: BTreeMap::new(),
            seen: BTreeSet::new(),
        }
    }

    /// Reads one page; says whether there may be more.
    ///
    /// # Errors
    /// When the page is not what it must be.
    pub async fn read(
        &mut self,
        lab: &Lab,
        services: &Services,
        collection: &Collection,
        limit: u8,
    ) -> Result<bool, String> {
        let mut query = format!("objects/?limit={limit}");
        match (&self.next, &self.after) {
            (Some(next), _) if self.by_next => query += &format!("&next={next}"),
            (_, Some(after)) => query += &format!("&added_after={after}"),
            _ => {}
        }
        if self.all {
            query += "&match%5Bversion%5D=all";
        }
        let page = lab.taxii(services, "GET", collection, &query).await;
        self.take(&page, usize::from(limit))?;
        Ok(if self.by_next { page.next.is_some() } else { !page.items.is_empty() })
    }

    fn take(&mut self, page: &Page, limit: usize) -> Result<(), String> {
        let what = &page.uri;
        if page.status != 200 {
            return Err(format!("{what}: status {}", page.status));
        }
        if page.items.len() > limit || (page.next.is_some() && page.items.is_empty()) {
            return Err(format!("{what}: {} objects, next {:?}", page.items.len(), page.next));
        }
        if page.first > page.last {
            return Err(format!("{what}: from {:?} to {:?}", page.first, page.last));
        }
        for item in &page.items {
            let object: Value = serde_json::from_str(item).map_err(|error| error.to_string())?;
            let id = object["id"].as_str().unwrap_or_default().to_owned();
            self.copy.insert(id, item.clone());
            self.seen.insert(item.clone());
        }
        // A page that is read again may end earlier than it did.
        self.after = self.after.take().max(page.last.clone());
        // The last page has no token: one that was used goes on being good.
        if page.next.is_some() {
            self.next.clone_from(&page.next);
        }
        Ok(())
    }
}
