//! The notifications table: a tenant's notifications in the order of their ids, and lists of them
//! by facet, split so that what a filter asks for lies together.

mod delete;
mod kinds;
mod list;
mod once;
mod read;
mod transact;

use super::item::{Item, ReadItem, binary, key, number};
use super::{Store, StoreError, codec};
use crate::access::TenantId;
use crate::notification::{Notification, Posting};

pub use kinds::Noted;
pub use list::List;
pub use once::{Once, PutNotification};
pub use read::{Part, Range};

use list::main_partition;

fn main_item(tenant: &TenantId, notification: &Notification) -> Result<Item, StoreError> {
    let mut item = key(main_partition(tenant), notification.id.to_string());
    item.insert("z".into(), binary(codec::compress(&postcard::to_allocvec(notification)?)?));
    item.insert("ttl".into(), number(notification.expires));
    Ok(item)
}

fn posting_item(tenant: &TenantId, list: &List, posting: &Posting) -> Item {
    let mut item = key(list.partition(tenant), posting.id.to_string());
    item.insert("f".into(), binary(posting.to_bytes()));
    item.insert("ttl".into(), number(posting.expires));
    item
}

fn items(tenant: &TenantId, notification: &Notification) -> Result<Vec<Item>, StoreError> {
    let posting = Posting::of(notification);
    let lists = List::of(notification);
    let postings = lists.iter().map(|list| posting_item(tenant, list, &posting));
    Ok(std::iter::once(main_item(tenant, notification)?).chain(postings).collect())
}

fn read_main(item: &Item) -> Result<Notification, StoreError> {
    Ok(postcard::from_bytes(&codec::expand(item.required_bytes("z")?)?)?)
}

/// One that cannot be read is passed over, and told to the operator: it never fails a page.
fn readable(item: &Item) -> Option<Notification> {
    match read_main(item) {
        Ok(notification) => Some(notification),
        Err(error) => {
            tracing::error!(%error, id = item.text("sk").unwrap_or_default(), "a notification cannot be read");
            None
        }
    }
}

fn read_posting(item: &Item) -> Option<Posting> {
    let id = item.text("sk").ok()?.parse().ok()?;
    let expires = item.required_number("ttl").ok()?;
    Posting::from_bytes(id, expires, item.bytes("f")?)
}

impl Store {
    fn seconds_now(&self) -> u64 {
        u64::try_from(self.now().timestamp()).unwrap_or(0)
    }
}

/// What a builder made: it fails only when a required member was forgotten.
fn built<T, E: std::fmt::Display>(made: Result<T, E>) -> Result<T, StoreError> {
    made.map_err(|error| StoreError::Unavailable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::kinds::kinds_key;
    use super::*;
    use crate::notification::testing::notification;

    /// What an item's attributes count, as `DynamoDB` counts them.
    fn size(item: &Item) -> usize {
        let value = |value: &AttributeValue| match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::B(bytes) => bytes.as_ref().len(),
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
            _ => 0,
        };
        item.iter().map(|(name, attribute)| name.len() + value(attribute)).sum()
    }

    #[test]
    fn a_posting_has_a_hundred_bytes_at_most_whatever_it_is_of() {
        let tenant: TenantId = "t".repeat(63).parse().unwrap();
        let mut one = notification(1);
        one.tags = (0..40).map(|number| format!("{number}-{}", "x".repeat(190))).collect();
        let posting = Posting::of(&one);
        for list in List::of(&one) {
            let item = posting_item(&tenant, &list, &posting);
            assert!(size(&item) <= 100, "{list:?}: {}", size(&item));
            assert_eq!(read_posting(&item), Some(posting));
        }
    }

    #[test]
    fn lists_of_different_things_lie_apart() {
        let [a, b]: [TenantId; 2] = ["a".parse().unwrap(), "b".parse().unwrap()];
        let one = notification(1);
        let mut places: Vec<String> = List::of(&one)
            .iter()
            .flat_map(|list| [list.partition(&a), list.partition(&b)])
            .chain(
                [Noted::All, Noted::Tag(""), Noted::Tag("all"), Noted::Source("all")]
                    .map(|of| kinds_key(&a, of))
                    .map(|key| key.text("id").unwrap().to_owned()),
            )
            .collect();
        let count = places.len();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), count);
    }

    #[test]
    fn a_notification_reads_back() {
        let one = notification(3);
        let item = main_item(&"acme".parse().unwrap(), &one).unwrap();
        assert_eq!(read_main(&item).unwrap(), one);
        assert!(readable(&key("N#acme", one.id.to_string())).is_none());
    }
}
