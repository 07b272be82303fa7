//! An indicator as it stands in the log, and as it goes out.

use serde_json::Value;
use shared::id::ObjectId;
use shared::ioc::{name, stock_description};
use shared::log::Mark;
use shared::pattern::Pattern;
use shared::stix::{IocValue, Members};
use shared::store::StoreError;
use shared::tlp::{DEFAULT_LEVEL, Tlp};

use crate::markings::{MarkingIds, Rewrite, Used, effective};
use crate::parameters::Ask;
use crate::references::References;
use crate::selection::Picked;

/// An indicator of the log, read as far as the export asks.
pub struct Indicator<'a> {
    members: Members<'a>,
    /// Its level: that of its log, or of a marking of its own that is above that.
    pub level: Tlp,
    /// Its id.
    pub id: ObjectId,
    /// Where it stands.
    pub mark: Mark,
    /// `created_by_ref`.
    pub author: Option<ObjectId>,
    /// The markings it names that are none of OASIS' own.
    pub markings: Vec<ObjectId>,
    /// The highest of OASIS' markings it names, red if one cannot be read.
    own_level: Option<Tlp>,
}

/// An indicator on its way out.
pub struct Exported {
    /// The object.
    pub json: String,
    /// Its markings, for what is made from it.
    pub markings: Vec<String>,
    /// The markings the bundle has to define for it.
    pub used: Used,
    /// Its level.
    pub level: Tlp,
}

fn damaged(id: &str, error: &impl ToString) -> StoreError {
    StoreError::Damaged(format!("indicator {id}: {}", error.to_string()))
}

impl<'a> Indicator<'a> {
    /// Reads an entry of a log.
    pub fn read(picked: &'a Picked) -> Result<Self, StoreError> {
        let entry = &picked.entry;
        let members: Members<'a> =
            serde_json::from_str(&entry.body).map_err(|error| damaged(&entry.id, &error))?;
        let author = members.get::<Value>("created_by_ref").ok().flatten();
        let mut markings = Vec::new();
        let mut own_level = None;
        let ids = MarkingIds::of(&members);
        for id in ids.readable {
            match Tlp::of_marking_id(id.as_str()) {
                Some(level) => own_level = own_level.max(Some(level)),
                None => markings.push(id),
            }
        }
        if ids.unreadable {
            own_level = Some(Tlp::Red);
        }
        Ok(Self {
            members,
            level: picked.level.max(own_level.unwrap_or(Tlp::Clear)),
            id: entry.id.parse().map_err(|error| damaged(&entry.id, &error))?,
            mark: picked.mark,
            author: author.and_then(|author| author.as_str()?.parse().ok()),
            markings,
            own_level,
        })
    }

    /// A member that is a text.
    pub fn text(&self, name: &str) -> Option<String> {
        let value = self.members.get::<Value>(name).ok().flatten()?;
        value.as_str().map(str::to_owned)
    }

    /// The IOCs its pattern names.
    pub fn iocs(&self) -> Vec<IocValue> {
        let stix = self.text("pattern_type").is_some_and(|kind| kind.eq_ignore_ascii_case("stix"));
        let pattern = self.text("pattern").filter(|_| stix);
        let read = pattern.and_then(|pattern| pattern.parse::<Pattern>().ok());
        read.map(|pattern| pattern.iocs()).unwrap_or_default()
    }

    /// The members of one of its objects, such as `external_references`.
    pub fn list(&self, name: &str) -> Vec<Value> {
        self.members.get(name).ok().flatten().unwrap_or_default()
    }

    /// A member of one of its extensions.
    pub fn extension(&self, id: &str, name: &str) -> Option<String> {
        let extensions = self.members.get::<Value>("extensions").ok().flatten()?;
        extensions.get(id)?.get(name)?.as_str().map(str::to_owned)
    }

    /// The level a marking of its own gives it, if one does: not what its confidence gives.
    fn floor(&self, references: &References) -> Option<Tlp> {
        let confidence = self.members.get::<u8>("confidence").ok().flatten();
        let unmarked = confidence.map_or(DEFAULT_LEVEL, Tlp::of_confidence);
        let all_statements = self.markings.iter().all(|id| references.statement(id).is_some());
        let marked = self.own_level.is_some() || !all_statements || self.level != unmarked;
        marked.then(|| self.level.max(self.own_level.unwrap_or(Tlp::Clear)))
    }

    /// The indicator as it goes out: by `author`, with the markings asked for, and with the name
    /// and description that the official validator misses. With `plain`, without what it refers to.
    pub fn export(
        &self,
        ask: &Ask,
        references: &References,
        author: Option<&ObjectId>,
        plain: bool,
    ) -> Result<Exported, StoreError> {
        let write = || {
            let mut members = self.members.clone();
            let level = effective(self.level, self.floor(references), ask.tlp);
            let rewrite = Rewrite {
                version: ask.tlp_version,
                least: ask.tlp,
                references: (!plain).then_some(references),
            };
            let (markings, used) = rewrite.apply(&mut members, Some(level))?;
            match author {
                Some(author) => members.set("created_by_ref", author)?,
                None => members.remove("created_by_ref"),
            }
            self.describe(&mut members)?;
            let json = serde_json::to_string(&members)?;
            Ok(Exported { json, markings, used, level: ask.tlp_version.level(level) })
        };
        write().map_err(|error: serde_json::Error| damaged(self.id.as_str(), &error))
    }

    fn describe(&self, members: &mut Members<'_>) -> Result<(), serde_json::Error> {
        if members.has("name") && members.has("description") {
            return Ok(());
        }
        let ioc = self.iocs().into_iter().next();
        if !members.has("name") {
            let of_pattern = || self.text("pattern").unwrap_or_default();
            let value = ioc.as_ref().map_or_else(of_pattern, |ioc| ioc.value.clone());
            members.set("name", &name(&value))?;
        }
        if !members.has("description") {
            let general = "Pattern reported as a sign of malicious activity";
            let text = ioc.map_or(general, |ioc| stock_description(ioc.kind));
            members.set("description", text)?;
        }
        Ok(())
    }
}
