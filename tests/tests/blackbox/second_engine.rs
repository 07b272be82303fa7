//! What the store promises, on a second `DynamoDB` by other authors (`ministack`): tests of every
//! surface that go by conditions, transactions, queries in both directions, batches, updates and
//! the streams, run once more with it. A soak runs whole modules. docs/engines.md says where it
//! differs.

use tests::soak::is_soak;
use tests::world::SECOND_ENGINE;
use tokio::process::Command;

/// Beginnings of the names of the tests that run: one for each way of using the store.
const REPLAYED: [&str; 9] = [
    "backfill::a_changed_filter",
    "compaction::leaves_go",
    "export_cursor::pages_of_any_size",
    "feeds_publishing::a_feed_is_published_at_once",
    "ingest_deletion::a_deleted_object",
    "manage_collections::a_deleted_collection",
    "subscriptions::each_is_told_once",
    "taxii_delete::through_the_lambda_runtime::a_deleted_object",
    "taxii_pagination::over_http::objects_come",
];

/// The same of a soak.
const REPLAYED_BY_A_SOAK: [&str; 13] = [
    "access_",
    "backfill::",
    "compaction::",
    "expiry::",
    "export_cursor::",
    "export_objects::",
    "export_parameters::",
    "feeds_http::",
    "feeds_publishing::",
    "ingest_",
    "ioc_stream",
    "subscriptions",
    "taxii_",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stores_promises_hold_on_a_second_engine() {
    let ourselves = std::env::current_exe().unwrap();
    let replayed = if is_soak() { &REPLAYED_BY_A_SOAK[..] } else { &REPLAYED };
    let mut command = Command::new(ourselves);
    // Each has an engine of its own, and this process others beside it.
    command.args(replayed).args(["--test-threads", "2"]).env(SECOND_ENGINE, "ministack");
    let output = command.kill_on_drop(true).output().await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    let passed: Vec<&str> = printed.lines().filter_map(passed).collect();
    for name in replayed {
        assert!(
            passed.iter().any(|test| test.starts_with(*name)),
            "no {name}… has run:\n{printed}"
        );
    }
}

/// The name of the test that a line says has passed.
fn passed(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... ok")
}
