use std::sync::{Arc, Mutex};

use super::*;
use crate::stopping::{StopSignal, stopping};

type Calls = Arc<Mutex<Vec<Vec<u64>>>>;

fn record(number: u64) -> Value {
    json!({"dynamodb": {
        "SequenceNumber": number.to_string(), "SizeBytes": 10,
        "Keys": {"id": {"S": format!("o{number}")}},
    }})
}

fn numbers(event: &Value) -> Vec<u64> {
    let records = event["Records"].as_array().unwrap();
    records.iter().map(|r| sequence_number(r).unwrap().parse().unwrap()).collect()
}

struct Bench {
    delivery: Delivery,
    calls: Calls,
    folder: tempfile::TempDir,
    signal: StopSignal,
    stop: Stop,
}

fn bench(answer: impl Fn(&[u64]) -> Result<Value, String> + Send + Sync + 'static) -> Bench {
    let calls = Calls::default();
    let seen = calls.clone();
    let answer = Arc::new(answer);
    let handler: EventHandler = Arc::new(move |event| {
        let numbers = numbers(&event);
        seen.lock().unwrap().push(numbers.clone());
        let answer = answer.clone();
        Box::pin(async move { answer(&numbers) })
    });
    let trigger = StreamTrigger {
        function: "F".into(),
        table: "T".into(),
        batch_size: 4,
        retries: 2,
        bisect: true,
        reports_failures: true,
        parallelization: 1,
        patterns: vec![],
    };
    let folder = tempfile::tempdir().unwrap();
    let parked = Parked::new(&folder.path().join("parked"));
    let (signal, stop) = stopping();
    let first_pause = Duration::from_millis(1);
    let delivery = Delivery { handler, trigger, parked, first_pause };
    Bench { delivery, calls, folder, signal, stop }
}

fn named(numbers: &[u64]) -> Value {
    let named: Vec<_> = numbers.iter().map(|n| json!({"itemIdentifier": n.to_string()})).collect();
    json!({ "batchItemFailures": named })
}

impl Bench {
    async fn deliver(&self, numbers: impl IntoIterator<Item = u64>) -> Outcome {
        self.delivery.deliver(numbers.into_iter().map(record).collect(), &self.stop).await
    }

    fn calls(&self) -> Vec<Vec<u64>> {
        self.calls.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn batches_have_the_templates_size() {
    let bench = bench(|_| Ok(named(&[])));
    assert_eq!(bench.deliver(1..=9).await, Outcome::Done);
    assert_eq!(bench.calls(), [vec![1, 2, 3, 4], vec![5, 6, 7, 8], vec![9]]);
}

#[tokio::test]
async fn what_came_before_the_named_record_is_not_sent_again() {
    let first = Mutex::new(true);
    let bench = bench(move |_| {
        let failures: &[u64] =
            if std::mem::take(&mut *first.lock().unwrap()) { &[4, 3] } else { &[] };
        Ok(named(failures))
    });
    assert_eq!(bench.deliver(1..=4).await, Outcome::Done);
    assert_eq!(bench.calls(), [vec![1, 2, 3, 4], vec![3, 4]]);
}

#[tokio::test]
async fn a_poison_record_is_parked_alone_after_its_attempts() {
    let bench =
        bench(|numbers| if numbers.contains(&3) { Err("poison".into()) } else { Ok(named(&[])) });
    assert_eq!(bench.deliver(1..=4).await, Outcome::Done);
    assert_eq!(
        bench.calls(),
        [vec![1, 2, 3, 4], vec![1, 2], vec![3, 4], vec![3], vec![3], vec![3], vec![4]]
    );
    assert_eq!(bench.delivery.parked.count(), 1);
    let parked = std::fs::read_dir(bench.folder.path().join("parked")).unwrap().next();
    let parked = std::fs::read_to_string(parked.unwrap().unwrap().path()).unwrap();
    let parked: Value = serde_json::from_str(&parked).unwrap();
    assert_eq!(numbers(&parked["event"]), [3]);
    assert_eq!(parked["reason"], "poison");
}

#[tokio::test]
async fn a_panic_is_a_failed_call() {
    let bench = bench(|numbers| {
        assert!(!numbers.contains(&1), "boom");
        Ok(named(&[]))
    });
    assert_eq!(bench.deliver(1..=2).await, Outcome::Done);
    assert_eq!(bench.calls(), [vec![1, 2], vec![1], vec![1], vec![1], vec![2]]);
    assert_eq!(bench.delivery.parked.count(), 1);
}

#[tokio::test]
async fn stopping_parks_nothing() {
    let mut bench = bench(|_| Err("down".into()));
    bench.delivery.trigger.retries = u32::MAX;
    let signal = std::mem::replace(&mut bench.signal, stopping().0);
    let wait = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        signal.stop();
    };
    let (outcome, ()) = tokio::join!(bench.deliver([1]), wait);
    assert_eq!(outcome, Outcome::Stopped);
    assert_eq!(bench.delivery.parked.count(), 0);
}

#[test]
fn a_batch_is_cut_by_bytes_too() {
    let large = || {
        let mut record = record(1);
        record["dynamodb"]["SizeBytes"] = json!(3 * 1024 * 1024);
        record
    };
    let cut = batches(vec![large(), large(), record(2)], 500);
    assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
}
