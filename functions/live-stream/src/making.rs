//! From an order to the events of a group.

use std::collections::HashSet;

use serde_json::{Map, Value};
use shared::http::encoded_bytes;
use shared::id::ObjectId;
use shared::stix::StixObject;

use crate::knowledge::Telling;
use crate::order::{Order, Step};
use crate::render::{self, Kind, Referer, Shown};
use crate::resolver::Thing;
use crate::round::Round;

/// Bytes of an update's patches, as a finite answer counts them, beyond which it is a create.
const PATCHES: usize = 1_000_000;

/// One event of a group, rendered but for its id.
pub struct Made {
    /// Its kind.
    pub kind: Kind,
    /// Its line of data.
    pub json: String,
}

/// What a group is about.
pub struct Main<'a> {
    /// The object, as it is to be sent.
    pub object: &'a StixObject,
    /// What its entry is to the reader.
    pub telling: Telling,
    /// Why it is sent.
    pub referer: Referer,
    /// There is more than is sent.
    pub truncated: bool,
    /// Whether the reader has the object.
    pub known: bool,
}

/// The events of a group, each with the references to what was sent before it. `held`: what the
/// reader has been sent lately.
pub fn make(
    order: &Order,
    main: Option<&Main<'_>>,
    round: &Round,
    held: &dyn Fn(&ObjectId) -> bool,
) -> Option<Vec<Made>> {
    let mut sent: HashSet<&ObjectId> = HashSet::new();
    sent.extend(main.filter(|main| main.known).map(|main| &main.object.facets.id));
    let mut made = Vec::new();
    for step in &order.steps {
        let own = main.map(|main| &main.object.facets.id);
        let id = match step {
            Step::Own => own?,
            Step::Beside(id) => id,
        };
        sent.insert(id);
        let has = |one: &ObjectId| sent.contains(one) || held(one);
        match (main, step) {
            (Some(main), Step::Own) => made.push(main_event(main, round, has)?),
            (Some(main), Step::Beside(_)) if own == Some(id) => {
                let StixObject { facets, json, .. } = main.object;
                let thing = Thing {
                    facets: facets.clone(),
                    json: json.clone(),
                    member: None,
                    entered: None,
                };
                made.extend(dependency(&thing, has));
            }
            _ => made.extend(round.lookup.get(id).and_then(|thing| dependency(thing, has))),
        }
    }
    Some(made)
}

fn main_event(
    main: &Main<'_>,
    round: &Round,
    has: impl Fn(&ObjectId) -> bool + Copy,
) -> Option<Made> {
    let StixObject { facets, json, .. } = main.object;
    let shown = written(render::shown(facets, json, has))?;
    let (kind, mut context) = compared(main.telling, &shown, round, has);
    if main.truncated {
        context.insert("truncated".to_owned(), Value::Bool(true));
    }
    let event = render::event(kind, main.referer, facets, &shown, context);
    written(event).map(|json| Made { kind, json })
}

/// An update is one only with the version it replaces to compare with, and with patches of a size
/// that an answer can hold.
fn compared(
    telling: Telling,
    shown: &Shown,
    round: &Round,
    has: impl Fn(&ObjectId) -> bool,
) -> (Kind, Map<String, Value>) {
    let Telling::Update(place) = telling else { return (Kind::Create, Map::new()) };
    let before = round.replaced.get(&place);
    let context = before.and_then(|before| {
        // What only it refers to, the reader had with it.
        let had = |id: &ObjectId| has(id) || round.lookup.shown(id).is_some();
        let before = written(render::shown(&before.facets, &before.json, had))?;
        let context = written(render::patches(&before, shown))?;
        let bytes: usize = context.values().map(|patch| encoded_bytes(&patch.to_string())).sum();
        (bytes <= PATCHES).then_some(context)
    });
    context.map_or((Kind::Create, Map::new()), |context| (Kind::Update, context))
}

fn dependency(thing: &Thing, has: impl Fn(&ObjectId) -> bool) -> Option<Made> {
    let shown = written(render::shown(&thing.facets, &thing.json, has))?;
    let referer = Referer::Dependencies;
    let event = render::event(Kind::Create, referer, &thing.facets, &shown, Map::new());
    written(event).map(|json| Made { kind: Kind::Create, json })
}

/// The event of an object that is gone: as `object` says it was last, or by its id alone.
/// `restored_in_part`: not all of what it takes with it is sent again.
pub fn deleted(
    gone: &StixObject,
    object: Option<&StixObject>,
    referer: Referer,
    restored_in_part: bool,
    round: &Round,
) -> Option<Made> {
    let shown = match object {
        Some(object) => {
            let named = |id: &ObjectId| *id == gone.facets.id || round.lookup.names(id);
            render::shown(&object.facets, &object.json, named)
        }
        None => render::tombstone(&gone.facets),
    };
    let mut context = Map::new();
    if restored_in_part {
        context.insert("truncated".to_owned(), Value::Bool(true));
    }
    let shown = written(shown)?;
    // A name is content, too.
    let event = if let Some(object) = object {
        render::event(Kind::Delete, referer, &object.facets, &shown, context)
    } else {
        let facets = shared::stix::Facets { name: None, ..gone.facets.clone() };
        render::event(Kind::Delete, referer, &facets, &shown, context)
    };
    written(event).map(|json| Made { kind: Kind::Delete, json })
}

/// What is stored is JSON; if it is not, the log says so and the stream goes on.
fn written<T>(made: Result<T, serde_json::Error>) -> Option<T> {
    made.inspect_err(|error| tracing::error!(%error, "an object cannot be sent")).ok()
}
