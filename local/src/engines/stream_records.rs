//! The engine's table of stream records, which needs two things the engine does not do.
//!
//! dynoxide 3.2.0 looks for the highest sequence number before each write, and for the records
//! after a sequence number, by reading the whole table of stream records: 78 ms a write at
//! 300,000 records. An index makes that microseconds. And it keeps stream records for ever,
//! where `DynamoDB` drops them after a day.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, params};

use super::EngineError;

/// What the engine adds to a stored sequence number to make it public.
const PUBLIC_OFFSET: u128 = 100_000_000_000_000_000_000;
/// Few enough that a write does not wait long behind them.
const TRIMMED_AT_ONCE: usize = 200;

/// A second connection to the engine's file.
#[derive(Debug)]
pub struct StreamRecords {
    connection: Mutex<Connection>,
}

impl StreamRecords {
    /// Makes the index if it is not there. The engine must have opened the file before.
    ///
    /// # Errors
    /// When the file is not the engine's.
    pub fn open(file: &Path) -> Result<Self, EngineError> {
        let failed = |error: rusqlite::Error| EngineError::Database {
            file: file.to_owned(),
            reason: error.to_string(),
        };
        let connection = Connection::open(file).map_err(failed)?;
        connection.busy_timeout(Duration::from_secs(30)).map_err(failed)?;
        connection
            .execute_batch(
                "PRAGMA synchronous = NORMAL;
                 CREATE INDEX IF NOT EXISTS iocast_stream_records
                     ON _stream_records (table_name, CAST(sequence_number AS INTEGER));",
            )
            .map_err(failed)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Drops records of `table` up to and with sequence number `done` that are older than `age`,
    /// a few at a time; returns how many, 0 when none are left. The newest record always stays:
    /// the engine counts on from it.
    ///
    /// # Errors
    /// When the database refuses, which the next try may mend.
    pub fn trim(&self, table: &str, done: &str, age: Duration) -> Result<usize, rusqlite::Error> {
        let Some(done) = stored(done) else { return Ok(0) };
        let before = SystemTime::now().checked_sub(age).and_then(|at| {
            let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            i64::try_from(since.as_secs()).ok()
        });
        let Some(before) = before else { return Ok(0) };
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.execute(
            "DELETE FROM _stream_records WHERE id IN (
                 SELECT id FROM _stream_records
                 WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) < ?2
                 ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?4)
             AND created_at < ?3",
            params![table, done, before, TRIMMED_AT_ONCE],
        )
    }
}

fn stored(public: &str) -> Option<i64> {
    i64::try_from(public.parse::<u128>().ok()?.checked_sub(PUBLIC_OFFSET)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(count: u32) -> (tempfile::TempDir, StreamRecords) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("d.sqlite");
        drop(dynoxide::Database::new(file.to_str().unwrap()).unwrap());
        let records = StreamRecords::open(&file).unwrap();
        for number in 1..=count {
            let insert = "INSERT INTO _stream_records
                (table_name, event_name, keys_json, sequence_number, shard_id, created_at)
                VALUES ('T', 'INSERT', '{}', ?1, 's', 1)";
            let connection = records.connection.lock().unwrap();
            connection.execute(insert, params![number.to_string()]).unwrap();
        }
        (folder, records)
    }

    #[test]
    fn the_engines_question_is_answered_by_the_index() {
        let (_folder, records) = records(3);
        let connection = records.connection.lock().unwrap();
        let plan: String = connection
            .query_row(
                "EXPLAIN QUERY PLAN SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1
                 FROM _stream_records WHERE table_name = ?1",
                params!["T"],
                |row| row.get(3),
            )
            .unwrap();
        assert!(plan.contains("iocast_stream_records"), "{plan}");
    }

    #[test]
    fn old_records_that_are_done_go_and_the_last_stays() {
        let (_folder, records) = records(450);
        let done = "100000000000000000450";
        let day = Duration::from_hours(24);
        assert_eq!(records.trim("U", done, day).unwrap(), 0);
        assert_eq!(records.trim("T", "nonsense", day).unwrap(), 0);
        assert_eq!(records.trim("T", done, day).unwrap(), 200);
        assert_eq!(records.trim("T", done, day).unwrap(), 200);
        assert_eq!(records.trim("T", done, day).unwrap(), 49);
        assert_eq!(records.trim("T", done, day).unwrap(), 0);
    }
}
