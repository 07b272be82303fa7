//! The versions of named objects that are in a collection: one read per object, and one more
//! where other versions than the newest are asked for.

use std::collections::HashMap;

use futures::stream::{self, StreamExt, TryStreamExt};
use shared::id::ObjectId;
use shared::log::{CollectionId, LogId, Membership, Op, Reader};
use shared::services::Services;
use shared::stix::SpecVersion;
use shared::store::{Head, OldVersion, Store, StoreError};
use shared::time::{Position, Timestamp, Version};

use crate::page::Item;
use crate::selection::{Selection, Versions};

/// Objects looked up side by side.
const CONCURRENCY: usize = 16;

/// The versions of `ids` that are in the collection and selected, in order of position.
pub async fn members(
    services: &Services,
    collection: CollectionId,
    ids: &[ObjectId],
    selection: &Selection,
) -> Result<Vec<Item>, StoreError> {
    let store = services.store();
    let mut unique = ids.to_vec();
    unique.sort();
    unique.dedup();
    unique.retain(|id| selection.takes_type(id.object_type()));
    let heads: HashMap<ObjectId, Head> = store.heads(&unique, true).await?;
    let versions: Vec<Vec<Item>> = stream::iter(heads.into_values())
        .map(|head| async move {
            let kept = versions_of(store, collection, &head, &selection.versions).await?;
            Ok::<_, StoreError>(select(&kept, &selection.versions))
        })
        .buffer_unordered(CONCURRENCY)
        .try_collect()
        .await?;
    let mut items: Vec<Item> = versions
        .into_iter()
        .flatten()
        .filter(|item| selection.takes_spec(item.spec_version))
        .collect();
    items.sort_by_key(|item| item.position);
    Ok(items)
}

/// A version that is in a collection.
pub struct Held {
    /// The version.
    pub version: Version,
    /// Whether it is the current one.
    pub current: bool,
    item: Item,
}

impl Held {
    /// The specification the version is written in.
    pub fn spec_version(&self) -> SpecVersion {
        self.item.spec_version
    }
}

/// The versions of an object in the collection: all of them, or only the current one where no
/// other is asked for.
pub async fn versions_of(
    store: &Store,
    collection: CollectionId,
    head: &Head,
    wanted: &Versions,
) -> Result<Vec<Held>, StoreError> {
    let log = LogId::Collection(collection);
    let mut kept = recorded(store, log, head, wanted).await?;
    if let Some(since) = head.pending {
        follow(store, log, head, since, &mut kept).await?;
    }
    kept.retain(|kept| !head.removed_from(collection, &kept.version));
    Ok(kept)
}

/// The versions that the object's own items say are in the log.
async fn recorded(
    store: &Store,
    log: LogId,
    head: &Head,
    wanted: &Versions,
) -> Result<Vec<Held>, StoreError> {
    let Some(membership) = head.memberships.get(&log).filter(|m| !m.related) else {
        return Ok(Vec::new());
    };
    let current = head.version_in(membership).clone();
    let mut kept = Vec::new();
    let others = head.state.has_older && !wanted.only_last();
    let older: Vec<OldVersion> = if others {
        store.older_versions(head.id()).await?
    } else if current == *head.version() {
        Vec::new()
    } else {
        store.older_version(head.id(), &current).await?.into_iter().collect()
    };
    if current == *head.version() {
        kept.push(hold(&head.facets, &head.json, membership, true));
    }
    for old in &older {
        if old.facets.version == current {
            kept.push(hold(&old.facets, &old.json, membership, true));
        } else if let Some(entry) =
            old.entries.get(&log).filter(|entry| entry.position >= membership.entered)
        {
            kept.push(hold(&old.facets, &old.json, entry, false));
        }
    }
    Ok(kept)
}

/// Clocks of machines differ by less.
const CLOCK_MARGIN_MICROS: u64 = 10_000_000;

/// An object on its way into the logs may stand in this one already though its items do not say
/// so yet: what the log says since it became pending comes on top.
async fn follow(
    store: &Store,
    log: LogId,
    head: &Head,
    since: Position,
    kept: &mut Vec<Held>,
) -> Result<(), StoreError> {
    let mut reader = Reader::new(store, log, since.minus(CLOCK_MARGIN_MICROS), None).await?;
    while let Some(seen) = reader.next(100).await? {
        if seen.entry.id != head.id().as_str() {
            continue;
        }
        match seen.entry.op {
            Op::Leave | Op::Enter => kept.clear(),
            Op::Update => kept.iter_mut().for_each(|kept| kept.current = false),
            Op::History | Op::Related | Op::Unrelate => {}
        }
        if let Ok(version) = seen.entry.version.parse::<Timestamp>().map(Version)
            && seen.present
        {
            kept.retain(|kept| kept.version != version);
            kept.push(Held { version, current: seen.current, item: Item::from(seen.entry) });
        }
    }
    Ok(())
}

fn hold(facets: &shared::stix::Facets, json: &str, membership: &Membership, current: bool) -> Held {
    Held {
        version: facets.version.clone(),
        current,
        item: Item {
            position: membership.position,
            id: facets.id.to_string(),
            version: facets.version.to_string(),
            spec_version: facets.spec_version,
            body: json.to_owned(),
        },
    }
}

/// Those of the versions that are asked for.
pub fn choose<'a>(kept: &'a [Held], wanted: &Versions) -> Vec<&'a Held> {
    let oldest = kept.iter().map(|kept| &kept.version).min();
    kept.iter()
        .filter(|kept| {
            wanted.all
                || (wanted.last && kept.current)
                || (wanted.first && Some(&kept.version) == oldest)
                || wanted.exact.contains(&kept.version)
        })
        .collect()
}

fn select(kept: &[Held], wanted: &Versions) -> Vec<Item> {
    choose(kept, wanted).into_iter().map(|kept| kept.item.clone()).collect()
}
