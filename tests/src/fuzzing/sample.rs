//! Objects for filters to decide about, and the moment at which everything here happens.

use chrono::{DateTime, Utc};
use shared::stix::{Facets, StixObject};

/// What the clock shows.
pub(super) fn now() -> DateTime<Utc> {
    "2026-05-15T08:30:00.123Z".parse().expect("a time")
}

const OBJECTS: [&str; 5] = [
    r#"{"type":"indicator","spec_version":"2.1",
        "id":"indicator--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69",
        "created":"2026-05-14T08:30:00.000Z","modified":"2026-05-15T08:30:00.000Z",
        "name":" Evil STRASSE: Ärger ","labels":["Detection","phishing kit"],"confidence":70,
        "x_opencti_score":85,"valid_from":"2026-05-14T08:30:00Z",
        "valid_until":"2026-06-15T08:30:00.000Z","pattern_type":"stix",
        "pattern":"[domain-name:value = 'Login.Example.com' OR ipv4-addr:value = '192.0.2.1']",
        "indicator_types":["malicious-activity"],
        "created_by_ref":"identity--0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9",
        "object_marking_refs":["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"],
        "kill_chain_phases":[{"kill_chain_name":"mitre-attack","phase_name":"Initial-Access"}],
        "external_references":[{"source_name":"mitre-attack","external_id":"T1566.002"}]}"#,
    r#"{"type":"malware","spec_version":"2.1",
        "id":"malware--2c1d5e4f-8a7b-4c6d-9e0f-112233445566","revoked":true,
        "created":"2026-05-14T08:30:00Z","modified":"2026-05-14T08:30:00Z"}"#,
    r#"{"type":"relationship","spec_version":"2.1",
        "id":"relationship--3c1d5e4f-8a7b-4c6d-9e0f-112233445566",
        "created":"2026-05-14T08:30:00Z","modified":"2026-05-14T08:30:00Z",
        "relationship_type":"indicates",
        "source_ref":"indicator--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69",
        "target_ref":"malware--2c1d5e4f-8a7b-4c6d-9e0f-112233445566"}"#,
    r#"{"type":"sighting","spec_version":"2.1",
        "id":"sighting--3c1d5e4f-8a7b-4c6d-9e0f-112233445566",
        "created":"2026-05-14T08:30:00Z","modified":"2026-05-14T08:30:00Z",
        "sighting_of_ref":"indicator--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69",
        "where_sighted_refs":["identity--11111111-4b5a-4978-8695-a4b3c2d1e0f9"]}"#,
    r#"{"type":"file","spec_version":"2.1","name":"",
        "id":"file--3c1d5e4f-8a7b-4c6d-9e0f-112233445566"}"#,
];

/// The facets of objects of every kind that filters tell apart.
pub(super) fn facets() -> Vec<Facets> {
    let facets =
        |json: &str| StixObject::parse(json.as_bytes(), now()).expect("an object of ours").facets;
    OBJECTS.into_iter().map(facets).collect()
}
