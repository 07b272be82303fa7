//! Deciding about an object.

use super::Subject;
use super::condition::{
    Condition, End, EndProbe, Node, NumberField, PhaseProbe, Probe, TextField, TimeField,
};
use super::key::Key;
use super::text::{TextProbe, equals_folded};
use crate::id::ObjectId;
use crate::stix::{Facets, KillChainPhase};
use crate::time::Timestamp;
use crate::tlp::Tlp;

impl Node {
    pub(super) fn holds(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::All(members) => members.iter().all(|member| member.holds(subject)),
            Self::Any(members) => members.iter().any(|member| member.holds(subject)),
            Self::Condition(condition) => condition.holds(subject),
        }
    }

    pub(super) fn says_owner_any(&self) -> bool {
        match self {
            Self::All(members) => members.iter().any(Self::says_owner_any),
            Self::Any(members) => members.iter().all(Self::says_owner_any),
            Self::Condition(Condition::Values { probes, .. }) => {
                probes.iter().any(|probe| matches!(probe, Probe::AnyOwner))
            }
            Self::Condition(_) => false,
        }
    }
}

impl Condition {
    fn holds(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Absent(key) => !present(*key, subject.facets),
            Self::Present(key) => present(*key, subject.facets),
            Self::Values { probes, all: true, negated } => {
                probes.iter().all(|probe| probe.holds(subject) != *negated)
            }
            Self::Values { probes, all: false, negated } => {
                probes.iter().any(|probe| probe.holds(subject) != *negated)
            }
        }
    }
}

impl Probe {
    fn holds(&self, subject: &Subject<'_>) -> bool {
        let facets = subject.facets;
        match self {
            Self::EntityType(types) => types.has(facets.object_type()),
            Self::Text(field, probe) => field.any(facets, probe),
            Self::Number(field, order, span) => {
                field.of(facets).is_some_and(|number| span.holds(*order, &number))
            }
            Self::Time(field, order, span) => {
                field.of(facets).is_some_and(|time| span.holds(*order, &time.at()))
            }
            Self::Level(level) => subject.level == *level,
            Self::Marking(wanted) => facets.markings.iter().any(|id| same_marking(id, wanted)),
            Self::Author(ids) => facets.author.as_ref().is_some_and(|author| ids.contains(author)),
            Self::IocType(kind) => facets.iocs.iter().any(|ioc| ioc.kind == *kind),
            Self::Phase(probe) => facets.kill_chain_phases.iter().any(|phase| probe.holds(phase)),
            Self::Technique(wanted) => facets.techniques.iter().any(|id| technique(id, wanted)),
            Self::Revoked(revoked) => facets.revoked == *revoked,
            Self::Id(id) => facets.id == *id,
            Self::End(end, probe) => end.of(facets).iter().any(|id| probe.holds(id)),
            Self::AnyOwner => true,
            Self::Owner(owner) => *subject.owner == **owner,
        }
    }
}

impl TextField {
    fn any(self, facets: &Facets, probe: &TextProbe) -> bool {
        let one = |text: Option<&str>| text.is_some_and(|text| probe.holds(text));
        match self {
            Self::Label => facets.labels.iter().any(|label| probe.holds(label)),
            Self::IndicatorType => facets.indicator_types.iter().any(|kind| probe.holds(kind)),
            Self::IocValue => facets.iocs.iter().any(|ioc| probe.holds(&ioc.value)),
            Self::PatternType => one(facets.pattern_type.as_deref()),
            Self::Name => one(facets.name.as_deref()),
            Self::RelationshipType => {
                one(facets.ends.as_ref().map(|ends| ends.relationship_type.as_str()))
            }
        }
    }
}

impl NumberField {
    fn of(self, facets: &Facets) -> Option<i64> {
        match self {
            Self::Confidence => facets.confidence.map(i64::from),
            Self::Score => facets.score,
        }
    }
}

impl TimeField {
    fn of(self, facets: &Facets) -> Option<&Timestamp> {
        match self {
            Self::Created => facets.created.as_ref(),
            Self::Modified => facets.modified.as_ref(),
            Self::ValidUntil => facets.valid_until.as_ref(),
        }
    }
}

impl End {
    fn of(self, facets: &Facets) -> &[ObjectId] {
        let Some(ends) = &facets.ends else { return &[] };
        let sighting = facets.object_type() == "sighting";
        match (self, sighting) {
            (Self::Source, _) | (Self::From, false) | (Self::To, true) => &ends.sources,
            (Self::Target, _) | (Self::To, false) | (Self::From, true) => &ends.targets,
        }
    }
}

impl EndProbe {
    fn holds(&self, end: &ObjectId) -> bool {
        match self {
            Self::Id(id) => end == id,
            Self::Type(types) => types.has(end.object_type()),
        }
    }
}

impl PhaseProbe {
    fn holds(&self, phase: &KillChainPhase) -> bool {
        equals_folded(&phase.phase, &self.phase)
            || self.of_chain.as_ref().is_some_and(|(chain, name)| {
                equals_folded(&phase.chain, chain) && equals_folded(&phase.phase, name)
            })
    }
}

/// The same id, or ids of TLP 1.0 and 2.0 for the same level.
fn same_marking(id: &ObjectId, wanted: &ObjectId) -> bool {
    let level = Tlp::of_marking_id(wanted.as_str());
    id == wanted || (level.is_some() && Tlp::of_marking_id(id.as_str()) == level)
}

/// The same technique, or a sub-technique of it.
fn technique(id: &str, wanted: &str) -> bool {
    let id = id.trim();
    let below = id.split_once('.').is_some_and(|(parent, _)| parent.eq_ignore_ascii_case(wanted));
    id.eq_ignore_ascii_case(wanted) || below
}

fn present(key: Key, facets: &Facets) -> bool {
    match key {
        Key::EntityType | Key::Revoked | Key::Id | Key::Owner => true,
        Key::Label => !facets.labels.is_empty(),
        Key::Marking => !facets.markings.is_empty(),
        Key::Author => facets.author.is_some(),
        Key::Confidence => facets.confidence.is_some(),
        Key::Score => facets.score.is_some(),
        Key::PatternType => facets.pattern_type.is_some(),
        Key::IndicatorType => !facets.indicator_types.is_empty(),
        Key::IocType | Key::IocValue => !facets.iocs.is_empty(),
        Key::KillChainPhase => !facets.kill_chain_phases.is_empty(),
        Key::MitreAttack => !facets.techniques.is_empty(),
        Key::Created => facets.created.is_some(),
        Key::Modified => facets.modified.is_some(),
        Key::ValidUntil => facets.valid_until.is_some(),
        Key::Name => facets.name.is_some(),
        Key::RelationshipType => facets.ends.is_some(),
        Key::Source => !End::Source.of(facets).is_empty(),
        Key::Target => !End::Target.of(facets).is_empty(),
        Key::From => !End::From.of(facets).is_empty(),
        Key::To => !End::To.of(facets).is_empty(),
    }
}
