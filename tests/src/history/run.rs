//! Carrying out a history, on the product and on the model.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use chrono::{SecondsFormat, TimeDelta, Utc};
use shared::collection::Collection;
use shared::id::ObjectId;
use shared::ingestion::Outcome;
use shared::services::Services;
use uuid::Uuid;

use super::follower::Follower;
use super::step::{History, Step, Which};
use super::translation::{answer, kinds, settings, tenant};
use crate::checker;
use crate::lab::{Lab, Page};
use crate::model::{
    Answer, Definition, Kind, Mark, Model, Removing, SOON_MINUTES, Write, body, version_of_slot,
};

/// Instances of the functions.
const INSTANCES: usize = 3;
/// How often what the store fails at is tried again.
pub(super) const PATIENCE: usize = 40;

/// Carries out `history` and, once all has come to rest, compares everything. The instances reach
/// `DynamoDB` at the address that `between` gives for the engine's own; `faulty`: that is a proxy
/// that misbehaves, so that answers may be lost.
///
/// # Errors
/// What differs.
pub async fn run(
    history: &History,
    between: impl FnOnce(SocketAddr) -> Option<SocketAddr>,
    faulty: bool,
) -> Result<(), String> {
    let mut run = Run::start(history, between, faulty).await?;
    let done = run.all(&history.steps).await;
    run.lab.end().await;
    done
}

pub(super) struct Run {
    pub(super) lab: Lab,
    pub(super) model: Model,
    pub(super) followers: Vec<Follower>,
    /// Objects whose stream records were lost.
    pub(super) lost: BTreeSet<usize>,
    soon: String,
    pub(super) faulty: bool,
}

/// What came of a step.
pub(super) enum Done {
    Taken(Outcome),
    Deleted(Option<Outcome>),
    Removed(Page),
    Changed(Result<Collection, String>),
    Then(Box<Done>, Box<Done>),
    Failed(String),
    Nothing,
}

impl Run {
    async fn start(
        history: &History,
        between: impl FnOnce(SocketAddr) -> Option<SocketAddr>,
        faulty: bool,
    ) -> Result<Self, String> {
        let lab = Lab::start(INSTANCES, between).await;
        let objects = kinds(&history.kinds).into_iter().map(|kind| {
            let object_type = match kind {
                Kind::Indicator => "indicator",
                Kind::Malware => "malware",
                Kind::Relationship { .. } => "relationship",
                Kind::Marking => "marking-definition",
                Kind::Observable => "domain-name",
            };
            (ObjectId::from_parts(object_type, Uuid::new_v4()), kind)
        });
        let soon = Utc::now() + TimeDelta::minutes(SOON_MINUTES);
        let mut run = Self {
            lab,
            model: Model::new(objects.collect()),
            followers: Vec::new(),
            lost: BTreeSet::new(),
            soon: soon.to_rfc3339_opts(SecondsFormat::Millis, true),
            faulty,
        };
        for definition in &history.collections {
            run.create(0, definition).await?;
        }
        Ok(run)
    }

