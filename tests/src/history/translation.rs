//! What the model says, in the product's words, and the other way round.

use serde_json::json;
use shared::access::TenantId;
use shared::collection::CollectionSettings;
use shared::ingestion::{Kind as Taken, Outcome, Refusal};

use crate::lab::acme;
use crate::model::{Answer, Definition, Kind, Owner};

/// Relationships join objects that are none.
pub(crate) fn kinds(kinds: &[Kind]) -> Vec<Kind> {
    let plain: Vec<usize> =
        (0..kinds.len()).filter(|at| !matches!(kinds[*at], Kind::Relationship { .. })).collect();
    let mut marking = false;
    let kind = |kind: &Kind| match *kind {
        Kind::Relationship { .. } if plain.is_empty() => Kind::Malware,
        Kind::Relationship { source, target } => Kind::Relationship {
            source: plain[source % plain.len()],
            target: plain[target % plain.len()],
        },
        // One is enough.
        Kind::Marking if std::mem::replace(&mut marking, true) => Kind::Malware,
        other => other,
    };
    kinds.iter().map(kind).collect()
}

pub(crate) fn settings(at: usize, definition: &Definition) -> CollectionSettings {
    let writers = if definition.open { vec![acme().as_str().to_owned()] } else { Vec::new() };
    let settings = json!({
        "title": format!("Collection {at}"),
        "filter": definition.choice.json(),
        "ceiling": definition.ceiling.name(),
        "writers": writers,
    });
    serde_json::from_value(settings).expect("the settings are read")
}

pub(crate) fn tenant(owner: Owner) -> TenantId {
    match owner {
        Owner::Operator => TenantId::operator(),
        Owner::Acme => acme(),
    }
}

pub(super) fn answer(outcome: &Outcome) -> Result<Answer, String> {
    match outcome {
        Outcome::Accepted(taken) => Ok(match taken.kind {
            Taken::Created => Answer::Created,
            Taken::Updated => Answer::Updated,
            Taken::Unchanged => Answer::Unchanged,
            Taken::Stale => Answer::Stale,
            Taken::Deleted => Answer::Deleted,
        }),
        Outcome::Refused(refused) => match &refused.why {
            Refusal::NotOwner => Ok(Answer::NotOwner),
            Refusal::RemovedHere => Ok(Answer::Removed),
            Refusal::AboveCeiling { .. } => Ok(Answer::Above),
            other => Err(format!("refused: {other}")),
        },
    }
}
