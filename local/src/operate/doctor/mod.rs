//! `iocast doctor`: looks at a service, at the stack behind it and at the folder of one that runs
//! here, as far as what it was given reaches, and says what is wrong and what to do.

pub mod folder;
pub mod service;
pub mod stack;

use serde::Serialize;

/// How something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Ok,
    /// Not wrong, but to be known.
    Note,
    /// Wrong.
    Wrong,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it was found.
    pub health: Health,
    /// What was looked at.
    pub what: String,
    /// What was seen.
    pub seen: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    /// As it should be.
    #[must_use]
    pub fn ok(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { health: Health::Ok, what: what.into(), seen: seen.into(), advice: None }
    }

    /// Not wrong, but to be known.
    #[must_use]
    pub fn note(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { health: Health::Note, ..Self::ok(what, seen) }
    }

    /// Wrong, and what to do.
    #[must_use]
    pub fn wrong(
        what: impl Into<String>,
        seen: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let advice = Some(advice.into());
        Self { health: Health::Wrong, what: what.into(), seen: seen.into(), advice }
    }

    /// The same, with what to do.
    #[must_use]
    pub fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }
}

/// The findings for people, each in lines of at most `width`.
#[must_use]
pub fn text(findings: &[Finding], width: usize) -> String {
    let widest = findings.iter().map(|one| one.what.chars().count()).max().unwrap_or(0).min(24);
    let mut text = String::new();
    for Finding { health, what, seen, advice } in findings {
        let mark = match health {
            Health::Ok => "ok   ",
            Health::Note => "note ",
            Health::Wrong => "WRONG",
        };
        let first = format!("{mark}  {what:<widest$}  ");
        let indent = first.chars().count();
        lines(&mut text, &first, indent, seen, width);
        if let Some(advice) = advice {
            let first = format!("{:indent$}-> ", "");
            lines(&mut text, &first, indent + 3, advice, width);
        }
    }
    text
}

fn lines(text: &mut String, first: &str, indent: usize, words: &str, width: usize) {
    text.push_str(first);
    let mut column = indent;
    for (place, word) in words.split_whitespace().enumerate() {
        let length = word.chars().count();
        if place > 0 && column + 1 + length > width {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if place > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_fit_a_terminal() {
        let findings = [
            Finding::ok("service", "answers"),
            Finding::wrong("schedule of rescan", "word ".repeat(40), "do this ".repeat(20)),
        ];
        let shown = text(&findings, 80);
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
        assert!(shown.contains("WRONG  schedule of rescan") && shown.contains("-> do this"));
    }
}
