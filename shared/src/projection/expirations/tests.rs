use chrono::TimeDelta;

use super::*;
use crate::access::TenantId;
use crate::log::Place;
use crate::stix::StixObject;
use crate::store::State;
use crate::tlp::Tlp;

const ID: &str = "indicator--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69";
const UNTIL: &str = "2026-05-15T08:30:00.000Z";

fn head(revision: u64, projected: u64, pending: Option<DateTime<Utc>>) -> Head {
    let json = format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"{ID}","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","pattern":"[url:value = 'http://example.com/']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00.000Z","valid_until":"{UNTIL}"}}"#,
    );
    let object = StixObject::parse(json.as_bytes(), Utc::now()).unwrap();
    Head {
        facets: object.facets,
        json: object.json,
        content: object.content,
        owner: TenantId::operator(),
        revision,
        projected,
        pending: pending.map(Position::at_or_before),
        quiet: 0,
        deleted: false,
        memberships: BTreeMap::new(),
        state: State::default(),
        known_at: std::time::Instant::now(),
    }
}

fn until() -> DateTime<Utc> {
    UNTIL.parse().unwrap()
}

#[test]
fn who_waits_beyond_its_moment_is_overtaken() {
    let (second, before) = (TimeDelta::seconds(1), until() - TimeDelta::seconds(1));
    assert!(is_overtaken(&head(1, 0, Some(before)), until()));
    assert!(!is_overtaken(&head(1, 0, Some(before)), until() - TimeDelta::milliseconds(1)));
    // It was asked for at its moment or later, or a second revision waits already.
    assert!(!is_overtaken(&head(1, 0, Some(until())), until() + second));
    assert!(!is_overtaken(&head(2, 0, Some(before)), until() + second));
    assert!(!is_overtaken(&head(1, 1, None), until() + second));
}

#[test]
fn a_projector_whose_clock_is_behind_believes_who_asked() {
    let behind = until() - TimeDelta::minutes(1);
    assert_eq!(judged_at(behind, Position::at_or_before(until())), until());
    assert_eq!(judged_at(until(), Position::at_or_before(behind)), until());
    assert_eq!(judged_at(until(), Position::from_micros(u64::MAX)), until());
}

#[test]
fn only_logs_of_active_indicators_count() {
    let membership = Membership {
        place: Place { seq: 1, index: 0 },
        position: Position::default(),
        entered: Position::default(),
        version: None,
        related: false,
    };
    let log = |active| LogId::Indicators { level: Tlp::Clear, kind: None, active };
    assert!(!stand_active(&BTreeMap::from([(log(false), membership.clone())])));
    assert!(stand_active(&BTreeMap::from([(log(true), membership)])));
}
