//! The IOCs a pattern names positively.

use std::collections::HashSet;
use std::net::IpAddr;

use super::ast::{
    Comparison, Literal, ObjectPath, Observation, Predicate, Relation, Step, TextOperator,
};
use crate::stix::{IocType, IocValue};

/// What a path's value is, before the value is seen.
#[derive(Clone, Copy)]
enum Subject {
    Kind(IocType),
    /// A reference to an address or a domain name: the value's form tells which.
    Host,
}

/// In the order of the text, without repeats.
pub(super) fn named_by(root: &Observation) -> Vec<IocValue> {
    let mut found = Found::default();
    found.observation(root);
    found.values
}

#[derive(Default)]
struct Found {
    values: Vec<IocValue>,
    seen: HashSet<IocValue>,
}

impl Found {
    fn observation(&mut self, observation: &Observation) {
        match observation {
            Observation::Test(comparison) => self.comparison(comparison),
            Observation::Qualified { inner, .. } => self.observation(inner),
            Observation::And(parts) | Observation::Or(parts) | Observation::FollowedBy(parts) => {
                for part in parts {
                    self.observation(part);
                }
            }
        }
    }

    fn comparison(&mut self, comparison: &Comparison) {
        match comparison {
            Comparison::And(parts) | Comparison::Or(parts) => {
                for part in parts {
                    self.comparison(part);
                }
            }
            Comparison::Test { path, negated: false, predicate } => {
                if let Some(subject) = subject(path) {
                    self.predicate(subject, predicate);
                }
            }
            Comparison::Test { .. } | Comparison::Exists { .. } => {}
        }
    }

    fn predicate(&mut self, subject: Subject, predicate: &Predicate) {
        match predicate {
            Predicate::Relation(Relation::Equal, literal) => self.literal(subject, literal),
            Predicate::In(members) => {
                for member in members {
                    self.literal(subject, member);
                }
            }
            Predicate::Text(TextOperator::Like, text) if !text.contains(['%', '_']) => {
                self.value(subject, text);
            }
            Predicate::Text(TextOperator::Matches, regex) => {
                if let Some(text) = only_match(regex) {
                    self.value(subject, &text);
                }
            }
            Predicate::Text(TextOperator::IsSubset, network) => {
                let kind = ioc_type(subject, network);
                if matches!(kind, Some(IocType::Ipv4 | IocType::Ipv6)) {
                    self.value(subject, network);
                }
            }
            Predicate::Relation(..) | Predicate::Text(..) => {}
        }
    }

    fn literal(&mut self, subject: Subject, literal: &Literal) {
        if let Literal::Text(text) = literal {
            self.value(subject, text);
        }
    }

    fn value(&mut self, subject: Subject, text: &str) {
        let Some(kind) = ioc_type(subject, text) else {
            return;
        };
        let ioc = IocValue { kind, value: text.to_owned() };
        if self.seen.insert(ioc.clone()) {
            self.values.push(ioc);
        }
    }
}

/// What the value at `path` is, if it is an IOC.
fn subject(path: &ObjectPath) -> Option<Subject> {
    // `None` stands for an index, whichever.
    let keys: Vec<Option<&str>> = path
        .steps
        .iter()
        .map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) | Step::Any => None,
        })
        .collect();
    let kind = match (path.object_type.as_str(), keys.as_slice()) {
        ("ipv4-addr", [Some("value")]) => IocType::Ipv4,
        ("ipv6-addr", [Some("value")]) => IocType::Ipv6,
        ("domain-name", [Some("value")]) => IocType::Domain,
        ("url", [Some("value")]) => IocType::Url,
        ("email-addr", [Some("value")])
        | ("email-message", [Some("from_ref" | "sender_ref"), Some("value")]) => IocType::Email,
        ("vulnerability", [Some("name")]) => IocType::Cve,
        ("attack-pattern", [Some("external_references"), None, Some("external_id")]) => {
            IocType::MitreAttack
        }
        ("network-traffic", [Some("src_ref" | "dst_ref"), Some("value")]) => {
            return Some(Subject::Host);
        }
        // A certificate's fingerprint and the digest of a section are no digest of a file.
        ("x509-certificate", _) | (_, [Some("extensions"), ..]) => return None,
        (_, [.., Some("hashes"), Some(algorithm)]) => digest(algorithm)?,
        _ => return None,
    };
    Some(Subject::Kind(kind))
}

