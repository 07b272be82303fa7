//! Part f: an export of 1,000 indicators through the whole function, beside the bare Query of the
//! commits it takes, taking turns; and the memory that is its own.

use std::time::{Duration, Instant};

use lambda_http::Body;
use local::functions::http;
use serde::Serialize;
use shared::log::{LogId, MAX_ENTRIES};
use shared::tlp::Tlp;
use tests::client::Client;
use tests::fixtures::Object;
use tests::{gateway_event, packed_log};

use crate::floor::CommitQuery;
use crate::indicator::Series;
use crate::process::Memory;
use crate::system::System;

const LIMIT: usize = 1000;
/// Readings before the first that counts.
const WARMING: usize = 3;

/// What one kind of export took: medians, in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Indicators in the base.
    pub base: usize,
    /// What was asked for beside the indicators.
    pub options: &'static str,
    /// Indicators that came.
    pub indicators: usize,
    /// Bytes of the answer.
    pub bytes: usize,
    /// The floor: the bare SDK Query.
    pub query_ms: f64,
    /// The whole function.
    pub export_ms: f64,
    /// The function's time as a multiple of the floor.
    pub ratio: f64,
    /// Read units of the floor, which reads eventually consistent.
    pub floor_units: f64,
    /// Read units of the export.
    pub units: f64,
    /// What the program's peak of memory grew by, in MiB; nothing where it was higher before.
    pub peak_growth_mib: f64,
}

/// Fills the log of active TLP:GREEN indicators, and exports its newest.
pub async fn measure(system: &System, base: usize, readings: usize) -> Vec<Row> {
    let log = LogId::Indicators { level: Tlp::Green, kind: None, active: true };
    let objects: Vec<Object> = (0..base)
        .map(|number| Series(90).indicator(number).json)
        .map(|json| Object::of(serde_json::from_str(&json).expect("an object")))
        .collect();
    packed_log::append(system.services().store(), log, &objects, MAX_ENTRIES).await;
    drop(objects);
    system.let_time_pass();
    let last = system.services().store().last_commits(log, None, 1).await.expect("the log");
    let last = last.first().map_or(1, |commit| commit.seq);
    let commits = CommitQuery::commits_for(LIMIT);
    let floor = CommitQuery {
        table: system.services().settings().names.collections.clone(),
        log: log.to_string(),
        seq: (last + 1).saturating_sub(u64::try_from(commits).unwrap_or(1)).max(1),
        commits,
    };
    let mut rows = Vec::new();
    for options in ["", "&include_observables=true&include_context=true"] {
        rows.push(row(system, base, options, &floor, readings).await);
    }
    rows
}

#[allow(clippy::cast_precision_loss)]
async fn row(
    system: &System,
    base: usize,
    options: &'static str,
    floor: &CommitQuery,
    readings: usize,
) -> Row {
    let export = http(system.services(), "StixExportFunction").expect("there is an export");
    let path = format!("{}?limit={LIMIT}{options}", tests::export::PATH);
    let client = Client::http(system.base_url()).with_key(system.reader());
    let event = gateway_event::event(&client.get(&path)).to_string();
    let ask = async || {
        let request = lambda_http::request::from_str(&event).expect("an event");
        let response = export(request).await;
        assert_eq!(response.status(), 200);
        match response.into_body() {
            Body::Text(text) => text,
            _ => String::new(),
        }
    };
    let units = || system.services().store().units().read;
    let (_, floor_units) = floor.send(&system.sdk).await;
    let peak = || Memory::of(std::process::id()).unwrap_or_default().peak;
    let before = peak();
    let text = ask().await;
    let grown = peak().saturating_sub(before);
    let (mut queries, mut exports, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    for reading in 0..WARMING + readings {
        let begun = Instant::now();
        floor.send(&system.sdk).await;
        let query = begun.elapsed();
        let (begun, charged) = (Instant::now(), units());
        drop(ask().await);
        if reading >= WARMING {
            queries.push(query);
            exports.push(begun.elapsed());
            costs.push(units() - charged);
        }
    }
    costs.sort_by(f64::total_cmp);
    let (query_ms, export_ms) = (median(queries), median(exports));
    Row {
        base,
        options,
        indicators: text.matches(r#""type":"indicator""#).count(),
        bytes: text.len(),
        query_ms,
        export_ms,
        ratio: export_ms / query_ms,
        floor_units,
        units: costs[costs.len() / 2],
        peak_growth_mib: grown as f64 / 1024.0,
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
