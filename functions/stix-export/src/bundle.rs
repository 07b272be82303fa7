//! The bundle (STIX 2.1, section 8): identities, marking definitions, indicators, and what was
//! asked for beside them; never larger than an answer may be.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::http::{MAX_ENCODED_BYTES, encoded_bytes};
use shared::id::ObjectId;
use shared::log::Mark;
use shared::stix::Members;
use shared::store::StoreError;
use shared::tlp::Tlp;

use crate::context::{self, Made};
use crate::identity::Publisher;
use crate::indicator::{Exported, Indicator};
use crate::made::derived_id;
use crate::markings::{MarkingIds, Rewrite, Used};
use crate::observables;
use crate::parameters::{Ask, Format};
use crate::references::{Author, References};

/// Room for the wrapping and for the definitions of all levels.
const FRAME_BYTES: usize = 8_000;

/// Of all that goes out: identities and marking definitions of STIX 2.0 become valid ones of 2.1 by
/// saying so, as 2.1 took nothing away from either.
const SPEC_VERSION: &str = "2.1";

/// A bundle, object by object.
pub struct Bundle<'a> {
    ask: &'a Ask,
    references: &'a References,
    publisher: Publisher,
    authors: BTreeMap<ObjectId, String>,
    levels: Vec<Tlp>,
    statements: BTreeMap<ObjectId, String>,
    indicators: Vec<String>,
    observables: Vec<(Value, Tlp)>,
    places: HashMap<ObjectId, usize>,
    context: BTreeMap<ObjectId, String>,
    own: Vec<String>,
    bytes: usize,
    last: Option<Mark>,
    cut: bool,
}

/// What one indicator adds.
struct Piece {
    exported: Exported,
    author: Option<(ObjectId, String)>,
    statements: Vec<(ObjectId, String)>,
    made: Made,
}

