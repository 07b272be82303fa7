//! What such a job is, and how its item is written.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::item::{Item, ReadItem, binary, key, number};
use super::super::{Path, StoreError, codec};
use crate::access::TenantId;
use crate::id::ObjectId;
use crate::notification::NotificationId;
use crate::subscription::SubscriptionSource;
use crate::time::Position;
use crate::tlp::Tlp;

/// The partition of all of them in either table, so that one Query finds them, and a stream's
/// filter too.
pub(super) const PARTITION: &str = "NOTIFY";
pub(super) const DELETION: &str = "DELETE#";
const FEED: &str = "FEED#";
const WALK: &str = "WALK#";

/// A tenant's deletion by filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionJob {
    /// Whose notifications.
    pub tenant: TenantId,
    /// Which, as a filter without ages.
    pub filter: String,
    /// Only what was stored before this.
    pub called: Position,
    /// Only what the caller may see.
    pub clearance: Tlp,
    /// Everything up to here is done, newest first.
    pub reached: Option<NotificationId>,
}

/// Why subscribers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// Something entered the collection, or came that relates it to the actor, at this moment.
    Came(Position),
    /// Something that is told of got a lower level at this moment: who was told it already has it
    /// at that, and nobody else is told.
    Fell(Position),
    /// Something that is told of got a higher level at this moment: who was told it keeps it at
    /// that, out of the way of those who may not see it any more.
    Rose(Position),
}

impl Cause {
    /// The moment.
    #[must_use]
    pub const fn position(self) -> Position {
        match self {
            Self::Came(position) | Self::Fell(position) | Self::Rose(position) => position,
        }
    }
}

/// An indicator that subscribers are to be told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fed {
    /// The indicator.
    pub object: ObjectId,
    /// Why.
    pub cause: Cause,
    /// The ways that lead to the actor; any of them will do.
    pub ways: Vec<Way>,
}

/// A way from an indicator to a threat actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// The relationship that begins at the indicator.
    pub first: ObjectId,
    /// The malware or campaign it leads to, and the relationship from there to the actor; none
    /// where the first leads to the actor.
    pub onward: Option<(ObjectId, ObjectId)>,
}

/// Which actors an indicator, malware or campaign leads to, as far as nobody looked yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalkJob {
    /// The indicator, malware or campaign.
    pub object: ObjectId,
    /// Why: it was accepted, or the relationship it became related by, or has another level.
    pub cause: Cause,
    /// Only by this path from it, if one is named.
    pub only: Option<Path>,
    /// The last path from it that is done.
    pub done: Option<Path>,
    /// A path from it of which only a part is done: that, and the last one onward from its end.
    pub within: Option<(Path, Option<Path>)>,
}

/// What a source's subscribers are to be told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeedPlace {
    /// These indicators.
    Objects(Vec<Fed>),
    /// All indicators of a malware or campaign, which came to be attributed to the actor.
    Carrier {
        /// The malware or campaign.
        carrier: ObjectId,
        /// The relationship that attributes it.
        relationship: ObjectId,
        /// Why: that was accepted, or has another level.
        cause: Cause,
        /// The last indicator that is done, and the relationship it comes by.
        reached: Option<(ObjectId, ObjectId)>,
    },
    /// All that is related to the actor, which has another level.
    Actor {
        /// Why.
        cause: Cause,
        /// The last indicator, malware or campaign that is done, and the relationship it comes by.
        reached: Option<(ObjectId, ObjectId)>,
    },
}

/// How far the telling of one indicator came. The counts hold for this indicator with these values
/// at these levels and for no other: what changed meanwhile is told of from its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// The indicator.
    pub object: ObjectId,
    /// A digest of its values, in their order, and of the levels at which it is told.
    pub values: [u8; 16],
    /// How many of them all subscribers were told of.
    pub values_done: usize,
    /// The last subscriber that was told of the values after those.
    pub subscriber: Option<TenantId>,
}

/// One feeding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedJob {
    /// What is subscribed to.
    pub source: SubscriptionSource,
    /// What there is to tell.
    pub place: FeedPlace,
    /// How many objects of the present part are done.
    pub objects_done: usize,
    /// How far the object after those came, if it was begun.
    pub telling: Option<Telling>,
    /// Its name: the same for the same thing to tell.
    name: String,
}

#[derive(Serialize, Deserialize)]
struct FeedBody {
    kind: String,
    id: String,
    place: FeedPlace,
    objects_done: usize,
    telling: Option<Telling>,
}

impl FeedJob {
    /// What is to be told of `source` to all who subscribe to it.
    ///
    /// # Errors
    /// None that is known: what a job holds can be written.
    pub fn new(source: SubscriptionSource, place: FeedPlace) -> Result<Self, StoreError> {
        let name = digest_of(&postcard::to_allocvec(&(source.to_string(), &place))?);
        Ok(Self { source, place, objects_done: 0, telling: None, name })
    }
}

/// A name that says all that is told.
fn digest_of(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    let digits = digest.iter().take(16).flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|half| char::from_digit(u32::from(half), 16)).collect()
}

/// A job's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobName(pub(super) String);

impl std::fmt::Display for JobName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A job of either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotificationJob {
    /// Deletes.
    Deletion(DeletionJob),
    /// Feeds.
    Feed(FeedJob),
    /// Looks for what there is to feed.
    Walk(WalkJob),
}

