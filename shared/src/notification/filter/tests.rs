use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::notification::testing::notification;

fn now() -> DateTime<Utc> {
    "2026-05-15T12:00:00Z".parse().unwrap()
}

fn parse(text: &str) -> Result<NotificationFilter, FilterError> {
    NotificationFilter::parse(text, now())
}

fn only(text: &str) -> Term {
    let filter = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let [term] = filter.terms.as_slice() else { panic!("{text}: {filter:?}") };
    term.clone()
}

fn message(text: &str) -> String {
    parse(text).expect_err(text).to_string()
}

fn at(text: &str) -> Position {
    Position::at_or_before(text.parse().unwrap())
}

#[test]
fn every_example_of_the_brief_is_read() {
    let ten = at("2023-02-07T10:00:00Z");
    assert_eq!(only("date:2023-02-07T10:00:00+"), Term::From(ten));
    assert_eq!(only("date:2023-02-07-"), Term::Before(at("2023-02-07T00:00:00Z")));
    assert_eq!(only("origin:hunting"), Term::Origin(Origin::Hunting));
    assert_eq!(only("origin:subscriptions"), Term::Origin(Origin::Subscriptions));
    assert_eq!(only("entity_id:objectId"), Term::EntityId("objectid".into()));
    for (name, kind) in [
        ("file", EntityType::File),
        ("domain", EntityType::Domain),
        ("url", EntityType::Url),
        ("ip_address", EntityType::IpAddress),
    ] {
        assert_eq!(only(&format!("entity_type:{name}")), Term::EntityType(kind));
    }
    for (name, kind) in [
        ("hunting_ruleset", SourceType::HuntingRuleset),
        ("retrohunt_job", SourceType::RetrohuntJob),
        ("collection", SourceType::Collection),
        ("threat_actor", SourceType::ThreatActor),
    ] {
        assert_eq!(only(&format!("source_type:{name}")), Term::SourceType(kind));
    }
    assert_eq!(only("source_id:objectId"), Term::SourceId("objectId".into()));
    assert_eq!(only("notification_tag:ruleName"), Term::Tag("ruleName".into()));
    let all = parse("date:2023-02-07T10:00:00+ date:2023-03-07- origin:hunting").unwrap();
    assert_eq!(all.terms.len(), 3);
}

#[test]
fn a_plus_that_became_a_space_is_a_plus() {
    let ten = Term::From(at("2023-02-07T10:00:00Z"));
    assert_eq!(only("date:2023-02-07T10:00:00 "), ten);
    assert_eq!(only("date:2023-02-07T10:00:00   "), ten);
    assert_eq!(only("date:\"2023-02-07T10:00:00 \""), ten);
    let two = parse("date:2023-02-07T10:00:00  origin:hunting").unwrap();
    assert_eq!(two.terms, [ten, Term::Origin(Origin::Hunting)]);
    assert!(matches!(parse("date:2023-02-07 origin:hunting"), Err(FilterError::NoDirection(_))));
    // Elsewhere a final space is a space.
    assert_eq!(only("tag:a "), Term::Tag("a".into()));
}

#[test]
fn dates_make_a_half_open_window() {
    let position = |offset| Position::from_micros(notification(0).id.cause().micros() + offset);
    let filter = parse(&format!("date:{}+ date:{}-", position(0), position(1))).unwrap();
    assert!(filter.selection().matches(&notification(0)));
    let later = parse(&format!("date:{}+", position(1))).unwrap();
    assert!(!later.selection().matches(&notification(0)));
    let before = parse(&format!("date:{}-", position(0))).unwrap();
    assert!(!before.selection().matches(&notification(0)));
    assert_eq!(only("date:1d+"), Term::From(at("2026-05-14T12:00:00Z")));
    assert_eq!(only("date:2023-02-07T10:00:00+02:00-"), Term::Before(at("2023-02-07T08:00:00Z")));
}

