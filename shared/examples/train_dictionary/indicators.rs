//! Indicators: our own, and those of others.

use serde_json::json;
use shared::ioc::{IocRecord, new_indicator, pattern};
use shared::stix::IocType;
use shared::tlp::Tlp;

use crate::frame::{compact, quoted};
use crate::maker::Maker;
use crate::words::{INDICATOR_TYPES, KINDS, SOURCES, TECHNIQUES};

impl Maker {
    /// An indicator as this service makes it of a plain IOC.
    pub(crate) fn own_indicator(&mut self) -> Option<String> {
        let kind = self.pick(&KINDS);
        let mut ioc = json!({"type": kind, "value": self.value(kind)});
        if self.chance(70) {
            ioc["tags"] = json!(self.tags());
        }
        if self.chance(60) {
            ioc["source"] = json!(self.pick(&SOURCES));
        }
        if self.chance(60) {
            ioc["confidence"] = json!(self.pick(&["high", "medium", "low", "75", "100"]));
        }
        if self.chance(40) {
            ioc["mitre"] = json!([self.pick(&TECHNIQUES)]);
        }
        if self.chance(40) {
            ioc["tlp"] = json!(self.pick(&Tlp::ALL).name());
        }
        if self.chance(30) {
            ioc["description"] = json!(self.sentence());
        }
        if self.chance(40) {
            ioc["first_seen"] = json!(self.time());
        }
        if self.chance(30) {
            ioc["last_seen"] = json!(self.time());
        }
        let ioc = IocRecord::from_json(&ioc.to_string()).ok()?.check().ok()?;
        let now = self.instant();
        new_indicator(&ioc, "example", now).ok()
    }

    /// An indicator as python-stix2 and the platforms built on it write it.
    pub(crate) fn foreign_indicator(&mut self) -> String {
        let kind = self.pick(&KINDS);
        let value = self.value(kind);
        let pattern = pattern(kind.parse().unwrap_or(IocType::Domain), &value);
        let mut members = self.head("indicator");
        if self.chance(60) {
            members.push(("name", quoted(&value)));
        }
        if self.chance(50) {
            members.push(("description", quoted(&self.sentence())));
        }
        members.push(("indicator_types", json!([self.pick(&INDICATOR_TYPES)]).to_string()));
        members.push(("pattern", quoted(&pattern)));
        members.push(("pattern_type", quoted("stix")));
        if self.chance(80) {
            members.push(("pattern_version", quoted("2.1")));
        }
        members.push(("valid_from", quoted(&self.time())));
        if self.chance(30) {
            members.push(("valid_until", quoted(&self.time())));
        }
        self.tail(&mut members);
        compact(members)
    }
}
