//! What a list of one facet's values says of each notification: enough to pass over those that do
//! not match, without reading them.

use sha2::{Digest, Sha256};

use super::filter::Selection;
use super::{Kind, Notification, NotificationId};
use crate::tlp::Tlp;

/// A set of tags as bits, four for each: no tag that is there is ever missed, and of those that
/// are not, one in a thousand is taken to be there while there are ten.
const TAG_BYTES: usize = 24;
const BITS_PER_TAG: usize = 4;
/// Kind, level, entity, source, tags.
const LENGTH: usize = 2 + 4 + 4 + TAG_BYTES;

/// A notification as a list has it: its other facets, hashed, and its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Which notification.
    pub id: NotificationId,
    /// Its kind.
    pub kind: Kind,
    /// Its TLP level when it was made.
    pub level: Tlp,
    /// When it ceases to be kept, in Unix seconds.
    pub expires: u64,
    entity: [u8; 4],
    source: [u8; 4],
    tags: [u8; TAG_BYTES],
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

fn short(text: &str) -> [u8; 4] {
    let [a, b, c, d, ..] = hash(text);
    [a, b, c, d]
}

/// The bits of a tag: byte and mask.
fn bits(tag: &str) -> impl Iterator<Item = (usize, u8)> {
    let digest = hash(tag);
    (0..BITS_PER_TAG).filter_map(move |number| {
        let pair = digest.get(number * 2..number * 2 + 2)?;
        let bit = pair.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)) % (TAG_BYTES * 8);
        Some((bit / 8, 1 << (bit % 8)))
    })
}

impl Posting {
    /// The posting of a notification.
    #[must_use]
    pub fn of(notification: &Notification) -> Self {
        let mut tags = [0; TAG_BYTES];
        for (byte, mask) in notification.tags.iter().flat_map(|tag| bits(tag)) {
            if let Some(byte) = tags.get_mut(byte) {
                *byte |= mask;
            }
        }
        Self {
            id: notification.id,
            kind: notification.kind(),
            level: notification.level,
            expires: notification.expires,
            entity: short(&notification.entity.id),
            source: short(&notification.source.id),
            tags,
        }
    }

    /// Whether the notification may match: a no is certain, a yes is to be looked at.
    #[must_use]
    pub fn may_match(&self, selection: &Selection) -> bool {
        selection.kinds.contains(self.kind)
            && selection.entities.iter().all(|id| short(id) == self.entity)
            && selection.sources.iter().all(|id| short(id) == self.source)
            && selection
                .tags
                .iter()
                .flat_map(|tag| bits(tag))
                .all(|(byte, mask)| self.tags.get(byte).is_some_and(|byte| byte & mask == mask))
    }

    /// The bytes a list's item carries.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend([self.kind.number(), level_number(self.level)]);
        bytes.extend(self.entity);
        bytes.extend(self.source);
        bytes.extend(self.tags);
        bytes
    }

    /// Reads what [`Posting::to_bytes`] wrote; `None` when it did not.
    #[must_use]
    pub fn from_bytes(id: NotificationId, expires: u64, bytes: &[u8]) -> Option<Self> {
        let ([kind, level], rest) = bytes.split_first_chunk()?;
        let (entity, rest) = rest.split_first_chunk()?;
        let (source, rest) = rest.split_first_chunk()?;
        Some(Self {
            id,
            kind: Kind::numbered(*kind)?,
            level: Tlp::ALL.into_iter().find(|tlp| level_number(*tlp) == *level)?,
            expires,
            entity: *entity,
            source: *source,
            tags: rest.try_into().ok()?,
        })
    }
}

fn level_number(level: Tlp) -> u8 {
    match level {
        Tlp::Clear => 0,
        Tlp::Green => 1,
        Tlp::Amber => 2,
        Tlp::AmberStrict => 3,
        Tlp::Red => 4,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::notification::testing::notification;

    proptest! {
        #[test]
        fn a_posting_reads_back_and_never_hides_its_own(
            tags in proptest::collection::vec("[a-z]{1,12}", 0..40),
            others in proptest::collection::vec("[A-Z]{1,12}", 1..4),
        ) {
            let mut whole = notification(7);
            whole.tags = tags;
            let posting = Posting::of(&whole);
            let read = Posting::from_bytes(posting.id, posting.expires, &posting.to_bytes());
            prop_assert_eq!(read, Some(posting));
            for tag in &whole.tags {
                let selection = Selection { tags: [tag.clone()].into(), ..Selection::everything() };
                prop_assert!(posting.may_match(&selection));
            }
            // What it says no to does not match.
            let selection =
                Selection { tags: others.into_iter().collect(), ..Selection::everything() };
            if !posting.may_match(&selection) {
                prop_assert!(!selection.matches(&whole));
            }
        }
    }

    #[test]
    fn what_is_no_posting_is_passed_over() {
        let posting = Posting::of(&notification(1));
        let bytes = posting.to_bytes();
        assert_eq!(bytes.len(), LENGTH);
        for bad in [&bytes[1..], &[16; LENGTH], &[0, 9], &[]] {
            assert_eq!(Posting::from_bytes(posting.id, 0, bad), None);
        }
    }
}
