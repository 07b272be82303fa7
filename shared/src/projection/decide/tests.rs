use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::Utc;
use uuid::Uuid;

use super::*;
use crate::access::TenantId;
use crate::log::CollectionId;
use crate::stix::StixObject;
use crate::store::State;

const ID: &str = "indicator--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69";

fn day(day: u8) -> String {
    format!("2026-01-{day:02}T00:00:00.000Z")
}

fn version(of: u8) -> Version {
    Version(day(of).parse().unwrap())
}

fn object(modified: u8) -> StixObject {
    let json = format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"{ID}","created":"{}","modified":"{}","pattern":"[url:value = 'http://example.com/']","pattern_type":"stix","valid_from":"{}"}}"#,
        day(1),
        day(modified),
        day(1)
    );
    StixObject::parse(json.as_bytes(), Utc::now()).unwrap()
}

fn log() -> LogId {
    LogId::Collection(CollectionId(Uuid::nil()))
}

fn collection() -> CollectionId {
    CollectionId(Uuid::nil())
}

fn head(newest: u8, revision: u64, projected: u64) -> Head {
    let object = object(newest);
    Head {
        facets: object.facets,
        json: object.json,
        content: object.content,
        owner: TenantId::operator(),
        revision,
        projected,
        pending: Some(Position::from_micros(5_000)),
        quiet: 0,
        deleted: false,
        memberships: BTreeMap::new(),
        state: State::default(),
        known_at: std::time::Instant::now(),
    }
}

fn at(seq: u64, of: Option<u8>) -> Membership {
    Membership {
        place: Place { seq, index: 0 },
        position: Position::from_micros(seq * 1000),
        entered: Position::from_micros(1000),
        version: of.map(version),
        related: false,
    }
}

fn older(of: u8, entry: Option<u64>) -> OldVersion {
    let object = object(of);
    let entries = entry.map(|seq| (log(), at(seq, None)));
    OldVersion {
        facets: object.facets,
        json: object.json,
        entries: entries.into_iter().collect(),
        projected: entry.is_some(),
    }
}

fn trace(op: Op, of: u8, revision: u64, seq: u64) -> Trace {
    Trace {
        revision,
        op,
        version: day(of),
        place: Place { seq, index: 0 },
        position: Position::from_micros(seq * 1000),
        entered: Position::from_micros(1000),
        replaces: None,
        oldest: false,
    }
}

fn ask<'a>(
    head: &'a Head,
    older: &'a [OldVersion],
    wanted: bool,
    history: &'a HashSet<(LogId, Version)>,
) -> Question<'a> {
    static NONE: LazyLock<HashSet<(LogId, Version)>> = LazyLock::new(HashSet::new);
    Question {
        log: log(),
        head,
        older,
        wanted,
        related: false,
        parted: false,
        history,
        above: &NONE,
        in_flight: false,
    }
}

fn ops(decision: &Decision<'_>) -> Vec<(Op, Version, bool)> {
    decision.drafts.iter().map(|draft| (draft.op, draft.version().clone(), draft.oldest)).collect()
}

#[test]
fn a_new_object_enters_and_one_that_is_not_wanted_says_nothing() {
    let (head, none) = (head(1, 1, 0), HashSet::new());
    assert_eq!(ops(&decide(ask(&head, &[], true, &none), &[])), [(Op::Enter, version(1), true)]);
    assert!(decide(ask(&head, &[], false, &none), &[]).drafts.is_empty());
}

#[test]
fn what_a_log_says_of_a_revision_is_not_said_again() {
    let (head, none) = (head(1, 1, 0), HashSet::new());
    let said = trace(Op::Enter, 1, 1, 7);
    let decision = decide(ask(&head, &[], true, &none), &[&said]);
    assert!(decision.drafts.is_empty() && !decision.obsolete);
    assert_eq!(decision.current.map(|current| current.place.seq), Some(7));
}

