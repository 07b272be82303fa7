//! Cyber-observable objects.

use serde_json::json;

use crate::frame::{Members, compact, quoted};
use crate::maker::Maker;
use crate::words::OBSERVABLES;

impl Maker {
    pub(crate) fn observable(&mut self) -> String {
        let kind = self.pick(&OBSERVABLES);
        let mut members: Members = vec![("type", quoted(kind))];
        if self.chance(85) {
            members.push(("spec_version", quoted("2.1")));
        }
        members.push(("id", self.id(kind)));
        let text = match kind {
            "ipv4-addr" => Some(self.value("ipv4")),
            "ipv6-addr" => Some(self.value("ipv6")),
            "domain-name" => Some(self.value("domain")),
            "url" => Some(self.value("url")),
            "email-addr" => Some(self.value("email")),
            "mac-addr" => Some("00:00:5e:00:53:af".into()),
            _ => None,
        };
        if let Some(text) = text {
            members.push(("value", quoted(&text)));
        }
        match kind {
            "file" => {
                let hashes = json!({"MD5": self.value("md5"), "SHA-1": self.value("sha1"),
                    "SHA-256": self.value("sha256")});
                members.push(("hashes", hashes.to_string()));
                members.push(("size", self.below(1 << 20).to_string()));
                members.push(("name", quoted(self.pick(&["setup.exe", "invoice.pdf", "a.dll"]))));
                members.push(("mime_type", quoted("application/octet-stream")));
            }
            "autonomous-system" => {
                members.push(("number", (64_496 + self.below(16)).to_string()));
                members.push(("name", quoted("Example Networks")));
            }
            "network-traffic" => {
                members.push(("start", quoted(&self.time())));
                members.push(("src_ref", self.id("ipv4-addr")));
                members.push(("dst_ref", self.id("ipv4-addr")));
                members.push(("src_port", (1024 + self.below(60_000)).to_string()));
                members.push(("dst_port", self.pick(&["80", "443", "53", "8080"]).into()));
                members.push(("protocols", json!(["ipv4", "tcp", "http"]).to_string()));
            }
            "windows-registry-key" => {
                let key = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run";
                members.push(("key", quoted(key)));
                let values = json!([{"name": "Example", "data": "C:\\example.exe",
                    "data_type": "REG_SZ"}]);
                members.push(("values", values.to_string()));
            }
            "process" => {
                members.push(("pid", self.below(9000).to_string()));
                members.push(("command_line", quoted("powershell.exe -enc example")));
                members.push(("image_ref", self.id("file")));
            }
            "email-message" => {
                members.push(("is_multipart", "false".into()));
                members.push(("date", quoted(&self.time())));
                members.push(("subject", quoted("Invoice example")));
                members.push(("from_ref", self.id("email-addr")));
            }
            "user-account" => {
                members.push(("user_id", quoted("example")));
                members.push(("account_login", quoted("example")));
                members.push(("account_type", quoted("windows-local")));
            }
            "software" => {
                members.push(("name", quoted("Example")));
                members.push(("vendor", quoted("Example Corporation")));
                members.push(("version", quoted("1.2.3")));
            }
            "x509-certificate" => {
                members.push(("serial_number", quoted("36:f7:d4:32:f4:ab")));
                members.push(("issuer", quoted("C=US, O=Example, CN=Example CA")));
                members.push(("validity_not_before", quoted(&self.time())));
                members.push(("validity_not_after", quoted(&self.time())));
                members.push(("subject", quoted("CN=www.example.com")));
            }
            "directory" => members.push(("path", quoted("C:\\Windows\\System32"))),
            "mutex" => members.push(("name", quoted("Global\\example"))),
            _ => {}
        }
        if self.chance(30) {
            let level = self.marking();
            members.push(("object_marking_refs", json!([level]).to_string()));
        }
        compact(members)
    }
}
