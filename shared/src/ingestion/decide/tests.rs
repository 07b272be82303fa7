use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_770_000_000_000).unwrap()
}

fn indicator(day: u8, name: &str) -> StixObject {
    let json = format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69","created":"2026-01-01T00:00:00Z","modified":"2026-01-0{day}T00:00:00Z","name":"{name}","pattern":"[url:value = 'http://example.com/']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}}"#
    );
    StixObject::parse(json.as_bytes(), now()).unwrap()
}

fn observable(value: &str) -> StixObject {
    let json = format!(
        r#"{{"type":"domain-name","id":"domain-name--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69","value":"{value}"}}"#
    );
    StixObject::parse(json.as_bytes(), now()).unwrap()
}

fn stored(mut object: StixObject, owner: &TenantId) -> Head {
    let context = Context { owner, into: None, now: now() };
    let Decision::Put { head, kind: Kind::Created, keep: false } =
        decide(None, &mut object, context)
    else {
        panic!("a new object is created");
    };
    *head
}

fn kind_of(decision: &Decision) -> Option<Kind> {
    match decision {
        Decision::Put { kind, .. } | Decision::Nothing { kind, .. } => Some(*kind),
        Decision::Older | Decision::Refuse(_) => None,
    }
}

#[test]
fn newer_older_and_equal_versions() {
    let us = TenantId::operator();
    let head = stored(indicator(2, "a"), &us);
    let context = Context { owner: &us, into: None, now: now() };
    let newer = decide(Some(&head), &mut indicator(3, "a"), context);
    assert!(matches!(&newer, Decision::Put { head: next, kind: Kind::Updated, keep: true }
        if next.revision == 2 && next.state.history == vec![head.version().clone()]));
    assert!(matches!(decide(Some(&head), &mut indicator(1, "a"), context), Decision::Older));
    let same = decide(Some(&head), &mut indicator(2, "a"), context);
    assert!(matches!(same, Decision::Nothing { content_differs: false, .. }));
    let differs = decide(Some(&head), &mut indicator(2, "b"), context);
    assert!(matches!(differs, Decision::Nothing { content_differs: true, .. }));
}

#[test]
fn another_owner_changes_nothing_and_learns_nothing() {
    let ours: TenantId = "ours".parse().unwrap();
    let theirs: TenantId = "theirs".parse().unwrap();
    let head = stored(indicator(2, "a"), &ours);
    let into = Some(CollectionId(uuid::Uuid::nil()));
    let plain = Context { owner: &theirs, into: None, now: now() };
    let posting = Context { into, ..plain };
    for day in [1, 3] {
        let decision = decide(Some(&head), &mut indicator(day, "a"), plain);
        assert!(matches!(decision, Decision::Refuse(Refusal::NotOwner)), "day {day}");
    }
    let guess = decide(Some(&head), &mut indicator(2, "guess"), posting);
    assert!(matches!(guess, Decision::Refuse(Refusal::NotOwner)), "would reveal our content");
    let known = decide(Some(&head), &mut indicator(2, "a"), posting);
    assert!(matches!(known, Decision::Refuse(Refusal::NotOwner)), "would take what comes later");
    let operators = stored(indicator(2, "a"), &TenantId::operator());
    let known = decide(Some(&operators), &mut indicator(2, "a"), posting);
    assert_eq!(kind_of(&known), Some(Kind::Unchanged));
}

#[test]
fn a_deleted_object_comes_back_only_newer() {
    let us = TenantId::operator();
    let gone = tombstone(&stored(indicator(2, "a"), &us), now());
    let context = Context { owner: &us, into: None, now: now() };
    for day in [1, 2] {
        let decision = decide(Some(&gone), &mut indicator(day, "a"), context);
        assert_eq!(kind_of(&decision), Some(Kind::Deleted), "day {day}");
    }
    let again = decide(Some(&gone), &mut indicator(3, "a"), context);
    assert!(matches!(again, Decision::Put { head, kind: Kind::Created, .. } if !head.deleted));
}

#[test]
fn an_observable_has_the_version_it_was_stored_at_until_its_content_changes() {
    let us = TenantId::operator();
    let head = stored(observable("a.example.com"), &us);
    let context = Context { owner: &us, into: None, now: now() };
    let same = decide(Some(&head), &mut observable("a.example.com"), context);
    assert_eq!(kind_of(&same), Some(Kind::Unchanged));
    let changed = decide(Some(&head), &mut observable("b.example.com"), context);
    assert!(matches!(&changed, Decision::Put { head: next, kind: Kind::Updated, .. }
        if next.version() > head.version()));
}
