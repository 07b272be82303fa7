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

    /// Whether a `HEAD` whose projection was settled knows nothing of this: the one who appended
    /// it was overtaken by another projector of the same revision, that went by a definition
    /// under which nothing was to be said.
    pub fn is_unknown_to(&self, head: &Head, log: LogId) -> bool {
        let known = head.memberships.get(&log).map(|membership| membership.place);
        self.last <= head.projected && known != self.place
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
    use super::*;

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

    #[test]
    fn history_alone_says_nothing_of_where_an_object_stands() {
        assert!(said(&[(3, Op::History)]).is_none());
        assert!(said(&[]).is_none());
    }
}
