//! Domain names: lower-case A-labels by UTS 46.

use std::net::{Ipv4Addr, Ipv6Addr};

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use crate::ioc::error::Fault;

/// `host.example.com`: international names as `xn--`, one final dot dropped. Labels may have
/// `_` and hyphens anywhere, since DNS serves such names and lists of real indicators hold them.
pub(super) fn domain(text: &str) -> Result<String, Fault> {
    if text.contains("://") || text.contains('/') {
        return Err(Fault::IsUrl);
    }
    if text.contains('@') {
        return Err(Fault::IsEmail);
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if text.parse::<Ipv4Addr>().is_ok() || bare.parse::<Ipv6Addr>().is_ok() {
        return Err(Fault::IsAddress);
    }
    if text.contains('*') {
        return Err(Fault::Wildcard);
    }
    if text.contains(':') {
        return Err(Fault::IsUrl);
    }
    labels(text)
}

fn labels(text: &str) -> Result<String, Fault> {
    // Length is checked below, so that it has its own reason.
    let name = Uts46::new()
        .to_ascii(text.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Ignore)
        .map_err(|_| Fault::BadName)?;
    let name = name.strip_suffix('.').unwrap_or(&name);
    if name.parse::<Ipv4Addr>().is_ok() {
        return Err(Fault::IsAddress);
    }
    if name.split('.').any(str::is_empty) {
        return Err(Fault::EmptyLabel);
    }
    let allowed =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    if !name.bytes().all(allowed) {
        return Err(Fault::BadName);
    }
    let Some((_, top)) = name.rsplit_once('.') else { return Err(Fault::SingleLabel) };
    if top.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::NumericTop);
    }
    if name.len() > 253 || name.split('.').any(|label| label.len() > 63) {
        return Err(Fault::NameTooLong);
    }
    Ok(name.to_owned())
}
