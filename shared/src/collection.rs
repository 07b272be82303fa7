//! A collection's definition: what it selects, how high it reaches, who may read and write it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use crate::access::{Caller, Scope, TenantId};
use crate::filter::{AuthorIds, FilterGroup};
use crate::log::CollectionId;
use crate::stix::SpecVersion;
use crate::tlp::Tlp;

/// A name a collection may be reached by instead of its id: 1 to 64 of a-z, 0-9, `-` and `_`,
/// and no UUID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Alias(String);

/// Why a text is not an alias.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an alias is 1 to 64 of a-z, 0-9, - and _, and no UUID: {0:?}")]
pub struct AliasError(String);

impl FromStr for Alias {
    type Err = AliasError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let good = (1..=64).contains(&text.len())
            && uuid::Uuid::try_parse(text).is_err()
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if good { Ok(Self(text.into())) } else { Err(AliasError(text.chars().take(80).collect())) }
    }
}

impl TryFrom<String> for Alias {
    type Error = AliasError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Alias> for String {
    fn from(alias: Alias) -> Self {
        alias.0
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an operator says of a collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectionSettings {
    /// Shown to people; unique, and without dots (some TAXII clients use it as a key).
    pub title: String,
    /// Shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Another name to reach it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<Alias>,
    /// What enters it.
    #[serde(default)]
    pub filter: FilterGroup,
    /// Objects above this level never enter.
    pub ceiling: Tlp,
    /// Readable without a key.
    #[serde(default)]
    pub public: bool,
    /// Offered over TAXII.
    #[serde(default = "yes")]
    pub taxii: bool,
    /// The tenants that may read it; absent: every tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readers: Option<Vec<TenantId>>,
    /// The tenants that may write to it, beside the operator.
    #[serde(default)]
    pub writers: Vec<TenantId>,
    /// The STIX specifications whose objects enter.
    #[serde(default = "only_2_1")]
    pub spec_versions: Vec<SpecVersion>,
    /// How it is offered as a live stream.
    #[serde(default)]
    pub stream: StreamSettings,
}

/// How a collection is offered as a live stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamSettings {
    /// Whether it is; a stopped stream answers 410.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether relationships, sightings and their other ends are sent to readers that do not say
    /// what they want.
    #[serde(default)]
    pub dependencies: bool,
    /// Whether the stream can be read without a key; absent: as the collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self { enabled: true, dependencies: false, public: None }
    }
}

fn yes() -> bool {
    true
}

fn only_2_1() -> Vec<SpecVersion> {
    vec![SpecVersion::V21]
}

/// A stored collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Collection {
    /// Its id.
    pub id: CollectionId,
    /// Rises with every change.
    pub revision: u64,
    /// Rises with every change of what it selects.
    pub generation: u64,
    /// What is stored is being re-evaluated; till that is done its log may hold objects up to
    /// this level, whatever the ceiling says now.
    pub rebuilding: Option<Tlp>,
    /// The identities its filter's author names stood for when it was saved.
    #[serde(default)]
    pub authors: AuthorIds,
    /// What the operator said.
    pub settings: CollectionSettings,
}

/// What a caller may do with a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Read its objects.
    pub read: bool,
    /// Add and delete objects.
    pub write: bool,
}

impl Rights {
    /// Whether the caller may know that the collection exists.
    #[must_use]
    pub const fn any(self) -> bool {
        self.read || self.write
    }
}

impl Collection {
    /// What `caller` (absent: somebody without a key) may do over a surface whose reading needs
    /// `scope`. A key whose clearance is below the ceiling may not read.
    #[must_use]
    pub fn rights(&self, caller: Option<&Caller>, scope: Scope) -> Rights {
        let settings = &self.settings;
        let level = self.level();
        let public = settings.public && level == settings.ceiling;
        let Some(caller) = caller else {
            return Rights { read: public, write: false };
        };
        let listed = caller.tenant.is_operator()
            || settings.readers.as_ref().is_none_or(|readers| readers.contains(&caller.tenant));
        let read = caller.may(scope) && listed && caller.clearance >= level;
        let write = caller.may(Scope::WriteObjects) && self.takes_from(&caller.tenant);
        Rights { read: read || public, write }
    }

    /// The highest level of what it may hold: a ceiling that was lowered holds once what lay above
    /// it is gone.
    #[must_use]
    pub fn level(&self) -> Tlp {
        self.rebuilding.max(Some(self.settings.ceiling)).unwrap_or(self.settings.ceiling)
    }

    /// Whether a feed of it may be read without a key: the operator made the collection public, and
    /// holds to its ceiling, or it holds nothing above TLP:CLEAR.
    #[must_use]
    pub fn may_be_published(&self) -> bool {
        let level = self.level();
        level == Tlp::Clear || (self.settings.public && level == self.settings.ceiling)
    }

    /// What `caller` may do with it as a live stream, which may be public where the collection
    /// is not, and the reverse.
    #[must_use]
    pub fn stream_rights(&self, caller: Option<&Caller>) -> Rights {
        self.as_stream().rights(caller, Scope::ReadStream)
    }

    /// Whether `tenant` may know of it as a live stream.
    #[must_use]
    pub fn is_stream_known_to(&self, tenant: &TenantId) -> bool {
        self.as_stream().is_known_to(tenant)
    }

    /// Whether its live stream can be read without a key.
    #[must_use]
    pub fn has_public_stream(&self) -> bool {
        self.settings.stream.public.unwrap_or(self.settings.public)
    }

    fn as_stream(&self) -> Self {
        let mut stream = self.clone();
        stream.settings.public = self.has_public_stream();
        stream
    }

    /// Whether `tenant` may know of it: it is among its readers or writers, or it is public.
    #[must_use]
    pub fn is_known_to(&self, tenant: &TenantId) -> bool {
        let readers = self.settings.readers.as_ref();
        self.settings.public
            || self.takes_from(tenant)
            || readers.is_none_or(|readers| readers.contains(tenant))
    }

    /// Whether `tenant` is among those that may read it, whatever its keys are cleared for.
    #[must_use]
    pub fn is_read_by(&self, tenant: &TenantId) -> bool {
        let readers = self.settings.readers.as_ref();
        self.settings.public
            || tenant.is_operator()
            || readers.is_none_or(|readers| readers.contains(tenant))
    }

    /// Whether it takes the same objects as `other`.
    #[must_use]
    pub fn selects_as(&self, other: &Self) -> bool {
        let (now, before) = (&self.settings, &other.settings);
        now.filter == before.filter
            && self.authors == other.authors
            && now.ceiling == before.ceiling
            && now.writers == before.writers
            && now.spec_versions == before.spec_versions
    }

    /// How it is shown to operators, and written into the audit.
    #[must_use]
    pub fn shown(&self) -> Value {
        let mut shown = serde_json::to_value(&self.settings).unwrap_or_default();
        if let Value::Object(members) = &mut shown {
            members.insert("id".to_owned(), json!(self.id));
            members.insert("revision".to_owned(), json!(self.revision));
            members.insert("generation".to_owned(), json!(self.generation));
            members.insert("rebuilding".to_owned(), json!(self.rebuilding.is_some()));
        }
        shown
    }

    /// Whether `tenant` may write to it.
    #[must_use]
    pub fn takes_from(&self, tenant: &TenantId) -> bool {
        tenant.is_operator() || self.settings.writers.contains(tenant)
    }
}
