//! Letting a history come to rest, and comparing what is there with the model.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use shared::id::ObjectId;

use super::run::{PATIENCE, Run};
use super::step::Step;
use crate::model::Observed;

impl Run {
    pub(super) async fn observed(&self) -> BTreeMap<usize, Observed> {
        let ids = self.model.ids();
        let heads = self.lab.heads(&ids).await;
        let collections: BTreeMap<_, _> =
            self.model.collections.iter().enumerate().map(|(at, known)| (known.0.id, at)).collect();
        let seen = |(at, id): (usize, &ObjectId)| {
            let head = heads.get(id)?;
            let posted = head.state.posted.iter().filter_map(|id| collections.get(id).copied());
            let observed = Observed {
                newest: head.version().to_string(),
                deleted: head.deleted,
                pending: head.pending.is_some(),
                posted: posted.collect(),
                revision: head.revision,
            };
            Some((at, observed))
        };
        ids.iter().enumerate().filter_map(seen).collect()
    }

    pub(super) async fn observe(&mut self, together: bool) -> Result<(), String> {
        let seen = self.observed().await;
        self.lost.retain(|at| seen.get(at).is_some_and(|seen| seen.pending));
        self.model.observe(&seen, together || self.faulty)
    }

    /// Lets everything come to rest: what is pending is delivered, what was lost is swept up,
    /// backfills end, and what expired goes; then every reader reads to the end.
    pub(super) async fn rest(&mut self) -> Result<(), String> {
        for turn in 0..PATIENCE {
            let all = Step::Project { by: turn, mask: u8::MAX, each: false };
            self.execute(&all).await;
            self.observe(false).await.map_err(|error| format!("at rest: {error}"))?;
            if !self.lost.is_empty() {
                // The sweep takes what was pending for five minutes, by whatever clock.
                self.lab.wait(TimeDelta::minutes(6));
                self.lab.sweep(turn).await;
                self.observe(false).await.map_err(|error| format!("after the sweep: {error}"))?;
            }
            let done = self.lab.backfill(turn).await;
            self.observe(false).await.map_err(|error| format!("after backfills: {error}"))?;
            self.lab.expire(turn).await;
            self.observe(false).await.map_err(|error| format!("after expiry: {error}"))?;
            let quiet = self.observed().await.values().all(|seen| !seen.pending);
            if quiet && done {
                return self.read_all().await;
            }
        }
        Err(format!("it does not come to rest: {:?}", self.observed().await))
    }

    async fn read_all(&mut self) -> Result<(), String> {
        self.lab.look_anew().await;
        let services = self.lab.witness().clone();
        for reader in 0..self.followers.len() {
            let mut pages = 0;
            while self.read(reader, 25, &services).await? {
                pages += 1;
                if pages > 500 {
                    return Err(format!("reader {reader} does not come to an end"));
                }
            }
        }
        Ok(())
    }
}
