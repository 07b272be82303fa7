use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta};

use super::*;
use crate::stopping::{StopSignal, stopping};

const PERIOD: Duration = Duration::from_millis(30);

struct Scheduled {
    calls: Arc<Mutex<Vec<Value>>>,
    parked: Parked,
    front: StopSignal,
    task: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// A schedule whose function takes `lasting` and succeeds at the calls `succeeds` names.
fn scheduled(lasting: Duration, succeeds: fn(usize) -> bool) -> Scheduled {
    let folder = tempfile::tempdir().unwrap();
    let parked = Parked::new(folder.path());
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (seen, running) = (calls.clone(), Arc::new(AtomicUsize::new(0)));
    let schedule = Schedule {
        trigger: ScheduleTrigger {
            function: "F".into(),
            rule: "FE".into(),
            period: PERIOD,
            retries: 2,
        },
        handler: Arc::new(move |event| {
            let (seen, running) = (seen.clone(), running.clone());
            Box::pin(async move {
                assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "one call at a time");
                let number = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(event);
                    seen.len()
                };
                tokio::time::sleep(lasting).await;
                running.fetch_sub(1, Ordering::SeqCst);
                if succeeds(number) { Ok(Value::Null) } else { Err("no".into()) }
            })
        }),
        parked: parked.clone(),
        first_pause: Duration::from_millis(1),
    };
    let (front, stop) = stopping();
    let task = tokio::spawn(schedule.run(stop));
    Scheduled { calls, parked, front, task, _folder: folder }
}

impl Scheduled {
    async fn calls(&self, at_least: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let calls = self.calls.lock().unwrap().clone();
            if calls.len() >= at_least {
                return calls;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{} calls", calls.len());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn stop(self) -> usize {
        self.front.stop();
        self.task.await.unwrap();
        self.parked.count()
    }
}

#[tokio::test]
async fn a_function_is_called_at_its_rate_and_no_sooner() {
    let begun = Instant::now();
    let scheduled = scheduled(Duration::ZERO, |_| true);
    let calls = scheduled.calls(3).await;
    assert!(begun.elapsed() >= PERIOD * 3);
    assert_ne!(calls[0]["id"], calls[1]["id"]);
    assert_eq!(calls[0]["detail-type"], "Scheduled Event");
    assert_eq!(calls[0]["resources"][0], "arn:aws:events:us-east-1:000000000000:rule/iocast-FE");
    let time: DateTime<Utc> = calls[0]["time"].as_str().unwrap().parse().unwrap();
    assert!(Utc::now() - time < TimeDelta::minutes(1));
    assert_eq!(scheduled.stop().await, 0);
}

#[tokio::test]
async fn a_call_that_goes_on_is_not_joined_by_another() {
    // The function itself sees to it that it is alone.
    let scheduled = scheduled(PERIOD * 5 / 2, |_| true);
    scheduled.calls(3).await;
    assert_eq!(scheduled.stop().await, 0);
}

#[tokio::test]
async fn a_failed_call_is_repeated_twice_with_its_event_then_parked() {
    let scheduled = scheduled(Duration::ZERO, |number| number > 5);
    let calls = scheduled.calls(6).await;
    assert_eq!((&calls[0], &calls[0]), (&calls[1], &calls[2]));
    assert_ne!(calls[2]["id"], calls[3]["id"]);
    assert_eq!(calls[3], calls[5]);
    assert_eq!(scheduled.stop().await, 1);
}

#[tokio::test]
async fn a_call_that_goes_on_does_not_hold_up_the_end() {
    let scheduled = scheduled(Duration::from_hours(1), |_| true);
    scheduled.calls(1).await;
    let begun = Instant::now();
    scheduled.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(20));
}
