//! What the store promises, on a second `DynamoDB` by other authors (`ministack`): tests of every
//! surface that go by conditions, transactions, queries in both directions, batches, updates and
//! the streams, run once more with it. docs/engines.md says where it differs.

use tests::world::SECOND_ENGINE;
use tokio::process::Command;

/// Beginnings of the names of the tests.
const REPLAYED: [&str; 16] = [
    "access_keys::over_http::",
    "access_limits::",
    "backfill::a_changed_filter",
    "compaction::a_log_of_single_entries",
    "compaction::leaves_go",
    "expiry::",
    "export_cursor::",
    "feeds_publishing::a_feed_is_published_at_once",
    "feeds_publishing::old_editions",
    "ingest_deletion::",
    "ioc_stream::a_hunting_engine",
    "ioc_stream::nothing_is_skipped",
    "manage_collections::",
    "subscriptions::each_is_told_once",
    "taxii_delete::through_the_lambda_runtime::",
    "taxii_pagination::over_http::",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stores_promises_hold_on_a_second_engine() {
    let ourselves = std::env::current_exe().unwrap();
    let mut command = Command::new(ourselves);
    // Each has an engine of its own, and this process others beside it.
    command.args(REPLAYED).args(["--test-threads", "2"]).env(SECOND_ENGINE, "ministack");
    let output = command.kill_on_drop(true).output().await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    let passed: Vec<&str> = printed.lines().filter_map(passed).collect();
    for name in REPLAYED {
        assert!(passed.iter().any(|test| test.starts_with(name)), "no {name}… has run:\n{printed}");
    }
}

/// The name of the test that a line says has passed.
fn passed(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... ok")
}