#[test]
fn an_entry_says_nothing_of_what_was_appended_after_it() {
    let (mut head, none) = (head(2, 5, 1), HashSet::new());
    head.memberships.insert(log(), at(9, None));
    let (left, entered) = (trace(Op::Leave, 1, 2, 4), trace(Op::Enter, 2, 4, 9));
    let decision = decide(ask(&head, &[], true, &none), &[&left, &entered]);
    assert_eq!(decision.current.map(|current| current.place.seq), Some(9));
    assert!(decision.drafts.is_empty() && decision.marks.is_empty(), "{:?}", decision.marks);
}

#[test]
fn a_projector_that_comes_late_is_told_so() {
    let (head, none) = (head(1, 1, 0), HashSet::new());
    let newer = trace(Op::Update, 2, 2, 8);
    assert!(decide(ask(&head, &[], true, &none), &[&newer]).obsolete);
}

#[test]
fn an_update_supersedes_what_it_replaces_also_when_only_the_log_knows_of_it() {
    let none = HashSet::new();
    let mut settled = head(2, 2, 1);
    settled.memberships.insert(log(), at(3, Some(1)));
    let decision = decide(ask(&settled, &[], true, &none), &[]);
    assert_eq!(ops(&decision), [(Op::Update, version(2), false)]);
    assert_eq!(decision.marks, [(Place { seq: 3, index: 0 }, Mark::Superseded)]);

    let unsettled = head(2, 2, 0);
    let entered = trace(Op::Enter, 1, 1, 3);
    let decision = decide(ask(&unsettled, &[], true, &none), &[&entered]);
    assert_eq!(ops(&decision), [(Op::Update, version(2), false)]);
    assert_eq!(decision.marks, [(Place { seq: 3, index: 0 }, Mark::Superseded)]);
    assert_eq!(decision.found.len(), 1, "where version 1 stands is written down");
}

#[test]
fn leaving_removes_every_version() {
    let none = HashSet::new();
    let mut head = head(2, 3, 2);
    head.memberships.insert(log(), at(5, None));
    let older = [older(1, Some(3))];
    let decision = decide(ask(&head, &older, false, &none), &[]);
    assert_eq!(ops(&decision), [(Op::Leave, version(2), false)]);
    for seq in [3, 5] {
        assert!(decision.marks.contains(&(Place { seq, index: 0 }, Mark::Removed)));
    }
}

#[test]
fn a_late_older_version_becomes_history_and_the_oldest() {
    let mut head = head(2, 2, 1);
    head.memberships.insert(log(), at(3, None));
    head.state.history = vec![version(1)];
    let history = HashSet::from([(log(), version(1))]);
    let older = [older(1, None)];
    let decision = decide(ask(&head, &older, true, &history), &[]);
    assert_eq!(ops(&decision), [(Op::History, version(1), true)]);
    assert_eq!(decision.marks, [(Place { seq: 3, index: 0 }, Mark::NotOldest)]);
    let elsewhere = HashSet::new();
    assert!(decide(ask(&head, &older, true, &elsewhere), &[]).drafts.is_empty());
}

#[test]
fn two_versions_that_come_at_once_both_have_an_entry() {
    let mut head = head(2, 2, 0);
    head.state.history = vec![version(1)];
    let history = HashSet::from([(log(), version(1))]);
    let older = [older(1, None)];
    let decision = decide(ask(&head, &older, true, &history), &[]);
    assert_eq!(ops(&decision), [(Op::Enter, version(2), false), (Op::History, version(1), true)]);
}

#[test]
fn deleting_the_newest_version_brings_the_older_one_back_at_a_new_place() {
    let none = HashSet::new();
    let mut head = head(2, 3, 2);
    head.memberships.insert(log(), at(5, None));
    head.state.removals.insert(collection(), Removal { through: None, versions: vec![version(2)] });
    let kept = [older(1, Some(3))];
    let decision = decide(ask(&head, &kept, true, &none), &[]);
    assert_eq!(ops(&decision), [(Op::Update, version(1), true)]);
    for seq in [3, 5] {
        assert!(decision.marks.contains(&(Place { seq, index: 0 }, Mark::Removed)), "{seq}");
    }
    let alone = decide(ask(&head, &[], true, &none), &[]);
    assert_eq!(ops(&alone), [(Op::Leave, version(2), false)]);
}

