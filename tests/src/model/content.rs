//! What objects say, in few words, and the same as STIX.

use shared::tlp::Tlp;

use super::V;

/// Minutes after the start at which what is valid until [`Valid::Soon`] ceases to be.
pub const SOON_MINUTES: i64 = 60;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An indicator.
    Indicator,
    /// A malware.
    Malware,
    /// A relationship between two of the objects.
    Relationship {
        /// Where it begins.
        source: usize,
        /// Where it ends.
        target: usize,
    },
    /// A marking definition.
    Marking,
    /// A domain name, which has no version of its own.
    Observable,
}

/// A marking. Of a marking definition: what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// No marking. Of a definition: a statement.
    None,
    /// TLP:CLEAR.
    Clear,
    /// TLP:GREEN.
    Green,
    /// TLP:AMBER.
    Amber,
    /// TLP:RED.
    Red,
    /// The marking definition of this world, whether it is stored or not.
    Own,
}

/// How long an indicator is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Valid {
    /// Without end.
    Always,
    /// No longer.
    Past,
    /// For [`SOON_MINUTES`] more.
    Soon,
}

/// What an object says beside its id and version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Content {
    /// Has the label `a`.
    pub a: bool,
    /// Has the label `b`.
    pub b: bool,
    /// Its marking.
    pub mark: Mark,
    /// Its confidence.
    pub confidence: Option<u8>,
    /// How long it is valid.
    pub valid: Valid,
    /// Whether it is revoked.
    pub revoked: bool,
    /// Whether its pattern names an address, not a domain.
    pub address: bool,
    /// Something else.
    pub number: u8,
}

impl Content {
    /// What of it an object of this kind says: two contents that differ elsewhere make the same
    /// object.
    #[must_use]
    pub fn said_by(&self, kind: Kind) -> Self {
        let indicator = kind == Kind::Indicator;
        Self {
            valid: if indicator { self.valid } else { Valid::Always },
            address: indicator && self.address,
            mark: match self.mark {
                Mark::Own if kind == Kind::Marking => Mark::None,
                mark => mark,
            },
            ..self.clone()
        }
    }
}

/// What a filter decides by.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub content: &'a Content,
    /// Its level.
    pub level: Tlp,
}

/// The version of a slot.
pub fn version_of_slot(slot: u8) -> V {
    format!("2026-01-{:02}T00:00:00.000Z", slot + 1)
}

/// The object as it is sent: compact, members in an order of our own, a number spelt oddly.
pub fn body(
    kind: Kind,
    id: &str,
    ids: &[String],
    version: &V,
    content: &Content,
    soon: &str,
) -> String {
    let mut text = format!(
        r#"{{"type":"{}","spec_version":"2.1","id":"{id}""#,
        id.split("--").next().unwrap_or_default()
    );
    let number = content.number;
    if kind != Kind::Observable {
        text += &format!(r#","created":"2026-01-01T00:00:00.000Z","modified":"{version}""#);
    }
    text += &match kind {
        Kind::Indicator => {
            let pattern = if content.address {
                format!("[ipv4-addr:value = '192.0.2.{number}']")
            } else {
                format!("[domain-name:value = 'host-{number}.example.com']")
            };
            format!(
                r#","pattern":"{pattern}","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z""#
            )
        }
        Kind::Malware => format!(r#","name":"Ünlü \"{number}\"","is_family":true"#),
        Kind::Relationship { source, target } => format!(
            r#","relationship_type":"indicates","source_ref":"{}","target_ref":"{}""#,
            ids[source], ids[target]
        ),
        Kind::Marking => match level_name(content.mark) {
            Some(level) => {
                format!(r#","definition_type":"tlp","definition":{{"tlp":"{level}"}}"#)
            }
            None => r#","definition_type":"statement","definition":{"statement":"Example"}"#.into(),
        },
        Kind::Observable => format!(r#","value":"host-{number}.example.net""#),
    };
    let labels: Vec<&str> = [(content.a, r#""a""#), (content.b, r#""b""#)]
        .iter()
        .filter(|l| l.0)
        .map(|l| l.1)
        .collect();
    if !labels.is_empty() {
        text += &format!(r#","labels":[{}]"#, labels.join(","));
    }
    if let Some(confidence) = content.confidence {
        text += &format!(r#","confidence":{confidence}"#);
    }
    if content.revoked {
        text += r#","revoked":true"#;
    }
    match content.valid {
        _ if kind != Kind::Indicator => {}
        Valid::Always => {}
        Valid::Past => text += r#","valid_until":"2026-01-02T00:00:00Z""#,
        Valid::Soon => text += &format!(r#","valid_until":"{soon}""#),
    }
    if kind != Kind::Marking
        && let Some(marking) = marking_id(content.mark, ids)
    {
        text += &format!(r#","object_marking_refs":["{marking}"]"#);
    }
    text + &format!(r#","x_weight":{number}.50}}"#)
}

fn level_name(mark: Mark) -> Option<&'static str> {
    match mark {
        Mark::Clear => Some(Tlp::Clear.name()),
        Mark::Green => Some(Tlp::Green.name()),
        Mark::Amber => Some(Tlp::Amber.name()),
        Mark::Red => Some(Tlp::Red.name()),
        Mark::None | Mark::Own => None,
    }
}

fn marking_id(mark: Mark, ids: &[String]) -> Option<String> {
    let level = match mark {
        Mark::None => return None,
        Mark::Clear => Tlp::Clear,
        Mark::Green => Tlp::Green,
        Mark::Amber => Tlp::Amber,
        Mark::Red => Tlp::Red,
        Mark::Own => {
            let own = ids.iter().find(|id| id.starts_with("marking-definition--"));
            // One that is never stored.
            let unknown = "marking-definition--00000000-0000-4000-8000-000000000000";
            return Some(own.map_or_else(|| unknown.to_owned(), Clone::clone));
        }
    };
    Some(level.marking_id().to_owned())
}
