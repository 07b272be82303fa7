//! What is done to every object, and what a reader must know of it in the end.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use tests::chance::Chance;
use tests::collection::CollectionSpec;
use tests::fixtures::{FIRST, Object, SECOND, THIRD, indicator};

/// In the collection before the filter changes and after.
const STAYS: &str = "stays";
/// Only before.
const LEAVES: &str = "leaves";
/// Only after.
const ENTERS: &str = "enters";
/// Neither.
const NEVER: &str = "never";

/// Writers of an object that several write at once.
const RIVALS: usize = 3;

/// An object's id and version.
pub type Version = (String, String);

/// One thing that is done to an object.
#[derive(Debug, Clone)]
pub enum Step {
    /// Sent to the ingest API.
    Send(Object),
    /// Posted to the collection, which takes it whatever the filter says.
    Post(Object),
    /// Deleted by its owner.
    Delete,
    /// This version is deleted from the collection.
    RemoveVersion(&'static str),
    /// Every version is deleted from the collection.
    RemoveAll,
}

/// What one writer does to one object, in order, each step once the one before is answered.
#[derive(Debug, Clone)]
pub struct Story {
    /// The object.
    pub id: String,
    /// What is done.
    pub steps: Vec<Step>,
}

/// All that is done, and what follows from it.
#[derive(Debug, Default)]
pub struct Tale {
    /// The stories of each writer.
    pub shares: Vec<Vec<Story>>,
    /// What the collection holds in the end, by id.
    pub finally: HashMap<String, Object>,
    /// Versions that may be current in the collection at some time.
    pub visible: HashMap<Version, Object>,
    /// Versions that become current twice.
    pub twice: HashSet<Version>,
}

fn filter(labels: [&str; 2]) -> Value {
    let condition = json!({"key": "label", "values": labels, "operator": "eq", "mode": "or"});
    json!({"mode": "and", "filters": [condition], "filterGroups": []})
}

/// The collection as it is made.
pub fn before() -> CollectionSpec {
    CollectionSpec { filter: filter([STAYS, LEAVES]), ..CollectionSpec::everything() }
}

/// The same collection with its filter changed.
pub fn after(spec: &CollectionSpec) -> CollectionSpec {
    CollectionSpec { filter: filter([STAYS, ENTERS]), ..spec.clone() }
}

fn version(object: &Object) -> Version {
    (object.id().to_owned(), object.version().to_owned())
}

fn label(object: &Object) -> &str {
    object["labels"][0].as_str().unwrap_or_default()
}

impl Tale {
    /// Of about this many objects and writers.
    pub fn of(objects: usize, writers: usize, mut chance: Chance) -> Self {
        let mut tale = Self { shares: vec![Vec::new(); writers], ..Self::default() };
        for number in 0..objects {
            tale.one(number);
        }
        for number in 0..objects.div_ceil(25) {
            tale.contested(number);
        }
        for share in &mut tale.shares {
            for index in (1..share.len()).rev() {
                share.swap(index, chance.below(index + 1));
            }
        }
        tale
    }

    /// How many steps there are.
    pub fn steps(&self) -> usize {
        self.shares.iter().flatten().map(|story| story.steps.len()).sum()
    }

    fn one(&mut self, number: usize) {
        use Step::{Delete, Post, RemoveAll, RemoveVersion, Send};

        let labels = [STAYS, LEAVES, STAYS, ENTERS, NEVER];
        let v1 = indicator().labelled(labels[number / 20 % labels.len()]);
        let kept = v1.clone().labelled(STAYS);
        let at = |object: &Object, version: &str| {
            let name = format!("{} at {version}", object["name"].as_str().unwrap_or_default());
            object.clone().at(version).set("name", name)
        };
        let (v2, v3) = (at(&v1, SECOND), at(&v1, THIRD));
        let (kept2, kept3) = (at(&kept, SECOND), at(&kept, THIRD));
        let strayed = kept2.clone().labelled(NEVER);
        let (steps, finally) = match number % 20 {
            0..=8 => (vec![Send(v1.clone())], Some(v1)),
            9..=11 => (vec![Send(v1), Send(v2.clone())], Some(v2)),
            12 => (vec![Send(v1), Send(v2), Send(v3.clone())], Some(v3)),
            13 => {
                // Comes late, and so is never current.
                self.add(number, v1.id(), vec![Send(v2.clone()), Send(v1.clone())], Some(v2));
                self.visible.remove(&version(&v1));
                return;
            }
            14 => (vec![Send(v1), Delete], None),
            15 => (vec![Send(v1), Delete, Send(v2.clone())], Some(v2)),
            16 => (vec![Send(kept), Send(kept2), RemoveAll], None),
            17 => {
                self.twice.insert(version(&kept));
                let steps = vec![Send(kept.clone()), Send(kept2), RemoveVersion(SECOND)];
                (steps, Some(kept))
            }
            18 => (vec![Send(kept), Send(strayed), Send(kept3.clone())], Some(kept3)),
            _ => {
                let posted = v1.labelled(NEVER);
                (vec![Post(posted.clone())], Some(posted))
            }
        };
        let id = id_of(&steps);
        self.add(number, &id, steps, finally);
    }

    fn add(&mut self, number: usize, id: &str, steps: Vec<Step>, finally: Option<Object>) {
        let posted = steps.iter().any(|step| matches!(step, Step::Post(_)));
        for step in &steps {
            if let Step::Send(object) | Step::Post(object) = step
                && (posted || label(object) != NEVER)
            {
                self.visible.insert(version(object), object.clone());
            }
        }
        let selected = |object: &Object| posted || [STAYS, ENTERS].contains(&label(object));
        if let Some(object) = finally.filter(selected) {
            self.finally.insert(id.to_owned(), object);
        }
        let writer = (number + number / 20) % self.shares.len();
        self.shares[writer].push(Story { id: id.to_owned(), steps });
    }

    /// An object that several writers write at once, each another version.
    fn contested(&mut self, number: usize) {
        let object = indicator().labelled(STAYS);
        for rival in 0..RIVALS {
            let moment = FIRST.replace(".000Z", &format!(".{:03}Z", 100 * rival + number % 100));
            let mine = object.clone().at(&moment).set("confidence", rival);
            self.visible.insert(version(&mine), mine.clone());
            self.finally.insert(mine.id().to_owned(), mine.clone());
            let writer = (number + rival) % self.shares.len();
            let steps = vec![Step::Send(mine)];
            self.shares[writer].push(Story { id: object.id().to_owned(), steps });
        }
    }
}

fn id_of(steps: &[Step]) -> String {
    let mut ids = steps.iter().filter_map(|step| match step {
        Step::Send(object) | Step::Post(object) => Some(object.id().to_owned()),
        _ => None,
    });
    ids.next().unwrap_or_default()
}
