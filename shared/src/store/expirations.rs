//! When objects cease to be valid: lists by the hour, in the collections table. One packed item
//! for many objects, as an index entry for each would cost as much as the object itself.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::item::{Item, ReadItem, binary, key, number, text};
use super::sending::held;
use super::{Consistency, Store, StoreError, codec};
use crate::id::ObjectId;

/// The partition of the progress mark; those of the hours begin with it.
const PARTITION: &str = "EXPIRY";
const MARK: &str = "DONE";
/// Some 25 KB packed.
const LINES_PER_ITEM: usize = 1000;
/// Items read at once.
const ITEMS: i32 = 8;
/// Items written at once.
const CONCURRENCY: usize = 16;
const MICROS_PER_HOUR: u64 = 3_600_000_000;

/// The moment an object ceases to be valid: microseconds since 1970, rounded up, so that once
/// this moment has come the object's own, finer one has too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expiry(u64);

impl Expiry {
    /// The moment of a `valid_until`.
    #[must_use]
    pub fn of(until: DateTime<Utc>) -> Self {
        let rounded = i64::from(!until.nanosecond().is_multiple_of(1000));
        Self(u64::try_from(until.timestamp_micros() + rounded).unwrap_or(0))
    }

    /// Whether it has come.
    #[must_use]
    pub fn is_due(self, now: DateTime<Utc>) -> bool {
        i64::try_from(self.0).is_ok_and(|micros| micros <= now.timestamp_micros())
    }

    fn hour(self) -> Hour {
        Hour(self.0 / MICROS_PER_HOUR)
    }
}

/// An hour of UTC, counted from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hour(u64);

impl Hour {
    /// The hour in which `at` lies.
    #[must_use]
    pub fn of(at: DateTime<Utc>) -> Self {
        Expiry::of(at).hour()
    }

    /// The hour after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Whether at `now` it has been over for as long as `grace`.
    #[must_use]
    pub fn is_over(self, now: DateTime<Utc>, grace: TimeDelta) -> bool {
        now.checked_sub_signed(grace).is_some_and(|now| Self::of(now) > self)
    }
}

impl fmt::Display for Hour {
    /// `2026-05-15T08`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0.saturating_mul(3600)).unwrap_or(i64::MAX);
        let at = DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        write!(f, "{}", at.format("%Y-%m-%dT%H"))
    }
}

/// An object on a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Expiration {
    /// When it ceases to be valid, as far as was known when it was listed.
    pub expiry: Expiry,
    /// The object.
    pub id: ObjectId,
}

/// A stored list: what one item holds.
#[derive(Clone, Debug)]
pub struct ExpiryList {
    hour: Hour,
    sort_key: String,
    /// Its lines, the earliest first.
    pub lines: Vec<Expiration>,
}

/// What one Query brings.
#[derive(Debug)]
pub struct ExpiryLists {
    /// The lists.
    pub lists: Vec<ExpiryList>,
    /// Where to go on; absent at the end of the hour.
    pub next: Option<String>,
}

fn partition(hour: Hour) -> String {
    format!("{PARTITION}#{hour}")
}

/// One item for some lines of an hour, sorted. The key begins with the first of their moments, so
/// that a Query finds the items that hold something due.
fn list_item(hour: Hour, lines: &[Expiration]) -> Result<Item, StoreError> {
    let first = lines.first().map_or(0, |line| line.expiry.0);
    let mut item = key(partition(hour), format!("{first:020}#{}", Uuid::new_v4()));
    item.insert("z".into(), binary(codec::compress(&postcard::to_allocvec(lines)?)?));
    Ok(item)
}

fn read_list(hour: Hour, item: &Item) -> Result<ExpiryList, StoreError> {
    let lines = postcard::from_bytes(&codec::expand(item.required_bytes("z")?)?)?;
    Ok(ExpiryList { hour, sort_key: item.text("sk")?.to_owned(), lines })
}

