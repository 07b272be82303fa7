//! Part a: the time of a page through the whole TAXII function, beside the bare Query of the same
//! commits, taking turns in one loop.

use std::time::{Duration, Instant};

use lambda_http::Body;
use serde::Serialize;
use serde_json::Value;
use shared::store::Consistency;
use tests::client::{Client, TAXII};
use tests::gateway_event;

use crate::http_client::Connection;
use crate::packed_log::PackedLog;
use crate::place::{PageAsk, Place};
use crate::scale::Scale;
use crate::system::System;

/// Objects on the pages.
const LIMITS: [usize; 2] = [100, 1000];
/// Readings before the first that counts.
const WARMING: usize = 5;

/// What one kind of page took: medians, in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Objects in the collection.
    pub collection: usize,
    /// Objects asked for.
    pub limit: usize,
    /// From where.
    pub place: Place,
    /// Objects that came.
    pub objects: usize,
    /// Commits the bare Query brought.
    pub commits: usize,
    /// Read units of the bare Query, which reads eventually consistent.
    pub floor_units: f64,
    /// Read units of the page.
    pub units: f64,
    /// The floor: the bare SDK Query.
    pub query_ms: f64,
    /// The same Query by the store, its commits expanded and decoded.
    pub commits_ms: f64,
    /// What finding the place by its time takes, where that is asked for: a Query of its own.
    pub hint_ms: Option<f64>,
    /// The whole function: from the gateway's event to the response.
    pub handler_ms: f64,
    /// A request over HTTP, through the local gateway.
    pub http_ms: f64,
    /// The function's time as a multiple of the floor.
    pub handler_ratio: f64,
    /// The HTTP request's time as a multiple of the floor.
    pub http_ratio: f64,
}

/// Reads every kind of page of every collection.
pub async fn measure(system: &System, logs: &[PackedLog], scale: &Scale) -> Vec<Row> {
    let mut rows = Vec::new();
    for log in logs {
        for limit in LIMITS {
            for place in Place::ALL {
                let ask = PageAsk::new(system, log, limit, place, log.objects / 2).await;
                let readings = if limit > 100 { scale.readings / 3 } else { scale.readings };
                rows.push(Reading::new(system, log, ask).await.row(limit, place, readings).await);
            }
        }
    }
    rows
}

struct Reading<'a> {
    system: &'a System,
    log: &'a PackedLog,
    ask: PageAsk,
    event: String,
    connection: Connection,
}

impl<'a> Reading<'a> {
    async fn new(system: &'a System, log: &'a PackedLog, ask: PageAsk) -> Self {
        let client = Client::http(system.base_url()).with_key(system.reader());
        let event = gateway_event::event(&client.get(&ask.path).accept(TAXII)).to_string();
        let connection = Connection::open(system.base_url(), system.reader()).await;
        Self { system, log, ask, event, connection }
    }

    async fn row(mut self, limit: usize, place: Place, readings: usize) -> Row {
        self.check().await;
        let (commits, floor_units) = self.ask.floor.send(&self.system.sdk).await;
        let mut times: [Vec<Duration>; 5] = Default::default();
        let mut units = Vec::new();
        for reading in 0..WARMING + readings {
            // Each in turn is the one that finds the caches as the one before it left them.
            for turn in 0..times.len() {
                let kind = (reading + turn) % times.len();
                let before = self.system.services().store().units().read;
                let begun = Instant::now();
                match kind {
                    0 => drop(self.ask.floor.send(&self.system.sdk).await),
                    1 => self.commits().await,
                    2 => drop(self.handler().await),
                    3 => drop(self.connection.get(&self.ask.path).await),
                    _ => self.hint().await,
                }
                let time = begun.elapsed();
                if reading >= WARMING {
                    times[kind].push(time);
                }
                if kind == 2 {
                    units.push(self.system.services().store().units().read - before);
                }
            }
        }
        units.sort_by(f64::total_cmp);
        let [query_ms, commits_ms, handler_ms, http_ms, hint_ms] = times.map(median);
        Row {
            collection: self.log.objects,
            limit,
            place,
            objects: self.ask.objects,
            commits,
            floor_units,
            units: units[units.len() / 2],
            query_ms,
            commits_ms,
            hint_ms: self.ask.after.map(|_| hint_ms),
            handler_ms,
            http_ms,
            handler_ratio: handler_ms / query_ms,
            http_ratio: http_ms / query_ms,
        }
    }

    /// The page holds what it should, and the same both ways.
    async fn check(&mut self) {
        let body = self.handler().await;
        let page: Value = serde_json::from_slice(&body).expect("a page is JSON");
        let count = page["objects"].as_array().map_or(0, Vec::len);
        assert_eq!(count, self.ask.objects, "{}", self.ask.path);
        assert_eq!(body, *self.connection.get(&self.ask.path).await.body());
    }

    async fn commits(&self) {
        let store = self.system.services().store();
        let (seq, items) = (self.ask.floor.seq, self.ask.floor.commits);
        let read = store.commits_from(self.log.id(), seq, items, Consistency::Eventual).await;
        drop(read.expect("commits"));
    }

    async fn hint(&self) {
        if let Some(after) = self.ask.after {
            let store = self.system.services().store();
            store.search_start(self.log.id(), after).await.expect("a hint");
        }
    }

    async fn handler(&self) -> Vec<u8> {
        let request = lambda_http::request::from_str(&self.event).expect("an event");
        let response = (self.system.taxii)(request).await;
        assert_eq!(response.status(), 200);
        match response.into_body() {
            Body::Text(text) => text.into_bytes(),
            Body::Binary(bytes) => bytes,
            _ => Vec::new(),
        }
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
