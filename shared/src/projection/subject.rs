//! An object on its way into the logs, and where it belongs.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::belonging::above_ceilings;
use super::{definitions, expirations, wanted};
use crate::id::ObjectId;
use crate::log::LogId;
use crate::services::{Definitions, Services};
use crate::store::{Head, OldVersion, StoreError};
use crate::time::Version;
use crate::tlp::Tlp;

/// An object on its way into the logs.
pub(super) struct Subject {
    pub(super) head: Head,
    /// The level of its newest version.
    pub(super) level: Tlp,
    /// The highest level of those before it that were never projected.
    pub(super) passed: Option<Tlp>,
    pub(super) older: Vec<OldVersion>,
    /// The logs it belongs in.
    pub(super) wanted: HashSet<LogId>,
    /// The logs in which one of its ends is a member (relationships and sightings only).
    pub(super) related: HashSet<LogId>,
    /// The logs in which one of its ends is a member though it is deleted itself.
    pub(super) parted: HashSet<LogId>,
    /// The logs in which older versions that were never projected belong.
    pub(super) history: HashSet<(LogId, Version)>,
    /// The logs that older versions are above the ceiling of.
    pub(super) above: HashSet<(LogId, Version)>,
    /// The logs that another projector may be about to put an earlier revision into.
    pub(super) in_flight: HashSet<LogId>,
}

impl Subject {
    /// Works out where an object belongs at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn describe(
        services: &Services,
        definitions: &Definitions,
        mut head: Head,
        ends: &HashMap<ObjectId, Head>,
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        definitions::forget_deleted(definitions, &mut head);
        let since = Some(head.known_at);
        let level = crate::ingestion::level_of(services, &head.facets, &head.owner, since).await?;
        let now = expirations::judged_at(now, head.pending.unwrap_or_default());
        let wanted = wanted::logs(definitions, &head, level, now);
        let related = wanted::related(definitions, &head, level, ends);
        let parted = wanted::parted(definitions, &head, ends);
        let leaves = head.memberships.keys().any(|log| !wanted.contains(log));
        let needs_older = head.state.has_older
            && (leaves
                || !head.state.history.is_empty()
                || !head.state.removals.is_empty()
                || asked_anew(&head));
        let older = if needs_older {
            services.store().older_versions(head.id()).await?
        } else {
            Vec::new()
        };
        let (mut history, mut passed) = (HashSet::new(), None);
        for old in older.iter().filter(|old| head.state.history.contains(&old.facets.version)) {
            let level =
                crate::ingestion::level_of(services, &old.facets, &head.owner, since).await?;
            passed = passed.max(Some(level));
            let logs = wanted::collections(definitions, &head, &old.facets, level);
            history.extend(logs.map(|log| (log, old.facets.version.clone())));
        }
        let above = above_ceilings(services, definitions, &head, &older).await?;
        let in_flight = if head.revision > head.projected + 1 {
            wanted::in_flight(definitions, &head, &older)
        } else {
            HashSet::new()
        };
        Ok(Self { head, level, passed, older, wanted, related, parted, history, above, in_flight })
    }

    /// The logs that may have something to say of an object. An object with a revision that was
    /// never projected may stand in a log of which its `HEAD` knows nothing, so all are looked at.
    pub(super) fn logs_to_look_at(&self, definitions: &Definitions) -> HashSet<LogId> {
        let head = &self.head;
        let mut logs: HashSet<LogId> = head.memberships.keys().copied().collect();
        logs.extend(&self.wanted);
        logs.extend(&self.related);
        logs.extend(&self.parted);
        logs.extend(&self.in_flight);
        if head.revision > head.projected + 1 {
            let all = definitions.iter().map(|defined| LogId::Collection(defined.collection.id));
            logs.extend(all);
            if head.facets.is_indicator() {
                let versions = self.older.iter().map(|old| &old.facets);
                logs.extend(wanted::possible_indicator_logs(versions.chain([&head.facets])));
            }
        }
        logs
    }
}

/// Whether something else than a new version asks for the projection, perhaps among others.
fn asked_anew(head: &Head) -> bool {
    head.revision > head.projected + 1
        || head.memberships.values().any(|known| known.version.is_none() && !known.related)
}
