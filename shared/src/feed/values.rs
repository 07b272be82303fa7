//! The IOCs an object's rows are about.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::clean::{cut, is_formula};
use super::record::Ioc;
use crate::ioc::is_value;
use crate::stix::{Facets, IocType};

/// The shortest prefixes a network may have: a wider one names more of the Internet than a block
/// list is to hold.
const MIN_PREFIX_V4: u8 = 8;
const MIN_PREFIX_V6: u8 = 16;
/// IPv6 networks below `::ffff:0:0/96` are IPv4 networks.
const MAPPED_BITS: u8 = 96;

/// One for each IOC that the object's pattern names, or that an observable is; of any other
/// object one with its name. A value that is not valid of its kind has none.
pub(super) fn iocs(facets: &Facets, members: &Map<String, Value>) -> Vec<Ioc> {
    let named = facets.iocs.iter();
    let mut iocs: Vec<Ioc> = named.map(|ioc| ioc_of(ioc.kind, &ioc.value)).collect();
    if iocs.is_empty() {
        iocs = observable(facets.object_type(), members);
    }
    if iocs.is_empty() {
        iocs.push(Ioc { kind: None, value: facets.name.clone().unwrap_or_default() });
    }
    for ioc in iocs.iter_mut().filter(|ioc| ioc.kind.is_none()) {
        ioc.value.truncate(cut(&ioc.value).len());
    }
    iocs
}

/// STIX 2.1, section 6: the observables whose value is an IOC.
fn observable(object_type: &str, members: &Map<String, Value>) -> Vec<Ioc> {
    let kind = match object_type {
        "ipv4-addr" => IocType::Ipv4,
        "ipv6-addr" => IocType::Ipv6,
        "domain-name" => IocType::Domain,
        "url" => IocType::Url,
        "email-addr" => IocType::Email,
        "file" | "artifact" => return digests(members),
        _ => return Vec::new(),
    };
    let value = members.get("value").and_then(Value::as_str).filter(|value| !value.is_empty());
    value.map(|value| ioc_of(kind, value)).into_iter().collect()
}

fn ioc_of(kind: IocType, value: &str) -> Ioc {
    let usable = is_value(kind, value)
        && match kind {
            IocType::Ipv4 | IocType::Ipv6 => !is_too_wide(value),
            IocType::Email => !is_command(value),
            _ => true,
        };
    Ioc { kind: usable.then_some(kind), value: value.to_owned() }
}

/// Whether a valid network has a shorter prefix than a feed takes.
fn is_too_wide(network: &str) -> bool {
    let Some((address, prefix)) = network.split_once('/') else { return false };
    let (Ok(address), Ok(prefix)) = (address.parse::<IpAddr>(), prefix.parse::<u8>()) else {
        return false;
    };
    match address {
        IpAddr::V4(_) => prefix < MIN_PREFIX_V4,
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => {
            prefix < MAPPED_BITS + MIN_PREFIX_V4
        }
        IpAddr::V6(_) => prefix < MIN_PREFIX_V6,
    }
}

/// Whether a spreadsheet may run a valid e-mail address: it begins like a formula, and its local
/// part has more than letters, digits, dots and what sub-addresses are made with.
fn is_command(email: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-' | '@');
    is_formula(email) && !email.chars().all(plain)
}

fn digests(members: &Map<String, Value>) -> Vec<Ioc> {
    let Some(hashes) = members.get("hashes").and_then(Value::as_object) else { return Vec::new() };
    let digest = |(algorithm, value): (&String, &Value)| {
        let kind = match algorithm.to_ascii_uppercase().replace(['-', '_'], "").as_str() {
            "MD5" => IocType::Md5,
            "SHA1" => IocType::Sha1,
            "SHA256" => IocType::Sha256,
            "SHA512" => IocType::Sha512,
            _ => return None,
        };
        let value = value.as_str().filter(|value| !value.is_empty())?;
        Some(ioc_of(kind, value))
    };
    hashes.iter().filter_map(digest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_valid_of_its_kind_is_free_text() {
        use IocType::{Domain, Email, Ipv4, Ipv6, Md5, Url};
        for (kind, value) in [
            (Ipv4, "192.0.2.1"),
            (Ipv4, "10.0.0.0/8"),
            (Ipv6, "2001::/16"),
            (Ipv6, "::ffff:10.0.0.0/104"),
            (Domain, "-dash.example.net"),
            (Domain, "bücher.example"),
            (Url, "https://example.com/a?b=1,2"),
            (Email, "+49@example.org"),
            (Email, "a|b@example.org"),
        ] {
            assert_eq!(ioc_of(kind, value).kind, Some(kind), "{value}");
        }
        for (kind, value) in [
            (Ipv4, "0.0.0.0/0"),
            (Ipv4, "10.0.0.0/7"),
            (Ipv4, "192.0.2.256"),
            (Ipv4, "192[.]0.2.1"),
            (Ipv4, "192.0.2.1\n"),
            (Ipv6, "::/0"),
            (Ipv6, "2001::/15"),
            (Ipv6, "::ffff:10.0.0.0/103"),
            (Ipv6, "[2001:db8::1]"),
            (Domain, "=1+1.example.net"),
            (Domain, "a.example.net b.example.net"),
            (Domain, "com"),
            (Url, "=HYPERLINK(\"http://example.org/\")"),
            (Url, "hxxp://example.org/"),
            (Url, "http://example.org/ a"),
            (Email, "@example.org"),
            (Email, "=cmd|'/Ccalc'!A0@example.org"),
            (Md5, "00ff"),
        ] {
            assert_eq!(ioc_of(kind, value).kind, None, "{value}");
        }
    }
}
