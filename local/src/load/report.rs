//! What became of what was loaded.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

/// Where an object stood in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Place among the objects, from 0.
    Index(usize),
    /// Line, from 1.
    Line(usize),
}

/// An object that did not go in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Where it stood.
    #[serde(flatten)]
    pub place: Place,
    /// Its id, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The reason as a word.
    pub code: String,
    /// The reason as a sentence.
    pub reason: String,
}

impl Rejection {
    pub(super) fn here(place: Place, id: Option<String>, code: &str, reason: String) -> Self {
        Self { place, id, code: code.to_owned(), reason }
    }
}

/// How many objects met which fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Stored: new, newer, or older than what is stored.
    pub accepted: u64,
    /// Of these: new.
    pub created: u64,
    /// Of these: a newer version.
    pub updated: u64,
    /// Of these: an older version, kept as history.
    pub stale: u64,
    /// Were there already.
    pub unchanged: u64,
    /// Did not go in.
    pub rejected: u64,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileReport {
    /// The file.
    pub file: String,
    /// How many objects met which fate.
    #[serde(flatten)]
    pub counts: Counts,
    /// What did not go in.
    pub rejections: Vec<Rejection>,
    /// Why it was not read to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl FileReport {
    pub(super) fn new(file: &Path) -> Self {
        Self {
            file: file.display().to_string(),
            counts: Counts::default(),
            rejections: Vec::new(),
            error: None,
        }
    }

    pub(super) fn reject(&mut self, rejection: Rejection) {
        self.counts.rejected += 1;
        self.rejections.push(rejection);
    }
}

/// What became of all files.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// The sum.
    #[serde(flatten)]
    pub counts: Counts,
    /// How long it took.
    pub seconds: f64,
    /// Each file.
    pub files: Vec<FileReport>,
    /// Why loading ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Rejections shown for each reason; `--json` has them all.
const SHOWN: usize = 5;

impl Report {
    pub(super) fn add(&mut self, file: FileReport) {
        let (sum, more) = (&mut self.counts, &file.counts);
        sum.accepted += more.accepted;
        sum.created += more.created;
        sum.updated += more.updated;
        sum.stale += more.stale;
        sum.unchanged += more.unchanged;
        sum.rejected += more.rejected;
        self.files.push(file);
    }

    /// Whether something did not go in.
    #[must_use]
    pub const fn has_rejections(&self) -> bool {
        self.counts.rejected > 0
    }

    /// Why a file was not read to its end, or loading ended early.
    pub fn errors(&self) -> impl Iterator<Item = &str> {
        self.error
            .iter()
            .chain(self.files.iter().filter_map(|file| file.error.as_ref()))
            .map(|e| &**e)
    }

    /// Whether a file was not read to its end, or loading ended early.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// The report for people, a few lines for each file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for file in &self.files {
            let _ = writeln!(text, "{}: {}", file.file, counted(&file.counts));
            rejections(&mut text, &file.rejections);
            if let Some(error) = &file.error {
                let _ = writeln!(text, "  not read to its end: {error}");
            }
        }
        if self.files.len() > 1 {
            let _ = writeln!(text, "all files: {}", counted(&self.counts));
        }
        if let Some(error) = &self.error {
            let _ = writeln!(text, "ended early: {error}");
        }
        let _ = writeln!(text, "{:.1} s", self.seconds);
        text
    }
}

fn counted(counts: &Counts) -> String {
    let Counts { accepted, created, updated, stale, unchanged, rejected } = counts;
    format!(
        "{accepted} accepted ({created} new, {updated} updated, {stale} older versions), \
         {unchanged} unchanged, {rejected} rejected"
    )
}

fn rejections(text: &mut String, rejections: &[Rejection]) {
    let mut by_code: BTreeMap<&str, Vec<&Rejection>> = BTreeMap::new();
    for rejection in rejections {
        by_code.entry(&rejection.code).or_default().push(rejection);
    }
    for (code, all) in by_code {
        let _ = writeln!(text, "  {} × {code}", all.len());
        for rejection in all.iter().take(SHOWN) {
            let place = match rejection.place {
                Place::Index(index) => format!("object {index}"),
                Place::Line(line) => format!("line {line}"),
            };
            let id = rejection.id.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
            let _ = writeln!(text, "    {place}{id}: {}", rejection.reason);
        }
        if all.len() > SHOWN {
            let _ = writeln!(text, "    and {} more; --json lists them all", all.len() - SHOWN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_sums_up_and_says_why() {
        let mut file = FileReport::new(Path::new("f.ndjson"));
        file.counts.accepted = 2;
        file.counts.created = 2;
        for line in 1..=7 {
            let reason = "odd".to_owned();
            file.reject(Rejection::here(Place::Line(line), None, "invalid_ioc", reason));
        }
        let mut report = Report::default();
        report.add(file);
        assert!(report.has_rejections() && !report.has_errors());
        let text = report.text();
        assert!(text.contains("2 accepted (2 new"), "{text}");
        assert!(text.contains("7 × invalid_ioc") && text.contains("and 2 more"), "{text}");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["rejected"], 7);
        let first = json!({"line": 1, "code": "invalid_ioc", "reason": "odd"});
        assert_eq!(json["files"][0]["rejections"][0], first);
    }
}
