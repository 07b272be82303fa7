//! The same IOC again: what a second report adds to the stored indicator.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use thiserror::Error;

use super::EXTENSION_ID;
use super::create::{name, sightings, stock_description};
use super::parts::{Phase, kill_chain_phases, references};
use crate::ioc::check::{Ioc, ends_after};
use crate::ioc::error::IocError;
use crate::stix::Members;
use crate::time::Timestamp;
use crate::tlp::Tlp;

/// Why an IOC cannot be merged into a stored object.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MergeError {
    /// The stored text is no JSON object.
    #[error("the stored object is not a JSON object: {0}")]
    Object(String),
    /// A member of the stored object is not what STIX says it is.
    #[error("`{member}` of the stored object is not what STIX 2.1 makes of it: {error}")]
    Member {
        /// The member.
        member: &'static str,
        /// What is wrong.
        error: String,
    },
    /// The IOC does not fit what is stored.
    #[error(transparent)]
    Ioc(#[from] IocError),
}

/// Merges a further report of the same IOC into its stored indicator. Gives the new object as
/// compact JSON, or `None` when the report adds nothing.
///
/// Labels, techniques and sources are united; the higher confidence, the stricter TLP level, the
/// earlier `valid_from`, the later `last_seen` and `valid_until` stay (a report without
/// `valid_until` says nothing about it); the first name and description stay (a report's takes the place of
/// the stock description); `revoked`
/// follows the last report that says something. `created` stays, and `modified` becomes `now`, or
/// a millisecond after the stored one if that is later. Everything else is left as it is, to the
/// letter.
///
/// # Errors
/// When the stored text is no indicator, or the IOC would end it before it begins.
pub fn merge_into(
    existing: &str,
    ioc: &Ioc,
    now: DateTime<Utc>,
) -> Result<Option<String>, MergeError> {
    let object: Members =
        serde_json::from_str(existing).map_err(|error| MergeError::Object(error.to_string()))?;
    let mut merge = Merge { object, changed: false };
    merge.texts(ioc)?;
    merge.validity(ioc, now)?;
    merge.unite("kill_chain_phases", &kill_chain_phases(ioc), |known: &Phase<'static>, new| {
        known == new
    })?;
    merge.revocation(ioc)?;
    merge.unite("labels", ioc.tags(), |known: &String, tag| known.trim() == tag)?;
    merge.confidence(ioc)?;
    merge.unite("external_references", &references(ioc), |known: &Reference, new| {
        known.names(&new.source_name, new.external_id)
    })?;
    merge.marking(ioc)?;
    merge.last_seen(ioc)?;
    if !merge.changed {
        return Ok(None);
    }
    merge.version(now)?;
    let text = serde_json::to_string(&merge.object);
    text.map(Some).map_err(|error| MergeError::Object(error.to_string()))
}

struct Merge {
    object: Members,
    changed: bool,
}

/// What tells a stored external reference apart.
#[derive(Deserialize)]
struct Reference {
    source_name: String,
    external_id: Option<String>,
}

impl Reference {
    /// Whether it is the reference to this source, or to this technique under any of the names
    /// ATT&CK's parts have had.
    fn names(&self, source_name: &str, external_id: Option<&str>) -> bool {
        match external_id {
            None => self.source_name == source_name && self.external_id.is_none(),
            Some(id) => {
                self.source_name.starts_with("mitre") && self.external_id.as_deref() == Some(id)
            }
        }
    }
}

impl Merge {
    fn get<T: DeserializeOwned>(&self, member: &'static str) -> Result<Option<T>, MergeError> {
        self.object.get(member).map_err(|error| wrong(member, &error))
    }

    fn set<T: Serialize>(&mut self, member: &'static str, value: &T) -> Result<(), MergeError> {
        self.changed = true;
        self.object.set(member, value).map_err(|error| wrong(member, &error))
    }

    fn texts(&mut self, ioc: &Ioc) -> Result<(), MergeError> {
        if self.get::<String>("name")?.is_none() {
            self.set("name", &name(ioc.value()))?;
        }
        let stock = stock_description(ioc.kind());
        match (self.get::<String>("description")?, ioc.description()) {
            (None, None) => self.set("description", &stock),
            (None, Some(text)) => self.set("description", &text),
            (Some(stored), Some(text)) if stored == stock && text != stock => {
                self.set("description", &text)
            }
            _ => Ok(()),
        }
    }

