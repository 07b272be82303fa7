//! The members that most objects have.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use shared::tlp::Tlp;

use crate::maker::Maker;
use crate::words::{PHASES, SOURCES, TAGS, TECHNIQUES, TLP_1};

/// The members of an object as JSON text, in order.
pub(crate) type Members = Vec<(&'static str, String)>;

impl Maker {
    /// The members that begin every domain object and relationship.
    pub(crate) fn head(&mut self, kind: &str) -> Members {
        let author = self.chance(60).then(|| self.id("identity"));
        let id = self.id(kind);
        let at = self.instant();
        // Two habits: milliseconds, and microseconds as python has them.
        let digits = if self.chance(70) { 3 } else { 6 };
        let created = quoted(&written(at, digits));
        let later = if self.chance(60) {
            0
        } else {
            1 + i64::try_from(self.below(10_000_000)).unwrap_or(0)
        };
        let modified = quoted(&written(at + TimeDelta::milliseconds(later), digits));
        let mut members: Members =
            vec![("type", quoted(kind)), ("spec_version", quoted("2.1")), ("id", id)];
        members.extend(author.map(|author| ("created_by_ref", author)));
        members.push(("created", created));
        members.push(("modified", modified));
        members
    }

    /// The common members that come last.
    pub(crate) fn tail(&mut self, members: &mut Members) {
        if self.chance(20) {
            members.push(("revoked", "false".into()));
        }
        if self.chance(60) {
            members.push(("labels", json!(self.tags()).to_string()));
        }
        if self.chance(50) {
            members.push(("confidence", self.pick(&["15", "50", "75", "85", "100"]).into()));
        }
        if self.chance(25) {
            members.push(("lang", quoted("en")));
        }
        if self.chance(40) && !members.iter().any(|(name, _)| *name == "external_references") {
            members.push(("external_references", self.references()));
        }
        if self.chance(60) {
            let level = self.marking();
            members.push(("object_marking_refs", json!([level]).to_string()));
        }
        if self.chance(15) {
            members.push(("extensions", self.opencti()));
        }
    }

    fn references(&mut self) -> String {
        let technique = self.pick(&TECHNIQUES);
        let attack = json!({"source_name": "mitre-attack", "external_id": technique,
            "url": format!("https://attack.mitre.org/techniques/{}", technique.replace('.', "/"))});
        let report = json!({"source_name": self.pick(&SOURCES),
            "url": format!("https://www.example.com/blog/{}", self.pick(&TAGS))});
        let chosen = if self.chance(50) { attack } else { report };
        json!([chosen]).to_string()
    }

    /// The extension that `OpenCTI` puts on what it exports.
    fn opencti(&mut self) -> String {
        let id = self.uuid();
        format!(
            concat!(
                r#"{{"extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba":"#,
                r#"{{"extension_type":"property-extension","id":"{}","type":"Indicator","#,
                r#""created_at":"{}","updated_at":"{}","is_inferred":false,"creator_ids":["{}"],"#,
                r#""detection":false,"score":{},"main_observable_type":"{}"}}}}"#
            ),
            id,
            self.time(),
            self.time(),
            self.uuid(),
            self.pick(&["50", "75", "100"]),
            self.pick(&["IPv4-Addr", "Domain-Name", "Url", "StixFile"]),
        )
    }

    pub(crate) fn phases(&mut self) -> String {
        let phase = self.pick(&PHASES);
        json!([{"kill_chain_name": self.pick(&["mitre-attack", "lockheed-martin-cyber-kill-chain"]),
            "phase_name": phase}])
        .to_string()
    }

    pub(crate) fn marking(&mut self) -> &'static str {
        if self.chance(50) { self.pick(&Tlp::ALL).marking_id() } else { self.pick(&TLP_1) }
    }
}

pub(crate) fn written(at: DateTime<Utc>, digits: usize) -> String {
    let form = if digits == 3 { "%Y-%m-%dT%H:%M:%S%.3fZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" };
    at.format(form).to_string()
}

/// Objects are stored without blanks between their parts.
pub(crate) fn compact(members: Members) -> String {
    let members: Vec<_> =
        members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

pub(crate) fn quoted(text: &str) -> String {
    json!(text).to_string()
}