/// A projector may have read an earlier revision, and come to append it only when a later one is
/// projected already.
#[test]
fn a_log_that_an_earlier_revision_may_be_about_to_enter_is_closed_to_it() {
    let none = HashSet::new();
    let (earlier, later) = (head(1, 1, 0), head(2, 2, 0));
    let in_flight = Question { in_flight: true, ..ask(&later, &[], false, &none) };
    let decision = decide(in_flight, &[]);
    assert_eq!(ops(&decision), [(Op::Leave, version(2), false)]);
    assert!(decision.marks.is_empty());
    let closed = trace(Op::Leave, 2, 2, 7);
    assert!(decide(in_flight, &[&closed]).drafts.is_empty(), "once is enough");
    assert!(decide(ask(&earlier, &[], true, &none), &[&closed]).obsolete);
}

#[test]
fn an_older_version_above_the_ceiling_goes_though_the_newest_stays() {
    let none = HashSet::new();
    let mut head = head(3, 4, 3);
    head.memberships.insert(log(), at(5, None));
    let kept = [older(1, Some(3)), older(2, Some(4))];
    let above = HashSet::from([(log(), version(1))]);
    let question = Question { above: &above, ..ask(&head, &kept, true, &none) };
    let decision = decide(question, &[]);
    assert!(decision.drafts.is_empty());
    let place = |seq| Place { seq, index: 0 };
    assert_eq!(decision.marks, [(place(4), Mark::NowOldest), (place(3), Mark::Removed)]);
    assert_eq!(decision.lost, [version(1)]);
}

#[test]
fn where_the_newest_version_was_deleted_a_late_one_may_become_current() {
    let mut head = head(4, 4, 3);
    head.memberships.insert(log(), at(5, Some(2)));
    head.state.removals.insert(collection(), Removal { through: None, versions: vec![version(4)] });
    head.state.history = vec![version(1), version(3)];
    let history = HashSet::from([(log(), version(1)), (log(), version(3))]);
    let kept = [older(1, None), older(2, Some(5)), older(3, None)];
    let decision = decide(ask(&head, &kept, true, &history), &[]);
    let expected = [(Op::Update, version(3), false), (Op::History, version(1), true)];
    assert_eq!(ops(&decision), expected);
    let alone = Head { memberships: BTreeMap::new(), ..head.clone() };
    assert!(decide(ask(&alone, &kept, true, &history), &[]).drafts.is_empty());
}

#[test]
fn deleting_the_oldest_version_makes_the_next_one_the_oldest() {
    let none = HashSet::new();
    let mut head = head(2, 3, 2);
    head.memberships.insert(log(), at(5, None));
    let through = Removal { through: Some(version(1)), versions: Vec::new() };
    head.state.removals.insert(collection(), through);
    let kept = [older(1, Some(3))];
    let decision = decide(ask(&head, &kept, true, &none), &[]);
    assert!(decision.drafts.is_empty());
    assert!(decision.marks.contains(&(Place { seq: 5, index: 0 }, Mark::NowOldest)));
    assert!(decision.marks.contains(&(Place { seq: 3, index: 0 }, Mark::Removed)));
}

#[test]
fn what_became_the_oldest_is_not_marked_otherwise_at_the_same_time() {
    let none = HashSet::new();
    let mut head = head(2, 3, 1);
    head.memberships.insert(log(), at(5, None));
    let through = Removal { through: Some(version(1)), versions: Vec::new() };
    head.state.removals.insert(collection(), through);
    let known = [older(1, None)];
    let late = Trace { oldest: true, ..trace(Op::History, 1, 2, 7) };
    let decision = decide(ask(&head, &known, true, &none), &[&late]);
    let place = Place { seq: 5, index: 0 };
    assert!(decision.marks.contains(&(place, Mark::NowOldest)));
    assert!(!decision.marks.contains(&(place, Mark::NotOldest)));
}

