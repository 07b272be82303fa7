//! Compares a store that has come to rest with the model, and holds it to what every log keeps.

mod chain;
mod indicators;
mod reading;
mod standing;

use std::collections::BTreeMap;

use crate::history::Follower;
use crate::lab::Lab;
use crate::model::{Model, V, body};

/// Compares everything. `soon`: when what is valid for a while ceases to be.
///
/// # Errors
/// What differs first.
pub async fn check(
    lab: &Lab,
    model: &Model,
    followers: &[Follower],
    soon: &str,
) -> Result<(), String> {
    lab.look_anew().await;
    let heads = lab.heads(&model.ids()).await;
    if let Some(head) = heads.values().find(|head| head.pending.is_some()) {
        return Err(format!("{} is pending", head.id()));
    }
    let bodies = Bodies::of(model, soon);
    let mut known = Vec::new();
    for at in 0..model.collections.len() {
        let told = |error| format!("c{at}: {error}");
        let log = chain::collection(lab, model, at).await.map_err(told)?;
        standing::check(model, at, &log, &heads).map_err(told)?;
        reading::check(lab, model, at, &log, &bodies).await.map_err(told)?;
        known.push(log);
    }
    indicators::check(lab, model, &heads).await?;
    for follower in followers {
        let log = &known[follower.collection];
        let wanted =
            log.entries.iter().filter(|seen| seen.current || (follower.all && seen.present));
        for seen in wanted {
            let body = bodies.get(&seen.entry.id, &seen.entry.version)?;
            let id = &seen.entry.id;
            if !follower.seen.contains(body) {
                let at = follower.collection;
                return Err(format!("c{at}: a reader (all: {}) missed {id}", follower.all));
            }
            if seen.current && !follower.all && follower.copy.get(id) != Some(body) {
                return Err(format!("a reader's copy of {id} is not the last: {follower:?}"));
            }
        }
    }
    Ok(())
}

/// Every version of every object, as it was sent.
struct Bodies(BTreeMap<(String, V), String>);

impl Bodies {
    fn of(model: &Model, soon: &str) -> Self {
        let ids: Vec<String> = model.ids().iter().map(ToString::to_string).collect();
        let mut bodies = BTreeMap::new();
        for (object, id) in model.objects.iter().zip(&ids) {
            let stored = object.states.iter().filter_map(|state| state.stored.as_ref());
            for (version, content) in stored.flat_map(|stored| &stored.versions) {
                let body = body(object.kind, id, &ids, version, content, soon);
                bodies.insert((id.clone(), version.clone()), body);
            }
        }
        Self(bodies)
    }

    fn get(&self, id: &str, version: &str) -> Result<&String, String> {
        let known = self.0.get(&(id.to_owned(), version.to_owned()));
        known.ok_or_else(|| format!("{id} has no version {version}"))
    }
}