impl<'a> Bundle<'a> {
    /// A bundle of as many of `indicators` as fit, by the publisher called `name`.
    pub fn of(
        ask: &'a Ask,
        name: &str,
        references: &'a References,
        indicators: &[Indicator<'_>],
    ) -> Result<Self, StoreError> {
        let publisher = Publisher::named(name);
        let mut bundle = Self {
            ask,
            references,
            bytes: FRAME_BYTES + encoded_bytes(&publisher.json),
            publisher,
            authors: BTreeMap::new(),
            levels: Vec::new(),
            statements: BTreeMap::new(),
            indicators: Vec::with_capacity(indicators.len()),
            observables: Vec::new(),
            places: HashMap::new(),
            context: BTreeMap::new(),
            own: Vec::new(),
            last: None,
            cut: false,
        };
        for indicator in indicators {
            if !bundle.add(indicator)? {
                bundle.cut = true;
                break;
            }
            bundle.last = Some(indicator.mark);
        }
        Ok(bundle)
    }

    /// The last indicator in it.
    pub fn last(&self) -> Option<Mark> {
        self.last
    }

    /// Whether not all indicators fitted.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Adds an indicator; says no when it does not fit. The first always does, if need be without
    /// what it refers to.
    fn add(&mut self, indicator: &Indicator<'_>) -> Result<bool, StoreError> {
        let mut piece = self.piece(indicator, false)?;
        let mut bytes = self.bytes_of(&piece);
        if self.bytes + bytes > MAX_ENCODED_BYTES {
            if !self.indicators.is_empty() {
                return Ok(false);
            }
            piece = self.piece(indicator, true)?;
            bytes = self.bytes_of(&piece);
        }
        self.bytes += bytes;
        self.levels.extend(piece.exported.used.levels);
        self.authors.extend(piece.author);
        self.statements.extend(piece.statements);
        self.indicators.push(piece.exported.json);
        for (id, object) in piece.made.observables {
            self.observe(id, object, piece.exported.level);
        }
        self.context.extend(piece.made.context);
        self.own.extend(piece.made.own);
        Ok(true)
    }

    /// Adds an observable: it goes out with the highest of the levels of those that name it.
    fn observe(&mut self, id: ObjectId, object: Value, level: Tlp) {
        let place = *self.places.entry(id).or_insert(self.observables.len());
        match self.observables.get_mut(place) {
            Some((_, known)) => *known = level.max(*known),
            None => self.observables.push((object, level)),
        }
    }

    fn piece(&self, indicator: &Indicator<'_>, plain: bool) -> Result<Piece, StoreError> {
        let ours = self.ask.identity.then_some(&self.publisher.id);
        let author = match &indicator.author {
            None => ours,
            Some(own) if ours == Some(own) => ours,
            Some(own) => self.references.author(own).filter(|_| !plain).map(|_| own),
        };
        let mut exported = indicator.export(self.ask, self.references, author, plain)?;
        let foreign = author.filter(|author| ours != Some(author));
        let stored = foreign.and_then(|id| Some((id.clone(), self.references.author(id)?)));
        let author = match stored {
            Some((id, stored)) => {
                let (json, used) = self.retouch(&id, stored)?;
                exported.used.extend(used);
                Some((id, json))
            }
            None => None,
        };
        let mut statements = Vec::new();
        if self.ask.markings {
            for id in &exported.used.others {
                if let Some(json) = self.references.statement(id) {
                    statements.push((id.clone(), without_refs(id, json)?));
                }
            }
        }
        let mut made = Made::default();
        if self.ask.observables && !plain {
            observables::add(indicator, ours, &exported.markings, &mut made);
        }
        if self.ask.context && !plain {
            context::add(indicator, ours, &exported.markings, &mut made);
        }
        Ok(Piece { exported, author, statements, made })
    }

    /// An author with its markings as they are asked for, and without an author of its own.
    fn retouch(&self, id: &ObjectId, author: &Author) -> Result<(String, Used), StoreError> {
        let write = || {
            let mut members: Members<'_> = serde_json::from_str(&author.json)?;
            let own = MarkingIds::of(&members);
            let is_statement = |id: &ObjectId| self.references.statement(id).is_some();
            // A level stays, whoever defined the marking that gives it.
            let marked =
                author.level > Tlp::Clear || own.readable.iter().any(|id| !is_statement(id));
            let level = marked.then_some(author.level);
            let rewrite = Rewrite {
                version: self.ask.tlp_version,
                least: None,
                references: Some(self.references),
            };
            let (_, used) = rewrite.apply(&mut members, level)?;
            members.remove("created_by_ref");
            members.set("spec_version", SPEC_VERSION)?;
            Ok((serde_json::to_string(&members)?, used))
        };
        write().map_err(|error: serde_json::Error| damaged(id, &error))
    }

    /// What a piece would add to the answer at the most.
    fn bytes_of(&self, piece: &Piece) -> usize {
        let text = |json: &str| encoded_bytes(json) + 1;
        let author = piece.author.iter().filter(|(id, _)| !self.authors.contains_key(id));
        let statements = piece.statements.iter();
        let statements = statements.filter(|(id, _)| !self.statements.contains_key(id));
        let made = &piece.made;
        let observables = made.observables.iter().filter(|(id, _)| !self.places.contains_key(id));
        let context = made.context.iter().filter(|(id, _)| !self.context.contains_key(id));
        // Its marking comes when all are known, and is of the same length for all levels.
        let marked = |object: &Value| text(&mark(object, "marking-definition--0000").to_string());
        text(&piece.exported.json)
            + author.map(|(_, json)| text(json)).sum::<usize>()
            + statements.map(|(_, json)| text(json)).sum::<usize>()
            + observables.map(|(_, object)| marked(object) + 40).sum::<usize>()
            + context.map(|(_, json)| text(json)).sum::<usize>()
            + made.own.iter().map(|json| text(json)).sum::<usize>()
    }

    /// The JSON text: a bundle, or the bare array. A bundle has no empty list (STIX 2.1, section
    /// 2.1), so without objects it has none.
    pub fn text(self, format: Format) -> String {
        let objects = match format {
            // Nothing to say is nothing at all.
            Format::Objects if self.indicators.is_empty() => Vec::new(),
            _ => self.into_objects(),
        };
        let list = objects.join(",");
        if format == Format::Objects {
            return format!("[{list}]");
        }
        let digest = Sha256::digest(list.as_bytes());
        let name = digest.iter().fold(String::new(), |name, byte| format!("{name}{byte:02x}"));
        let id = derived_id("bundle", &[&name]);
        if list.is_empty() {
            return format!(r#"{{"type":"bundle","id":"{id}"}}"#);
        }
        format!(r#"{{"type":"bundle","id":"{id}","objects":[{list}]}}"#)
    }

    fn into_objects(mut self) -> Vec<String> {
        let mut objects = Vec::new();
        if self.ask.identity {
            objects.push(self.publisher.json);
            objects.extend(self.authors.into_values());
        }
        self.levels.extend(self.observables.iter().map(|(_, level)| *level));
        self.levels.sort_unstable();
        self.levels.dedup();
        let version = self.ask.tlp_version;
        if self.ask.markings {
            objects.extend(self.levels.iter().map(|level| version.definition(*level)));
            objects.extend(self.statements.into_values());
        }
        objects.extend(self.indicators);
        let observables = self.observables.iter();
        objects.extend(
            observables.map(|(object, level)| mark(object, version.marking_id(*level)).to_string()),
        );
        objects.extend(self.context.into_values());
        objects.extend(self.own);
        objects
    }
}

fn mark(object: &Value, marking: &str) -> Value {
    let mut object = object.clone();
    object["object_marking_refs"] = json!([marking]);
    object
}

fn damaged(id: &ObjectId, error: &serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("{id}: {error}"))
}

/// A marking definition without references: they would have to be followed on and on.
fn without_refs(id: &ObjectId, json: &str) -> Result<String, StoreError> {
    let write = || {
        let mut members: Members<'_> = serde_json::from_str(json)?;
        for name in ["created_by_ref", "object_marking_refs", "granular_markings"] {
            members.remove(name);
        }
        members.set("spec_version", SPEC_VERSION)?;
        serde_json::to_string(&members)
    };
    write().map_err(|error: serde_json::Error| damaged(id, &error))
}
