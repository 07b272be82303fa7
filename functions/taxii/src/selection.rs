//! What a read asks for: `match[…]`, `added_after`, `limit` (TAXII 2.1, sections 3.4, 3.5, 5.4).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared::http::Query;
use shared::id::{ObjectId, is_type_name};
use shared::log::Seen;
use shared::stix::SpecVersion;
use shared::time::{Position, Timestamp, Version, parse_instant};

use crate::fault::Fault;

/// Objects on a page when nobody says how many.
pub const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;
/// Values one `match[…]` may list.
const MAX_VALUES: usize = 100;

/// Which versions of an object are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The newest.
    pub last: bool,
    /// The oldest.
    pub first: bool,
    /// Every one.
    pub all: bool,
    /// These.
    pub exact: Vec<Version>,
}

impl Versions {
    /// The default: the newest.
    pub const LAST: Self = Self { last: true, first: false, all: false, exact: Vec::new() };
    /// Every version.
    pub const ALL: Self = Self { last: false, first: false, all: true, exact: Vec::new() };

    /// Whether only newest versions are asked for.
    #[must_use]
    pub fn only_last(&self) -> bool {
        self.last && !self.first && self.exact.is_empty()
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        let mut versions = Self { last: false, ..Self::LAST };
        for value in values("match[version]", text)? {
            match value {
                "last" => versions.last = true,
                "first" => versions.first = true,
                "all" => versions.all = true,
                other => versions.exact.push(Version(other.parse::<Timestamp>().map_err(|_| {
                    let shown: String = other.chars().take(60).collect();
                    Fault::parameter(
                        "match[version]",
                        format!("match[version] takes last, first, all or versions such as 2026-05-15T08:30:00.000Z, not {shown:?}"),
                    )
                })?)),
            }
        }
        if versions.all && (versions.first || versions.last || !versions.exact.is_empty()) {
            return Err(Fault::parameter(
                "match[version]",
                "match[version]=all stands alone: it holds every other version",
            ));
        }
        Ok(versions)
    }
}

/// Which objects are asked for: what a cursor carries on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Entries after this position.
    pub added_after: Option<Position>,
    /// Objects with these ids.
    pub ids: Option<Vec<ObjectId>>,
    /// Objects of these types.
    pub types: Option<Vec<String>>,
    /// These versions.
    pub versions: Versions,
    /// Objects written in these specifications.
    pub spec_versions: Option<Vec<SpecVersion>>,
}

impl Selection {
    /// Reads the parameters of a request; unknown ones are ignored.
    ///
    /// # Errors
    /// Names the parameter at fault.
    pub fn parse(query: &Query) -> Result<Self, Fault> {
        let types = query.one("match[type]")?.map(|text| {
            let types = values("match[type]", text)?;
            types.into_iter().map(known_type).collect::<Result<_, Fault>>()
        });
        Ok(Self {
            added_after: query.one("added_after")?.map(added_after).transpose()?,
            ids: query.one("match[id]")?.map(ids).transpose()?,
            types: types.transpose()?,
            versions: query.one("match[version]")?.map_or(Ok(Versions::LAST), Versions::parse)?,
            spec_versions: query.one("match[spec_version]")?.map(spec_versions).transpose()?,
        })
    }

    /// Whether an entry of the log is asked for.
    #[must_use]
    pub fn takes(&self, seen: &Seen) -> bool {
        let versions = &self.versions;
        let version = || {
            versions.all
                || (versions.last && seen.current)
                || (versions.first && seen.oldest)
                || (!versions.exact.is_empty()
                    && seen
                        .entry
                        .version
                        .parse()
                        .is_ok_and(|version| versions.exact.contains(&Version(version))))
        };
        let object_type = seen.entry.id.split("--").next().unwrap_or_default();
        seen.present
            && self.takes_type(object_type)
            && self.takes_spec(seen.entry.spec_version)
            && version()
    }

    /// Whether objects of this type are asked for.
    #[must_use]
    pub fn takes_type(&self, object_type: &str) -> bool {
        self.types.as_ref().is_none_or(|types| types.iter().any(|known| known == object_type))
    }

    /// Whether objects of this specification are asked for.
    #[must_use]
    pub fn takes_spec(&self, spec: SpecVersion) -> bool {
        self.spec_versions.as_ref().is_none_or(|specs| specs.contains(&spec))
    }
}

/// The `limit` of a request, silently capped at 1,000.
///
/// # Errors
/// When it is no whole number above 0, or stands twice.
pub fn limit(query: &Query) -> Result<Option<usize>, Fault> {
    let Some(text) = query.one("limit")? else {
        return Ok(None);
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number too large for the machine is still a number, and capped like any other.
    match text.parse::<usize>() {
        Ok(0) => {}
        Ok(limit) => return Ok(Some(limit.min(MAX_LIMIT))),
        Err(_) if digits => return Ok(Some(MAX_LIMIT)),
        Err(_) => {}
    }
    let shown: String = text.chars().take(40).collect();
    Err(Fault::parameter("limit", format!("limit is a whole number above 0, not {shown:?}")))
}

fn values<'a>(name: &str, text: &'a str) -> Result<Vec<&'a str>, Fault> {
    let values: Vec<&str> = text.split(',').map(str::trim).collect();
    if values.iter().any(|value| value.is_empty()) {
        return Err(Fault::parameter(name, format!("{name} holds an empty value")));
    }
    if values.len() > MAX_VALUES {
        let message = format!("{name} lists more than {MAX_VALUES} values");
        return Err(Fault::parameter(name, message));
    }
    Ok(values)
}

fn added_after(text: &str) -> Result<Position, Fault> {
    let at = parse_instant(text)
        .map_err(|fault| Fault::parameter("added_after", format!("added_after is {fault}")))?;
    Ok(Position::at_or_before(DateTime::<Utc>::from(at)))
}

fn ids(text: &str) -> Result<Vec<ObjectId>, Fault> {
    values("match[id]", text)?
        .into_iter()
        .map(|id| {
            id.parse().map_err(|fault| Fault::parameter("match[id]", format!("match[id]: {fault}")))
        })
        .collect()
}

fn known_type(value: &str) -> Result<String, Fault> {
    if is_type_name(value) {
        return Ok(value.to_owned());
    }
    let shown: String = value.chars().take(60).collect();
    Err(Fault::parameter("match[type]", format!("match[type]: {shown:?} is no STIX type")))
}

fn spec_versions(text: &str) -> Result<Vec<SpecVersion>, Fault> {
    values("match[spec_version]", text)?
        .into_iter()
        .map(|value| match value {
            "2.0" => Ok(SpecVersion::V20),
            "2.1" => Ok(SpecVersion::V21),
            _ => Err(Fault::parameter(
                "match[spec_version]",
                "match[spec_version] takes 2.0 and 2.1",
            )),
        })
        .collect()
}
