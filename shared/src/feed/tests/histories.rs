//! Random histories of one log: additions, changes, removals, revocations, expiry and ageing, of
//! markings that come to stand for something else, and of the collection's ceiling. Editions carried on at random times always equal one made from the whole log.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::id::ObjectId;
use crate::stix::{Marking, markings_to_resolve};

const MINUTE: i64 = 60_000_000;
/// 2026-05-15T08:30:00Z
const BEGIN: i64 = 1_778_833_800_000_000;
/// Markings that are none of OASIS' own.
const MARKINGS: u8 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// An object enters, or a member changes.
    Put { object: u8, revoked: bool, until: Option<i64>, created: i64, marked: Option<u8> },
    /// A member leaves.
    Leave { object: u8 },
    /// A marking stands for something else.
    Mark { marking: u8, stands_for: Marking },
    /// The collection may hold other levels.
    Ceiling(Tlp),
    /// Time passes.
    Wait { minutes: i64 },
    /// The edition is carried on.
    Publish,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (
            0..12u8, any::<bool>(), prop::option::of(-30..90i64), -120..10i64,
            prop::option::of(0..MARKINGS),
        ).prop_map(
            |(object, revoked, until, created, marked)| Step::Put {
                object,
                revoked: revoked && object % 3 == 0,
                until,
                created,
                marked,
            }
        ),
        2 => (0..MARKINGS, prop::sample::select(vec![
            Marking::Unknown, Marking::NoLevel, Marking::Level(Tlp::Clear),
            Marking::Level(Tlp::Red),
        ])).prop_map(|(marking, stands_for)| Step::Mark { marking, stands_for }),
        1 => prop::sample::select(vec![Tlp::Green, Tlp::Amber, Tlp::Red]).prop_map(Step::Ceiling),
        2 => (0..12u8).prop_map(|object| Step::Leave { object }),
        3 => (0..50i64).prop_map(|minutes| Step::Wait { minutes }),
        2 => Just(Step::Publish),
    ]
}

/// One entry of the log: the object, or nothing when it leaves.
struct Entry {
    id: String,
    position: u64,
    /// With the position of its entry.
    object: Option<(Value, u64)>,
}

struct Log {
    feed: Feed,
    now: i64,
    entries: Vec<Entry>,
    entered: BTreeMap<u8, u64>,
    markings: HashMap<ObjectId, Marking>,
    ceiling: Tlp,
}

/// What an edition is carried on from.
struct Last {
    frames: Vec<Frame>,
    markings: Markings,
    ceiling: Tlp,
    read: usize,
}

fn marking(number: u8) -> ObjectId {
    ObjectId::from_parts("marking-definition", Uuid::from_u128(u128::from(number) + 1))
}

impl Log {
    fn of(feed: Feed) -> Self {
        let markings = (0..MARKINGS).map(|number| (marking(number), Marking::Unknown)).collect();
        let (entries, entered) = (Vec::new(), BTreeMap::new());
        Self { feed, now: BEGIN, entries, entered, markings, ceiling: Tlp::Amber }
    }

    /// The record of an entry as the publisher makes it now, and the markings it names.
    fn record(&self, entry: &Entry) -> Option<(Record, Vec<ObjectId>)> {
        let (object, entered) = entry.object.as_ref()?;
        let version = Version(object["modified"].as_str().unwrap().parse().unwrap());
        let (facets, members) = Facets::of_stored(&object.to_string(), version).unwrap();
        let level = row_level(&facets, self.ceiling, |id| self.markings[id]);
        let at = (Position::from_micros(*entered), Position::from_micros(entry.position));
        let record = Shape::of(&self.feed).record(&facets, &members, level, None, at);
        Some((record?, markings_to_resolve(&facets).cloned().collect()))
    }

    fn id(object: u8) -> String {
        format!("indicator--000000{object:02}-7f0c-4b6e-9c9e-1f2d3c4b5a69")
    }

    fn take(&mut self, step: &Step) {
        self.now += 1;
        let position = u64::try_from(self.now).unwrap();
        match *step {
            Step::Put { object, revoked, until, created, marked } => {
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
                if let Some(number) = marked {
                    json["object_marking_refs"] = json!([marking(number)]);
                }
                let object_of = Some((json, entered));
                self.entries.push(Entry { id: Self::id(object), position, object: object_of });
            }
            Step::Leave { object } => {
                if self.entered.remove(&object).is_some() {
                    let id = Self::id(object);
                    self.entries.push(Entry { id, position, object: None });
                }
            }
            Step::Mark { marking: number, stands_for } => {
                self.markings.insert(marking(number), stands_for);
            }
            Step::Ceiling(ceiling) => self.ceiling = ceiling,
            Step::Wait { minutes } => self.now += minutes * MINUTE,
            Step::Publish => {}
        }
    }

