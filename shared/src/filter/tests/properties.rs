use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::filter::{FilterKey, Key, Mode, Operator, WrittenFilter};

/// Values that mean something to some key, and some that mean nothing to any.
const VALUES: [&str; 34] = [
    "Indicator",
    "Stix-Domain-Object",
    "relationship",
    "x-acme-thing",
    "detection",
    "Phishing Kit",
    "kit",
    "spam",
    "TLP:GREEN",
    "amber+strict",
    GREEN_1,
    AUTHOR,
    SENSOR,
    "Example CERT",
    "Nobody",
    "70",
    "high",
    "-1",
    "99999999999999999999",
    "stix",
    "malicious-activity",
    "domain",
    "login.example.com",
    "mitre-attack/initial-access",
    "T1566",
    "T1566.001",
    "true",
    "2026-05-15",
    "2026-05-15T08:30:00Z",
    INDICATOR,
    MALWARE,
    "any",
    "operator",
    "ΑΣ ß İ \u{0}",
];

const KEYS: [&str; 27] = [
    "entity_type",
    "label",
    "marking",
    "author",
    "confidence",
    "score",
    "pattern_type",
    "indicator_type",
    "ioc_type",
    "ioc_value",
    "kill_chain_phase",
    "mitre_attack",
    "revoked",
    "created",
    "modified",
    "valid_until",
    "id",
    "name",
    "relationship_type",
    "source",
    "target",
    "owner",
    "fromId",
    "toTypes",
    "objectLabel",
    "createdBy",
    "no such key",
];

fn mode() -> impl Strategy<Value = Mode> {
    select(vec![Mode::And, Mode::Or])
}

fn values() -> impl Strategy<Value = Vec<String>> {
    let value = prop_oneof![4 => select(&VALUES[..]).prop_map(str::to_owned), 1 => any::<String>()];
    prop::collection::vec(value, 0..4)
}

fn condition() -> impl Strategy<Value = WrittenFilter> {
    let key = prop_oneof![
        select(&KEYS[..]).prop_map(FilterKey::from),
        select(&KEYS[..]).prop_map(|key| FilterKey::Listed([key.to_owned()])),
    ];
    let operator = select(&Operator::ALL[..]).prop_map(|operator| operator.name().to_owned());
    (key, values(), option::of(operator), option::of(mode()))
        .prop_map(|(key, values, operator, mode)| WrittenFilter { key, values, operator, mode })
}

fn group() -> impl Strategy<Value = FilterGroup> {
    let leaf = (option::of(mode()), prop::collection::vec(condition(), 0..3))
        .prop_map(|(mode, filters)| FilterGroup { mode, filters, filter_groups: Vec::new() });
    leaf.prop_recursive(9, 24, 3, |inner| {
        (
            option::of(mode()),
            prop::collection::vec(condition(), 0..3),
            prop::collection::vec(inner, 0..3),
        )
            .prop_map(|(mode, filters, filter_groups)| FilterGroup {
                mode,
                filters,
                filter_groups,
            })
    })
}

/// The fixtures, with some of what is known of them taken away or made odd.
fn facets() -> impl Strategy<Value = Facets> {
    let base = select(vec![indicator(), relationship(), sighting(), bare(MALWARE)]);
    let texts = ["Detection", "PHISHING kit ", "", "ας", "Σ\u{307}"].map(str::to_owned).to_vec();
    let labels = subsequence(texts.clone(), 0..=5);
    let markings = subsequence(vec![GREEN_1, Tlp::Red.marking_id()], 0..=2);
    (base, labels, option::of(select(texts)), option::of(0..=100_u8), markings, any::<bool>())
        .prop_map(|(base, labels, name, confidence, markings, revoked)| Facets {
            labels,
            name,
            confidence,
            markings: markings.iter().map(|id| id.parse().unwrap()).collect(),
            revoked,
            techniques: base.techniques.iter().chain([&"T".to_owned()]).cloned().collect(),
            ..base
        })
}

