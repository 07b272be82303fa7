//! Plans: how much a key's holder may ask for, and how far back. Data, not code: an operator changes
//! a plan's row or adds one without a deploy. What stands here is what a plan of that name is
//! until there is a row.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use super::Scope;

/// A plan's name: 1 to 63 of a-z, 0-9 and `-`, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlanName(Box<str>);

/// Why a text is not a plan's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a plan's name is 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit: {0:?}")]
pub struct PlanNameError(String);

impl PlanName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PlanName {
    type Err = PlanNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if super::is_name(text) {
            Ok(Self(text.into()))
        } else {
            Err(PlanNameError(text.chars().take(80).collect()))
        }
    }
}

impl TryFrom<String> for PlanName {
    type Error = PlanNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PlanName> for String {
    fn from(name: PlanName) -> Self {
        name.0.into()
    }
}

impl fmt::Display for PlanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a plan grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanTerms {
    /// Requests a key may make within a minute of the clock; absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<NonZeroU32>,
    /// Requests a key may make within a UTC day; absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_day: Option<NonZeroU64>,
    /// How far back a key may read, in days; absent: to the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookback_days: Option<NonZeroU32>,
    /// How long notifications of its tenants are kept, in days.
    #[serde(default = "thirty_days")]
    pub retention_days: NonZeroU32,
    /// What its keys may do, if they hold the scope as well.
    pub scopes: Vec<Scope>,
}

const fn thirty_days() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(29)
}

/// Why terms are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// A scope only the operator gives.
    #[error("the scope {0} is given to a key by the operator, never by a plan")]
    NotOfAPlan(Scope),
    /// The day is shorter than the minute.
    #[error("{per_day} requests a day are fewer than {per_minute} a minute")]
    DayBelowMinute {
        /// Requests a day.
        per_day: u64,
        /// Requests a minute.
        per_minute: u32,
    },
}

impl PlanTerms {
    /// Whether the terms make sense.
    ///
    /// # Errors
    /// Names what does not.
    pub fn check(&self) -> Result<(), PlanError> {
        if let Some(scope) = self.scopes.iter().find(|scope| scope.is_given_by_operator()) {
            return Err(PlanError::NotOfAPlan(*scope));
        }
        match (self.requests_per_minute, self.requests_per_day) {
            (Some(minute), Some(day)) if day.get() < u64::from(minute.get()) => {
                Err(PlanError::DayBelowMinute { per_day: day.get(), per_minute: minute.get() })
            }
            _ => Ok(()),
        }
    }
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: PlanName,
    /// Rises with every change; 0: there is no row, and its terms are those of this release.
    pub revision: u64,
    /// What it grants.
    pub terms: PlanTerms,
}

impl Plan {
    /// The plan that a release brings under this name, if it brings one.
    #[must_use]
    pub fn of_release(name: &PlanName) -> Option<Self> {
        OF_RELEASE.iter().find(|plan| plan.name == *name).cloned()
    }

    /// The plans a release brings.
    #[must_use]
    pub fn all_of_release() -> &'static [Self] {
        &OF_RELEASE
    }

    /// What a key is on whose plan is not there any more: it may do what its operator gave it
    /// alone, as often as on the smallest plan.
    #[must_use]
    pub fn gone(name: PlanName) -> Self {
        let smallest = OF_RELEASE.first().map(|plan| plan.terms.clone());
        let mut terms = smallest.unwrap_or(PlanTerms {
            requests_per_minute: None,
            requests_per_day: None,
            lookback_days: None,
            retention_days: thirty_days(),
            scopes: Vec::new(),
        });
        terms.scopes.clear();
        Self { name, revision: 0, terms }
    }

    /// How it is shown to operators, and written into the audit.
    #[must_use]
    pub fn shown(&self) -> Value {
        let mut shown = serde_json::to_value(&self.terms).unwrap_or_default();
        if let Value::Object(members) = &mut shown {
            members.insert("name".to_owned(), json!(self.name));
            members.insert("revision".to_owned(), json!(self.revision));
        }
        shown
    }

    /// Whether a key on this plan that holds `scope` may use it.
    #[must_use]
    pub fn grants(&self, scope: Scope) -> bool {
        scope.is_given_by_operator() || self.terms.scopes.contains(&scope)
    }

    /// The earliest moment its keys may read from at `now`; absent: no limit.
    #[must_use]
    pub fn horizon(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let days = self.terms.lookback_days?;
        now.checked_sub_signed(TimeDelta::days(i64::from(days.get())))
    }
}

/// The contract's table.
static OF_RELEASE: LazyLock<Vec<Plan>> = LazyLock::new(|| {
    use Scope::{DeleteIocStream, ReadCsv, ReadIocStream, ReadStix, ReadStream, ReadTaxii};
    let few = vec![ReadIocStream, ReadCsv];
    let all = [&few[..], &[ReadStix, ReadTaxii, ReadStream, DeleteIocStream]].concat();
    [
        ("free", Some(10), Some(1000), Some(1), few),
        ("pro", Some(1000), Some(1_000_000), Some(365), all.clone()),
        ("enterprise", Some(10_000), None, None, all),
    ]
    .into_iter()
    .map(|(name, minute, day, lookback, scopes)| Plan {
        name: PlanName(name.into()),
        revision: 0,
        terms: PlanTerms {
            requests_per_minute: minute.and_then(NonZeroU32::new),
            requests_per_day: day.and_then(NonZeroU64::new),
            lookback_days: lookback.and_then(NonZeroU32::new),
            retention_days: thirty_days(),
            scopes,
        },
    })
    .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(name: &str) -> Plan {
        Plan::of_release(&name.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_plans_of_a_release_are_those_of_the_contract() {
        let now = "2026-11-22T06:00:00Z".parse().unwrap();
        let (free, pro, enterprise) = (plan("free"), plan("pro"), plan("enterprise"));
        assert!(free.grants(Scope::ReadCsv) && !free.grants(Scope::ReadTaxii));
        assert!(pro.grants(Scope::ReadTaxii) && pro.grants(Scope::DeleteIocStream));
        assert!(free.grants(Scope::WriteObjects), "a key that has it has it from the operator");
        assert_eq!(free.horizon(now), Some(now - TimeDelta::days(1)));
        assert_eq!(pro.horizon(now), Some(now - TimeDelta::days(365)));
        assert_eq!(enterprise.horizon(now), None);
        assert!(Plan::all_of_release().iter().all(|plan| plan.terms.check().is_ok()));
    }

    #[test]
    fn terms_are_checked() {
        let read = |text: &str| serde_json::from_str::<PlanTerms>(text);
        let terms = read(r#"{"scopes":["read:csv","admin"]}"#).unwrap();
        assert_eq!(terms.check(), Err(PlanError::NotOfAPlan(Scope::Admin)));
        let terms = r#"{"scopes":[],"requests_per_minute":10,"requests_per_day":5}"#;
        let expected = PlanError::DayBelowMinute { per_day: 5, per_minute: 10 };
        assert_eq!(read(terms).unwrap().check(), Err(expected));
        assert!(read(r#"{"scopes":[],"requests_per_minute":0}"#).is_err());
        assert!(read(r#"{"scopes":[],"requests_per_hour":1}"#).is_err());
    }
}
