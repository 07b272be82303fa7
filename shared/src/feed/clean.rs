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
const FORMULA: [char; 9] = ['=', '+', '-', '@', '\t', '＝', '＋', '－', '＠'];

/// Whether a spreadsheet would take it for a formula.
pub(super) fn is_formula(text: &str) -> bool {
    text.starts_with(FORMULA)
}

/// The text with `'` before it if it begins like a formula.
pub(super) fn guarded(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_formula(&text) { Cow::Owned(format!("'{text}")) } else { text }
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
    fn formulas_are_guarded() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "＝1"] {
            assert_eq!(guarded(formula.into()), format!("'{formula}"));
        }
        for text in ["", "a=1", " =1", "'=1"] {
            assert_eq!(guarded(text.into()), text);
        }
    }
}
