//! What the filter tests share: objects to decide about, and a short way to ask.

mod properties;
mod refusals;
mod semantics;

use serde_json::{Value, json};

use super::{AuthorIds, Filter, FilterError, FilterGroup, OPERATOR, Subject};
use crate::stix::{Facets, IocType, IocValue, KillChainPhase, RelationshipEnds, SpecVersion};
use crate::time::Version;
use crate::tlp::Tlp;

const INDICATOR: &str = "indicator--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69";
const MALWARE: &str = "malware--2c1d5e4f-8a7b-4c6d-9e0f-112233445566";
const AUTHOR: &str = "identity--0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9";
const SENSOR: &str = "identity--11111111-4b5a-4978-8695-a4b3c2d1e0f9";
const GREEN_1: &str = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da";

/// An object of which nothing is known but its id.
fn bare(id: &str) -> Facets {
    Facets {
        id: id.parse().unwrap(),
        version: Version("2026-05-15T08:30:00.000Z".parse().unwrap()),
        spec_version: SpecVersion::V21,
        created: None,
        modified: None,
        name: None,
        labels: Vec::new(),
        confidence: None,
        score: None,
        markings: Vec::new(),
        unreadable_marking: false,
        author: None,
        revoked: false,
        valid_from: None,
        valid_until: None,
        pattern_type: None,
        indicator_types: Vec::new(),
        iocs: Vec::new(),
        kill_chain_phases: Vec::new(),
        techniques: Vec::new(),
        refs: Vec::new(),
        ends: None,
    }
}

/// An indicator of which everything is known.
fn indicator() -> Facets {
    Facets {
        created: Some("2026-05-14T08:30:00.000Z".parse().unwrap()),
        modified: Some("2026-05-15T08:30:00.000Z".parse().unwrap()),
        name: Some(" Evil STRASSE: Ärger ".to_owned()),
        labels: vec!["Detection".to_owned(), "phishing kit".to_owned()],
        confidence: Some(70),
        score: Some(85),
        markings: vec![GREEN_1.parse().unwrap()],
        author: Some(AUTHOR.parse().unwrap()),
        valid_until: Some("2026-06-15T08:30:00.000Z".parse().unwrap()),
        pattern_type: Some("stix".to_owned()),
        indicator_types: vec!["malicious-activity".to_owned()],
        iocs: vec![
            IocValue { kind: IocType::Domain, value: "Login.Example.com".to_owned() },
            IocValue { kind: IocType::Ipv4, value: "192.0.2.1".to_owned() },
        ],
        kill_chain_phases: vec![KillChainPhase {
            chain: "mitre-attack".to_owned(),
            phase: "Initial-Access".to_owned(),
        }],
        techniques: vec!["T1566.002".to_owned(), "T1059".to_owned()],
        ..bare(INDICATOR)
    }
}

fn relationship() -> Facets {
    Facets {
        ends: Some(RelationshipEnds {
            relationship_type: "indicates".to_owned(),
            sources: vec![INDICATOR.parse().unwrap()],
            targets: vec![MALWARE.parse().unwrap()],
        }),
        ..bare("relationship--3c1d5e4f-8a7b-4c6d-9e0f-112233445566")
    }
}

/// An indicator sighted by a sensor.
fn sighting() -> Facets {
    Facets {
        ends: Some(RelationshipEnds {
            relationship_type: "sighting".to_owned(),
            sources: vec![SENSOR.parse().unwrap()],
            targets: vec![INDICATOR.parse().unwrap()],
        }),
        ..bare("sighting--3c1d5e4f-8a7b-4c6d-9e0f-112233445566")
    }
}

fn compiled(written: Value) -> Result<Filter, FilterError> {
    let group: FilterGroup = serde_json::from_value(written).unwrap();
    let mut authors = AuthorIds::default();
    authors.insert("Example CERT", [AUTHOR.parse().unwrap(), SENSOR.parse().unwrap()]);
    Filter::compile(&group, &authors)
}

fn subject(facets: &Facets) -> Subject<'_> {
    Subject { facets, level: Tlp::Green, owner: OPERATOR }
}

fn matches(written: Value, facets: &Facets) -> bool {
    compiled(written).unwrap().matches(&subject(facets))
}

/// A group of one condition: `key operator values`.
fn one(key: &str, operator: &str, values: &[&str]) -> Value {
    json!({"filters": [{"key": key, "operator": operator, "values": values}]})
}