/// `SHA-256`, `SHA256`, `sha_256` and the like.
fn digest(algorithm: &str) -> Option<IocType> {
    match algorithm.to_ascii_uppercase().replace(['-', '_'], "").as_str() {
        "MD5" => Some(IocType::Md5),
        "SHA1" => Some(IocType::Sha1),
        "SHA256" => Some(IocType::Sha256),
        "SHA512" => Some(IocType::Sha512),
        _ => None,
    }
}

/// The type of `value`, if it is an IOC of `subject`.
fn ioc_type(subject: Subject, value: &str) -> Option<IocType> {
    let kind = match subject {
        Subject::Kind(kind) => kind,
        Subject::Host => host_type(value)?,
    };
    let well_formed = match kind {
        IocType::Cve => is_cve(value),
        IocType::MitreAttack => is_technique(value),
        _ => !value.is_empty(),
    };
    well_formed.then_some(kind)
}

fn host_type(value: &str) -> Option<IocType> {
    let address = value.split_once('/').map_or(value, |(address, _)| address);
    match address.parse() {
        Ok(IpAddr::V4(_)) => Some(IocType::Ipv4),
        Ok(IpAddr::V6(_)) => Some(IocType::Ipv6),
        Err(_) => is_domain_shaped(value).then_some(IocType::Domain),
    }
}

/// Two labels or more, the last not a number (that would be a broken address).
fn is_domain_shaped(value: &str) -> bool {
    let name = value.strip_suffix('.').unwrap_or(value);
    let label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    name.rsplit_once('.').is_some_and(|(_, last)| last.bytes().any(|b| !b.is_ascii_digit()))
        && name.split('.').all(label)
}

