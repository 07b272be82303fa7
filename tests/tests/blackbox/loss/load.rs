//! What is sent, in parts that are answered whole or not at all, and what must be there then.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tests::chance::Chance;
use tests::exact::Exact;
use tests::fixtures::{Object, SECOND, fresh_domain, indicator};

/// Objects in one part, at the most.
const AT_ONCE: usize = 60;

/// One part of a load.
#[derive(Debug, Clone)]
pub enum Part {
    /// A bundle for the ingest API.
    Bundle(Vec<Object>),
    /// An envelope posted to the collection.
    Post(Vec<Object>),
    /// Domains as plain IOCs.
    Iocs(Vec<String>),
    /// A file dropped into the bucket.
    Drop(String, Vec<Object>),
    /// An object deleted by its owner.
    Delete(String),
}

/// What a collection must hold.
#[derive(Debug, Default)]
pub struct Holding {
    /// Bodies by id and version.
    pub versions: BTreeMap<(String, String), Exact>,
    /// What was deleted.
    pub gone: BTreeSet<String>,
}

impl Holding {
    /// Adds what follows from a part.
    pub fn add(&mut self, part: &Part) {
        match part {
            Part::Bundle(objects) | Part::Post(objects) | Part::Drop(_, objects) => {
                for object in objects {
                    let key = (object.id().to_owned(), object.version().to_owned());
                    self.versions.insert(key, Exact::parse(&object.json().to_string()));
                }
            }
            // The service makes the indicators of IOCs itself.
            Part::Iocs(_) => {}
            Part::Delete(id) => {
                self.versions.retain(|(known, _), _| known != id);
                self.gone.insert(id.clone());
            }
        }
    }
}

/// The parts one sender sends, one after the other: some `objects`, some of them changed later,
/// some deleted.
pub fn parts(sender: usize, objects: usize, chance: &mut Chance) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut made = 0;
    let mut bundled: Vec<Object> = Vec::new();
    while made < objects {
        let count = (1 + chance.below(AT_ONCE)).min(objects - made);
        made += count;
        let fresh: Vec<Object> = (0..count).map(|_| realistic()).collect();
        parts.push(match chance.below(6) {
            0..=2 => {
                bundled.extend(fresh.clone());
                Part::Bundle(fresh)
            }
            3 => Part::Post(fresh),
            4 => Part::Iocs((0..count).map(|_| fresh_domain()).collect()),
            _ => Part::Drop(format!("inbox/{sender}-{made}.json"), fresh),
        });
        if bundled.len() > AT_ONCE {
            let changed = bundled.drain(..AT_ONCE / 2).map(|object| object.at(SECOND));
            let changed: Vec<Object> = changed.map(|o| o.set("name", "changed")).collect();
            let gone = changed[chance.below(changed.len())].id().to_owned();
            parts.push(if chance.below(2) == 0 {
                Part::Bundle(changed)
            } else {
                Part::Post(changed)
            });
            parts.push(Part::Delete(gone));
        }
    }
    parts
}

fn realistic() -> Object {
    let object = indicator();
    let description = format!("{} was seen {} times", object.id(), object.id().len() * 7);
    object.set("description", description).set("labels", json!(["loss", "phishing"]))
}