    async fn all(&mut self, steps: &[Step]) -> Result<(), String> {
        for (number, step) in steps.iter().enumerate() {
            let told = |error| format!("step {number}, {step:?}: {error}");
            self.step(step).await.map_err(told)?;
        }
        self.rest().await?;
        checker::check(&self.lab, &self.model, &self.followers, &self.soon).await
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Together(one, other) => {
                let (first, second) = tokio::join!(self.execute(one), self.execute(other));
                return self.both((one, first), (other, second)).await;
            }
            Step::Create(by, definition) => {
                // A handful is enough.
                if self.model.collections.len() < 5 {
                    self.create(*by, definition).await?;
                }
            }
            Step::Lose => {
                let pending = self.observed().await.into_iter().filter(|(_, seen)| seen.pending);
                self.lost.extend(pending.map(|(at, _)| at));
            }
            Step::Backfill(by) => {
                self.lab.backfill(*by).await;
            }
            Step::Sweep(by) => self.lab.sweep(*by).await,
            Step::Expire(by) => self.lab.expire(*by).await,
            Step::Compact(by) => {
                let known = self.model.collections.iter();
                let ids: Vec<_> = known.map(|(collection, _)| collection.id).collect();
                self.lab.compact(*by, &ids).await;
            }
            Step::Skew(by, millis) => {
                self.lab.skew(*by, TimeDelta::milliseconds(i64::from(*millis)));
                return Ok(());
            }
            Step::Pass(minutes) => {
                self.lab.wait(TimeDelta::minutes(i64::from(*minutes)));
                return Ok(());
            }
            Step::Read(reader, limit) => {
                let services = self.lab.instance(*reader).clone();
                self.read(*reader, *limit, &services).await?;
                return Ok(());
            }
            single => {
                let done = self.execute(single).await;
                let mut model = self.model.clone();
                self.apply(&mut model, single, &done)?;
                self.model = model;
                self.found(single);
            }
        }
        self.observe(false).await
    }

    /// Two steps at once: either may have come first.
    async fn both(
        &mut self,
        (one, first): (&Step, Done),
        (other, second): (&Step, Done),
    ) -> Result<(), String> {
        self.found(one);
        self.found(other);
        let projects = |step: &Step| matches!(step, Step::Project { .. } | Step::Then(..));
        if projects(one) || projects(other) {
            self.model.race();
        }
        let known = self.model.collections.clone();
        let orders = [[(one, &first), (other, &second)], [(other, &second), (one, &first)]];
        let mut allowed: Option<Model> = None;
        let mut refused = String::new();
        for order in orders {
            let mut model = self.model.clone();
            let applied =
                order.into_iter().try_for_each(|(step, done)| self.apply(&mut model, step, done));
            match (applied, &mut allowed) {
                (Ok(()), Some(allowed)) => allowed.join(model),
                (Ok(()), None) => allowed = Some(model),
                (Err(error), _) => refused = error,
            }
        }
        self.model = allowed.ok_or(refused)?;
        let changed = known.iter().zip(&self.model.collections).enumerate();
        self.model.replaced = changed
            .filter(|(_, ((_, before), (_, now)))| before != now)
            .map(|(at, ((_, before), _))| (at, *before))
            .next();
        let observed = self.observe(true).await;
        self.model.replaced = None;
        observed
    }

    /// What a step does to the product.
    pub(super) async fn execute(&self, step: &Step) -> Done {
        match step {
            Step::Write { by, object, slot, owner, into, content } => {
                let at = object % self.model.objects.len();
                let kind = self.model.objects[at].kind;
                let ids: Vec<String> = self.model.ids().iter().map(ToString::to_string).collect();
                let version = version_of_slot(*slot);
                let body = body(kind, &ids[at], &ids, &version, content, &self.soon);
                let into = into.map(|into| &self.collection(into).1.0);
                for _ in 0..PATIENCE {
                    match self.lab.write(*by, &tenant(*owner), &body, into).await {
                        Ok(outcome) => return Done::Taken(outcome),
                        Err(_) if self.faulty => {}
                        Err(error) => return Done::Failed(error.to_string()),
                    }
                }
                Done::Failed("never taken".to_owned())
            }
            Step::Delete(by, object, owner) => {
                let id = &self.model.objects[object % self.model.objects.len()].id;
                for _ in 0..PATIENCE {
                    match self.lab.delete(*by, &tenant(*owner), id).await {
                        Ok(outcome) => return Done::Deleted(outcome),
                        Err(_) if self.faulty => {}
                        Err(error) => return Done::Failed(error.to_string()),
                    }
                }
                Done::Failed("never deleted".to_owned())
            }
            Step::Remove(by, collection, object, which) => {
                let id = &self.model.objects[object % self.model.objects.len()].id;
                let (_, (collection, _)) = self.collection(*collection);
                let version = match which {
                    Which::Last => "last".to_owned(),
                    Which::First => "first".to_owned(),
                    Which::All => "all".to_owned(),
                    Which::Slot(slot) => version_of_slot(*slot),
                };
                let rest = format!("objects/{id}/?match%5Bversion%5D={version}");
                let services = self.lab.instance(*by);
                for _ in 0..PATIENCE {
                    let page = self.lab.taxii(services, "DELETE", collection, &rest).await;
                    if page.status < 500 || !self.faulty {
                        return Done::Removed(page);
                    }
                }
                Done::Failed("never removed".to_owned())
            }
            Step::Project { by, mask, each } => {
                let bit = |at: &usize| mask & (1 << (at % 8)) != 0 && !self.lost.contains(at);
                let at = (0..self.model.objects.len()).filter(bit);
                let ids: Vec<ObjectId> = at.map(|at| self.model.objects[at].id.clone()).collect();
                let mut failed = 0;
                if *each {
                    for id in ids.iter().rev() {
                        failed += self.lab.project(*by, std::slice::from_ref(id)).await;
                    }
                } else {
                    failed += self.lab.project(*by, &ids).await;
                }
                if failed > 0 && !self.faulty {
                    return Done::Failed(format!("{failed} objects were not projected"));
                }
                Done::Nothing
            }
            Step::Change(by, collection, definition) => {
                let (at, (collection, _)) = self.collection(*collection);
                let services = self.operator(*by);
                Done::Changed(self.lab.change(services, collection, settings(at, definition)).await)
            }
            Step::Then(one, other) => {
                let one = Box::pin(self.execute(one)).await;
                let other = Box::pin(self.execute(other)).await;
                Done::Then(Box::new(one), Box::new(other))
            }
            _ => Done::Nothing,
        }
    }

    /// What a step does to the model.
    fn apply(&self, model: &mut Model, step: &Step, done: &Done) -> Result<(), String> {
        match (step, done) {
            (_, Done::Failed(error)) => Err(error.clone()),
            (Step::Then(one, other), Done::Then(first, second)) => {
                self.apply(model, one, first)?;
                self.apply(model, other, second)
            }
            (Step::Write { object, slot, owner, into, content, .. }, Done::Taken(outcome)) => {
                let at = object % model.objects.len();
                let answer = answer(outcome)?;
                let version = match (model.objects[at].kind, outcome) {
                    (Kind::Observable, Outcome::Accepted(taken)) => taken.version.to_string(),
                    (Kind::Observable, _) => "9998-01-01T00:00:00.000Z".to_owned(),
                    _ => version_of_slot(*slot),
                };
                let into = into.map(|into| self.collection(into).0);
                let open = into.is_some() && content.mark == Mark::Own;
                let above = open.then_some(answer == Answer::Above);
                let content = content.clone();
                let write = Write { owner: *owner, into, version, content, above };
                let answer = Some(answer).filter(|_| !self.faulty);
                model.write(at, answer, |model, state| model.written(at, state, &write))
            }
            (Step::Delete(_, object, owner), Done::Deleted(outcome)) => {
                let at = object % model.objects.len();
                let answer = outcome.as_ref().map_or(Ok(Answer::Unknown), answer)?;
                let answer = Some(answer).filter(|_| !self.faulty);
                model.write(at, answer, |model, state| model.deleted(state, *owner))
            }
            (Step::Remove(_, collection, object, which), Done::Removed(page)) => {
                let at = object % model.objects.len();
                let collection = self.collection(*collection).0;
                let removing = match which {
                    Which::Last => Removing::Last,
                    Which::First => Removing::First,
                    Which::All => Removing::All,
                    Which::Slot(slot) => Removing::Exact(version_of_slot(*slot)),
                };
                let answer = match page.status {
                    200 => Answer::Deleted,
                    404 => Answer::Unknown,
                    other => return Err(format!("{}: status {other}", page.uri)),
                };
                let answer = Some(answer).filter(|_| !self.faulty);
                model.write(at, answer, |model, state| {
                    model.removed(at, state, collection, &removing)
                })
            }
            (Step::Change(_, collection, definition), Done::Changed(changed)) => {
                let at = self.collection(*collection).0;
                let changed = changed.clone()?;
                model.collections[at] = (changed, *definition);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn create(&mut self, by: usize, definition: &Definition) -> Result<(), String> {
        let at = self.model.collections.len();
        let made = self.lab.create(self.operator(by), settings(at, definition)).await?;
        self.model.collections.push((made, *definition));
        for (all, by_next) in [(false, false), (false, true), (true, false)] {
            self.followers.push(Follower::new(at, all, by_next));
        }
        Ok(())
    }

    pub(super) async fn read(
        &mut self,
        reader: usize,
        limit: u8,
        services: &Services,
    ) -> Result<bool, String> {
        let count = self.followers.len();
        let follower = &mut self.followers[reader % count];
        let collection = &self.model.collections[follower.collection].0;
        for _ in 0..PATIENCE {
            match follower.read(&self.lab, services, collection, limit).await {
                Err(_) if self.faulty => {}
                done => return done,
            }
        }
        Err("never read".to_owned())
    }

    /// By whom an operator changes definitions: nobody promises that a change whose answer was
    /// lost may be sent again.
    fn operator(&self, by: usize) -> &Services {
        if self.faulty { self.lab.witness() } else { self.lab.instance(by) }
    }

    /// What is written has a stream record again.
    fn found(&mut self, step: &Step) {
        if let Step::Then(one, other) = step {
            self.found(one);
            self.found(other);
        }
        if let Step::Write { object, .. }
        | Step::Delete(_, object, _)
        | Step::Remove(_, _, object, _) = step
        {
            self.lost.remove(&(object % self.model.objects.len()));
        }
    }

    fn collection(&self, number: usize) -> (usize, &(Collection, Definition)) {
        let at = number % self.model.collections.len();
        (at, &self.model.collections[at])
    }
}
