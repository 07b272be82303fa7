//! The logs every deployment has: who is in which of them.

use std::collections::{BTreeSet, HashMap};

use shared::id::ObjectId;
use shared::log::LogId;
use shared::stix::IocType;
use shared::store::Head;
use shared::tlp::Tlp;

use super::chain;
use crate::lab::Lab;
use crate::model::{Kind, Model, Owner, SOON_MINUTES, Valid};

pub(super) async fn check(
    lab: &Lab,
    model: &Model,
    heads: &HashMap<ObjectId, Head>,
) -> Result<(), String> {
    for level in Tlp::ALL {
        for kind in [None, Some(IocType::Domain), Some(IocType::Ipv4)] {
            for active in [true, false] {
                let log = LogId::Indicators { level, kind, active };
                let entries = chain::read(lab, log).await?.entries;
                if !entries.is_empty() {
                    chain::check(lab, log).await?;
                }
                let found: Vec<&str> = entries
                    .iter()
                    .filter(|seen| seen.current)
                    .map(|seen| seen.entry.id.as_str())
                    .collect();
                let ids: BTreeSet<&str> = found.iter().copied().collect();
                let wanted: BTreeSet<&str> = (0..model.objects.len())
                    .filter(|at| belongs(lab, model, *at, level, kind, active))
                    .map(|at| model.objects[at].id.as_str())
                    .collect();
                if ids.len() < found.len() || ids != wanted {
                    return Err(format!("{log}: holds {found:?}, should {wanted:?}"));
                }
                for seen in entries.iter().filter(|seen| seen.current) {
                    let head = heads.values().find(|head| head.id().as_str() == seen.entry.id);
                    let place = head.and_then(|head| head.memberships.get(&log));
                    let newest =
                        head.is_some_and(|head| head.version().as_str() == seen.entry.version);
                    if !newest || place.is_none_or(|known| known.position != seen.entry.position) {
                        return Err(format!("{log}: {seen:?}, but the head has {place:?}"));
                    }
                }
            }
        }
    }
    Ok(())
}

fn belongs(
    lab: &Lab,
    model: &Model,
    at: usize,
    level: Tlp,
    kind: Option<IocType>,
    active: bool,
) -> bool {
    let object = &model.objects[at];
    let Some(stored) = object.stored().filter(|stored| !stored.deleted) else { return false };
    let content = stored.newest_content();
    let valid = match content.valid {
        Valid::Always => true,
        Valid::Past => false,
        Valid::Soon => lab.passed().num_minutes() < SOON_MINUTES,
    };
    let named = if content.address { IocType::Ipv4 } else { IocType::Domain };
    object.kind == Kind::Indicator
        && stored.owner == Owner::Operator
        && model.level(object.kind, content, stored.owner) == level
        && kind.is_none_or(|kind| kind == named)
        && active == (valid && !content.revoked)
}
