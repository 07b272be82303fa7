//! A Query's key condition: which items it covers.

use std::cmp::Ordering;

use serde_json::Value;

use super::key::{self, KeyNames};

/// What the key condition of a Query asks for.
#[derive(Debug, PartialEq)]
pub(super) struct KeyCondition {
    /// The partition.
    pub(super) partition: String,
    range: Option<Range>,
}

#[derive(Debug, PartialEq)]
enum Range {
    Compared(&'static [Ordering], Value),
    Between(Value, Value),
    BeginsWith(String),
}

impl KeyCondition {
    /// Reads a Query's condition; `None` for one that is written otherwise than is known here.
    pub(super) fn of(query: &Value, names: &KeyNames) -> Option<Self> {
        let text = query["KeyConditionExpression"].as_str()?;
        let spaced = text.replace(['(', ')', ','], " ");
        let mut words = spaced.split_whitespace();
        let (mut partition, mut range) = (None, None);
        while let Some(word) = words.next() {
            let begins = word.eq_ignore_ascii_case("begins_with");
            let name = attribute(query, if begins { words.next()? } else { word })?;
            let operator = if begins { "begins_with" } else { words.next()? };
            let value = query["ExpressionAttributeValues"].get(words.next()?)?.clone();
            if name == names.partition {
                (operator == "=").then_some(())?;
                partition = Some(key::text(&value)?);
            } else {
                range = Some(match operator {
                    "begins_with" => Range::BeginsWith(key::text(&value)?),
                    "=" => Range::Compared(&[Ordering::Equal], value),
                    "<" => Range::Compared(&[Ordering::Less], value),
                    "<=" => Range::Compared(&[Ordering::Less, Ordering::Equal], value),
                    ">" => Range::Compared(&[Ordering::Greater], value),
                    ">=" => Range::Compared(&[Ordering::Greater, Ordering::Equal], value),
                    _ if operator.eq_ignore_ascii_case("between") => {
                        words.next().filter(|and| and.eq_ignore_ascii_case("and"))?;
                        let upper = query["ExpressionAttributeValues"].get(words.next()?)?;
                        Range::Between(value, upper.clone())
                    }
                    _ => return None,
                });
            }
            match words.next() {
                None => {}
                Some(and) if and.eq_ignore_ascii_case("and") => {}
                Some(_) => return None,
            }
        }
        Some(Self { partition: partition?, range })
    }

    /// Whether an item of the partition with this sort key is asked for.
    pub(super) fn covers(&self, sort: &Value) -> bool {
        match &self.range {
            None => true,
            Some(Range::Compared(wanted, bound)) => {
                order(sort, bound).is_some_and(|order| wanted.contains(&order))
            }
            Some(Range::Between(lower, upper)) => {
                order(sort, lower).is_some_and(Ordering::is_ge)
                    && order(sort, upper).is_some_and(Ordering::is_le)
            }
            Some(Range::BeginsWith(prefix)) => {
                key::text(sort).is_some_and(|sort| sort.starts_with(prefix))
            }
        }
    }
}

/// The attribute a word of an expression names.
pub(super) fn attribute<'a>(request: &'a Value, word: &'a str) -> Option<&'a str> {
    if word.starts_with('#') {
        request["ExpressionAttributeNames"][word].as_str()
    } else {
        Some(word)
    }
}

/// How two sort keys stand to each other; `None` when they are of types that cannot be compared
/// here.
pub(super) fn order(a: &Value, b: &Value) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (a["S"].as_str(), b["S"].as_str()) {
        return Some(a.as_bytes().cmp(b.as_bytes()));
    }
    let number = |value: &Value| value["N"].as_str()?.parse::<f64>().ok();
    number(a)?.partial_cmp(&number(b)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names() -> KeyNames {
        KeyNames { partition: "id".into(), sort: Some("sk".into()) }
    }

    fn condition(expression: &str) -> Option<KeyCondition> {
        let query = json!({
            "KeyConditionExpression": expression,
            "ExpressionAttributeNames": {"#s": "sk"},
            "ExpressionAttributeValues":
                {":id": {"S": "log"}, ":a": {"S": "L#2"}, ":b": {"S": "L#4"}},
        });
        KeyCondition::of(&query, &names())
    }

    fn covered(expression: &str) -> Vec<String> {
        let condition = condition(expression).expect("the condition is known");
        assert_eq!(condition.partition, "log");
        let sorts = (1..=5).map(|number| format!("L#{number}"));
        sorts.filter(|sort| condition.covers(&json!({"S": sort}))).collect()
    }

    #[test]
    fn every_condition_the_product_writes_is_known() {
        assert_eq!(covered("id = :id").len(), 5);
        assert_eq!(covered("id = :id AND sk BETWEEN :a AND :b"), ["L#2", "L#3", "L#4"]);
        assert_eq!(covered("id = :id AND begins_with(sk, :a)"), ["L#2"]);
        assert_eq!(covered("(id = :id) and (#s > :b)"), ["L#5"]);
        assert_eq!(covered("sk <= :a AND id = :id"), ["L#1", "L#2"]);
    }

    #[test]
    fn others_are_not_taken_for_known_ones() {
        for unknown in ["sk = :a", "id = :id AND sk IN :a", "id = :none", "id > :id", "id = :id OR"]
        {
            assert_eq!(condition(unknown), None, "{unknown}");
        }
    }
}
