//! IP addresses and networks.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::ioc::error::Fault;

/// `192.0.2.1` or `192.0.2.0/24`: strict decimal, host bits cleared, `/32` left out.
pub(super) fn v4(text: &str) -> Result<String, Fault> {
    let (address, prefix) = parts(text, 32)?;
    let address: Ipv4Addr = address.parse().map_err(|_| Fault::Ipv4)?;
    let Some(prefix) = prefix else { return Ok(address.to_string()) };
    let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
    Ok(format!("{}/{prefix}", Ipv4Addr::from_bits(address.to_bits() & mask)))
}

/// `2001:db8::1` or `2001:db8::/32` in the form of RFC 5952; host bits cleared, `/128` left out.
pub(super) fn v6(text: &str) -> Result<String, Fault> {
    if text.contains('%') {
        return Err(Fault::Zone);
    }
    let (address, prefix) = parts(text, 128)?;
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address: Ipv6Addr = bare.unwrap_or(address).parse().map_err(|_| Fault::Ipv6)?;
    let Some(prefix) = prefix else { return Ok(address.to_string()) };
    let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
    Ok(format!("{}/{prefix}", Ipv6Addr::from_bits(address.to_bits() & mask)))
}

/// Address text and prefix length; the full length is the address itself. A length of 0 would
/// name every address there is, which is never an indicator.
fn parts(text: &str, bits: u32) -> Result<(&str, Option<u32>), Fault> {
    let Some((address, prefix)) = text.split_once('/') else { return Ok((text, None)) };
    let digits = (1..=3).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_digit());
    match prefix.parse() {
        Ok(prefix) if digits && prefix == bits => Ok((address, None)),
        Ok(prefix) if digits && (1..bits).contains(&prefix) => Ok((address, Some(prefix))),
        _ => Err(Fault::Prefix),
    }
}
