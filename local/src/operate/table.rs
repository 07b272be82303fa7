//! Tables that fit a terminal.

use console::{Term, measure_text_width, truncate_str};

/// Between two columns.
const GAP: usize = 2;
/// No column is cut shorter.
const NARROWEST: usize = 6;

/// A column: its title, and whether it may be cut to make the table fit.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    whole: bool,
}

/// A column that may be cut.
#[must_use]
pub const fn column(title: &'static str) -> Column {
    Column { title, whole: false }
}

/// A column that is always shown whole: what is typed into other commands.
#[must_use]
pub const fn whole(title: &'static str) -> Column {
    Column { title, whole: true }
}

/// The columns of the terminal that standard output is; none if it is none.
#[must_use]
pub fn terminal_width() -> Option<usize> {
    let term = Term::stdout();
    if !term.is_term() {
        return None;
    }
    Some(term.size_checked().map_or(80, |(_, columns)| usize::from(columns).max(40)))
}

/// What control a terminal is shown as spaces.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The table's text, no line of which is wider than `width`, if there is one and what is shown
/// whole leaves room.
#[must_use]
pub fn table(columns: &[Column], rows: &[Vec<String>], width: Option<usize>) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect();
    let mut widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(place, column)| {
            let cells = rows.iter().filter_map(|row| row.get(place));
            let widest = cells.map(|cell| measure_text_width(cell)).max().unwrap_or(0);
            widest.max(measure_text_width(column.title))
        })
        .collect();
    if let Some(width) = width {
        shrink(columns, &mut widths, width);
    }
    let titles: Vec<String> = columns.iter().map(|column| column.title.to_owned()).collect();
    let mut text = String::new();
    for row in std::iter::once(&titles).chain(&rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let cell = truncate_str(cell, *width, "…");
            line.push_str(&cell);
            let pad = width.saturating_sub(measure_text_width(&cell)) + GAP;
            line.extend(std::iter::repeat_n(' ', pad));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Takes from the widest column that may be cut, until the table fits.
fn shrink(columns: &[Column], widths: &mut [usize], fits: usize) {
    loop {
        let gaps = GAP * widths.len().saturating_sub(1);
        if widths.iter().sum::<usize>() + gaps <= fits {
            return;
        }
        let widest = widths
            .iter_mut()
            .zip(columns)
            .filter(|(width, column)| !column.whole && **width > NARROWEST)
            .max_by_key(|(width, _)| **width);
        match widest {
            Some((width, _)) => *width -= 1,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [whole("ID"), column("NAME"), column("NOTE")];

    #[test]
    fn a_table_fits_and_keeps_ids_whole() {
        let id = "a".repeat(36);
        let rows = vec![vec![id.clone(), "n".repeat(60), "é".repeat(90)]];
        let shown = table(&COLUMNS, &rows, Some(80));
        assert!(shown.lines().all(|line| measure_text_width(line) <= 80), "{shown}");
        assert!(shown.contains(&id) && shown.contains('…'), "{shown}");
        let piped = table(&COLUMNS, &rows, None);
        assert!(!piped.contains('…'));
    }

    #[test]
    fn nothing_controls_the_terminal() {
        let rows = vec![vec!["x".into(), "a\u{1b}[31mred\n".into(), String::new()]];
        let shown = table(&COLUMNS, &rows, Some(80));
        assert!(!shown.contains('\u{1b}') && shown.lines().count() == 2, "{shown:?}");
    }
}
