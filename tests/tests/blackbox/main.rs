//! The product from outside. One binary, a module per surface and topic; each test has a system
//! of its own, so that tests may run side by side.

// The size of a test's future is nobody's concern.
#![allow(clippy::large_futures)]

/// Runs each case twice: against the service over HTTP, and against the function's real binary
/// behind a Lambda runtime API. `streams:` before them means that of live streams.
macro_rules! over_both_transports {
    (@ $lambda:expr, $($case:ident),+) => {
        mod over_http {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&tests::world::World::http().await).await;
            })+
        }
        mod through_the_lambda_runtime {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&$lambda.await).await;
            })+
        }
    };
    (streams: $($case:ident),+ $(,)?) => {
        // Connections end by themselves after so many seconds.
        over_both_transports!(@ tests::world::World::streaming_lambda(12), $($case),+);
    };
    ($($case:ident),+ $(,)?) => {
        over_both_transports!(@ tests::world::World::lambda(), $($case),+);
    };
}

mod access_clearance;
mod access_http;
mod access_keys;
mod access_limits;
mod access_lookback;
mod access_matrix;
mod access_secrets;
mod access_tenants;
mod access_tlp;
mod backfill;
mod build_profiles;
mod cli_apply;
mod cli_doctor;
mod cli_input;
mod cli_load;
mod cli_manage;
mod cli_serve;
mod compaction;
mod cost;
mod cost_inputs;
mod cost_sheet;
mod deployed;
mod expiry;
mod export_cost;
mod export_cursor;
mod export_golden;
mod export_objects;
mod export_parameters;
mod export_python;
mod export_tlp;
mod faults;
mod feeds_access;
mod feeds_bounds;
mod feeds_cli;
mod feeds_consumers;
mod feeds_cost;
mod feeds_deletion;
mod feeds_failures;
mod feeds_files;
mod feeds_histories;
mod feeds_http;
mod feeds_large;
mod feeds_levels;
mod feeds_publishing;
mod feeds_turns;
mod function_work;
mod fuzzing;
mod histories;
mod ingest_answers;
mod ingest_bodies;
mod ingest_deletion;
mod ingest_drop;
mod ingest_filters;
mod ingest_iocs;
mod ingest_refusals;
mod ioc_stream;
mod ioc_stream_cost;
mod ioc_stream_deletion;
mod ioc_stream_ids;
mod ioc_stream_pages;
mod lambda_runtime;
mod live_stream_asking;
mod live_stream_clients;
mod live_stream_cost;
mod live_stream_positions;
mod live_stream_references;
mod live_stream_replay;
mod live_stream_silence;
mod live_stream_table;
mod live_stream_wire;
mod local_engines;
mod loss;
mod manage_access;
mod manage_audit;
mod manage_collections;
mod manage_feeds;
mod manage_keys;
mod manage_subscriptions;
mod manage_tenants;
mod openapi;
mod outage;
mod page_cost;
mod positions;
mod python_clients;
mod real_data;
mod request_lines;
mod restart;
mod roles;
mod second_engine;
mod subscriptions;
mod subscriptions_actors;
mod subscriptions_levels;
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
mod template_lints;
mod worse_days;
