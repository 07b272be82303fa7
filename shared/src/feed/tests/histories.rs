//! Random histories of one log: additions, changes, removals, revocations, expiry and ageing.
//! Editions carried on at random times always equal one made from the whole log.

use std::collections::BTreeMap;
use std::convert::Infallible;

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000_000;
/// 2026-05-15T08:30:00Z
const BEGIN: i64 = 1_778_833_800_000_000;

#[derive(Clone, Debug)]
enum Step {
    /// An object enters, or a member changes.
    Put { object: u8, revoked: bool, until: Option<i64>, created: i64 },
    /// A member leaves.
    Leave { object: u8 },
    /// Time passes.
    Wait { minutes: i64 },
    /// The edition is carried on.
    Publish,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..12u8, any::<bool>(), prop::option::of(-30..90i64), -120..10i64).prop_map(
            |(object, revoked, until, created)| Step::Put {
                object,
                revoked: revoked && object % 3 == 0,
                until,
                created,
            }
        ),
        2 => (0..12u8).prop_map(|object| Step::Leave { object }),
        3 => (0..50i64).prop_map(|minutes| Step::Wait { minutes }),
        2 => Just(Step::Publish),
    ]
}

/// One entry of the log: the object, or nothing when it leaves.
struct Entry {
    id: String,
    position: u64,
    record: Option<Record>,
    leaves: bool,
}

struct Log {
    feed: Feed,
    now: i64,
    entries: Vec<Entry>,
    entered: BTreeMap<u8, u64>,
}

impl Log {
    fn id(object: u8) -> String {
        format!("indicator--000000{object:02}-7f0c-4b6e-9c9e-1f2d3c4b5a69")
    }

    fn take(&mut self, step: &Step) {
        self.now += 1;
        let position = u64::try_from(self.now).unwrap();
        match *step {
            Step::Put { object, revoked, until, created } => {
                let entered = *self.entered.entry(object).or_insert(position);
                let at = |minutes: i64| {
                    let at = DateTime::from_timestamp_micros(self.now + minutes * MINUTE).unwrap();
                    crate::time::Timestamp::millis(at).as_str().to_owned()
                };
                let mut json = json!({
                    "type": "indicator", "spec_version": "2.1", "id": Self::id(object),
                    "created": at(created), "modified": at(0), "revoked": revoked,
                    "pattern_type": "stix", "valid_from": "2026-05-01T00:00:00Z",
                    "pattern": format!("[domain-name:value IN ('a{object}.example.com', 'b.example.com')]"),
                });
                if let Some(minutes) = until {
                    json["valid_until"] = at(minutes).into();
                }
                let record = record(&self.feed, &json, entered, position);
                self.entries.push(Entry { id: Self::id(object), position, record, leaves: false });
            }
            Step::Leave { object } => {
                if self.entered.remove(&object).is_some() {
                    let id = Self::id(object);
                    self.entries.push(Entry { id, position, record: None, leaves: true });
                }
            }
            Step::Wait { minutes } => self.now += minutes * MINUTE,
            Step::Publish => {}
        }
    }

    /// An edition of `old` and the entries from `from` on.
    fn edition(&self, old: Vec<Frame>, from: usize) -> Vec<Frame> {
        let window = self.feed.window();
        let (mut latest, mut new) = (Latest::default(), Vec::new());
        for entry in &self.entries[from..] {
            match &entry.record {
                Some(record) if !entry.leaves => {
                    latest.stands(&entry.id, entry.position);
                    new.push(frame(record).unwrap());
                }
                _ => latest.goes(&entry.id),
            }
        }
        new.sort_by(|a, b| window.compare((a.date, &a.id), (b.date, &b.id)));
        let merged = Merge {
            old: old.into_iter().map(Ok::<_, Infallible>).peekable(),
            new: new.into_iter().map(Ok).peekable(),
            latest: &latest,
            window,
            now: self.moment(),
        };
        merged.map(|merged| merged.unwrap().frame).collect()
    }

    fn moment(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.now).unwrap()
    }

    /// What the file holds by the words of the contract, without any of the code under test but
    /// what makes a record.
    fn expected(&self) -> Vec<String> {
        let settings = &self.feed.settings;
        let mut last: BTreeMap<&str, &Entry> = BTreeMap::new();
        for entry in &self.entries {
            last.insert(&entry.id, entry);
        }
        let mut rows: Vec<&Record> = last
            .values()
            .filter_map(|entry| entry.record.as_ref())
            .filter(|record| {
                let young = settings
                    .rolling_minutes
                    .is_none_or(|minutes| record.date >= self.now - i64::from(minutes) * MINUTE);
                young && record.until.is_none_or(|until| until > self.now)
            })
            .collect();
        rows.sort_by_key(|record| (std::cmp::Reverse(record.date), record.id.clone()));
        rows.iter().map(|record| record.id.clone()).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn an_edition_carried_on_equals_one_from_scratch(
        steps in prop::collection::vec(step(), 1..60),
        rolling in prop::option::of(1..120u32),
        date in prop::sample::select(vec!["added", "changed", "created", "modified"]),
        only_active in any::<bool>(),
    ) {
        let feed = feed(&json!({
            "date": date, "rolling_minutes": rolling, "only_active": only_active,
        }));
        let mut log = Log { feed, now: BEGIN, entries: Vec::new(), entered: BTreeMap::new() };
        let (mut edition, mut read) = (Vec::new(), 0);
        let mut next: Option<i64> = None;
        for step in steps.iter().chain([&Step::Publish]) {
            log.take(step);
            if !matches!(step, Step::Publish) {
                continue;
            }
            let due = next.is_some_and(|next| next <= log.now);
            // As the publisher does: with nothing new and nothing due it writes nothing.
            if read < log.entries.len() || due {
                edition = log.edition(edition, read);
                read = log.entries.len();
            }
            let window = log.feed.window();
            next = edition.iter().filter_map(|f: &Frame| window.leaves(f.date, f.until)).min();
            prop_assert_eq!(&edition, &log.edition(Vec::new(), 0));
            let ids: Vec<String> = edition.iter().map(|frame| frame.id.clone()).collect();
            prop_assert_eq!(ids, log.expected());
        }
    }
}
