//! A handful of filters, each written twice: as the operator writes it, and as a predicate.

use serde_json::{Value, json};
use shared::tlp::Tlp;

use super::content::{Facts, Kind};

/// A filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Everything.
    Everything,
    /// What has the label `a`.
    A,
    /// What has not.
    NotA,
    /// Indicators with the label `b`.
    IndicatorsB,
    /// What is TLP:GREEN or has the label `b`.
    GreenOrB,
    /// What has a confidence above 50.
    Confident,
    /// Relationships.
    Relationships,
    /// Nothing: what is posted only.
    Nothing,
    /// What has the label `a`, whoever owns it.
    AnybodysA,
    /// Indicators for addresses.
    Addresses,
    /// What is not revoked.
    NotRevoked,
}

/// All filters.
pub const CHOICES: [Choice; 11] = [
    Choice::Everything,
    Choice::A,
    Choice::NotA,
    Choice::IndicatorsB,
    Choice::GreenOrB,
    Choice::Confident,
    Choice::Relationships,
    Choice::Nothing,
    Choice::AnybodysA,
    Choice::Addresses,
    Choice::NotRevoked,
];

fn one(key: &str, operator: &str, value: &str) -> Value {
    json!({"key": key, "values": [value], "operator": operator})
}

impl Choice {
    /// The filter as an operator writes it.
    pub fn json(self) -> Value {
        let (mode, filters) = match self {
            Self::Everything => ("and", vec![]),
            Self::A => ("and", vec![one("label", "eq", "a")]),
            Self::NotA => ("and", vec![one("label", "not_eq", "a")]),
            Self::IndicatorsB => {
                ("and", vec![one("entity_type", "eq", "Indicator"), one("label", "eq", "b")])
            }
            Self::GreenOrB => ("or", vec![one("marking", "eq", "green"), one("label", "eq", "b")]),
            Self::Confident => ("and", vec![one("confidence", "gt", "50")]),
            Self::Relationships => ("and", vec![one("entity_type", "eq", "relationship")]),
            Self::Nothing => ("and", vec![one("label", "eq", "none-has-it")]),
            Self::AnybodysA => ("and", vec![one("owner", "eq", "any"), one("label", "eq", "a")]),
            Self::Addresses => ("and", vec![one("ioc_type", "eq", "ipv4")]),
            Self::NotRevoked => ("and", vec![one("revoked", "eq", "false")]),
        };
        json!({"mode": mode, "filters": filters, "filterGroups": []})
    }

    /// The same as a predicate.
    pub fn matches(self, facts: &Facts<'_>) -> bool {
        let content = facts.content;
        let indicator = facts.kind == Kind::Indicator;
        match self {
            Self::Everything => true,
            Self::A | Self::AnybodysA => content.a,
            Self::NotA => !content.a,
            Self::IndicatorsB => indicator && content.b,
            Self::GreenOrB => facts.level == Tlp::Green || content.b,
            Self::Confident => content.confidence.is_some_and(|confidence| confidence > 50),
            Self::Relationships => matches!(facts.kind, Kind::Relationship { .. }),
            Self::Nothing => false,
            Self::Addresses => indicator && content.address,
            Self::NotRevoked => !content.revoked,
        }
    }

    /// Whether objects of tenants that may not write to the collection enter it too.
    pub fn takes_any_owner(self) -> bool {
        self == Self::AnybodysA
    }
}
