use std::collections::BTreeMap;

use super::*;
use crate::access::TenantId;
use crate::log::{LogId, Membership, Place};
use crate::stix::StixObject;
use crate::store::State;
use crate::tlp::Tlp;

const ID: &str = "indicator--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69";
const UNTIL: &str = "2026-05-15T08:30:00.000Z";

fn active(valid_until: &str) -> Head {
    let json = format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"{ID}","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","pattern":"[url:value = 'http://example.com/']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00.000Z","valid_until":"{valid_until}"}}"#,
    );
    let object = StixObject::parse(json.as_bytes(), Utc::now()).unwrap();
    let membership = Membership {
        place: Place { seq: 1, index: 0 },
        position: Position::default(),
        entered: Position::default(),
        version: None,
        related: false,
    };
    let log = LogId::Indicators { level: Tlp::Clear, kind: None, active: true };
    Head {
        facets: object.facets,
        json: object.json,
        content: object.content,
        owner: TenantId::operator(),
        revision: 1,
        projected: 1,
        pending: None,
        quiet: 0,
        deleted: false,
        memberships: BTreeMap::from([(log, membership)]),
        state: State::default(),
        known_at: std::time::Instant::now(),
    }
}

fn line() -> Expiration {
    Expiration { expiry: Expiry::of(UNTIL.parse().unwrap()), id: ID.parse().unwrap() }
}

#[test]
fn who_stands_among_the_active_ones_is_due() {
    assert_eq!(verdict(Some(&active(UNTIL)), &line()), Verdict::Due);
}

#[test]
fn a_line_of_another_moment_is_done_with() {
    let extended = active("2026-05-15T08:40:00.000Z");
    assert_eq!(verdict(Some(&extended), &line()), Verdict::Done);
    assert_eq!(verdict(None, &line()), Verdict::Done);
    let left = Head { memberships: BTreeMap::new(), ..active(UNTIL) };
    assert_eq!(verdict(Some(&left), &line()), Verdict::Done);
}

#[test]
fn a_pending_object_is_waited_for_even_a_deleted_one() {
    // It may be made anew before its deletion is projected, and still believe that it is listed.
    for deleted in [false, true] {
        let pending = Some(Position::from_micros(1));
        let head = Head { pending, deleted, ..active("2026-05-15T08:40:00.000Z") };
        assert_eq!(verdict(Some(&head), &line()), Verdict::Waiting);
    }
}
