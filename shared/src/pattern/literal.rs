//! The forms of the constants that stand in quotes after a letter, and of strings.

/// Pairs of hexadecimal digits, also none.
pub(super) fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Base64 with padding, not empty.
pub(super) fn is_base64(text: &str) -> bool {
    let digits = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && digits.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

/// `YYYY-MM-DDTHH:MM:SS[.f…]Z` as the grammar has it: any day up to 31 in any month, second 60.
pub(super) fn is_timestamp(text: &str) -> bool {
    let Some((to_the_second, rest)) = text.split_at_checked("YYYY-MM-DDTHH:MM:SS".len()) else {
        return false;
    };
    let shaped = to_the_second
        .bytes()
        .zip(*b"dddd-dd-ddTdd:dd:dd")
        .all(|(byte, wanted)| if wanted == b'd' { byte.is_ascii_digit() } else { byte == wanted });
    let within = |at: usize, lowest: &str, highest: &str| {
        to_the_second.get(at..at + 2).is_some_and(|two| (lowest..=highest).contains(&two))
    };
    shaped
        && within(5, "01", "12")
        && within(8, "01", "31")
        && within(11, "00", "23")
        && within(14, "00", "59")
        && within(17, "00", "60")
        && is_fraction_and_zone(rest)
}

fn is_fraction_and_zone(text: &str) -> bool {
    let Some(fraction) = text.strip_suffix('Z') else {
        return false;
    };
    fraction.is_empty()
        || fraction
            .strip_prefix('.')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// The value of what stands between a string's quotes, whose escapes the lexer has checked.
pub(super) fn unescape(raw: &str) -> String {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(c) = rest.next() {
        value.extend(if c == '\\' { rest.next() } else { Some(c) });
    }
    value
}