/// `CVE-2024-12345`, in any letter case.
fn is_cve(value: &str) -> bool {
    let mut parts = value.split('-');
    let digits = |part: Option<&str>, least: usize, most: usize| {
        part.is_some_and(|part| {
            (least..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        })
    };
    parts.next().is_some_and(|part| part.eq_ignore_ascii_case("CVE"))
        && digits(parts.next(), 4, 4)
        && digits(parts.next(), 4, 19)
        && parts.next().is_none()
}

/// `T1059` or `T1059.001`.
fn is_technique(value: &str) -> bool {
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    value.strip_prefix('T').is_some_and(|number| match number.split_once('.') {
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
        None => digits(number, 4),
    })
}

/// The one value `regex` can match: it is anchored at both ends, and all else in it is literal or
/// escaped punctuation. Without anchors it would name only a part of the value.
fn only_match(regex: &str) -> Option<String> {
    let inside = regex.strip_prefix('^')?.strip_suffix('$')?;
    let mut value = String::with_capacity(inside.len());
    let mut rest = inside.chars();
    while let Some(c) = rest.next() {
        let literal = match c {
            '\\' => rest.next().filter(char::is_ascii_punctuation)?,
            '.' | '^' | '$' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' => {
                return None;
            }
            _ => c,
        };
        value.push(literal);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;

    /// The IOCs of `pattern` as `type value`, separated by `, `.
    fn named(pattern: &str) -> String {
        let iocs = pattern.parse::<Pattern>().unwrap().iocs();
        iocs.iter().map(|ioc| format!("{} {}", ioc.kind, ioc.value)).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn every_kind_by_its_path() {
        for (pattern, expected) in [
            ("[ipv4-addr:value = '192.0.2.0/24']", "ipv4 192.0.2.0/24"),
            ("[ipv6-addr:value = '2001:db8::1']", "ipv6 2001:db8::1"),
            ("[domain-name:value='a.example.com']", "domain a.example.com"),
            ("[url:value = 'https://example.com/a?b']", "url https://example.com/a?b"),
            ("[email-addr:value = 'a@example.com']", "email a@example.com"),
            ("[email-message:from_ref.value = 'a@example.com']", "email a@example.com"),
            ("[email-message:sender_ref.value = 'a@example.com']", "email a@example.com"),
            ("[file:hashes.md5 = '00ff']", "md5 00ff"),
            ("[file:hashes.'SHA-1' = '00ff']", "sha1 00ff"),
            ("[file:hashes.SHA256 = '00ff']", "sha256 00ff"),
            ("[artifact:hashes.'sha-512' = '00ff']", "sha512 00ff"),
            ("[process:image_ref.hashes.MD5 = '00ff']", "md5 00ff"),
            ("[network-traffic:dst_ref.value = '192.0.2.1']", "ipv4 192.0.2.1"),
            ("[network-traffic:src_ref.value = '2001:db8::/32']", "ipv6 2001:db8::/32"),
            ("[network-traffic:dst_ref.value = 'example.com']", "domain example.com"),
            ("[vulnerability:name = 'CVE-2024-00001']", "cve CVE-2024-00001"),
            (
                "[attack-pattern:external_references[*].external_id IN ('T1059', 'T1059.001')]",
                "mitre_attack T1059, mitre_attack T1059.001",
            ),
        ] {
            assert_eq!(named(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_ioc_is_left_out() {
        for pattern in [
            "[file:name = 'a.exe']",
            "[file:hashes.'SHA3-256' = '00ff']",
            "[file:hashes[*] = '00ff']",
            "[file:extensions.'windows-pebinary-ext'.sections[*].hashes.MD5 = '00ff']",
            "[x509-certificate:hashes.'SHA-1' = '00ff']",
            "[network-traffic:dst_ref.value = 'router']",
            "[network-traffic:dst_ref.value = '192.0.2.999']",
            "[vulnerability:name = 'a bug']",
            "[vulnerability:name = 'CVE-24-1']",
            "[attack-pattern:external_references[*].external_id = 'CAPEC-1']",
            "[attack-pattern:external_references.'[]'.external_id = 'T1059']",
            "[ipv4-addr:value = 5]",
            "[url:value = '']",
            "[EXISTS url:value]",
        ] {
            assert_eq!(named(pattern), "", "{pattern}");
        }
    }

    #[test]
    fn only_what_is_named_positively() {
        for pattern in [
            "[url:value != 'https://example.com/']",
            "[url:value NOT = 'https://example.com/']",
            "[url:value NOT IN ('https://example.com/')]",
            "[url:value > 'https://example.com/']",
            "[ipv4-addr:value NOT ISSUBSET '192.0.2.0/24']",
            "[ipv4-addr:value ISSUPERSET '192.0.2.0/24']",
            "[domain-name:value ISSUBSET 'example.com']",
            "[domain-name:value LIKE '%.example.com']",
            "[domain-name:value LIKE 'a_b.example.com']",
            r"[domain-name:value MATCHES 'example\\.com']",
            r"[domain-name:value MATCHES '^.*example\\.com$']",
            r"[domain-name:value MATCHES '^\\d\\.example\\.com$']",
            r"[domain-name:value MATCHES '^example\\$']",
        ] {
            assert_eq!(named(pattern), "", "{pattern}");
        }
        assert_eq!(named("[ipv4-addr:value ISSUBSET '192.0.2.0/24']"), "ipv4 192.0.2.0/24");
        assert_eq!(named("[domain-name:value LIKE 'example.com']"), "domain example.com");
        assert_eq!(named(r"[domain-name:value MATCHES '^example\\.com$']"), "domain example.com");
    }

    #[test]
    fn in_the_order_of_the_text_without_repeats() {
        let pattern = "([url:value IN ('https://example.com/', 'https://example.net/')] \
            FOLLOWEDBY [domain-name:value = 'example.com' AND (url:value = 'https://example.net/' \
            OR ipv4-addr:value = '192.0.2.1')] REPEATS 2 TIMES) WITHIN 5 SECONDS";
        assert_eq!(
            named(pattern),
            "url https://example.com/, url https://example.net/, domain example.com, ipv4 192.0.2.1"
        );
    }

    #[test]
    fn a_value_is_unescaped() {
        assert_eq!(
            named(r"[url:value = 'https://example.com/\'\\']"),
            r"url https://example.com/'\"
        );
    }
}
