//! The product from outside. One binary, a module per surface and topic; each test has a system
//! of its own, so that tests may run side by side.

// The size of a test's future is nobody's concern.
#![allow(clippy::large_futures)]

/// Runs each case twice: against the service over HTTP, and against the function's real binary
/// behind a Lambda runtime API.
macro_rules! over_both_transports {
    ($($case:ident),+ $(,)?) => {
        mod over_http {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&tests::world::World::http().await).await;
            })+
        }
        mod through_the_lambda_runtime {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&tests::world::World::lambda().await).await;
            })+
        }
    };
}

mod access_http;
mod access_keys;
mod access_limits;
mod access_lookback;
mod access_matrix;
mod access_tenants;
mod access_tlp;
mod backfill;
mod cli_load;
mod cli_serve;
mod compaction;
mod cost;
mod expiry;
mod fuzzing;
mod histories;
mod ingest_answers;
mod ingest_bodies;
mod ingest_deletion;
mod ingest_drop;
mod ingest_filters;
mod ingest_iocs;
mod ingest_refusals;
mod lambda_runtime;
mod live_stream_asking;
mod live_stream_clients;
mod live_stream_cost;
mod live_stream_replay;
mod live_stream_table;
mod live_stream_wire;
mod loss;
mod openapi;
mod page_cost;
mod positions;
mod python_clients;
mod real_data;
mod restart;
mod taxii_delete;
mod taxii_discovery;
mod taxii_manifest;
mod taxii_match;
mod taxii_negotiation;
mod taxii_next;
mod taxii_pagination;
mod taxii_positions;
mod taxii_post;
mod taxii_rights;
mod taxii_status;
mod taxii_versions;
mod worse_days;