#[test]
fn spaces_and_quotes() {
    assert_eq!(parse("").unwrap().terms, []);
    assert_eq!(parse("    ").unwrap().terms, []);
    assert_eq!(only("   tag:a"), Term::Tag("a".into()));
    assert_eq!(only(r#"tag:"a \"b\" \\ \n: c""#), Term::Tag("a \"b\" \\ \\n: c".into()));
    assert_eq!(only("tag:a:b\"c"), Term::Tag("a:b\"c".into()));
    assert_eq!(parse("tag:a   tag:\"b c\"  ").unwrap().terms.len(), 2);
}

#[test]
fn of_a_repeated_key_both_must_hold() {
    let selects = |text: &str| parse(text).unwrap().selection();
    let two = selects("tag:tag-1 tag:all");
    assert!(two.matches(&notification(1)) && !two.matches(&notification(2)));
    assert!(selects("tag:a tag:a").tags.len() == 1);
    for nothing in [
        "origin:hunting origin:subscriptions",
        "entity_type:file entity_type:url",
        "source_type:collection origin:hunting",
        "entity_id:a entity_id:b",
        "source_id:a source_id:b",
        "date:2023-02-07+ date:2023-02-07-",
    ] {
        assert!(selects(nothing).is_empty(), "{nothing}");
    }
    assert!(!selects("entity_id:A entity_id:a origin:hunting origin:hunting").is_empty());
}

#[test]
fn the_longest_filter_reads_back_as_it_is_written() {
    let quotes = format!("tag:x{}", "\"".repeat(MAX_BYTES - 5));
    let many = format!("date:1h+ tag:{}", "é".repeat((MAX_BYTES - 13) / 2));
    for text in [quotes, many, format!("tag:{}", "\\".repeat(MAX_BYTES - 4))] {
        let filter = parse(&text).unwrap();
        let written = filter.to_string();
        assert!(written.len() > MAX_BYTES, "{} bytes", written.len());
        assert!(parse(&written).is_err(), "a client may not send as much");
        let later = DateTime::UNIX_EPOCH;
        assert_eq!(NotificationFilter::parse_written(&written, later), Ok(filter));
    }
}

#[test]
fn every_malformed_form_is_named() {
    assert_eq!(
        message("origin:notHunting"),
        "origin \"notHunting\" is not valid. Valid origins are: hunting,subscriptions"
    );
    assert_eq!(
        message("entity_type:File"),
        "entity_type \"File\" is not valid. Valid entity types are: file,domain,url,ip_address"
    );
    assert_eq!(
        message("source_type:x"),
        "source_type \"x\" is not valid. Valid source types are: hunting_ruleset,retrohunt_job,collection,threat_actor"
    );
    assert_eq!(
        message("colour:red"),
        "filter \"colour\" is not valid. Valid filters are: date,origin,entity_id,entity_type,source_type,source_id,notification_tag,tag"
    );
    for (text, part) in [
        ("hunting", "filter term \"hunting\" is not valid"),
        (":x", "filter \"\" is not valid"),
        ("tag:", "filter \"tag\" has no value"),
        ("tag: tag:a", "filter \"tag\" has no value"),
        ("tag:\"\"", "filter \"tag\" has no value"),
        ("date: ", "filter \"date\" has no value"),
        ("tag:\"a", "without its closing quote"),
        ("tag:\"a\\", "without its closing quote"),
        ("tag:\"a\"b", "goes on behind its closing quote with \"b\""),
        ("date:2023-02-07", "It must end in + (from then on) or - (before then)"),
        ("date:2023-02-30+", "date \"2023-02-30+\" is not valid. Valid dates are"),
        ("date:+", "date \"+\" is not valid"),
        ("date:soon-", "date \"soon-\" is not valid"),
    ] {
        assert!(message(text).contains(part), "{text}: {}", message(text));
    }
    assert!(message(&"x".repeat(MAX_BYTES + 1)).contains("4097 bytes"));
    assert!(message(&"tag:a ".repeat(MAX_TERMS + 1)).contains("more than 50 terms"));
}

fn term() -> impl Strategy<Value = Term> {
    // Up to the year 2200.
    let position = (0_u64..7_258_118_400_000_000).prop_map(Position::from_micros);
    let text = "[ -~é]{1,20}".prop_filter("a value", |text| !text.trim().is_empty());
    prop_oneof![
        position.clone().prop_map(Term::From),
        position.prop_map(Term::Before),
        proptest::sample::select(Origin::ALL).prop_map(Term::Origin),
        proptest::sample::select(EntityType::ALL).prop_map(Term::EntityType),
        proptest::sample::select(SourceType::ALL).prop_map(Term::SourceType),
        text.clone().prop_map(|id| Term::EntityId(id.to_lowercase())),
        text.clone().prop_map(Term::SourceId),
        text.prop_map(Term::Tag),
    ]
}

proptest! {
    #[test]
    fn a_filter_written_down_reads_back(terms in prop::collection::vec(term(), 0..8)) {
        let filter = NotificationFilter { terms };
        prop_assert_eq!(parse(&filter.to_string()), Ok(filter));
    }

    #[test]
    fn any_text_is_a_filter_or_a_reason(text in "([a-z_]{0,8}:?[\"\\\\ +-]{0,3}[0-9dhT:.]{0,6}){0,6}") {
        match parse(&text) {
            Ok(filter) => prop_assert_eq!(parse(&filter.to_string()), Ok(filter)),
            Err(error) => prop_assert!(error.to_string().len() < 600),
        }
    }

    #[test]
    fn every_term_must_hold(terms in prop::collection::vec(term(), 0..5), number in 0_u64..9) {
        let whole = NotificationFilter { terms: terms.clone() }.selection();
        let one = notification(number);
        let each = terms.iter().all(|term| Selection::everything().and(term).matches(&one));
        prop_assert_eq!(whole.matches(&one), each);
        prop_assert!(!whole.is_empty() || !each);
    }
}
