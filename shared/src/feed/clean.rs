//! Text on one physical line, and text no spreadsheet takes for a formula.

use std::borrow::Cow;

/// Whether some reader ends a line here, or stumbles: control characters but the tab, and
/// Unicode's line and paragraph separators.
pub(super) fn breaks_lines(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The text with a space for every line break; CR LF is one.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(breaks_lines) {
        return Cow::Borrowed(text);
    }
    let joined = text.replace("\r\n", "\n");
    Cow::Owned(joined.chars().map(|c| if breaks_lines(c) { ' ' } else { c }).collect())
}

/// What spreadsheets take for the beginning of a formula, the full-width forms included.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Whether a spreadsheet would take it for a formula.
pub(super) fn is_formula(text: &str) -> bool {
    text.starts_with(FORMULA)
}

/// The text with `'` before it if it begins like a formula.
pub(super) fn guarded(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_formula(&text) { Cow::Owned(format!("'{text}")) } else { text }
}

/// Characters of free text in one field.
const MAX_CHARS: usize = 1_000;

/// The first 1,000 characters of a text.
pub(super) fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or(text)
}

/// The first entries of a list that have at most 1,000 characters with a separator of
/// `separator` characters between them; of a longer first entry its beginning.
pub(super) fn cut_list(entries: &[String], separator: usize) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut left = MAX_CHARS;
    for entry in entries {
        let between = if kept.is_empty() { 0 } else { separator };
        let length = cut(entry).chars().count() + between;
        if !kept.is_empty() && (length > left || cut(entry).len() < entry.len()) {
            break;
        }
        kept.push(cut(entry).to_owned());
        left = left.saturating_sub(length);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_become_spaces() {
        for (text, line) in [
            ("a\r\nb\nc\rd", "a b c d"),
            ("a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f\u{1c}g\0h", "a b c d e f g h"),
            ("a\tb \u{1F980} é", "a\tb \u{1F980} é"),
            ("\n\n", "  "),
        ] {
            assert_eq!(one_line(text), line);
        }
    }

    #[test]
    fn a_text_is_cut_after_1_000_characters_and_never_within_one() {
        for c in ["a", "é", "漢", "\u{1F980}"] {
            assert_eq!(cut(&c.repeat(1_000)), c.repeat(1_000));
            assert_eq!(cut(&c.repeat(1_001)), c.repeat(1_000));
        }
        let entries = |lengths: &[usize]| -> Vec<String> {
            lengths.iter().map(|length| "é".repeat(*length)).collect()
        };
        assert_eq!(cut_list(&entries(&[499, 500, 1]), 1), entries(&[499, 500]));
        assert_eq!(cut_list(&entries(&[499, 501]), 1), entries(&[499]));
        assert_eq!(cut_list(&entries(&[1_001, 1]), 1), entries(&[1_000]));
        assert_eq!(cut_list(&entries(&[0, 0, 998]), 1), entries(&[0, 0, 998]));
        assert_eq!(cut_list(&[], 1), entries(&[]));
    }

    #[test]
    fn formulas_are_guarded() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "＝1"] {
            assert_eq!(guarded(formula.into()), format!("'{formula}"));
        }
        for text in ["", "a=1", " =1", "'=1"] {
            assert_eq!(guarded(text.into()), text);
        }
    }
}
