//! The steps of a history. Numbers name objects, collections and instances, any number one of
//! those there are, so that a history stays one when it is made smaller.

use std::fmt;

use crate::model::{Content, Definition, Kind, Mark, Owner, Valid};

/// Which versions a client deletes from a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The last.
    Last,
    /// The first.
    First,
    /// All.
    All,
    /// That of a slot.
    Slot(u8),
}

/// One step.
#[derive(Clone, PartialEq)]
pub enum Step {
    /// An object is sent: to the base, or to a collection.
    Write {
        /// By which instance.
        by: usize,
        /// Which object.
        object: usize,
        /// At which of a few versions.
        slot: u8,
        /// Who sends it.
        owner: Owner,
        /// The collection it is posted to.
        into: Option<usize>,
        /// What it says.
        content: Content,
    },
    /// An object is deleted from the base.
    Delete(usize, usize, Owner),
    /// A version of an object is deleted from a collection: instance, collection, object.
    Remove(usize, usize, usize, Which),
    /// Stream records come to an instance: those of the objects whose bits are set, or of all.
    /// `each` in a call of its own, the last ones first.
    Project {
        /// Which instance.
        by: usize,
        /// Which objects.
        mask: u8,
        /// One by one.
        each: bool,
    },
    /// The stream loses all records that were not delivered.
    Lose,
    /// Two steps at the same time.
    Together(Box<Step>, Box<Step>),
    /// One step after the other, beside something else.
    Then(Box<Step>, Box<Step>),
    /// A collection gets another definition.
    Change(usize, usize, Definition),
    /// A collection is created.
    Create(usize, Definition),
    /// Backfills are carried to their end.
    Backfill(usize),
    /// A sweep.
    Sweep(usize),
    /// The expiry runs.
    Expire(usize),
    /// Compaction runs.
    Compact(usize),
    /// An instance's clock is off by so many milliseconds.
    Skew(usize, i16),
    /// Minutes pass.
    Pass(u8),
    /// A reader reads some pages of so many objects.
    Read(usize, u8),
}

/// A world and what happens in it.
#[derive(Clone, PartialEq)]
pub struct History {
    /// What the objects are.
    pub kinds: Vec<Kind>,
    /// The collections there are from the beginning.
    pub collections: Vec<Definition>,
    /// What happens.
    pub steps: Vec<Step>,
}

struct Said<'a>(&'a Content);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = self.0;
        let flag = |set: bool, name: &'static str| if set { name } else { "" };
        write!(
            f,
            "{}{}{}{}{}{}#{}",
            flag(content.a, "a"),
            flag(content.b, "b"),
            match content.mark {
                Mark::None => String::new(),
                mark => format!("{mark:?}"),
            },
            content.confidence.map_or_else(String::new, |level| format!("~{level}")),
            match content.valid {
                Valid::Always => "",
                Valid::Past => "Past",
                Valid::Soon => "Soon",
            },
            [flag(content.revoked, "Revoked"), flag(content.address, "Ip")].concat(),
            content.number
        )
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owned = |owner: &Owner| if *owner == Owner::Acme { " acme" } else { "" };
        match self {
            Self::Write { by, object, slot, owner, into, content } => {
                write!(f, "write@{by} o{object} v{slot} {}{}", Said(content), owned(owner))?;
                into.map_or(Ok(()), |into| write!(f, " into c{into}"))
            }
            Self::Delete(by, object, owner) => {
                write!(f, "delete@{by} o{object}{}", owned(owner))
            }
            Self::Remove(by, collection, object, which) => {
                write!(f, "remove@{by} c{collection} o{object} {which:?}")
            }
            Self::Project { by, mask, each } => {
                write!(f, "project@{by} {mask:08b}{}", if *each { " each" } else { "" })
            }
            Self::Lose => write!(f, "lose"),
            Self::Together(one, other) => write!(f, "[{one:?} | {other:?}]"),
            Self::Then(one, other) => write!(f, "{one:?}, {other:?}"),
            Self::Change(by, collection, definition) => {
                write!(f, "change@{by} c{collection} {}", Defined(definition))
            }
            Self::Create(by, definition) => write!(f, "create@{by} {}", Defined(definition)),
            Self::Backfill(by) => write!(f, "backfill@{by}"),
            Self::Sweep(by) => write!(f, "sweep@{by}"),
            Self::Expire(by) => write!(f, "expire@{by}"),
            Self::Compact(by) => write!(f, "compact@{by}"),
            Self::Skew(by, millis) => write!(f, "skew@{by} {millis} ms"),
            Self::Pass(minutes) => write!(f, "pass {minutes} min"),
            Self::Read(reader, limit) => write!(f, "read r{reader} by {limit}"),
        }
    }
}

struct Defined<'a>(&'a Definition);

impl fmt::Display for Defined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Definition { choice, ceiling, open } = self.0;
        write!(f, "{choice:?}<={ceiling}{}", if *open { " open" } else { "" })
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "objects: {:?}", self.kinds)?;
        for (number, definition) in self.collections.iter().enumerate() {
            writeln!(f, "c{number}: {}", Defined(definition))?;
        }
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "{number:3} {step:?}")?;
        }
        Ok(())
    }
}