fn authors() -> AuthorIds {
    let mut authors = AuthorIds::default();
    authors.insert("Example CERT", [AUTHOR.parse().unwrap()]);
    authors
}

fn decides(filter: WrittenFilter, facets: &Facets, owner: &str) -> Option<bool> {
    let group = FilterGroup { filters: vec![filter], ..FilterGroup::default() };
    let filter = Filter::compile(&group, &authors()).ok()?;
    Some(filter.matches(&Subject { facets, level: Tlp::Green, owner }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_filter_is_refused_or_decides(group in group(), facets in facets(), owner in any::<String>()) {
        let _ = Filter::author_names(&group);
        match Filter::compile(&group, &authors()) {
            Ok(filter) => {
                let _ = filter.owner_any();
                let _ = filter.matches(&Subject { facets: &facets, level: Tlp::Green, owner: &owner });
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn a_negative_operator_is_the_opposite_in_the_other_mode(
        key in select(&KEYS[..]),
        values in values(),
        facets in facets(),
        (mode, other) in select(vec![(Mode::And, Mode::Or), (Mode::Or, Mode::And)]),
        (yes, no) in select(vec![("eq", "not_eq"), ("contains", "not_contains")]),
        owner in select(vec!["operator", "tenant-a"]),
    ) {
        let written = |operator: &str, mode| WrittenFilter {
            key: key.into(),
            values: values.clone(),
            operator: Some(operator.to_owned()),
            mode: Some(mode),
        };
        let found = decides(written(yes, mode), &facets, owner);
        let opposite = decides(written(no, other), &facets, owner);
        let any_owner = Key::named(key) == Some(Key::Owner)
            && values.iter().any(|value| value.trim().eq_ignore_ascii_case("any"));
        if any_owner {
            prop_assert_eq!(opposite, None);
        } else {
            prop_assert_eq!(found, opposite.map(|opposite| !opposite));
        }
    }

    #[test]
    fn negative_values_are_joined_by_and_unless_said(values in values(), facets in facets()) {
        let written = |mode| WrittenFilter {
            key: "label".into(),
            values: values.clone(),
            operator: Some("not_eq".to_owned()),
            mode,
        };
        let unsaid = decides(written(None), &facets, OPERATOR);
        prop_assert_eq!(unsaid, decides(written(Some(Mode::And)), &facets, OPERATOR));
    }

    #[test]
    fn nil_is_the_opposite_of_not_nil(key in select(&KEYS[..]), facets in facets()) {
        let written = |operator: &str| WrittenFilter {
            key: key.into(),
            values: Vec::new(),
            operator: Some(operator.to_owned()),
            mode: None,
        };
        let absent = decides(written("nil"), &facets, OPERATOR);
        let present = decides(written("not_nil"), &facets, OPERATOR);
        prop_assert_eq!(absent, present.map(|present| !present));
    }

    #[test]
    fn a_text_comparison_is_that_of_the_folded_texts(
        name in any::<String>(),
        value in prop_oneof![any::<String>(), "[a-cA-CäÄßΣ ]{1,3}"],
        operator in select(vec!["eq", "contains", "starts_with", "ends_with"]),
    ) {
        let facets = Facets { name: Some(name.clone()), ..bare(MALWARE) };
        let written = WrittenFilter {
            key: "name".into(),
            values: vec![value.clone()],
            operator: Some(operator.to_owned()),
            mode: None,
        };
        let fold = |text: &str| text.trim().chars().flat_map(char::to_lowercase).collect::<String>();
        let (name, value) = (fold(&name), fold(&value));
        let expected = match operator {
            "eq" => name == value,
            "contains" => name.contains(&value),
            "starts_with" => name.starts_with(&value),
            _ => name.ends_with(&value),
        };
        prop_assert_eq!(decides(written, &facets, OPERATOR), (!value.is_empty()).then_some(expected));
    }

    #[test]
    fn a_written_filter_is_read_back_the_same(group in group()) {
        let text = serde_json::to_string(&group).unwrap();
        prop_assert_eq!(serde_json::from_str::<FilterGroup>(&text).unwrap(), group);
    }
}
