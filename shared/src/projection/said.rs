//! What a log says of objects, whatever their `HEAD`s know of it.

use super::view::{Trace, View};
use crate::id::ObjectId;
use crate::log::{LogId, Op, Place};
use crate::store::{Head, Store, StoreError};
use crate::time::Position;

/// What a log's entries since a moment say of one object.
#[derive(Debug)]
pub(crate) struct Said {
    /// The object.
    pub id: ObjectId,
    /// The lowest revision among the entries.
    pub first: u64,
    /// The highest.
    last: u64,
    /// Where the object stands by the last of them; nowhere once it left.
    place: Option<Place>,
}

impl Said {
    /// What `traces`, in order, say of `id`; nothing if none of them tells where it stands.
    pub fn of(id: &str, traces: &[&Trace]) -> Option<Self> {
        let telling = |trace: &&&Trace| trace.op != Op::History;
        let newest = traces.iter().rfind(telling)?;
        Some(Self {
            id: id.parse().ok()?,
            first: traces.iter().map(|trace| trace.revision).min()?,
            last: traces.iter().map(|trace| trace.revision).max()?,
            place: (!matches!(newest.op, Op::Leave | Op::Unrelate)).then_some(newest.place),
        })
    }

    /// Whether a `HEAD` knows nothing of this, or may not once it is settled: who appended it was,
    /// or is about to be, overtaken by another projector of the same revision, that goes by a
    /// definition under which nothing is to be said.
    pub fn is_unknown_to(&self, head: &Head, log: LogId) -> bool {
        let known = head.memberships.get(&log).map(|membership| membership.place);
        (head.pending.is_some() || self.last <= head.projected) && known != self.place
    }
}

/// What the entries of `log` from `since` on say, object by object.
pub(crate) async fn said_since(
    store: &Store,
    log: LogId,
    since: Position,
) -> Result<Vec<Said>, StoreError> {
    let mut view = View::default();
    view.ensure(store, log, since).await?;
    Ok(view.said_since(since))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::access::TenantId;
    use crate::log::{CollectionId, Membership};
    use crate::stix::StixObject;
    use crate::store::State;

    const ID: &str = "indicator--00000000-0000-4000-8000-000000000001";

    fn trace(revision: u64, op: Op) -> Trace {
        Trace {
            revision,
            op,
            version: "2026-01-01T00:00:00Z".into(),
            place: Place { seq: revision, index: 0 },
            position: Position::from_micros(revision),
            entered: Position::from_micros(1),
            replaces: None,
            oldest: true,
        }
    }

    fn said(ops: &[(u64, Op)]) -> Option<Said> {
        let traces: Vec<Trace> = ops.iter().map(|(revision, op)| trace(*revision, *op)).collect();
        Said::of(ID, &traces.iter().collect::<Vec<_>>())
    }

    #[test]
    fn an_object_stands_where_the_newest_entry_that_tells_it_says() {
        let entered = said(&[(3, Op::Enter), (5, Op::Update), (6, Op::History)]).unwrap();
        assert_eq!((entered.first, entered.last), (3, 6));
        assert_eq!(entered.place, Some(Place { seq: 5, index: 0 }));
        for op in [Op::Leave, Op::Unrelate] {
            assert_eq!(said(&[(3, Op::Enter), (4, op)]).unwrap().place, None);
        }
    }

    fn head(projected: u64, pending: bool) -> Head {
        let json = r#"{"type":"malware","spec_version":"2.1","id":"malware--00000000-0000-4000-8000-000000000001","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"Example","is_family":false}"#;
        let object = StixObject::parse(json.as_bytes(), chrono::Utc::now()).unwrap();
        Head {
            facets: object.facets,
            json: object.json,
            content: object.content,
            owner: TenantId::operator(),
            revision: 4,
            projected,
            pending: pending.then_some(Position::from_micros(1)),
            quiet: 0,
            deleted: false,
            memberships: BTreeMap::new(),
            state: State::default(),
            known_at: std::time::Instant::now(),
        }
    }

    #[test]
    fn a_head_that_is_settled_without_it_or_about_to_be_knows_nothing_of_it() {
        let log = LogId::Collection(CollectionId(uuid::Uuid::nil()));
        let said = said(&[(4, Op::Enter)]).unwrap();
        assert!(said.is_unknown_to(&head(4, false), log));
        assert!(said.is_unknown_to(&head(3, true), log));
        let mut knowing = head(4, false);
        let place = Place { seq: 4, index: 0 };
        let position = Position::from_micros(4);
        let membership =
            Membership { place, position, entered: position, version: None, related: false };
        knowing.memberships.insert(log, membership);
        assert!(!said.is_unknown_to(&knowing, log));
    }

    #[test]
    fn history_alone_says_nothing_of_where_an_object_stands() {
        assert!(said(&[(3, Op::History)]).is_none());
        assert!(said(&[]).is_none());
    }
}
