//! Properties over generated trees and generated text.

use std::ops::RangeInclusive;

use proptest::collection::vec;
use proptest::prelude::*;

use super::ast::{
    Comparison, Literal, ObjectPath, Observation, Predicate, Qualifier, Relation, Seconds, Step,
    TextOperator,
};
use super::{Pattern, escape};

const TWO_OR_MORE: RangeInclusive<usize> = 2..=3;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), r"[a-z'\\%_. ]{0,12}"]
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![-1e6..1e6, any::<f64>().prop_filter("finite", |number| number.is_finite())]
}

fn timestamp() -> impl Strategy<Value = String> {
    r"[0-9]{4}-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]{1,9})?Z"
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        text().prop_map(Literal::Text),
        any::<i64>().prop_map(Literal::Integer),
        float().prop_map(Literal::Float),
        any::<bool>().prop_map(Literal::Boolean),
        "([0-9a-fA-F]{2}){0,4}".prop_map(Literal::Hex),
        "([A-Za-z0-9+/]{4}){0,3}([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)"
            .prop_map(Literal::Binary),
        timestamp().prop_map(Literal::Timestamp),
    ]
}

fn object_path() -> impl Strategy<Value = ObjectPath> {
    let key = || prop_oneof![text(), "[a-z_][a-z0-9_-]{0,8}", "(IN|AND|LAST|true|h|b|t)"];
    let step =
        prop_oneof![key().prop_map(Step::Key), any::<i64>().prop_map(Step::Index), Just(Step::Any)];
    let object_type = prop_oneof!["x_[a-z0-9_]{0,6}", "[a-z_][a-z0-9_-]{0,8}-x"];
    (object_type, key(), vec(step, 0..4)).prop_map(|(object_type, first, rest)| {
        let steps = [Step::Key(first)].into_iter().chain(rest).collect();
        ObjectPath { object_type, steps }
    })
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let equality = prop_oneof![Just(Relation::Equal), Just(Relation::NotEqual)];
    let order = prop_oneof![
        Just(Relation::Less),
        Just(Relation::LessOrEqual),
        Just(Relation::Greater),
        Just(Relation::GreaterOrEqual)
    ];
    let orderable =
        literal().prop_filter("orderable", |literal| !matches!(literal, Literal::Boolean(_)));
    let operator = prop_oneof![
        Just(TextOperator::Like),
        Just(TextOperator::Matches),
        Just(TextOperator::IsSubset),
        Just(TextOperator::IsSuperset)
    ];
    prop_oneof![
        (equality, literal()).prop_map(|(relation, value)| Predicate::Relation(relation, value)),
        (order, orderable).prop_map(|(relation, value)| Predicate::Relation(relation, value)),
        vec(literal(), 0..4).prop_map(Predicate::In),
        (operator, text()).prop_map(|(operator, value)| Predicate::Text(operator, value)),
    ]
}

fn comparison() -> impl Strategy<Value = Comparison> {
    let leaf = prop_oneof![
        4 => (object_path(), any::<bool>(), predicate())
            .prop_map(|(path, negated, predicate)| Comparison::Test { path, negated, predicate }),
        1 => (object_path(), any::<bool>())
            .prop_map(|(path, negated)| Comparison::Exists { path, negated }),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), TWO_OR_MORE).prop_map(Comparison::And),
            vec(inner, TWO_OR_MORE).prop_map(Comparison::Or),
        ]
    })
}

fn qualifier() -> impl Strategy<Value = Qualifier> {
    let whole = 0..=i64::MAX.unsigned_abs();
    prop_oneof![
        whole.clone().prop_map(|seconds| Qualifier::Within(Seconds::Whole(seconds))),
        float().prop_map(|seconds| Qualifier::Within(Seconds::Fraction(seconds.abs()))),
        whole.prop_map(Qualifier::Repeats),
        (timestamp(), timestamp()).prop_map(|(start, stop)| Qualifier::StartStop { start, stop }),
    ]
}

fn qualified(inner: Observation, mut qualifiers: Vec<Qualifier>) -> Observation {
    if matches!(inner, Observation::Test(_)) {
        qualifiers.sort_by_key(Qualifier::name);
        qualifiers.dedup_by_key(|qualifier| qualifier.name());
    }
    Observation::Qualified { inner: Box::new(inner), qualifiers }
}

fn observation() -> impl Strategy<Value = Observation> {
    comparison().prop_map(Observation::Test).prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), TWO_OR_MORE).prop_map(Observation::And),
            vec(inner.clone(), TWO_OR_MORE).prop_map(Observation::Or),
            vec(inner.clone(), TWO_OR_MORE).prop_map(Observation::FollowedBy),
            (inner, vec(qualifier(), 1..4))
                .prop_map(|(inner, qualifiers)| qualified(inner, qualifiers)),
        ]
    })
}

/// Text made of a pattern's words, mostly no pattern.
fn words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        r"[\[\]().,:*=<>!'\\+/-]",
        "(AND|OR|NOT|FOLLOWEDBY|IN|LIKE|MATCHES|EXISTS|WITHIN|SECONDS|REPEATS|TIMES|START|STOP)",
        "(a:b|url:value|'x'|h'00'|b'AAAA'|t'2026-01-01T00:00:00Z'|5|-5|1.5|true|\\[a:b = 1\\])",
        "( |\n|/\\*|//|ü)",
    ];
    vec(word, 0..24).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn what_is_written_parses_to_an_equal_pattern(root in observation()) {
        let pattern = Pattern { root };
        let written = pattern.to_string();
        let read = written.parse::<Pattern>();
        prop_assert_eq!(read.as_ref(), Ok(&pattern), "{}", written);
        prop_assert_eq!(read.unwrap().to_string(), written);
    }

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![any::<String>(), words()]) {
        match text.parse::<Pattern>() {
            Ok(pattern) => prop_assert_eq!(pattern.to_string().parse::<Pattern>(), Ok(pattern)),
            Err(error) => prop_assert!(text.is_char_boundary(error.offset()), "{error}"),
        }
    }

    #[test]
    fn a_cut_or_changed_pattern_is_read_or_refused(
        root in observation(),
        at in any::<prop::sample::Index>(),
        put in prop_oneof![Just(String::new()), words()],
    ) {
        let written = Pattern { root }.to_string();
        let at = written.floor_char_boundary(at.index(written.len()));
        let rest = written[at..].chars().skip(1).collect::<String>();
        let text = format!("{}{put}{rest}", &written[..at]);
        if let Err(error) = text.parse::<Pattern>() {
            prop_assert!(text.is_char_boundary(error.offset()), "{error}");
        }
    }

    #[test]
    fn an_escaped_value_comes_back(value in text()) {
        // Not empty: an empty value is no IOC.
        let value = format!("{value}/");
        let pattern: Pattern = format!("[url:value = '{}']", escape(&value)).parse().unwrap();
        prop_assert_eq!(pattern.iocs().first().map(|ioc| ioc.value.clone()), Some(value));
    }
}