/// The items of older versions are written before the `HEAD` is settled; a newer write between
/// the two makes projection look at the same entries again.
#[test]
fn an_entry_that_its_version_names_already_is_not_marked_as_replaced_by_itself() {
    let none = HashSet::new();
    let mut head = head(3, 3, 1);
    head.memberships.insert(log(), at(1, Some(1)));
    let known = [older(1, Some(1)), older(2, Some(2))];
    let update = Trace { replaces: Some(Place { seq: 1, index: 0 }), ..trace(Op::Update, 2, 2, 2) };
    let decision = decide(ask(&head, &known, true, &none), &[&update]);
    assert_eq!(ops(&decision), [(Op::Update, version(3), false)]);
    assert!(decision.marks.iter().all(|(_, mark)| *mark == Mark::Superseded), "{decision:?}");
    let late = Trace { oldest: true, ..trace(Op::History, 2, 2, 2) };
    let decision = decide(ask(&head, &known[1..], true, &none), &[&late]);
    let itself = (Place { seq: 2, index: 0 }, Mark::NotOldest);
    assert!(!decision.marks.contains(&itself), "{decision:?}");
}

/// The revision that makes a deleted object anew may be looked at twice before it is settled, by
/// a later revision too.
#[test]
fn what_was_made_anew_leaves_and_enters_once() {
    let none = HashSet::new();
    let mut head = head(3, 5, 1);
    head.state.left = Some(4);
    head.memberships.insert(log(), at(1, Some(1)));
    let known = [older(1, Some(1)), older(2, None)];
    let decision = decide(ask(&head, &known, true, &none), &[]);
    assert_eq!(ops(&decision).iter().map(|op| op.0).collect::<Vec<_>>(), [Op::Leave, Op::Enter]);
    let left = Trace { replaces: Some(Place { seq: 1, index: 0 }), ..trace(Op::Leave, 3, 4, 2) };
    let entered = Trace { place: Place { seq: 2, index: 1 }, ..trace(Op::Enter, 3, 4, 2) };
    let decision = decide(ask(&head, &known, true, &none), &[&left, &entered]);
    assert!(decision.drafts.is_empty(), "{decision:?}");
    // Deleted and made anew once more meanwhile, by revision 5.
    head.state.left = Some(5);
    let decision = decide(ask(&head, &known, true, &none), &[&left, &entered]);
    assert_eq!(ops(&decision).iter().map(|op| op.0).collect::<Vec<_>>(), [Op::Leave, Op::Enter]);
}

/// A relationship that was there before its end came into the log has no entry in it.
#[test]
fn a_deleted_relationship_is_told_of_where_its_end_is_a_member() {
    let none = HashSet::new();
    let mut head = head(2, 2, 1);
    head.deleted = true;
    let gone = Question { parted: true, ..ask(&head, &[], false, &none) };
    let decision = decide(gone, &[]);
    let ops: Vec<Op> = ops(&decision).iter().map(|op| op.0).collect();
    assert_eq!(ops, [Op::Unrelate]);
    assert!(decision.marks.is_empty());
    let said = trace(Op::Unrelate, 2, 2, 2);
    assert!(decide(gone, &[&said]).drafts.is_empty(), "once");
    assert!(decide(ask(&head, &[], false, &none), &[]).drafts.is_empty());
}

#[test]
fn what_an_entry_that_is_gone_took_the_place_of_is_marked_all_the_same() {
    // Who appended revisions 5 and 6 set no mark on what was there before; of the former, which
    // was superseded, nothing is left.
    let none = HashSet::new();
    let known = Place { seq: 1, index: 0 };
    let gone = Some(Place { seq: 4, index: 0 });
    for (op, mark) in [(Op::Update, Mark::Superseded), (Op::Enter, Mark::Removed)] {
        let mut head = head(3, 6, 4);
        head.memberships.insert(log(), at(1, Some(1)));
        let replaces = gone.filter(|_| op == Op::Update);
        let last = Trace { replaces, ..trace(op, 3, 6, 9) };
        let decision = decide(ask(&head, &[], true, &none), &[&last]);
        assert!(decision.marks.contains(&(known, mark)), "{op:?}: {:?}", decision.marks);
        assert_eq!(decision.current.map(|current| current.place.seq), Some(9));
    }
}