/// Lines by the hour of their moment, though by none before `earliest`.
fn by_hour(lines: &[Expiration], earliest: Hour) -> BTreeMap<Hour, Vec<Expiration>> {
    let mut hours: BTreeMap<Hour, Vec<Expiration>> = BTreeMap::new();
    for line in lines {
        hours.entry(line.expiry.hour().max(earliest)).or_default().push(line.clone());
    }
    for lines in hours.values_mut() {
        lines.sort_unstable();
    }
    hours
}

impl Store {
    /// Lists objects under the hours in which they cease to be valid; those whose moment has come
    /// under the present hour. To list a line twice does no harm.
    ///
    /// # Errors
    /// When the table cannot be written; some of the lines may be listed then.
    pub async fn list_expirations(&self, lines: &[Expiration]) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        // Nothing before the mark is looked at any more.
        let earliest = self.make_expiry_mark().await?.max(Hour::of(self.now()));
        let mut items = Vec::new();
        for (hour, lines) in by_hour(lines, earliest) {
            for lines in lines.chunks(LINES_PER_ITEM) {
                items.push(list_item(hour, lines)?);
            }
        }
        stream::iter(items)
            .map(|item| self.put_collection_item(item, None))
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await
    }

    /// The next lists of an hour with a line that is due at `now`, after `from`. A list that
    /// cannot be read is logged and left out.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn expiry_lists(
        &self,
        hour: Hour,
        now: DateTime<Utc>,
        from: Option<String>,
    ) -> Result<ExpiryLists, StoreError> {
        let due = format!("{:020}#~", now.timestamp_micros().max(0));
        let start = from.map(|sort_key| key(partition(hour), sort_key));
        let (items, next) =
            self.query_expiry(hour, &due, ITEMS, start, Consistency::Eventual).await?;
        let mut lists = Vec::new();
        for item in &items {
            match read_list(hour, item) {
                Ok(list) => lists.push(list),
                Err(error) => {
                    let sk = item.text("sk").unwrap_or_default();
                    tracing::error!(%error, %hour, sk, "a list of expirations cannot be read");
                }
            }
        }
        let next = next.map(|key| key.text("sk").map(str::to_owned)).transpose()?;
        Ok(ExpiryLists { lists, next })
    }

    /// Whether an hour holds no list at all, read consistently.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn expiry_hour_is_empty(&self, hour: Hour) -> Result<bool, StoreError> {
        let (items, _) = self.query_expiry(hour, "~", 1, None, Consistency::Strong).await?;
        Ok(items.is_empty())
    }

    async fn query_expiry(
        &self,
        hour: Hour,
        to: &str,
        limit: i32,
        start: Option<Item>,
        consistency: Consistency,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.names().collections)
            .key_condition_expression("id = :id AND sk <= :to")
            .expression_attribute_values(":id", text(partition(hour)))
            .expression_attribute_values(":to", text(to))
            .consistent_read(consistency == Consistency::Strong)
            .limit(limit)
            .set_exclusive_start_key(start);
        let answer = self.query(query).await?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }

    /// Puts `remaining` in the place of a list, under the same hour or, where that has passed,
    /// the present one; nothing when nothing remains. Killed in between, it leaves lines twice.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn replace_expiry_list(
        &self,
        list: &ExpiryList,
        remaining: &[Expiration],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for (hour, lines) in by_hour(remaining, list.hour.max(Hour::of(now))) {
            self.put_collection_item(list_item(hour, &lines)?, None).await?;
        }
        let delete = self
            .dynamodb()
            .delete_item()
            .table_name(&self.names().collections)
            .set_key(Some(key(partition(list.hour), &list.sort_key)));
        self.delete(delete).await
    }

    /// The first hour that may still hold a list; none when nothing was ever listed.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn expiry_mark(&self) -> Result<Option<Hour>, StoreError> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(&self.names().collections)
            .set_key(Some(key(PARTITION, MARK)))
            .consistent_read(true);
        let item = self.get(get).await?;
        item.map(|item| item.required_number("h").map(Hour)).transpose()
    }

    /// The mark, made when it is not there.
    async fn make_expiry_mark(&self) -> Result<Hour, StoreError> {
        if let Some(mark) = self.expiry_mark().await? {
            return Ok(mark);
        }
        // The hour before: clocks differ.
        let hour = Hour(Hour::of(self.now()).0.saturating_sub(1));
        let mut item = key(PARTITION, MARK);
        item.insert("h".into(), number(hour.0));
        match self.put_collection_item(item, Some("attribute_not_exists(id)")).await {
            Ok(()) => Ok(hour),
            Err(StoreError::Conflict) => Ok(self.expiry_mark().await?.unwrap_or(hour)),
            Err(error) => Err(error),
        }
    }

    /// Moves the mark on to `hour`; never back.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn move_expiry_mark(&self, hour: Hour) -> Result<(), StoreError> {
        let update = self
            .dynamodb()
            .update_item()
            .table_name(&self.names().collections)
            .set_key(Some(key(PARTITION, MARK)))
            .condition_expression("h < :hour")
            .update_expression("SET h = :hour")
            .expression_attribute_values(":hour", number(hour.0));
        held(self.update(update).await)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse::<DateTime<Utc>>().unwrap()
    }

    fn line(micros: u64, id: u128) -> Expiration {
        let id = ObjectId::from_parts("indicator", Uuid::from_u128(id));
        Expiration { expiry: Expiry(micros), id }
    }

    #[test]
    fn a_moment_is_rounded_up_and_due_from_then_on() {
        let expiry = Expiry::of(at("2026-05-15T08:30:00.0000001Z"));
        assert_eq!(expiry, Expiry::of(at("2026-05-15T08:30:00.000001Z")));
        assert!(!expiry.is_due(at("2026-05-15T08:30:00.000000999Z")));
        assert!(expiry.is_due(at("2026-05-15T08:30:00.000001Z")));
        assert!(Expiry::of(at("1969-12-31T00:00:00Z")).is_due(at("2026-05-15T08:30:00Z")));
    }

    #[test]
    fn hours_are_spelled_and_end() {
        let hour = Hour::of(at("2026-05-15T08:59:59.999Z"));
        assert_eq!(partition(hour), "EXPIRY#2026-05-15T08");
        assert_eq!(hour.next().to_string(), "2026-05-15T09");
        assert_eq!(Hour::of(at("9999-12-31T23:59:59.999Z")).to_string(), "9999-12-31T23");
        let grace = TimeDelta::minutes(10);
        assert!(!hour.is_over(at("2026-05-15T09:09:59Z"), grace));
        assert!(hour.is_over(at("2026-05-15T09:10:00Z"), grace));
    }

    #[test]
    fn what_is_past_is_listed_under_the_earliest_hour() {
        let earliest = Hour(5);
        let lines = [line(7 * MICROS_PER_HOUR, 1), line(MICROS_PER_HOUR, 2), line(9, 3)];
        let hours = by_hour(&lines, earliest);
        assert_eq!(hours.keys().copied().collect::<Vec<_>>(), [Hour(5), Hour(7)]);
        assert_eq!(hours[&Hour(5)], [line(9, 3), line(MICROS_PER_HOUR, 2)]);
    }

    #[test]
    fn a_line_takes_a_fortieth_of_a_write_unit() {
        let lines: Vec<Expiration> = (0..LINES_PER_ITEM as u64)
            .map(|n| line(1_800_000_000_000_000 + n * 7919, Uuid::new_v4().as_u128()))
            .collect();
        let item = list_item(Hour(500_000), &lines).unwrap();
        let bytes = item.required_bytes("z").unwrap().len();
        assert!(bytes / LINES_PER_ITEM <= 1024 / 40, "{bytes}");
    }

    proptest! {
        #[test]
        fn a_list_reads_back_as_it_was_written(
            ids in prop::collection::vec((any::<u64>(), any::<u128>()), 1..50),
        ) {
            let mut lines: Vec<_> = ids.into_iter().map(|(micros, id)| line(micros, id)).collect();
            lines.sort_unstable();
            let item = list_item(Hour(7), &lines).unwrap();
            let list = read_list(Hour(7), &item).unwrap();
            prop_assert_eq!(list.lines, lines);
            prop_assert!(list.sort_key.as_str() < "~");
        }
    }
}
