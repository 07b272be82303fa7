//! The schedules of the template: functions called at a rate, with `EventBridge`'s event.

use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use uuid::Uuid;

use crate::functions::EventHandler;
use crate::parked::Parked;
use crate::stopping::Stop;
use crate::template::{ACCOUNT, REGION, ScheduleTrigger};

/// One schedule and the function behind it.
pub struct Schedule {
    /// How often, and what.
    pub trigger: ScheduleTrigger,
    /// The function.
    pub handler: EventHandler,
    /// Where events go that fail again and again.
    pub parked: Parked,
    /// The pause after the first failure, once more of it after each further one.
    pub first_pause: Duration,
}

impl Schedule {
    /// Calls the function at its rate, for the first time one period from now, until told to
    /// stop. While a call goes on no other one begins: what falls due meanwhile is left out.
    pub async fn run(self, mut stop: Stop) {
        let period = self.trigger.period;
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.stopped() => return,
            }
            self.call(&mut stop).await;
            if stop.is_stopped() {
                return;
            }
        }
    }

    async fn call(&self, stop: &mut Stop) {
        let function = &self.trigger.function;
        let event = event(&self.trigger.rule);
        for failed in 0..=self.trigger.retries {
            // A task of its own: a panic in the function is a failed call, as it is in Lambda.
            let mut call = tokio::spawn((self.handler)(event.clone()));
            let called = tokio::select! {
                called = &mut call => called,
                // Killing a function anywhere loses nothing, and somebody waits for the end.
                () = stop.stopped() => {
                    call.abort();
                    let _ = call.await;
                    return;
                }
            };
            let reason = match called {
                Ok(Ok(_)) => return,
                Ok(Err(reason)) => reason,
                Err(error) => error.to_string(),
            };
            if failed == self.trigger.retries {
                self.parked.park(function, &event, &reason);
                return;
            }
            tracing::error!(function, reason, "a scheduled call failed, again");
            tokio::select! {
                () = tokio::time::sleep(self.first_pause * (failed + 1)) => {}
                () = stop.stopped() => return,
            }
        }
    }
}

fn event(rule: &str) -> Value {
    json!({
        "version": "0",
        "id": Uuid::new_v4(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        "region": REGION,
        "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/iocast-{rule}")],
        "detail": {},
    })
}

#[cfg(test)]
mod tests;
