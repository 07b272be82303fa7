//! The `Range` header (RFC 9110, section 14): one range of bytes.

/// What part of a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it: nothing else was asked for, or nothing that is served in part.
    Whole,
    /// From the first to the last byte, both included.
    Bytes(u64, u64),
    /// None of it lies within the file.
    Unsatisfiable,
}

/// The part of a file of `length` bytes that the header asks for. Several ranges, and units other
/// than bytes, are answered with the whole file, as the standard allows.
pub fn part(header: Option<&str>, length: u64) -> Part {
    let Some(spec) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Part::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else { return Part::Whole };
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(Some(digits.parse().unwrap_or(u64::MAX)))
        }
        _ => None,
    };
    match (number(first), number(last)) {
        (Some(Some(first)), Some(last)) => {
            if last.is_some_and(|last| last < first) {
                return Part::Whole;
            }
            if first >= length {
                return Part::Unsatisfiable;
            }
            Part::Bytes(first, last.unwrap_or(u64::MAX).min(length - 1))
        }
        (Some(None), Some(Some(0))) => Part::Unsatisfiable,
        (Some(None), Some(Some(_))) if length == 0 => Part::Unsatisfiable,
        (Some(None), Some(Some(count))) => Part::Bytes(length.saturating_sub(count), length - 1),
        _ => Part::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_read() {
        for (header, expected) in [
            ("bytes=0-9", Part::Bytes(0, 9)),
            ("bytes=90-", Part::Bytes(90, 99)),
            ("bytes=90-1000", Part::Bytes(90, 99)),
            ("bytes=-10", Part::Bytes(90, 99)),
            ("bytes=-1000", Part::Bytes(0, 99)),
            ("bytes=99999999999999999999999-", Part::Unsatisfiable),
            ("bytes=100-", Part::Unsatisfiable),
            ("bytes=-0", Part::Unsatisfiable),
            ("bytes=9-0", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("items=0-1", Part::Whole),
        ] {
            assert_eq!(part(Some(header), 100), expected, "{header}");
        }
        assert_eq!(part(None, 100), Part::Whole);
        assert_eq!(part(Some("bytes=0-"), 0), Part::Unsatisfiable);
        assert_eq!(part(Some("bytes=-1"), 0), Part::Unsatisfiable);
    }
}