    fn validity(&mut self, ioc: &Ioc, now: DateTime<Utc>) -> Result<(), MergeError> {
        let reported = Timestamp::millis(ioc.first_seen().unwrap_or(now));
        let from = match self.get::<Timestamp>("valid_from")? {
            Some(stored) if stored <= reported => stored,
            _ => {
                self.set("valid_from", &reported)?;
                reported
            }
        };
        let Some(until) = ioc.valid_until().map(Timestamp::millis) else { return Ok(()) };
        if self.get::<Timestamp>("valid_until")?.is_some_and(|stored| stored >= until) {
            return Ok(());
        }
        ends_after(Some(until.at()), from.at())?;
        self.set("valid_until", &until)
    }

    fn revocation(&mut self, ioc: &Ioc) -> Result<(), MergeError> {
        let stored = self.get("revoked")?.unwrap_or(false);
        match ioc.revoked() {
            Some(true) if !stored => self.set("revoked", &true),
            Some(false) if stored => {
                self.changed = true;
                self.object.remove("revoked");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn confidence(&mut self, ioc: &Ioc) -> Result<(), MergeError> {
        let stored: Option<u8> = self.get("confidence")?;
        match ioc.confidence() {
            Some(reported) if Some(reported) > stored => self.set("confidence", &reported),
            _ => Ok(()),
        }
    }

    /// Adds the entries of `new` that are none of the stored ones by `same`.
    fn unite<Known: DeserializeOwned, New: Serialize>(
        &mut self,
        member: &'static str,
        new: &[New],
        same: impl Fn(&Known, &New) -> bool,
    ) -> Result<(), MergeError> {
        if new.is_empty() {
            return Ok(());
        }
        let known: Vec<Known> = self.get(member)?.unwrap_or_default();
        let missing = new.iter().filter(|new| !known.iter().any(|known| same(known, new)));
        let missing: Vec<_> = missing
            .map(to_raw_value)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(member, &error))?;
        if missing.is_empty() {
            return Ok(());
        }
        let mut all: Vec<Box<RawValue>> = self.get(member)?.unwrap_or_default();
        all.extend(missing);
        self.set(member, &all)
    }

    /// The stored level is that of its strictest TLP marking; other markings are none of ours.
    fn marking(&mut self, ioc: &Ioc) -> Result<(), MergeError> {
        let Some(level) = ioc.tlp() else { return Ok(()) };
        let mut markings: Vec<String> = self.get(MARKINGS)?.unwrap_or_default();
        let stored = markings.iter().filter_map(|id| Tlp::of_marking_id(id)).max();
        if stored >= Some(level) {
            return Ok(());
        }
        markings.retain(|id| Tlp::of_marking_id(id).is_none());
        markings.push(level.marking_id().into());
        self.set(MARKINGS, &markings)
    }

    fn last_seen(&mut self, ioc: &Ioc) -> Result<(), MergeError> {
        let (Some(reported), Some(made)) = (ioc.last_seen(), sightings(ioc)) else { return Ok(()) };
        let mut extensions: Members = self.get(EXTENSIONS)?.unwrap_or_default();
        let own = extensions.get(EXTENSION_ID).map_err(|error| wrong(EXTENSIONS, &error))?;
        let mut own: Members = own.unwrap_or_default();
        let stored =
            own.get::<Timestamp>("last_seen").map_err(|error| wrong(EXTENSIONS, &error))?;
        if stored.is_some_and(|stored| stored.at() >= reported) {
            return Ok(());
        }
        own.set("extension_type", &made.extension_type)
            .and_then(|()| own.set("last_seen", &made.last_seen))
            .and_then(|()| extensions.set(EXTENSION_ID, &own))
            .map_err(|error| wrong(EXTENSIONS, &error))?;
        self.set(EXTENSIONS, &extensions)
    }

    /// Moves `modified` on.
    fn version(&mut self, now: DateTime<Utc>) -> Result<(), MergeError> {
        let error = |error: &str| MergeError::Member { member: "modified", error: error.into() };
        let stored: Timestamp = self.get("modified")?.ok_or_else(|| error("it is missing"))?;
        let next = stored
            .at()
            .checked_add_signed(TimeDelta::milliseconds(1))
            .filter(|next| next.year() <= 9999)
            .ok_or_else(|| error("no later time can be written"))?;
        self.set("modified", &Timestamp::millis(next.max(now)))
    }
}

const MARKINGS: &str = "object_marking_refs";
const EXTENSIONS: &str = "extensions";

fn wrong(member: &'static str, error: &serde_json::Error) -> MergeError {
    MergeError::Member { member, error: error.to_string() }
}
