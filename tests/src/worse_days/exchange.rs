//! One request and what becomes of it.

use std::sync::{Arc, RwLock};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::answer::Answer;
use super::counts::Counters;
use super::engine::{Cut, Engine};
use super::faults::{Faults, Kind};
use super::key::Key;
use super::partly::hold_back;
use super::past::Past;
use super::plan::Plan;
use super::request::{Asked, Wanted};
use super::stale::Lag;

/// What all connections of a proxy share.
pub(super) struct Exchange {
    engine: Engine,
    past: Past,
    pub(super) counters: Counters,
    plan: RwLock<Arc<Plan>>,
}

impl Exchange {
    pub(super) fn with(engine: Engine) -> Self {
        let plan = RwLock::new(Arc::new(Plan::new(Faults::none())));
        Self { engine, past: Past::default(), counters: Counters::default(), plan }
    }

    pub(super) fn set(&self, faults: Faults) {
        *self.plan.write().unwrap() = Arc::new(Plan::new(faults));
    }

    /// Answers a request, or does not.
    pub(super) async fn answer(
        self: Arc<Self>,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Cut> {
        self.counters.request();
        let plan = self.plan.read().unwrap().clone();
        let Some(asked) = Asked::read(&self.engine, &headers, &body).await else {
            return self.engine.forward(&headers, body).await;
        };
        let request = Request { headers, body, asked };
        let keys = request.asked.keys();
        let operation = &request.asked.operation;
        if plan.first(operation, &keys, |kind| kind == Kind::Slow).is_none() {
            return self.befall(plan, request).await;
        }
        let delay = plan.delay(&keys);
        let before = delay.mul_f64(plan.dice.draw(("before", keys)));
        tokio::time::sleep(before).await;
        let counted = self.clone();
        let answer = self.befall(plan, request).await;
        tokio::time::sleep(delay.saturating_sub(before)).await;
        counted.counters.happened(Kind::Slow);
        answer
    }

    /// Lets the fault that strikes, if one does, befall the request.
    async fn befall(self: Arc<Self>, plan: Arc<Plan>, request: Request) -> Result<Answer, Cut> {
        let Request { asked, .. } = &request;
        let struck = plan.first(&asked.operation, &asked.keys(), |kind| asked.may_suffer(kind));
        let Some(kind) = struck else { return self.carry_out(&plan, &request).await };
        self.counters.happened(kind);
        let cut = || Err(Cut(format!("{kind:?}")));
        let failed = || {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Ok(Answer::error(status, "InternalServerError", "a fault of the test"))
        };
        let refused =
            |name| Ok(Answer::error(StatusCode::BAD_REQUEST, name, "a fault of the test"));
        match kind {
            Kind::LostWrite => cut(),
            Kind::FailedWrite => failed(),
            Kind::LateWrite => {
                tokio::spawn(async move {
                    tokio::time::sleep(plan.delay(&request.asked.keys())).await;
                    // Nobody waits for it any more, whether it is done or not.
                    drop(self.carry_out(&plan, &request).await);
                });
                cut()
            }
            Kind::OverThroughput => refused("ProvisionedThroughputExceededException"),
            Kind::Throttled => refused("ThrottlingException"),
            Kind::Unprocessed => self.carry_out_in_part(&plan, request).await,
            Kind::LostAnswer => {
                self.carry_out(&plan, &request).await?;
                cut()
            }
            Kind::FailedAnswer => {
                self.carry_out(&plan, &request).await?;
                failed()
            }
            Kind::Slow | Kind::StaleRead => self.carry_out(&plan, &request).await,
        }
    }

    async fn carry_out_in_part(&self, plan: &Plan, mut request: Request) -> Result<Answer, Cut> {
        let undone = hold_back(&mut request.asked, &plan.dice);
        request.body = Bytes::from(request.asked.body.to_string());
        let mut answer = self.carry_out(plan, &request).await?;
        undone.tell(&request.asked.operation, &mut answer);
        Ok(answer)
    }

    /// Has the engine do it; reads may then look back, and what writes replace is remembered.
    async fn carry_out(&self, plan: &Plan, request: &Request) -> Result<Answer, Cut> {
        let Some(lag) = plan.lag() else { return request.forward(&self.engine).await };
        let Request { headers, asked, .. } = request;
        if asked.writes() {
            let mut images = Vec::new();
            for Wanted { key, attributes } in &asked.items {
                let Some(attributes) = attributes else { continue };
                images.push((key, self.engine.item(headers, key, attributes).await?));
            }
            let answer = request.forward(&self.engine).await?;
            for (key, image) in images.into_iter().filter(|_| answer.status == StatusCode::OK) {
                self.past.remember(key.clone(), image, lag);
            }
            return Ok(answer);
        }
        let arrived = Instant::now();
        let since = arrived.checked_sub(lag).unwrap_or(arrived);
        let mut answer = request.forward(&self.engine).await?;
        let choose = |key: &Key, images: usize| {
            plan.first(&asked.operation, &[key], |kind| kind == Kind::StaleRead)?;
            self.counters.happened(Kind::StaleRead);
            Some(plan.dice.below(("image", key), images))
        };
        let lag = Lag { past: &self.past, since, choose: &choose };
        lag.show(asked, |table| self.engine.known_key_names(table), &mut answer);
        Ok(answer)
    }
}

/// A request for items.
struct Request {
    headers: HeaderMap,
    body: Bytes,
    asked: Asked,
}

impl Request {
    async fn forward(&self, engine: &Engine) -> Result<Answer, Cut> {
        engine.forward(&self.headers, self.body.clone()).await
    }
}
