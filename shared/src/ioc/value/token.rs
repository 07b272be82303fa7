//! Values of fixed form: digests, CVE ids, ATT&CK techniques.

use crate::ioc::error::Fault;

/// `length` hexadecimal digits, lower-cased.
pub(super) fn hash(text: &str, length: usize) -> Result<String, Fault> {
    if text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Fault::Hash(length))
    }
}

/// `CVE-2026-0001`, upper-cased; the number has 4 to 19 digits, as in CVE's own schema.
pub(super) fn cve(text: &str) -> Result<String, Fault> {
    let upper = text.to_ascii_uppercase();
    let (year, number) =
        upper.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')).ok_or(Fault::Cve)?;
    let well_formed = year.len() == 4
        && (4..=19).contains(&number.len())
        && year.bytes().chain(number.bytes()).all(|b| b.is_ascii_digit());
    if well_formed { Ok(upper) } else { Err(Fault::Cve) }
}

/// `T1059` or `T1059.001`, upper-cased.
pub(super) fn technique(text: &str) -> Result<String, Fault> {
    let upper = text.to_ascii_uppercase();
    let rest = upper.strip_prefix('T').ok_or(Fault::Technique)?;
    let (number, sub) = rest.split_once('.').unwrap_or((rest, "000"));
    let digits =
        |part: &str, length| part.len() == length && part.bytes().all(|b: u8| b.is_ascii_digit());
    if digits(number, 4) && digits(sub, 3) { Ok(upper) } else { Err(Fault::Technique) }
}
