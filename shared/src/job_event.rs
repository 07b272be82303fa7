//! What calls a function that carries on jobs which lie in a table: the table's stream, for those
//! that were added or came forward, and a schedule, for those that nobody carries on.

use serde::Deserialize;
use serde_json::Value;

use crate::stream_record::StreamRecord;

/// What an event asks for.
#[derive(Debug)]
pub enum JobEvent<Name> {
    /// To carry these jobs on, each with the sequence number of a record that named it, which is
    /// what the function answers where it fails (`ReportBatchItemFailures`).
    CarryOn(Vec<(Name, String)>),
    /// To start what is due.
    Start,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Event {
    Stream {
        #[serde(rename = "Records")]
        records: Vec<StreamRecord>,
    },
    Schedule {
        #[serde(rename = "detail-type")]
        _detail_type: String,
    },
}

impl<Name: PartialEq> JobEvent<Name> {
    /// Reads an event; `named` tells the job of a partition and a sort key.
    ///
    /// # Errors
    /// When it is neither a stream's nor a schedule's.
    pub fn read(
        event: Value,
        named: impl Fn(&str, &str) -> Option<Name>,
    ) -> Result<Self, serde_json::Error> {
        let records = match serde_json::from_value(event)? {
            Event::Stream { records } => records,
            Event::Schedule { .. } => return Ok(Self::Start),
        };
        let mut jobs: Vec<(Name, String)> = Vec::new();
        for record in records {
            let Some(name) = named(record.id(), record.sort_key()) else { continue };
            if !jobs.iter().any(|(known, _)| *known == name) {
                jobs.push((name, record.into_sequence_number()));
            }
        }
        Ok(Self::CarryOn(jobs))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(partition: &str, sort_key: &str) -> Option<String> {
        (partition == "JOBS").then(|| sort_key.to_owned())
    }

    fn record(partition: &str, sort_key: &str, sequence_number: &str) -> Value {
        let keys = json!({"id": {"S": partition}, "sk": {"S": sort_key}});
        json!({"dynamodb": {"SequenceNumber": sequence_number, "Keys": keys}})
    }

    #[test]
    fn each_job_is_named_once_and_what_is_none_is_passed_over() {
        let records =
            [("JOBS", "a", "1"), ("LOG", "b", "2"), ("JOBS", "a", "3"), ("JOBS", "c", "4")];
        let records = records.map(|(partition, key, number)| record(partition, key, number));
        let event = JobEvent::read(json!({ "Records": records }), named).unwrap();
        let JobEvent::CarryOn(jobs) = event else { panic!("{event:?}") };
        assert_eq!(jobs, [("a".to_owned(), "1".to_owned()), ("c".to_owned(), "4".to_owned())]);
    }

    #[test]
    fn a_schedule_starts_and_anything_else_is_refused() {
        let event = JobEvent::read(json!({"detail-type": "Scheduled Event"}), named);
        assert!(matches!(event, Ok(JobEvent::Start)));
        assert!(JobEvent::read(json!({"anything": "else"}), named).is_err());
    }
}
