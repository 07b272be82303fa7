//! Domain objects and relationships.

use serde_json::json;

use crate::frame::{Members, compact, quoted};
use crate::maker::Maker;
use crate::words::{DOMAIN_OBJECTS, MALWARE_TYPES, NAMES, RELATIONSHIPS};

impl Maker {
    pub(crate) fn relationship(&mut self) -> String {
        let (kind, source, target) = self.pick(&RELATIONSHIPS);
        let mut members = self.head("relationship");
        members.push(("relationship_type", quoted(kind)));
        if self.chance(20) {
            members.push(("description", quoted(&self.sentence())));
        }
        members.push(("source_ref", self.id(source)));
        members.push(("target_ref", self.id(target)));
        if self.chance(20) {
            members.push(("start_time", quoted(&self.time())));
        }
        self.tail(&mut members);
        compact(members)
    }

    pub(crate) fn domain_object(&mut self) -> String {
        let kind = self.pick(&DOMAIN_OBJECTS);
        let mut members = self.head(kind);
        match kind {
            "opinion" => members.push(("opinion", quoted(self.pick(&["agree", "disagree"])))),
            "note" => members.push(("content", quoted(&self.sentence()))),
            "sighting" | "observed-data" | "malware-analysis" => {}
            _ => members.push(("name", quoted(self.pick(&NAMES)))),
        }
        if self.chance(70) && !matches!(kind, "observed-data" | "malware-analysis") {
            members.push(("description", quoted(&self.sentence())));
        }
        self.specific(kind, &mut members);
        if matches!(kind, "malware" | "attack-pattern" | "tool" | "infrastructure") {
            members.push(("kill_chain_phases", self.phases()));
        }
        self.tail(&mut members);
        compact(members)
    }

    /// What only objects of this type have.
    fn specific(&mut self, kind: &str, members: &mut Members) {
        let refs = |ids: [String; 2]| format!("[{}]", ids.join(","));
        match kind {
            "malware" => {
                members.push(("malware_types", json!([self.pick(&MALWARE_TYPES)]).to_string()));
                members.push(("is_family", self.pick(&["true", "false"]).into()));
                members.push(("aliases", json!([self.pick(&NAMES)]).to_string()));
            }
            "threat-actor" => {
                members.push(("threat_actor_types", json!(["crime-syndicate"]).to_string()));
                members.push(("sophistication", quoted("advanced")));
                members.push(("resource_level", quoted("organization")));
                members.push(("primary_motivation", quoted("personal-gain")));
            }
            "intrusion-set" | "campaign" => {
                members.push(("aliases", json!([self.pick(&NAMES)]).to_string()));
                members.push(("first_seen", quoted(&self.time())));
                members.push(("last_seen", quoted(&self.time())));
            }
            "tool" => members.push(("tool_types", json!(["remote-access"]).to_string())),
            "infrastructure" => {
                members.push(("infrastructure_types", json!(["command-and-control"]).to_string()));
            }
            "identity" => {
                let class = self.pick(&["organization", "individual", "system", "class"]);
                members.push(("identity_class", quoted(class)));
                members.push(("sectors", json!(["government", "financial-services"]).to_string()));
                members.push(("contact_information", quoted("info@example.com")));
            }
            "location" => {
                members.push(("region", quoted("western-europe")));
                members.push(("country", quoted(self.pick(&["DE", "FR", "US", "JP"]))));
            }
            "report" | "grouping" => {
                members.push(("report_types", json!(["threat-report"]).to_string()));
                members.push(("published", quoted(&self.time())));
                let ids = [self.id("indicator"), self.id("malware")];
                members.push(("object_refs", refs(ids)));
            }
            "note" | "opinion" => {
                let ids = [self.id("indicator"), self.id("report")];
                members.push(("object_refs", refs(ids)));
            }
            "observed-data" => {
                members.push(("first_observed", quoted(&self.time())));
                members.push(("last_observed", quoted(&self.time())));
                members.push(("number_observed", (1 + self.below(50)).to_string()));
                let ids = [self.id("ipv4-addr"), self.id("domain-name")];
                members.push(("object_refs", refs(ids)));
            }
            "sighting" => {
                members.push(("first_seen", quoted(&self.time())));
                members.push(("last_seen", quoted(&self.time())));
                members.push(("count", (1 + self.below(50)).to_string()));
                members.push(("sighting_of_ref", self.id("indicator")));
                members.push(("where_sighted_refs", format!("[{}]", self.id("identity"))));
            }
            "malware-analysis" => {
                members.push(("product", quoted("example-sandbox")));
                members.push(("result", quoted("malicious")));
                members.push(("sample_ref", self.id("file")));
            }
            "vulnerability" => {
                let id = self.value("cve");
                let reference = json!([{"source_name": "cve", "external_id": id}]);
                members.push(("external_references", reference.to_string()));
            }
            _ => {}
        }
    }
}
