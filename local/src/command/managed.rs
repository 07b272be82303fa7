//! What all resources have in common on the command line.

use std::io::{BufRead, IsTerminal, Write};

use local::operate::api::{Api, path};
use local::operate::table::{Column, table, terminal_width};
use local::operate::{Fault, show};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Notes a member of a body, if its option was given.
pub fn set(members: &mut Map<String, Value>, name: &str, given: Option<impl Serialize>) {
    if let Some(given) = given {
        members.insert(name.to_owned(), json!(given));
    }
}

/// A text as a body has it: an empty one takes the member away.
pub fn text(given: Option<String>) -> Option<Value> {
    given.map(|text| if text.is_empty() { Value::Null } else { Value::String(text) })
}

/// Prints; who closed standard output does not want to know.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// A document of JSON, for programs.
pub fn say_json(value: &Value) {
    say(&format!("{value:#}\n"));
}

/// A list: as JSON, or as a table, or a word where there is nothing.
pub fn say_list(
    json: bool,
    what: &str,
    items: Vec<Value>,
    columns: &[Column],
    row: impl Fn(&Value) -> Vec<String>,
) {
    if json {
        say_json(&Value::Array(items));
    } else if items.is_empty() {
        say(&format!("no {what}\n"));
    } else {
        let rows: Vec<Vec<String>> = items.iter().map(row).collect();
        say(&table(columns, &rows, terminal_width()));
    }
}

/// One resource: as JSON, or a member a line.
pub fn say_one(json: bool, resource: &Value, first: &[&str]) {
    if json {
        say_json(resource);
    } else {
        say(&show::resource(resource, first, terminal_width()));
    }
}

/// A resource, with its revision.
///
/// # Errors
/// When there is none; the hint says what there is.
pub async fn read(api: &Api, list: &str, name: &str) -> Result<(Value, String), Fault> {
    let answer = api.ask("GET", &path(&[list, name]), None, None).await?;
    match answer.status {
        200 => Ok((answer.body, answer.etag.unwrap_or_else(|| "*".to_owned()))),
        404 => {
            let one = list.strip_suffix('s').unwrap_or(list);
            Err(api.refused(&answer).hint(format!("`iocast {one} list` shows those there are")))
        }
        _ => Err(api.refused(&answer)),
    }
}

/// Changes a resource, whatever else became of it; or only at the revision its author saw.
///
/// # Errors
/// When nothing is to be changed, or the change is refused.
pub async fn update(
    api: &Api,
    list: &str,
    name: &str,
    patch: Value,
    revision: Option<u64>,
) -> Result<Value, Fault> {
    let one = list.strip_suffix('s').unwrap_or(list);
    if patch.as_object().is_none_or(Map::is_empty) {
        let fault = Fault::new("nothing to change: no option says what");
        return Err(fault.hint(format!("see `iocast {one} update --help`")));
    }
    let place = path(&[list, name]);
    let (_, read) = read(api, list, name).await?;
    // Who names no revision wants the change whatever else became of the resource.
    let (tag, any) = match revision {
        Some(revision) => (format!("\"{revision}\""), false),
        None => (read, true),
    };
    Ok(api.change(&place, &patch, tag, |_| any).await?.body)
}

/// Asks before something that cannot be undone.
///
/// # Errors
/// When nobody is there to ask, or the answer is no.
pub fn confirm(yes: bool, question: &str) -> Result<(), Fault> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        let fault = Fault::new(format!("{question} There is no terminal to ask at"));
        return Err(fault.hint("say yes beforehand with --yes"));
    }
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{question} [y/N] ");
    let _ = err.flush();
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Fault::new("nothing was done")),
    }
}

/// Deletes a resource as it was read.
///
/// # Errors
/// When it is refused.
pub async fn delete(api: &Api, list: &str, name: &str, tag: &str) -> Result<(), Fault> {
    api.must("DELETE", &path(&[list, name]), None, Some(tag)).await.map(drop)
}
