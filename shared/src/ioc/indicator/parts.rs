//! What an IOC adds to an indicator, as STIX's common types.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::ioc::attack::phases;
use crate::ioc::check::Ioc;

/// An `external-reference` (STIX 2.1, section 2.5).
#[derive(Debug, Serialize)]
pub(super) struct ExternalReference<'a> {
    pub(super) source_name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) external_id: Option<&'a str>,
}

/// A `kill-chain-phase` (STIX 2.1, section 2.11).
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Phase<'a> {
    pub(super) kill_chain_name: Cow<'a, str>,
    pub(super) phase_name: Cow<'a, str>,
}

/// Our extension's members.
#[derive(Debug, Serialize)]
pub(super) struct Sightings {
    pub(super) extension_type: &'static str,
    pub(super) last_seen: String,
}

/// The source of the IOC, then its techniques.
pub(super) fn references(ioc: &Ioc) -> Vec<ExternalReference<'_>> {
    ioc.source()
        .map(source)
        .into_iter()
        .chain(ioc.techniques().iter().map(|id| technique(id)))
        .collect()
}

/// STIX wants one of description, url and external id beside the name, and we know none.
fn source(name: &str) -> ExternalReference<'_> {
    // The lower-case names are reserved for references with a CVE or CAPEC id.
    let source_name = match name {
        "cve" | "capec" => Cow::Owned(name.to_ascii_uppercase()),
        _ => Cow::Borrowed(name),
    };
    let description = Some("Source that reported this indicator");
    ExternalReference { source_name, description, url: None, external_id: None }
}

fn technique(id: &str) -> ExternalReference<'_> {
    ExternalReference {
        source_name: Cow::Borrowed("mitre-attack"),
        description: None,
        url: Some(format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/"))),
        external_id: Some(id),
    }
}

/// The phases of the IOC's techniques, without repeats.
pub(super) fn kill_chain_phases(ioc: &Ioc) -> Vec<Phase<'static>> {
    let mut found = Vec::new();
    for phase in ioc.techniques().iter().flat_map(|technique| phases(technique)) {
        let phase = Phase {
            kill_chain_name: Cow::Borrowed(phase.chain.as_str()),
            phase_name: Cow::Borrowed(phase.phase.as_str()),
        };
        if !found.contains(&phase) {
            found.push(phase);
        }
    }
    found
}
