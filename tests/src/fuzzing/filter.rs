//! Filters of collections.

use shared::filter::{
    AuthorIds, Filter, FilterGroup, Key, MAX_DEPTH, MAX_FILTERS, MAX_VALUE_BYTES, MAX_VALUES, Mode,
    Operator, Subject, WrittenFilter,
};
use shared::stix::{Facets, StixObject};
use shared::tlp::Tlp;

use super::sample;

const OWNERS: [&str; 3] = [shared::filter::OPERATOR, "tenant-a", "any"];

/// The input is a filter as JSON; behind a NUL an object may follow for it to decide about.
pub fn filter(data: &[u8]) {
    let (filter, object) = match data.iter().position(|byte| *byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[][..]),
    };
    let Ok(group) = serde_json::from_slice::<FilterGroup>(filter) else { return };
    written(&group);
    let mut objects = sample::facets();
    objects.extend(StixObject::parse(object, sample::now()).ok().map(|object| object.facets));

    let authors = authors(&group);
    match Filter::compile(&group, &authors) {
        Ok(filter) => {
            within_bounds(&group);
            owners(&group, &filter, &objects);
            wrapped(&group, &filter, &objects, &authors);
            negated(&group, &filter, &objects, &authors);
        }
        Err(error) => super::check_message(&error.to_string()),
    }
}

/// What was written is shown as it was.
fn written(group: &FilterGroup) {
    let text = serde_json::to_string(group).expect("a filter is JSON");
    assert_eq!(serde_json::from_str::<FilterGroup>(&text).expect("our own JSON"), *group);
}

/// Every other name an author is given by stands for an identity.
fn authors(group: &FilterGroup) -> AuthorIds {
    let names = Filter::author_names(group);
    let mut authors = AuthorIds::default();
    for name in names.iter().step_by(2) {
        let id = "identity--0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9".parse().expect("an id");
        authors.insert(name, [id]);
        assert!(!authors.of(name).is_empty(), "{name:?} is not found again");
    }
    authors
}

fn conditions(group: &FilterGroup) -> Vec<&WrittenFilter> {
    let inner = group.filter_groups.iter().flat_map(conditions);
    group.filters.iter().chain(inner).collect()
}

fn depth(group: &FilterGroup) -> usize {
    1 + group.filter_groups.iter().map(depth).max().unwrap_or(0)
}

fn groups(group: &FilterGroup) -> usize {
    1 + group.filter_groups.iter().map(groups).sum::<usize>()
}

fn within_bounds(group: &FilterGroup) {
    let conditions = conditions(group);
    let values = || conditions.iter().flat_map(|condition| &condition.values);
    assert!(depth(group) <= MAX_DEPTH, "deeper than {MAX_DEPTH}");
    assert!(groups(group) + conditions.len() <= MAX_FILTERS, "more than {MAX_FILTERS}");
    assert!(values().count() <= MAX_VALUES, "more than {MAX_VALUES} values");
    assert!(values().all(|value| value.len() <= MAX_VALUE_BYTES), "a value too long");
}

/// What the filter says of each object at each level and for each owner, in one order.
fn answers(filter: &Filter, objects: &[Facets]) -> Vec<bool> {
    let of = |facets, owner| {
        Tlp::ALL.map(|level| filter.matches(&Subject { facets, level, owner })).to_vec()
    };
    objects.iter().flat_map(|facets| OWNERS.map(|owner| of(facets, owner)).concat()).collect()
}

/// The owner matters only to who names one, and `any` has to be said.
fn owners(group: &FilterGroup, filter: &Filter, objects: &[Facets]) {
    let named = |condition: &&WrittenFilter| Key::named(condition.key.as_str()) == Some(Key::Owner);
    let conditions = conditions(group);
    let mut values = conditions.iter().copied().filter(named).flat_map(|named| &named.values);
    let any = values.any(|value| value.trim().eq_ignore_ascii_case("any"));
    assert!(any || !filter.owner_any(), "nobody said that any owner may enter");
    if conditions.iter().any(named) {
        return;
    }
    for facets in objects {
        let says = |owner| filter.matches(&Subject { facets, level: Tlp::Green, owner });
        assert!(OWNERS.iter().all(|owner| says(owner) == says(OWNERS[0])), "the owner decides");
    }
}

/// A group alone in another means the same, in either mode.
fn wrapped(group: &FilterGroup, filter: &Filter, objects: &[Facets], authors: &AuthorIds) {
    if depth(group) == MAX_DEPTH || groups(group) + conditions(group).len() == MAX_FILTERS {
        return;
    }
    for mode in [None, Some(Mode::And), Some(Mode::Or)] {
        let outer = FilterGroup { mode, filters: Vec::new(), filter_groups: vec![group.clone()] };
        let outer = Filter::compile(&outer, authors).expect("it compiled without the group around");
        assert_eq!(answers(&outer, objects), answers(filter, objects), "{group:?} in a group");
        assert_eq!(outer.owner_any(), filter.owner_any(), "{group:?} in a group");
    }
}

/// By De Morgan's laws, wherever each condition has an opposite.
fn negated(group: &FilterGroup, filter: &Filter, objects: &[Facets], authors: &AuthorIds) {
    let Some(opposite) = opposite(group) else { return };
    let opposite = Filter::compile(&opposite, authors).expect("the opposite is as well formed");
    for (yes, no) in answers(filter, objects).into_iter().zip(answers(&opposite, objects)) {
        assert_ne!(yes, no, "{group:?} and its opposite agree");
    }
}

fn opposite(group: &FilterGroup) -> Option<FilterGroup> {
    if group.filters.is_empty() && group.filter_groups.is_empty() {
        return None;
    }
    Some(FilterGroup {
        mode: Some(other(group.mode.unwrap_or(Mode::And))),
        filters: group.filters.iter().map(opposite_of).collect::<Option<_>>()?,
        filter_groups: group.filter_groups.iter().map(opposite).collect::<Option<_>>()?,
    })
}

fn opposite_of(condition: &WrittenFilter) -> Option<WrittenFilter> {
    let operator = Operator::named(condition.operator.as_deref().unwrap_or("eq"))?;
    let other_operator = match operator {
        Operator::Eq => Operator::NotEq,
        Operator::NotEq => Operator::Eq,
        Operator::Contains => Operator::NotContains,
        Operator::NotContains => Operator::Contains,
        Operator::Nil => Operator::NotNil,
        Operator::NotNil => Operator::Nil,
        // An object without the value is on neither side.
        _ => return None,
    };
    // That no owner at all may enter cannot be said.
    let key = Key::named(condition.key.as_str())?;
    let any = condition.values.iter().any(|value| value.trim().eq_ignore_ascii_case("any"));
    if key == Key::Owner && any {
        return None;
    }
    let mode = if operator.is_negative() { Mode::And } else { Mode::Or };
    Some(WrittenFilter {
        operator: Some(other_operator.name().to_owned()),
        mode: Some(other(condition.mode.unwrap_or(mode))),
        ..condition.clone()
    })
}

const fn other(mode: Mode) -> Mode {
    match mode {
        Mode::And => Mode::Or,
        Mode::Or => Mode::And,
    }
}
