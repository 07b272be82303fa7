//! Checking a written filter and making it ready to decide.

use super::Filter;
use super::authors::AuthorIds;
use super::condition::{Condition, Node};
use super::error::{FilterError, cut};
use super::key::Key;
use super::model::{FilterGroup, Mode, WrittenFilter};
use super::operator::Operator;
use super::probe::probe;

/// How many groups may lie within each other, the outermost counted.
pub const MAX_DEPTH: usize = 8;
/// How many conditions and groups a filter may have.
pub const MAX_FILTERS: usize = 500;
/// How many values a filter may have in all its conditions.
pub const MAX_VALUES: usize = 500;
/// How long a value may be, in bytes.
pub const MAX_VALUE_BYTES: usize = 2048;

impl Filter {
    /// Checks `group` and makes it a filter. Authors given by name are looked up in `authors`;
    /// see [`Filter::author_names`].
    ///
    /// # Errors
    /// The first thing that is wrong, with what is allowed in its place.
    pub fn compile(group: &FilterGroup, authors: &AuthorIds) -> Result<Self, FilterError> {
        let mut compiler = Compiler { authors, filters: 0, values: 0 };
        Ok(Self { root: compiler.group(group, 1)? })
    }
}

struct Compiler<'a> {
    authors: &'a AuthorIds,
    filters: usize,
    values: usize,
}

impl Compiler<'_> {
    fn group(&mut self, group: &FilterGroup, depth: usize) -> Result<Node, FilterError> {
        if depth > MAX_DEPTH {
            return Err(FilterError::TooDeep { max: MAX_DEPTH });
        }
        self.count(1 + group.filters.len())?;
        let mut members = Vec::with_capacity(group.filters.len() + group.filter_groups.len());
        for filter in &group.filters {
            members.push(Node::Condition(self.condition(filter)?));
        }
        for inner in &group.filter_groups {
            members.push(self.group(inner, depth + 1)?);
        }
        // An empty group matches everything in either mode.
        let all = members.is_empty() || group.mode.unwrap_or(Mode::And) == Mode::And;
        Ok(if all { Node::All(members) } else { Node::Any(members) })
    }

    fn count(&mut self, filters: usize) -> Result<(), FilterError> {
        self.filters = self.filters.saturating_add(filters);
        if self.filters > MAX_FILTERS {
            return Err(FilterError::TooManyFilters { max: MAX_FILTERS });
        }
        Ok(())
    }

    fn condition(&mut self, filter: &WrittenFilter) -> Result<Condition, FilterError> {
        let written = filter.key.as_str();
        let key = Key::named(written).ok_or_else(|| FilterError::UnknownKey(cut(written)))?;
        let operator = operator(key, filter.operator.as_deref())?;
        self.check_values(key, &filter.values)?;
        if matches!(operator, Operator::Nil | Operator::NotNil) {
            return match (operator, filter.values.is_empty()) {
                (_, false) => Err(FilterError::ValuesNotTaken { operator, key }),
                (Operator::Nil, true) => Ok(Condition::Absent(key)),
                (_, true) => Ok(Condition::Present(key)),
            };
        }
        if filter.values.is_empty() {
            return Err(FilterError::NoValues { operator, key });
        }
        let probes = filter
            .values
            .iter()
            .map(|value| probe(key, operator, value, self.authors))
            .collect::<Result<Vec<_>, _>>()?;
        let negated = operator.is_negative();
        let default = if negated { Mode::And } else { Mode::Or };
        let all = filter.mode.unwrap_or(default) == Mode::And;
        Ok(Condition::Values { probes, all, negated })
    }

    fn check_values(&mut self, key: Key, values: &[String]) -> Result<(), FilterError> {
        self.values = self.values.saturating_add(values.len());
        if self.values > MAX_VALUES {
            return Err(FilterError::TooManyValues { max: MAX_VALUES });
        }
        match values.iter().find(|value| value.len() > MAX_VALUE_BYTES) {
            Some(long) => {
                Err(FilterError::ValueTooLong { key, start: cut(long), max: MAX_VALUE_BYTES })
            }
            None => Ok(()),
        }
    }
}

fn operator(key: Key, written: Option<&str>) -> Result<Operator, FilterError> {
    let written = written.unwrap_or("eq");
    let operator = Operator::named(written)
        .ok_or_else(|| FilterError::UnknownOperator { operator: cut(written), key })?;
    if !key.operators().contains(&operator) {
        return Err(FilterError::OperatorNotAllowed { operator, key });
    }
    Ok(operator)
}
