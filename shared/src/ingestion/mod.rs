//! How objects come in, whichever door they take: decided against what is stored, written, and
//! answered one by one. Once answered, an object is stored and pending, so that projection
//! delivers it whatever dies meanwhile (contract: ingest, "What is promised").

mod decide;
mod outcome;
mod write;

use std::collections::HashMap;

use futures::stream::{self, StreamExt, TryStreamExt};

use crate::access::TenantId;
use crate::collection::Collection;
use crate::id::ObjectId;
use crate::ioc::{Ioc, IocError, IocRecord};
use crate::services::Services;
use crate::stix::StixObject;
use crate::store::{Head, StoreError};
use crate::tlp::Tlp;

pub use outcome::{Accepted, Kind, Outcome, Refusal, Refused};
pub use write::level_of;

/// Objects one request may hold.
pub const MAX_OBJECTS: usize = 10_000;

/// Versions or reports of one object a request may hold.
const MAX_VERSIONS: usize = 200;

/// Writes under way at once for one submission.
const CONCURRENCY: usize = 48;

/// Candidates of one id, with their places in the request.
type Group = Vec<(usize, Candidate)>;

/// On whose behalf objects come in, and where they go beside what filters select.
#[derive(Clone, Copy, Debug)]
pub struct Submission<'a> {
    /// The owner of what is new.
    pub owner: &'a TenantId,
    /// The writer's clearance.
    pub clearance: Tlp,
    /// The collection that takes them explicitly.
    pub into: Option<&'a Collection>,
}

/// What comes in.
#[derive(Clone, Debug)]
pub enum Candidate {
    /// A STIX object.
    Object(Box<StixObject>),
    /// A plain IOC.
    Ioc(Box<Ioc>),
    /// Something that was refused before it came this far.
    Refused(Refused),
}

impl Candidate {
    /// Reads a STIX object.
    #[must_use]
    pub fn read(raw: &[u8]) -> Self {
        match StixObject::parse(raw, chrono::Utc::now()) {
            Ok(object) => Self::Object(Box::new(object)),
            Err(rejection) => {
                let (id, version) = seen_in(raw);
                Self::Refused(Refused { id, version, why: rejection.into() })
            }
        }
    }

    /// An object that is too large to be read at all.
    #[must_use]
    pub fn too_large(id: Option<String>, bytes: u64) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let why = crate::stix::Rejection::TooLarge(bytes).into();
        Self::Refused(Refused { id, version: None, why })
    }

    /// Checks a plain IOC.
    #[must_use]
    pub fn of_ioc(record: Result<IocRecord, IocError>) -> Self {
        match record.and_then(IocRecord::check) {
            Ok(ioc) => Self::Ioc(Box::new(ioc)),
            Err(fault) => Self::Refused(Refused { id: None, version: None, why: fault.into() }),
        }
    }

    fn id(&self, owner: &TenantId) -> Option<ObjectId> {
        match self {
            Self::Object(object) => Some(object.facets.id.clone()),
            Self::Ioc(ioc) => {
                Some(crate::ioc::indicator_id(owner.as_str(), ioc.kind(), ioc.value()))
            }
            Self::Refused(_) => None,
        }
    }
}

/// The id and version of a refused object, as far as they can be read: its sender wants to know
/// which one it was.
fn seen_in(raw: &[u8]) -> (Option<String>, Option<String>) {
    #[derive(serde::Deserialize)]
    struct Seen {
        id: Option<serde_json::Value>,
        modified: Option<serde_json::Value>,
    }
    let text = |value: Option<serde_json::Value>| {
        value.as_ref().and_then(|value| value.as_str()).map(|text| text.chars().take(300).collect())
    };
    match serde_json::from_slice::<Seen>(raw) {
        Ok(seen) => (text(seen.id), text(seen.modified)),
        Err(_) => (None, None),
    }
}

/// Takes candidates in. The outcomes stand in the candidates' order; one bad object never
/// refuses its neighbours. Objects with the same id are taken in the order in which they came.
///
/// # Errors
/// When the store fails: what was written by then stays, and sending all again is harmless.
pub async fn submit(
    services: &Services,
    submission: Submission<'_>,
    candidates: Vec<Candidate>,
) -> Result<Vec<Outcome>, StoreError> {
    let mut outcomes: Vec<Option<Outcome>> = candidates.iter().map(|_| None).collect();
    let mut groups: HashMap<ObjectId, Group> = HashMap::new();
    for (index, candidate) in candidates.into_iter().enumerate() {
        match (candidate.id(submission.owner), candidate) {
            (_, Candidate::Refused(refused)) => outcomes[index] = Some(Outcome::Refused(refused)),
            (Some(id), candidate) => groups.entry(id).or_default().push((index, candidate)),
            (None, _) => {}
        }
    }
    for (id, group) in &mut groups {
        // Each version is a write of its own, and all of one object come one after the other.
        for (index, _) in group.drain(group.len().min(MAX_VERSIONS)..) {
            let why = Refusal::TooManyVersions;
            let refused = Refused { id: Some(id.to_string()), version: None, why };
            outcomes[index] = Some(Outcome::Refused(refused));
        }
    }
    let ids: Vec<ObjectId> = groups.keys().cloned().collect();
    // Read consistently: what is answered without a write is decided by this alone.
    let mut known = services.store().heads(&ids, true).await?;

    let mut stages = [const { Vec::new() }; STAGES];
    for group in groups {
        stages[stage(&group.0)].push(group);
    }
    for stage in stages {
        let work: Vec<(Option<Head>, Group)> =
            stage.into_iter().map(|(id, group)| (known.remove(&id), group)).collect();
        let taken: Vec<Vec<(usize, Outcome)>> = stream::iter(work)
            .map(|(head, group)| take_group(services, submission, head, group))
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        for (index, outcome) in taken.into_iter().flatten() {
            outcomes[index] = Some(outcome);
        }
    }
    Ok(outcomes.into_iter().flatten().collect())
}

/// How many stages objects of a request are written in.
const STAGES: usize = 4;

/// What others name comes before them, so that they are judged and told with it: marking
/// definitions, then authors, then all else but what joins it.
fn stage(id: &ObjectId) -> usize {
    match id.object_type() {
        "marking-definition" => 0,
        "identity" => 1,
        "relationship" | "sighting" => 3,
        _ => 2,
    }
}

/// Objects with one id, one after the other.
async fn take_group(
    services: &Services,
    submission: Submission<'_>,
    mut head: Option<Head>,
    group: Group,
) -> Result<Vec<(usize, Outcome)>, StoreError> {
    let mut outcomes = Vec::with_capacity(group.len());
    for (index, candidate) in group {
        // Boxed: many groups are under way at once, and the future is large.
        let taken = Box::pin(write::take(services, submission, head.take(), candidate));
        let (outcome, present) = taken.await?;
        head = present;
        outcomes.push((index, outcome));
    }
    Ok(outcomes)
}

/// Deletes an object: leaves a tombstone at the highest known version, which every collection
/// follows (contract: ingest, "Deletion"). `None` when there is no such object.
///
/// # Errors
/// When the store fails.
pub async fn delete(
    services: &Services,
    owner: &TenantId,
    id: &ObjectId,
) -> Result<Option<Outcome>, StoreError> {
    write::delete(services, owner, id).await
}
