//! One resource, a member a line.

use chrono::NaiveDateTime;
use serde_json::Value;

use super::table::plain;

/// The value of a member as a person reads it.
#[must_use]
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => moment(text).unwrap_or_else(|| plain(text)),
        Value::Number(number) => number.to_string(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            items.iter().map(text).collect::<Vec<_>>().join(", ")
        }
        Value::Array(_) | Value::Object(_) => plain(&value.to_string()),
    }
}

/// A time with fractions of a second, without them.
fn moment(text: &str) -> Option<String> {
    let (seconds, fraction) = text.strip_suffix('Z')?.split_once('.')?;
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    (digits && seconds.parse::<NaiveDateTime>().is_ok()).then(|| format!("{seconds}Z"))
}

/// The member of a resource as a person reads it; empty where there is none.
#[must_use]
pub fn member(resource: &Value, name: &str) -> String {
    resource.get(name).map(text).unwrap_or_default()
}

/// All members, those in `first` before the others. Objects follow their name, indented.
#[must_use]
pub fn resource(resource: &Value, first: &[&str], width: Option<usize>) -> String {
    let Some(members) = resource.as_object() else { return String::new() };
    let named = first.iter().filter_map(|name| members.get_key_value(*name));
    let others = members.iter().filter(|(name, _)| !first.contains(&name.as_str()));
    let all: Vec<_> = named.chain(others).collect();
    let widest = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut shown = String::new();
    for (name, value) in all {
        let indent = widest + 2;
        let lines = if value.is_object() {
            let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
            pretty.lines().map(plain).collect()
        } else {
            wrapped(&text(value), width.map(|width| width.saturating_sub(indent).max(20)))
        };
        for (place, line) in lines.iter().enumerate() {
            let name = if place == 0 { name.as_str() } else { "" };
            shown.push_str(format!("{name:<widest$}  {line}").trim_end());
            shown.push('\n');
        }
    }
    shown
}

/// A text in lines of at most `width`, broken at spaces where there are some.
pub(super) fn wrapped(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else { return vec![text.to_owned()] };
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word.to_owned();
        loop {
            let line = lines.last_mut().map_or(0, |line| line.chars().count());
            let gap = usize::from(line > 0);
            let room = width.saturating_sub(line + gap);
            if word.chars().count() <= room {
                if let Some(last) = lines.last_mut() {
                    last.push_str(if gap > 0 { " " } else { "" });
                    last.push_str(&word);
                }
                break;
            }
            if line == 0 {
                // No space to break at.
                let rest = word.chars().skip(width).collect();
                if let Some(last) = lines.last_mut() {
                    last.extend(word.chars().take(width));
                }
                word = rest;
            }
            lines.push(String::new());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_shown_to_the_second() {
        assert_eq!(text(&json!("2026-11-22T07:30:04.059742443Z")), "2026-11-22T07:30:04Z");
        assert_eq!(text(&json!("example.Z")), "example.Z");
    }

    #[test]
    fn a_resource_is_shown_within_the_width() {
        let value = json!({
            "id": "x", "scopes": vec!["read:taxii"; 12], "none": null,
            "filter": {"mode": "and"}, "long": "y".repeat(200),
        });
        let shown = resource(&value, &["id"], Some(60));
        assert!(shown.starts_with("id "), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() <= 60), "{shown}");
        assert_eq!(shown.matches('y').count(), 200);
    }
}
