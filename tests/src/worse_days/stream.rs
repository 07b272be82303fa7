//! Stream records delivered badly: replayed, in batches of any size, reordered across objects,
//! and to several projectors at once.
//!
//! The records of one object are first delivered in their order. After that an old one may come
//! again at any time, as after a failed batch or a lost checkpoint.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Mutex;

use futures::future::join_all;
use serde_json::{Value, json};
use shared::services::Services;

use super::dice::Dice;

/// Records that fail this often in a row fail the test.
const ATTEMPTS: usize = 20;

/// How records are delivered.
#[derive(Debug, Clone)]
pub struct BadStream {
    /// Repeats a delivery.
    pub seed: u64,
    /// The chance that, after a record, one that came before comes again.
    pub replays: f64,
    /// Records a batch may hold.
    pub largest_batch: usize,
}

/// What was delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Calls of a projector.
    pub batches: usize,
    /// Records delivered for the first time.
    pub records: usize,
    /// Old records that came again.
    pub replayed: usize,
    /// Records of batches that were delivered again because one of them failed.
    pub again: usize,
}

#[derive(Debug, Clone)]
struct Record {
    sequence: usize,
    id: String,
}

impl BadStream {
    /// Every third record is followed by an old one; up to 40 records a batch.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, replays: 0.3, largest_batch: 40 }
    }

    /// Delivers one record for each of `written`, the ids of objects in the order of their
    /// writes, to `projectors`, which work at the same time. Returns when all are worked off;
    /// fails the test when one fails again and again.
    pub async fn deliver(&self, projectors: &[Services], written: &[String]) -> Delivered {
        let dice = Dice::new(self.seed);
        let mut delivered = Delivered { records: written.len(), ..Delivered::default() };
        let records = self.disordered(&dice, written);
        delivered.replayed = records.len() - written.len();
        let batches = self.batches(&dice, records);
        delivered.batches = batches.len();
        let mut dealt = vec![VecDeque::new(); projectors.len()];
        for batch in batches {
            dealt[dice.below("projector", projectors.len())].push_back(batch);
        }
        let again = Mutex::new(0);
        let work = projectors.iter().zip(dealt).map(async |(projector, batches)| {
            for batch in batches {
                *again.lock().unwrap() += work_off(projector, batch).await;
            }
        });
        join_all(work).await;
        delivered.again = again.into_inner().unwrap();
        delivered
    }

    /// The records in an order in which only those of one object follow each other as they were
    /// written, with old ones in between.
    fn disordered(&self, dice: &Dice, written: &[String]) -> Vec<Record> {
        let mut waiting: BTreeMap<&str, VecDeque<Record>> = BTreeMap::new();
        for (sequence, id) in written.iter().enumerate() {
            waiting.entry(id).or_default().push_back(Record { sequence, id: id.clone() });
        }
        let mut waiting: Vec<_> = waiting.into_values().collect();
        let mut come = Vec::new();
        while !waiting.is_empty() {
            let next = dice.below("next", waiting.len());
            come.extend(waiting[next].pop_front());
            if waiting[next].is_empty() {
                waiting.swap_remove(next);
            }
            if dice.draw("replay") < self.replays {
                let old: &Record = &come[dice.below("old", come.len())];
                come.push(old.clone());
            }
        }
        come
    }

    fn batches(&self, dice: &Dice, records: Vec<Record>) -> Vec<Vec<Record>> {
        let mut records = VecDeque::from(records);
        let mut batches = Vec::new();
        while !records.is_empty() {
            let size = 1 + dice.below("batch", self.largest_batch.max(1));
            batches.push(records.drain(..size.min(records.len())).collect());
        }
        batches
    }
}

/// Calls a projector until it reports no failure; as Lambda does, everything from the first
/// failure on comes again. Returns how many records that were.
async fn work_off(projector: &Services, mut batch: Vec<Record>) -> usize {
    let mut again = 0;
    for _ in 0..ATTEMPTS {
        let event = json!({"Records": batch.iter().map(Record::event).collect::<Vec<_>>()});
        let until = std::time::Instant::now() + std::time::Duration::from_mins(1);
        let report = project::handle(projector, event, until).await.expect("the event is one");
        let failed: HashSet<&str> = report["batchItemFailures"]
            .as_array()
            .expect("the projector reports failures")
            .iter()
            .filter_map(|failure| failure["itemIdentifier"].as_str())
            .collect();
        let first = batch.iter().position(|record| failed.contains(record.number().as_str()));
        let Some(first) = first else { return again };
        batch.drain(..first);
        again += batch.len();
    }
    panic!("records failed {ATTEMPTS} times: {batch:?}")
}

impl Record {
    /// The sequence number, as long as those of AWS.
    fn number(&self) -> String {
        format!("1{:020}", self.sequence)
    }

    fn event(&self) -> Value {
        let keys = json!({"id": {"S": self.id}, "sk": {"S": "HEAD"}});
        json!({
            "eventID": self.number(), "eventVersion": "1.1", "eventName": "MODIFY",
            "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
            "dynamodb": {
                "Keys": keys, "NewImage": keys, "SequenceNumber": self.number(), "SizeBytes": 100,
                "StreamViewType": "NEW_IMAGE",
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_one_object_keep_their_order_until_they_are_replayed() {
        let written: Vec<String> =
            (0..200).map(|number| format!("object-{}", number % 20)).collect();
        let stream = BadStream::seeded(3);
        let come = stream.disordered(&Dice::new(3), &written);
        assert!(come.len() > written.len() + 20);
        let mut first: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut seen = HashSet::new();
        for record in come.iter().filter(|record| seen.insert(record.sequence)) {
            first.entry(&record.id).or_default().push(record.sequence);
        }
        assert_eq!(seen.len(), written.len());
        assert!(first.values().all(|sequences| sequences.is_sorted()));
        let order: Vec<usize> = come.iter().map(|record| record.sequence).collect();
        assert!(!order.is_sorted());
        let batches = stream.batches(&Dice::new(3), come.clone());
        assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), come.len());
        assert!(batches.iter().all(|batch| (1..=40).contains(&batch.len())));
    }
}
