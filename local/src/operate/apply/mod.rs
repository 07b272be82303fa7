//! `iocast apply FILE`: how things shall be, as one YAML file. What is in the file is made or
//! changed until it is so; what is not in the file is left alone. Running it again changes nothing.

mod document;
mod step;

pub use document::Document;
pub use step::{Difference, Kind, Step};

use serde_json::Value;

use super::api::{Api, path};
use super::{Fault, show};

/// Before a member that differs, and before what does not fit its line.
const MEMBER: &str = "    ";
const INDENT: &str = "      ";

/// More resources of a kind than this are not compared.
const MOST: usize = 100_000;

/// What has to be done for everything to be as the file says, in order.
///
/// # Errors
/// When what is there cannot be read, or the file is not right.
pub async fn steps(api: &Api, document: &Document) -> Result<Vec<Step>, Fault> {
    let mut listed: Vec<(Kind, Option<String>, Vec<Value>)> = Vec::new();
    let mut steps = Vec::new();
    for wanted in &document.resources {
        let (kind, among) = (wanted.kind, wanted.among());
        let place = listed.iter().position(|(of, by, _)| *of == kind && *by == among);
        let there = if let Some(place) = place {
            listed.get(place)
        } else {
            let all = api.list(kind.list(), among.as_deref(), MOST).await?;
            listed.push((kind, among, all));
            listed.last()
        };
        let there = there.and_then(|(_, _, all)| all.iter().find(|one| wanted.is(one)));
        steps.push(Step::between(wanted, there)?);
    }
    Ok(steps)
}

/// Does one step. What became of the resource meanwhile, such as a collection whose rebuilding
/// ended, does not matter as long as the members that are to change are as they were compared.
///
/// # Errors
/// When it is refused: what was done before it stays, and the file can be applied again.
pub async fn take(api: &Api, step: &Step) -> Result<(), Fault> {
    let list = step.kind.list();
    let named = |fault: Fault| Fault {
        message: format!("{} {}: {}", step.kind.one(), step.name, fault.message),
        ..fault
    };
    match &step.difference {
        Difference::None => Ok(()),
        Difference::New(body) => {
            api.must("POST", list, Some(body), None).await.map(drop).map_err(named)
        }
        Difference::Changed { id, revision, patch, members } => {
            let place = path(&[list, id]);
            let tag = format!("\"{revision}\"");
            let as_compared = |now: &Value| {
                members.iter().all(|(name, before, _)| now.get(name) == before.as_ref())
            };
            api.change(&place, patch, tag, as_compared).await.map(drop).map_err(named)
        }
    }
}

/// A step for people, in lines of at most `width`: `+` new, `~` changed with what differs.
#[must_use]
pub fn text(step: &Step, width: Option<usize>) -> String {
    let what = format!("{} {}", step.kind.one(), step.name);
    match &step.difference {
        Difference::None => String::new(),
        Difference::New(_) => format!("+ {what}\n"),
        Difference::Changed { members, .. } => {
            let mut text = format!("~ {what}\n");
            for (name, before, after) in members {
                let before = before.as_ref().map_or_else(|| "-".to_owned(), show::text);
                let after = after.as_ref().map_or_else(|| "-".to_owned(), show::text);
                let line = format!("{name}: {before} -> {after}");
                let room = width.map(|width| width.saturating_sub(INDENT.len()).max(20));
                for (place, line) in show::wrapped(&line, room).iter().enumerate() {
                    text.extend([if place == 0 { MEMBER } else { INDENT }, line, "\n"]);
                }
            }
            text
        }
    }
}
