//! What the training objects are made of: terms of the standard, and names for documentation.

pub(crate) const KINDS: [&str; 11] = [
    "ipv4",
    "ipv6",
    "domain",
    "url",
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "email",
    "cve",
    "mitre_attack",
];
pub(crate) const INDICATOR_TYPES: [&str; 5] =
    ["malicious-activity", "anomalous-activity", "benign", "compromised", "attribution"];
pub(crate) const RELATIONSHIPS: [(&str, &str, &str); 8] = [
    ("indicates", "indicator", "malware"),
    ("based-on", "indicator", "observed-data"),
    ("uses", "intrusion-set", "attack-pattern"),
    ("uses", "malware", "attack-pattern"),
    ("targets", "campaign", "identity"),
    ("attributed-to", "campaign", "threat-actor"),
    ("related-to", "indicator", "vulnerability"),
    ("communicates-with", "malware", "infrastructure"),
];
pub(crate) const DOMAIN_OBJECTS: [&str; 18] = [
    "malware",
    "malware",
    "attack-pattern",
    "threat-actor",
    "intrusion-set",
    "campaign",
    "tool",
    "vulnerability",
    "infrastructure",
    "identity",
    "location",
    "report",
    "note",
    "opinion",
    "observed-data",
    "sighting",
    "course-of-action",
    "malware-analysis",
];
pub(crate) const OBSERVABLES: [&str; 18] = [
    "ipv4-addr",
    "ipv6-addr",
    "domain-name",
    "url",
    "file",
    "file",
    "email-addr",
    "email-message",
    "autonomous-system",
    "network-traffic",
    "windows-registry-key",
    "process",
    "user-account",
    "software",
    "x509-certificate",
    "directory",
    "mutex",
    "mac-addr",
];
pub(crate) const MALWARE_TYPES: [&str; 7] =
    ["trojan", "remote-access-trojan", "ransomware", "backdoor", "spyware", "downloader", "bot"];
pub(crate) const TECHNIQUES: [&str; 10] = [
    "T1059",
    "T1059.001",
    "T1566",
    "T1566.001",
    "T1071.001",
    "T1105",
    "T1027",
    "T1190",
    "T1078",
    "T1486",
];
pub(crate) const PHASES: [&str; 8] = [
    "initial-access",
    "execution",
    "persistence",
    "defense-evasion",
    "command-and-control",
    "exfiltration",
    "impact",
    "reconnaissance",
];
pub(crate) const TAGS: [&str; 16] = [
    "malicious-activity",
    "phishing",
    "botnet",
    "c2",
    "ransomware",
    "malware",
    "trojan",
    "stealer",
    "scanner",
    "apt",
    "loader",
    "spyware",
    "credential-theft",
    "tor-exit",
    "cryptominer",
    "exploit",
];
pub(crate) const SOURCES: [&str; 5] =
    ["Example Threat Feed", "example.com", "example-cert", "Example Labs", "example-sandbox"];
pub(crate) const NAMES: [&str; 8] = [
    "Example Stealer",
    "Example Loader",
    "Example RAT",
    "Example Group",
    "Example Campaign",
    "Example Corporation",
    "Example Botnet",
    "Example Locker",
];
pub(crate) const SUBJECTS: [&str; 6] = [
    "This domain",
    "The IP address",
    "This file",
    "The threat actor",
    "The malware",
    "This indicator",
];
pub(crate) const VERBS: [&str; 6] = [
    "was observed as command and control server for",
    "is associated with",
    "has been used by",
    "was seen in phishing emails that deliver",
    "downloads",
    "is known to target",
];
pub(crate) const OBJECTS: [&str; 5] =
    ["the malware family", "the campaign", "a variant of", "victims of the group", "samples of"];
pub(crate) const TLP_1: [&str; 4] = [
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
];
