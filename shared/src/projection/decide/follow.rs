//! Going through what a log says already, entry by entry.

use super::{Decision, Mark, Present};
use crate::log::{Membership, Op};
use crate::projection::view::Trace;
use crate::time::{Timestamp, Version};

/// Takes in what an entry that is not settled yet says, and repeats its marks: whoever appended
/// it may have died before setting them. It says nothing of what was appended after it, which the
/// object's items may name already: they may know more than the revision they were settled at.
pub(super) fn follow(trace: &Trace, decision: &mut Decision<'_>, present: &mut Vec<Present>) {
    let Ok(version) = trace.version.parse::<Timestamp>().map(Version) else { return };
    if let Some(replaced) = trace.replaces {
        decision.marks.push((replaced, Mark::Superseded));
    }
    // A version's own item may name this very entry already, though the `HEAD` is not settled.
    present.retain(|entry| entry.place != trace.place);
    let mut later = present.extract_if(.., |entry| entry.place > trace.place).collect();
    take_in(trace, version, decision, present);
    present.append(&mut later);
}

fn take_in(
    trace: &Trace,
    version: Version,
    decision: &mut Decision<'_>,
    present: &mut Vec<Present>,
) {
    let membership = Membership {
        place: trace.place,
        position: trace.position,
        entered: trace.entered,
        version: Some(version.clone()),
        related: trace.op == Op::Related,
    };
    match trace.op {
        Op::Leave | Op::Unrelate => {
            decision.marks.extend(present.drain(..).map(|entry| (entry.place, Mark::Removed)));
            stand(trace, decision, None);
        }
        Op::Related => stand(trace, decision, Some(membership)),
        Op::Enter | Op::Update => {
            // What lay between may be gone from a built-in log, and with it what it says of those
            // before it: whoever appended it may have died before marking them.
            if trace.op == Op::Enter {
                decision.marks.extend(present.drain(..).map(|entry| (entry.place, Mark::Removed)));
            } else if let Some(known) = &decision.current
                && known.place < trace.place
                && trace.replaces != Some(known.place)
            {
                decision.marks.push((known.place, Mark::Superseded));
            }
            // An older version that became current again stands at its new place only.
            let again = present.iter().filter(|entry| entry.version == version);
            decision.marks.extend(again.map(|entry| (entry.place, Mark::Removed)));
            present.retain(|entry| entry.version != version);
            present.push(Present { version: version.clone(), place: trace.place });
            decision.found.push((version, membership.clone()));
            stand(trace, decision, Some(membership));
            decision.revision = trace.revision;
        }
        Op::History => {
            if trace.oldest
                && let Some(before) = present.iter().min_by(|a, b| a.version.cmp(&b.version))
            {
                decision.marks.push((before.place, Mark::NotOldest));
            }
            present.push(Present { version: version.clone(), place: trace.place });
            decision.found.push((version, membership));
        }
    }
}

/// Where the object stands by an entry, unless it is known to stand at a later one.
fn stand(trace: &Trace, decision: &mut Decision<'_>, membership: Option<Membership>) {
    if decision.current.as_ref().is_none_or(|known| known.place <= trace.place) {
        decision.current = membership;
    }
}