impl NotificationJob {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> JobName {
        JobName(match self {
            Self::Deletion(job) => format!("{DELETION}{}", job.tenant),
            Self::Feed(job) => format!("{FEED}{}", job.name),
            // However far it came.
            Self::Walk(job) => {
                let by = job.only.as_ref().map_or("", |path| path.relationship.as_str());
                let whole = format!("{} {:?} {by}", job.object, job.cause);
                format!("{WALK}{}", digest_of(whole.as_bytes()))
            }
        })
    }

    pub(super) fn to_item(&self, beat: Position) -> Result<Item, StoreError> {
        let body = match self {
            Self::Deletion(job) => postcard::to_allocvec(job)?,
            Self::Feed(job) => postcard::to_allocvec(&FeedBody {
                kind: job.source.kind().to_string(),
                id: job.source.id(),
                place: job.place.clone(),
                objects_done: job.objects_done,
                telling: job.telling.clone(),
            })?,
            Self::Walk(job) => postcard::to_allocvec(job)?,
        };
        let mut item = key(PARTITION, self.name().0);
        item.insert("z".into(), binary(codec::compress(&body)?));
        item.insert("beat".into(), number(beat.micros()));
        if let Self::Deletion(job) = self {
            item.insert("cal".into(), number(job.called.micros()));
        }
        Ok(item)
    }

    /// Holds for this very job: a tenant's next deletion has the same name, but was called at
    /// another moment. A feeding's name says all that it tells.
    pub(super) fn itself(&self) -> (&'static str, Option<Item>) {
        match self {
            Self::Deletion(job) => {
                let called = number(job.called.micros());
                ("cal = :called", Some(Item::from([(":called".to_owned(), called)])))
            }
            Self::Feed(_) | Self::Walk(_) => ("attribute_exists(id)", None),
        }
    }

    pub(super) fn from_item(item: &Item) -> Result<Self, StoreError> {
        let sk = item.text("sk")?;
        let body = codec::expand(item.required_bytes("z")?)?;
        if sk.starts_with(DELETION) {
            return Ok(Self::Deletion(postcard::from_bytes(&body)?));
        }
        if sk.starts_with(WALK) {
            return Ok(Self::Walk(postcard::from_bytes(&body)?));
        }
        let damaged = || StoreError::Damaged(format!("job {sk}"));
        let name = sk.strip_prefix(FEED).ok_or_else(damaged)?.to_owned();
        let body: FeedBody = postcard::from_bytes(&body)?;
        let source = SubscriptionSource::parse(&body.kind, &body.id).map_err(|_| damaged())?;
        let FeedBody { place, objects_done, telling, .. } = body;
        Ok(Self::Feed(FeedJob { source, place, objects_done, telling, name }))
    }
}

/// The job a stream record's keys name, if it is one.
#[must_use]
pub fn notification_job_named(id: &str, sk: &str) -> Option<JobName> {
    (id == PARTITION).then(|| JobName(sk.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(kind: &str) -> ObjectId {
        ObjectId::from_parts(kind, uuid::Uuid::from_u128(7))
    }

    #[test]
    fn a_job_reads_back_as_it_was_written() {
        let deletion = DeletionJob {
            tenant: "acme".parse().unwrap(),
            filter: "tag:\"a b\"".to_owned(),
            called: Position::from_micros(9),
            clearance: Tlp::Amber,
            reached: Some(NotificationId::MAX),
        };
        let fed = Fed {
            object: id("indicator"),
            cause: Cause::Came(Position::from_micros(8)),
            ways: vec![
                Way { first: id("relationship"), onward: None },
                Way {
                    first: id("relationship"),
                    onward: Some((id("malware"), id("relationship"))),
                },
            ],
        };
        let path =
            Path { from: id("indicator"), to: id("malware"), relationship: id("relationship") };
        let walk = NotificationJob::Walk(WalkJob {
            object: id("indicator"),
            cause: Cause::Fell(Position::from_micros(4)),
            only: None,
            done: Some(path.clone()),
            within: Some((path.clone(), Some(path))),
        });
        let carrier = FeedPlace::Carrier {
            carrier: id("malware"),
            relationship: id("relationship"),
            cause: Cause::Came(Position::from_micros(3)),
            reached: Some((id("indicator"), id("relationship"))),
        };
        let actor = SubscriptionSource::ThreatActor(id("threat-actor"));
        let feeds = [FeedPlace::Objects(vec![fed]), carrier].map(|place| {
            let mut job = FeedJob::new(actor.clone(), place).unwrap();
            job.telling = Some(Telling {
                object: id("indicator"),
                values: [7; 16],
                values_done: 3,
                subscriber: Some("acme".parse().unwrap()),
            });
            NotificationJob::Feed(job)
        });
        assert_ne!(feeds[0].name(), feeds[1].name());
        for job in feeds.into_iter().chain([NotificationJob::Deletion(deletion), walk]) {
            let item = job.to_item(Position::from_micros(5)).unwrap();
            assert_eq!(NotificationJob::from_item(&item).unwrap(), job);
            let named = notification_job_named("NOTIFY", item.text("sk").unwrap());
            assert_eq!(named, Some(job.name()));
        }
        assert_eq!(notification_job_named("JOBS", "SWEEP"), None);
    }
}
