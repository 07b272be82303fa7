//! A checked filter as a tree: groups, conditions, and one probe for each value.

use chrono::{DateTime, Utc};

use super::entity_type::TypeSet;
use super::key::Key;
use super::span::{Order, Span};
use super::text::TextProbe;
use crate::id::ObjectId;
use crate::stix::IocType;
use crate::tlp::Tlp;

/// A group or a condition; no deeper than [`super::MAX_DEPTH`].
#[derive(Clone, Debug)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Condition(Condition),
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    Absent(Key),
    Present(Key),
    /// Every probe (`all`) or one of them is true; `negated`: is false.
    Values {
        probes: Vec<Probe>,
        all: bool,
        negated: bool,
    },
}

/// One value of a condition: a question about the object.
#[derive(Clone, Debug)]
pub(super) enum Probe {
    EntityType(TypeSet),
    Text(TextField, TextProbe),
    Number(NumberField, Order, Span<i64>),
    Time(TimeField, Order, Span<DateTime<Utc>>),
    Level(Tlp),
    Marking(ObjectId),
    Author(Box<[ObjectId]>),
    IocType(IocType),
    Phase(PhaseProbe),
    Technique(Box<str>),
    Revoked(bool),
    Id(ObjectId),
    End(End, EndProbe),
    AnyOwner,
    Owner(Box<str>),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum TextField {
    Label,
    PatternType,
    IndicatorType,
    IocValue,
    Name,
    RelationshipType,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum NumberField {
    Confidence,
    Score,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum TimeField {
    Created,
    Modified,
    ValidUntil,
}

/// Which ends of a relationship or sighting; see [`Key`].
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Source,
    Target,
    From,
    To,
}

#[derive(Clone, Debug)]
pub(super) enum EndProbe {
    Id(ObjectId),
    Type(TypeSet),
}

/// A phase by its name alone, or by chain and phase where the value has a separator.
#[derive(Clone, Debug)]
pub(super) struct PhaseProbe {
    pub(super) phase: Box<str>,
    pub(super) of_chain: Option<(Box<str>, Box<str>)>,
}
