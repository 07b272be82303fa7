//! The keys of conditions: their names, and which operators each takes.

use std::fmt;

use super::operator::Operator;

/// What of an object a condition compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The object's type: a STIX type, or `OpenCTI`'s name for one or for several.
    EntityType,
    /// One of its labels.
    Label,
    /// Its TLP level (by name), or one of its markings (by id; the ids of TLP 1.0 and 2.0 for
    /// the same level are the same marking).
    Marking,
    /// The identity that created it.
    Author,
    /// Its confidence: 0–100, or `low`, `medium`, `high` for the whole band.
    Confidence,
    /// `OpenCTI`'s score.
    Score,
    /// An indicator's pattern type.
    PatternType,
    /// One of an indicator's types.
    IndicatorType,
    /// The type of an IOC its pattern names.
    IocType,
    /// The value of an IOC its pattern names.
    IocValue,
    /// A kill-chain phase: `phase`, `chain/phase` or `chain:phase`.
    KillChainPhase,
    /// A MITRE ATT&CK technique; one without sub-technique stands for its sub-techniques too.
    MitreAttack,
    /// Whether it is revoked.
    Revoked,
    /// When it was created.
    Created,
    /// When it was modified.
    Modified,
    /// When an indicator ceases to be valid.
    ValidUntil,
    /// Its id.
    Id,
    /// Its name.
    Name,
    /// A relationship's type; `sighting` for a sighting.
    RelationshipType,
    /// Where a relationship begins, or where a sighting was made: id or type.
    Source,
    /// Where a relationship ends, or what was sighted: id or type.
    Target,
    /// Like [`Key::Source`], but for a sighting what was sighted, as `OpenCTI` has it.
    From,
    /// Like [`Key::Target`], but for a sighting where it was made, as `OpenCTI` has it.
    To,
    /// Who wrote the object: `operator`, a tenant id, or `any`.
    Owner,
}

/// Every name of a key; the first of a key is the one to show.
const NAMES: [(&str, Key); 44] = [
    ("entity_type", Key::EntityType),
    ("label", Key::Label),
    ("marking", Key::Marking),
    ("author", Key::Author),
    ("confidence", Key::Confidence),
    ("score", Key::Score),
    ("pattern_type", Key::PatternType),
    ("indicator_type", Key::IndicatorType),
    ("ioc_type", Key::IocType),
    ("ioc_value", Key::IocValue),
    ("kill_chain_phase", Key::KillChainPhase),
    ("mitre_attack", Key::MitreAttack),
    ("revoked", Key::Revoked),
    ("created", Key::Created),
    ("modified", Key::Modified),
    ("valid_until", Key::ValidUntil),
    ("id", Key::Id),
    ("name", Key::Name),
    ("relationship_type", Key::RelationshipType),
    ("source", Key::Source),
    ("target", Key::Target),
    ("owner", Key::Owner),
    ("fromId", Key::From),
    ("fromTypes", Key::From),
    ("toId", Key::To),
    ("toTypes", Key::To),
    ("labels", Key::Label),
    ("objectLabel", Key::Label),
    ("labelledBy", Key::Label),
    ("objectMarking", Key::Marking),
    ("markedBy", Key::Marking),
    ("object_marking_refs", Key::Marking),
    ("createdBy", Key::Author),
    ("created_by_ref", Key::Author),
    ("x_opencti_score", Key::Score),
    ("indicator_types", Key::IndicatorType),
    ("killChainPhases", Key::KillChainPhase),
    ("kill_chain_phases", Key::KillChainPhase),
    ("x_mitre_id", Key::MitreAttack),
    ("ids", Key::Id),
    ("standard_id", Key::Id),
    ("source_ref", Key::Source),
    ("target_ref", Key::Target),
    ("type", Key::EntityType),
];

/// How many of [`NAMES`] are the service's own; the others are `OpenCTI`'s and STIX's spellings.
const OWN_NAMES: usize = 22;

const TEXT: &[Operator] = &[
    Operator::Eq,
    Operator::NotEq,
    Operator::Contains,
    Operator::NotContains,
    Operator::StartsWith,
    Operator::EndsWith,
    Operator::Nil,
    Operator::NotNil,
];
const ORDERED: &[Operator] = &[
    Operator::Eq,
    Operator::NotEq,
    Operator::Gt,
    Operator::Gte,
    Operator::Lt,
    Operator::Lte,
    Operator::Nil,
    Operator::NotNil,
];
const CHOICE: &[Operator] = &[Operator::Eq, Operator::NotEq, Operator::Nil, Operator::NotNil];
const ALWAYS_THERE: &[Operator] = &[Operator::Eq, Operator::NotEq];

impl Key {
    /// The key of this name: the service's own, `OpenCTI`'s or STIX's.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, key)| *key)
    }

    /// The name to show.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, key)| *key == self).map_or("", |(name, _)| *name)
    }

    /// The service's own names of keys, in the order in which the documentation lists them.
    pub fn own_names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().take(OWN_NAMES).map(|(name, _)| *name)
    }

    /// The operators this key takes.
    #[must_use]
    pub const fn operators(self) -> &'static [Operator] {
        match self {
            Self::Label
            | Self::PatternType
            | Self::IndicatorType
            | Self::IocValue
            | Self::Name
            | Self::RelationshipType => TEXT,
            Self::Confidence | Self::Score | Self::Created | Self::Modified | Self::ValidUntil => {
                ORDERED
            }
            Self::Marking
            | Self::Author
            | Self::IocType
            | Self::KillChainPhase
            | Self::MitreAttack
            | Self::Source
            | Self::Target
            | Self::From
            | Self::To => CHOICE,
            Self::EntityType | Self::Revoked | Self::Id | Self::Owner => ALWAYS_THERE,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