    /// An edition made from the whole log.
    fn anew(&self) -> Last {
        let nothing = Last {
            frames: Vec::new(),
            markings: Markings::default(),
            ceiling: self.ceiling,
            read: 0,
        };
        self.carried_on(nothing)
    }

    /// An edition of the last one and the entries since.
    fn carried_on(&self, last: Last) -> Last {
        let (window, now) = (self.feed.window(), self.moment());
        let (mut latest, mut new) = (Latest::default(), Vec::new());
        let mut markings = Markings::default();
        for entry in &self.entries[last.read..] {
            match self.record(entry) {
                Some((record, named)) => {
                    latest.stands(&entry.id, entry.position);
                    if window.holds(record.date, record.until, now) {
                        for id in &named {
                            markings.add(id, self.markings[id], now);
                        }
                    }
                    new.push(frame(&record).unwrap());
                }
                None => latest.goes(&entry.id),
            }
        }
        new.sort_by(|a, b| window.compare((a.date, &a.id), (b.date, &b.id)));
        let merged = Merge {
            old: last.frames.into_iter().map(Ok::<_, Infallible>).peekable(),
            new: new.into_iter().map(Ok).peekable(),
            latest: &latest,
            window,
            now,
        };
        let frames = merged.map(|merged| merged.unwrap().frame).collect();
        let markings = last.markings.and(&markings, now);
        Last { frames, markings, ceiling: self.ceiling, read: self.entries.len() }
    }

    fn moment(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.now).unwrap()
    }

    /// What the file holds by the words of the contract, ids and levels, without any of the code
    /// under test but what makes a record's date and end.
    fn expected(&self) -> Vec<(String, Cell)> {
        let settings = &self.feed.settings;
        let mut last: BTreeMap<&str, &Entry> = BTreeMap::new();
        for entry in &self.entries {
            last.insert(&entry.id, entry);
        }
        let mut rows: Vec<Record> = last
            .values()
            .filter_map(|entry| self.record(entry).map(|(record, _)| record))
            .filter(|record| {
                let young = settings
                    .rolling_minutes
                    .is_none_or(|minutes| record.date >= self.now - i64::from(minutes) * MINUTE);
                young && record.until.is_none_or(|until| until > self.now)
            })
            .collect();
        rows.sort_by_key(|record| (std::cmp::Reverse(record.date), record.id.clone()));
        let row = |record: Record| {
            let (object, _) = last[record.id.as_str()].object.as_ref().unwrap();
            let named = object["object_marking_refs"][0].as_str();
            let level = match named.map(|id| self.markings[&id.parse::<ObjectId>().unwrap()]) {
                Some(Marking::Level(level)) => level,
                Some(Marking::Unknown) => self.ceiling,
                Some(Marking::NoLevel) | None => Tlp::Amber,
            };
            (record.id, Cell::Text(level.name().to_owned()))
        };
        rows.into_iter().map(row).collect()
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
        let mut log = Log::of(feed);
        let mut last = log.anew();
        let mut next: Option<i64> = None;
        for step in steps.iter().chain([&Step::Publish]) {
            log.take(step);
            if !matches!(step, Step::Publish) {
                continue;
            }
            // As the publisher does: with nothing new and nothing due it writes nothing.
            let due = next.is_some_and(|next| next <= log.now);
            if last.ceiling != log.ceiling || !last.markings.hold(&log.markings, log.moment()) {
                last = log.anew();
            } else if last.read < log.entries.len() || due {
                last = log.carried_on(last);
            }
            let window = log.feed.window();
            next = last.frames.iter().filter_map(|f: &Frame| window.leaves(f.date, f.until)).min();
            prop_assert_eq!(&last.frames, &log.anew().frames);
            let level = Standard::defaults()
                .iter()
                .position(|column| *column == Column::Standard(Standard::Tlp))
                .unwrap();
            let row = |frame: &Frame| (frame.id.clone(), frame.record().unwrap().cells[level].clone());
            let rows: Vec<(String, Cell)> = last.frames.iter().map(row).collect();
            prop_assert_eq!(rows, log.expected());
        }
    }
}
