//! The one normal form of a value of each type.

mod address;
mod email;
mod name;
mod token;
mod url;

use super::error::Fault;
use super::refang;
use crate::stix::IocType;

/// The normal form of `text`, which is trimmed and without control characters. Normalising
/// twice changes nothing.
pub(super) fn normalise(kind: IocType, text: &str) -> Result<String, Fault> {
    match kind {
        IocType::Ipv4 => address::v4(&refang::text(text)),
        IocType::Ipv6 => address::v6(&refang::text(text)),
        IocType::Domain => name::domain(&refang::text(text)),
        IocType::Url => url::url(&refang::url(text)),
        IocType::Md5 => token::hash(text, 32),
        IocType::Sha1 => token::hash(text, 40),
        IocType::Sha256 => token::hash(text, 64),
        IocType::Sha512 => token::hash(text, 128),
        IocType::Email => email::email(&refang::text(text)),
        IocType::Cve => token::cve(text),
        IocType::MitreAttack => token::technique(text),
    }
}

/// Whether `text` is a value of this type as it stands: not defanged, and with no blank or control
/// character that does not belong to it.
#[must_use]
pub fn is_value(kind: IocType, text: &str) -> bool {
    let blank =
        |c: char| c.is_control() || (c.is_whitespace() && (kind != IocType::Email || c != ' '));
    let defanged = match kind {
        IocType::Url => refang::url(text) != text,
        IocType::Ipv6 if text.starts_with('[') => true,
        _ => refang::text(text) != text,
    };
    !text.contains(blank) && !defanged && normalise(kind, text).is_ok()
}

#[cfg(test)]
mod tests;
