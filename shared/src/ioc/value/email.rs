//! E-mail addresses (RFC 5321, section 4.1.2, with RFC 6531's letters).

use super::name;
use crate::ioc::error::Fault;

/// `local@domain`: the domain in its normal form, the local part as it came, since only its own
/// server knows whether letter case matters.
pub(super) fn email(text: &str) -> Result<String, Fault> {
    let (local, domain) = text.rsplit_once('@').ok_or(Fault::Email)?;
    if local.len() > 64 || !(is_dotted(local) || is_quoted(local)) {
        return Err(Fault::Email);
    }
    Ok(format!("{local}@{}", name::domain(domain)?))
}

/// Dots are taken anywhere: some providers give out such addresses.
fn is_dotted(local: &str) -> bool {
    let allowed = |c: char| match c {
        _ if c.is_ascii() => c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c),
        _ => !c.is_whitespace(),
    };
    !local.is_empty() && local.chars().all(allowed)
}

/// `"any text"`, with `\` before a quote or a backslash inside.
fn is_quoted(local: &str) -> bool {
    let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return false;
    };
    let mut escaped = false;
    for c in inner.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return false,
            _ => {}
        }
    }
    !inner.is_empty() && !escaped
}
