//! What is asked for: the query's parameters.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::http::{ApiError, Query};
use shared::stix::IocType;
use shared::time::parse_moment;
use shared::tlp::Tlp;

const DEFAULT_LIMIT: usize = 500;
const MAX_LIMIT: usize = 1000;

const TYPES: &str = "ipv4, ipv6, domain, url, md5, sha1, sha256, sha512, email, cve or mitre_attack, several by comma";
const LEVELS: &str = "clear, green, amber, amber+strict or red";

/// How the objects are wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// As a bundle.
    Bundle,
    /// As a bare array, what Sentinel's file import takes.
    Objects,
}

/// Which ids markings have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TlpVersion {
    /// Those of TLP 1.0.
    V1,
    /// Those of TLP 2.0.
    V2,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)] // Each is a parameter of its own.
pub struct Ask {
    /// Indicators that name IOCs of these types, each type once; absent: all indicators.
    pub types: Option<Vec<IocType>>,
    /// Only what was added or changed here at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// The most indicators.
    pub limit: usize,
    /// How they are wrapped.
    pub format: Format,
    /// With the identities that indicators name as their author.
    pub identity: bool,
    /// With the definitions of the markings they name.
    pub markings: bool,
    /// The level of every indicator whose own is not higher; absent: by confidence.
    pub tlp: Option<Tlp>,
    /// The ids of TLP markings.
    pub tlp_version: TlpVersion,
    /// With what they are based on, as observables.
    pub observables: bool,
    /// With the vulnerabilities and techniques they name.
    pub context: bool,
    /// Revoked and expired ones too.
    pub revoked: bool,
}

impl Ask {
    /// Reads the parameters; unknown ones are ignored.
    pub fn parse(query: &Query) -> Result<Self, ApiError> {
        let flag = |name: &str, default| read(query, name, "true or false", truth, default);
        let markings = flag("include_marking", true)?;
        Ok(Self {
            types: read(query, "type", TYPES, |text| types(text).map(Some), None)?,
            since: read(
                query,
                "since",
                "an ISO 8601 time with Z or an offset, such as 2026-05-15T00:00:00Z, or a date",
                |text| parse_moment(text).ok().map(Some),
                None,
            )?,
            limit: limit(query)?.unwrap_or(DEFAULT_LIMIT),
            format: read(query, "format", "bundle or objects", format, Format::Bundle)?,
            identity: flag("include_identity", true)?,
            markings: flag("include_markings", markings)?,
            tlp: read(query, "tlp", LEVELS, |text| Tlp::from_str(text).ok().map(Some), None)?,
            tlp_version: read(query, "tlp_version", "2.0 or 1.0", version, TlpVersion::V2)?,
            observables: flag("include_observables", false)?,
            context: flag("include_context", false)?,
            revoked: flag("include_revoked", false)?,
        })
    }
}

/// The `limit` of a request, if it names one.
pub fn limit(query: &Query) -> Result<Option<usize>, ApiError> {
    read(query, "limit", "a whole number from 1 to 1000", |text| number(text).map(Some), None)
}

fn read<T>(
    query: &Query,
    name: &str,
    allowed: &str,
    parse: impl FnOnce(&str) -> Option<T>,
    default: T,
) -> Result<T, ApiError> {
    let Some(text) = query.one(name)? else { return Ok(default) };
    parse(text.trim()).ok_or_else(|| refused(name, allowed, text))
}

/// 400 that names the parameter and what it takes.
pub fn refused(name: &str, allowed: &str, text: &str) -> ApiError {
    let shown: String = text.chars().take(60).collect();
    let message = format!("`{name}` takes {allowed}, not {shown:?}");
    let mut error = ApiError::bad_request("invalid_parameter", message);
    error.details = json!({"parameter": name});
    error
}

fn types(text: &str) -> Option<Vec<IocType>> {
    let mut types: Vec<IocType> =
        text.split(',').map(|name| name.parse().ok()).collect::<Option<_>>()?;
    types.sort_unstable();
    types.dedup();
    Some(types)
}

/// More digits than a number has are a large number all the same.
fn number(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<usize>().unwrap_or(MAX_LIMIT).min(MAX_LIMIT);
    Some(number).filter(|number| digits && *number > 0)
}

fn format(text: &str) -> Option<Format> {
    match text.to_ascii_lowercase().as_str() {
        "bundle" => Some(Format::Bundle),
        "objects" => Some(Format::Objects),
        _ => None,
    }
}

fn version(text: &str) -> Option<TlpVersion> {
    match text {
        "2.0" | "2" => Some(TlpVersion::V2),
        "1.0" | "1" => Some(TlpVersion::V1),
        _ => None,
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(query: &str) -> Result<Ask, String> {
        Ask::parse(&Query::parse(query).unwrap()).map_err(|error| error.message)
    }

    #[test]
    fn parameters_have_defaults_and_several_spellings() {
        let plain = ask("").unwrap();
        assert_eq!((plain.limit, plain.format, plain.tlp), (500, Format::Bundle, None));
        assert!(plain.identity && plain.markings && !plain.observables && !plain.revoked);
        let types = ask("type=mitre-attack,URL,ipv4,url").unwrap().types.unwrap();
        assert_eq!(types, [IocType::Ipv4, IocType::Url, IocType::MitreAttack]);
        for text in ["amber+strict", "amber%2Bstrict", "amber_strict", "AMBER-STRICT"] {
            assert_eq!(ask(&format!("tlp={text}")).unwrap().tlp, Some(Tlp::AmberStrict), "{text}");
        }
        assert_eq!(ask("limit=99999999999999999999999").unwrap().limit, 1000);
        assert!(!ask("include_marking=FALSE").unwrap().markings);
        assert!(!ask("include_identity=0").unwrap().identity);
        assert_eq!(
            ask("since=2026-05-15").unwrap(),
            ask("since=2026-05-15T02:00:00%2B02:00").unwrap()
        );
    }

    #[test]
    fn a_bad_parameter_is_named_with_what_it_takes() {
        for (query, part) in [
            ("type=ip", "ipv4, ipv6"),
            ("type=ipv4,", "`type` takes"),
            ("since=yesterday", "`since` takes an ISO 8601"),
            ("since=2026-05-15T00:00:00", "with Z or an offset, such as 2026-05-15T00:00:00Z"),
            ("limit=0", "from 1 to 1000"),
            ("limit=-1", "`limit`"),
            ("limit=", "`limit`"),
            ("format=csv", "bundle or objects"),
            ("include_identity=yes", "true or false"),
            ("tlp=purple", "amber+strict"),
            ("tlp_version=3", "2.0 or 1.0"),
        ] {
            let message = ask(query).unwrap_err();
            assert!(message.contains(part), "{query}: {message}");
        }
    }
}
