//! Batches that are done in part.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::dice::Dice;
use super::request::Asked;

/// How many of a batch's items are left undone, on average.
const LEFT: f64 = 0.4;

/// What a batch is told to ask for again.
pub(super) struct Undone(Value);

/// Takes part of a batch's items out of it: at least one, never all.
pub(super) fn hold_back(asked: &mut Asked, dice: &Dice) -> Undone {
    let keys = asked.keys();
    let mut held: Vec<bool> =
        keys.iter().map(|key| dice.draw(("unprocessed", *key)) < LEFT).collect();
    if held.iter().all(|one| *one == held[0]) {
        let odd = dice.below(("odd", keys), held.len());
        held[odd] = !held[odd];
    }
    let all = asked.body["RequestItems"].take();
    asked.body["RequestItems"] = chosen(&all, &held, false);
    let mut flags = held.iter();
    asked.items.retain(|_| flags.next() == Some(&false));
    Undone(chosen(&all, &held, true))
}

/// The part of a batch's items whose flag is `wanted`.
fn chosen(all: &Value, flags: &[bool], wanted: bool) -> Value {
    let mut flags = flags.iter();
    let mut part = Map::new();
    for (table, items) in all.as_object().into_iter().flatten() {
        let mut items = items.clone();
        let list = list_of(&mut items);
        list.retain(|_| flags.next() == Some(&wanted));
        if !list.is_empty() {
            part.insert(table.clone(), items);
        }
    }
    Value::Object(part)
}

/// The list of keys to read, or of writes.
fn list_of(items: &mut Value) -> &mut Vec<Value> {
    let list = if items.is_array() { items } else { &mut items["Keys"] };
    list.as_array_mut().expect("a batch that was read has a list for each table")
}

impl Undone {
    /// Adds what was held back to what the engine itself left undone.
    pub(super) fn tell(mut self, operation: &str, answer: &mut Answer) {
        let Some(mut body) = answer.done() else { return };
        let member =
            if operation == "BatchGetItem" { "UnprocessedKeys" } else { "UnprocessedItems" };
        if !body[member].is_object() {
            body[member] = json!({});
        }
        for (table, held) in self.0.as_object_mut().into_iter().flatten() {
            match body[member].get_mut(table) {
                Some(left) => list_of(left).append(list_of(held)),
                None => body[member][table] = held.take(),
            }
        }
        answer.replace(&body);
    }
}
