//! A reader that knows nothing but where it stopped, and what it must have seen in the end.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use shared::log::Seen;
use tests::collection::Collection;
use tests::taxii_reading::{Page, assert_taxii_timestamp};
use tests::world::World;

use super::tale::{Tale, Version};
use super::writer::Days;

/// Between two looks at the end of the collection.
const POLL: Duration = Duration::from_millis(400);

/// How much of a TAXII timestamp says the millisecond.
const MILLISECONDS: usize = "2026-01-01T00:00:00.000".len();

/// How a reader goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resuming {
    /// With `added_after` of the last position.
    Position,
    /// The same, but cut to milliseconds, as `OpenCTI` does.
    PositionInMilliseconds,
    /// With `next` as long as there is one, then with the last position.
    Next,
}

/// What it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    Objects,
    /// Which says the position of each.
    Manifest,
}

/// One reader.
#[derive(Debug)]
pub struct Reader {
    pub resuming: Resuming,
    pub surface: Surface,
    pub limit: usize,
    seen: Vec<Sighting>,
    /// The last position it was told.
    last: Option<String>,
    next: Option<String>,
    /// What the last page brought.
    page: Vec<Version>,
}

#[derive(Debug)]
struct Sighting {
    version: Version,
    item: Value,
}

impl Reader {
    pub fn new(resuming: Resuming, surface: Surface, limit: usize) -> Self {
        Self {
            resuming,
            surface,
            limit,
            seen: Vec::new(),
            last: None,
            next: None,
            page: Vec::new(),
        }
    }

    /// Reads until there is nothing more after `written` was set.
    pub async fn read(
        mut self,
        world: &World,
        collection: &Collection,
        days: Days,
        written: &Cell<bool>,
    ) -> Self {
        loop {
            let all_written = written.get();
            let page = self.ask(world, collection, days).await;
            self.next.clone_from(&page.next);
            let news = self.take(page);
            if !news && self.next.is_none() {
                if all_written {
                    return self;
                }
                tokio::time::sleep(POLL).await;
            }
        }
    }

    async fn ask(&self, world: &World, collection: &Collection, days: Days) -> Page {
        let path = match self.surface {
            Surface::Objects => collection.objects(),
            Surface::Manifest => collection.manifest(),
        };
        let request = world.reader().get(&path).query("limit", &self.limit.to_string());
        let request = match (&self.next, self.after()) {
            (Some(next), _) if self.resuming == Resuming::Next => request.query("next", next),
            (_, Some(after)) => request.query("added_after", &after),
            (_, None) => request,
        };
        Page::of(&days.answer(request).await.0)
    }

    fn after(&self) -> Option<String> {
        let last = self.last.as_deref()?;
        Some(match self.resuming {
            Resuming::PositionInMilliseconds => format!("{}Z", &last[..MILLISECONDS]),
            _ => last.to_owned(),
        })
    }

    /// Takes a page in; says whether it brought anything.
    fn take(&mut self, page: Page) -> bool {
        if page.items.is_empty() {
            return false;
        }
        let (first, last) = (page.first.unwrap(), page.last.unwrap());
        let cut = self.resuming == Resuming::PositionInMilliseconds;
        // With a time cut to milliseconds, what stands in that millisecond comes once more.
        let again = cut && self.last.as_ref().is_some_and(|before| first <= *before);
        if let Some(before) = &self.last {
            let same = first[..MILLISECONDS] == before[..MILLISECONDS];
            assert!(first > *before || (again && same), "{}: {first}, {before}", self.name());
        }
        let known: Vec<Version> = if again { std::mem::take(&mut self.page) } else { Vec::new() };
        self.page.clear();
        let mut added = String::new();
        let mut repeats = true;
        for item in page.items {
            if self.surface == Surface::Manifest {
                let date = item["date_added"].as_str().unwrap();
                assert_taxii_timestamp(date);
                assert!(*date > *added, "{}: {date} comes after {added}", self.name());
                date.clone_into(&mut added);
            }
            let version = version_of(&item);
            self.page.push(version.clone());
            repeats = repeats && known.contains(&version);
            if !repeats {
                self.seen.push(Sighting { version, item });
            }
        }
        if self.surface == Surface::Manifest {
            assert_eq!(added, last, "{}: the header names the last entry", self.name());
        }
        self.last = Some(last);
        !repeats
    }

    /// What tells it from the others.
    pub fn name(&self) -> String {
        format!("{:?} of {:?} by {}", self.resuming, self.surface, self.limit)
    }

    /// Fails the test unless it saw what it must and nothing else. `dates` says where each object
    /// stands in the end, `log` what the collection's log says.
    pub fn judge(&self, tale: &Tale, dates: &HashMap<String, String>, log: &[Seen]) {
        let name = self.name();
        let mut last: HashMap<&str, &Sighting> = HashMap::new();
        let mut count: HashMap<&Version, usize> = HashMap::new();
        for seen in &self.seen {
            let sent = tale.visible.get(&seen.version);
            let sent =
                sent.unwrap_or_else(|| panic!("{name}: {:?} is not to be seen", seen.version));
            if self.surface == Surface::Objects {
                assert_eq!(seen.item, sent.json(), "{name}");
            }
            last.insert(&seen.version.0, seen);
            *count.entry(&seen.version).or_default() += 1;
        }
        for (version, count) in count {
            let most = if tale.twice.contains(version) { 2 } else { 1 };
            let said = || said_of(log, &version.0);
            assert!(count <= most, "{name}: {version:?} came {count} times:\n{}", said());
        }
        for (id, object) in &tale.finally {
            let seen = last.get(id.as_str());
            let seen =
                seen.unwrap_or_else(|| panic!("{name}: {id} was never seen, but {}", dates[id]));
            assert_eq!(seen.version.1, object.version(), "{name}: {id} is at {}", dates[id]);
            if self.surface == Surface::Manifest {
                assert_eq!(seen.item["date_added"], dates[id].as_str(), "{name}: {id}");
            }
        }
    }
}

/// What a log says of an object, line by line.
fn said_of(log: &[Seen], id: &str) -> String {
    let lines = log.iter().filter(|seen| seen.entry.id == id).map(|seen| {
        let Seen { entry, seq, current, present, .. } = seen;
        let (op, version, revision) = (entry.op, &entry.version, entry.revision);
        let (position, entered) = (entry.position, entry.entered);
        format!(
            "{position} commit {seq} {op:?} {version} revision {revision} entered {entered} \
             replaces {:?} current {current} present {present}",
            entry.replaces
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn version_of(item: &Value) -> Version {
    let text = |name: &str| item[name].as_str().map(ToOwned::to_owned);
    let version = text("version").or_else(|| text("modified"));
    (text("id").unwrap(), version.unwrap())
}
