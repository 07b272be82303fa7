//! What a notification is about and where it comes from: the facets with few values.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::tlp::Tlp;

/// The type of the object a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityType {
    /// A file, known by a hash.
    File,
    /// A domain name.
    Domain,
    /// A URL.
    Url,
    /// An IPv4 or IPv6 address.
    IpAddress,
}

/// Why there is a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A hunting engine found a match.
    Hunting,
    /// The tenant subscribed to a collection or a threat actor.
    Subscriptions,
}

/// The type of the source that triggered a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceType {
    /// A Livehunt ruleset.
    HuntingRuleset,
    /// A Retrohunt job.
    RetrohuntJob,
    /// A collection that was subscribed to.
    Collection,
    /// A threat actor that was subscribed to.
    ThreatActor,
}

/// Types with a name that stands in filters and answers.
pub trait Named: Sized + Copy + 'static {
    /// Every value, in the order in which messages list them.
    const ALL: &'static [Self];

    /// The value's name.
    fn name(self) -> &'static str;

    /// The value with exactly this name.
    #[must_use]
    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.name() == name)
    }
}

impl Named for EntityType {
    const ALL: &'static [Self] = &[Self::File, Self::Domain, Self::Url, Self::IpAddress];

    fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::IpAddress => "ip_address",
        }
    }
}

impl EntityType {
    /// The collection of such objects in `VirusTotal`'s API, as in `/files/{id}`.
    #[must_use]
    pub const fn api_collection(self) -> &'static str {
        match self {
            Self::File => "files",
            Self::Domain => "domains",
            Self::Url => "urls",
            Self::IpAddress => "ip_addresses",
        }
    }
}

impl Named for Origin {
    const ALL: &'static [Self] = &[Self::Hunting, Self::Subscriptions];

    fn name(self) -> &'static str {
        match self {
            Self::Hunting => "hunting",
            Self::Subscriptions => "subscriptions",
        }
    }
}

impl Named for SourceType {
    const ALL: &'static [Self] =
        &[Self::HuntingRuleset, Self::RetrohuntJob, Self::Collection, Self::ThreatActor];

    fn name(self) -> &'static str {
        match self {
            Self::HuntingRuleset => "hunting_ruleset",
            Self::RetrohuntJob => "retrohunt_job",
            Self::Collection => "collection",
            Self::ThreatActor => "threat_actor",
        }
    }
}

impl SourceType {
    /// The origin of what such a source triggers.
    #[must_use]
    pub const fn origin(self) -> Origin {
        match self {
            Self::HuntingRuleset | Self::RetrohuntJob => Origin::Hunting,
            Self::Collection | Self::ThreatActor => Origin::Subscriptions,
        }
    }
}

macro_rules! shown_by_name {
    ($($kind:ty),+) => {$(
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    )+};
}

shown_by_name!(EntityType, Origin, SourceType);

/// A source type and an entity type: what a notification's lists are split by. The origin follows
/// from the source type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// What triggered it.
    pub source: SourceType,
    /// What it is about.
    pub entity: EntityType,
}

impl Kind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        SourceType::ALL
            .iter()
            .flat_map(|source| EntityType::ALL.iter().map(|entity| (*source, *entity)))
            .map(|(source, entity)| Self { source, entity })
    }

    /// The kind's number, below 16. Stored, so it never changes.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.source as u8 * 4 + self.entity as u8
    }

    /// The kind with this number.
    #[must_use]
    pub fn numbered(number: u8) -> Option<Self> {
        Self::all().find(|kind| kind.number() == number)
    }
}

/// A kind and a TLP level: what a notification's lists are split by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shelf {
    /// The kind.
    pub kind: Kind,
    /// The level when it was made.
    pub level: Tlp,
}

impl Shelf {
    /// The shelf's number, below 80. Stored, so it never changes.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.level as u8 * 16 + self.kind.number()
    }

    /// The shelf with this number.
    #[must_use]
    pub fn numbered(number: u8) -> Option<Self> {
        let level = Tlp::ALL.into_iter().find(|level| *level as u8 == number / 16)?;
        Some(Self { kind: Kind::numbered(number % 16)?, level })
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// No kind.
    pub const NONE: Self = Self(0);
    /// Every kind.
    pub const ALL: Self = Self(u16::MAX);

    /// The kinds for which `wanted` says yes.
    #[must_use]
    pub fn where_(wanted: impl Fn(Kind) -> bool) -> Self {
        Kind::all().filter(|kind| wanted(*kind)).fold(Self::NONE, Self::with)
    }

    /// These kinds and one more.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | 1 << kind.number())
    }

    /// The kinds in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether `kind` is among them.
    #[must_use]
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & (1 << kind.number()) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds, in order.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::all().filter(move |kind| self.contains(*kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_numbered_for_ever() {
        let numbers: Vec<u8> = Kind::all().map(Kind::number).collect();
        assert_eq!(numbers, (0..16).collect::<Vec<u8>>());
        assert!(Kind::all().all(|kind| Kind::numbered(kind.number()) == Some(kind)));
        let kind = Kind { source: SourceType::Collection, entity: EntityType::Url };
        assert_eq!(kind.number(), 10);
        assert_eq!(Kind::numbered(16), None);
    }

    #[test]
    fn shelves_are_numbered_for_ever() {
        let shelf = |number| Shelf::numbered(number);
        assert!((0..80).all(|number| shelf(number).is_some_and(|one| one.number() == number)));
        assert_eq!(shelf(80), None);
        let kind = Kind { source: SourceType::Collection, entity: EntityType::Url };
        let levels = Tlp::ALL.map(|level| Shelf { kind, level }.number());
        assert_eq!(levels, [10, 26, 42, 58, 74]);
    }

    #[test]
    fn sets_hold_what_was_put_into_them() {
        let urls = Kinds::where_(|kind| kind.entity == EntityType::Url);
        assert_eq!(urls.iter().count(), 4);
        let hunting = Kinds::where_(|kind| kind.source.origin() == Origin::Hunting);
        assert_eq!(urls.and(hunting).iter().count(), 2);
        assert!(Kinds::ALL.iter().eq(Kind::all()) && Kinds::NONE.is_empty());
    }
}
