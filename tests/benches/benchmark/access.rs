//! Part e: what authentication and limits take of a page of 100 on a warm instance. The same page
//! by turns without a key, with a key whose plan limits nothing, and with keys that are counted,
//! one write for 100, 10 or 1 requests.

use std::time::{Duration, Instant};

use lambda_http::Body;
use serde::Serialize;
use tests::client::{Client, TAXII};
use tests::gateway_event;

use crate::packed_log::PackedLog;
use crate::scale::Scale;
use crate::system::System;

/// Readings before the first that counts.
const WARMING: usize = 5;

/// What a kind of caller took.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The caller.
    pub caller: &'static str,
    /// Median, in milliseconds, of the whole function.
    pub median_ms: f64,
    /// Mean, in milliseconds: some requests write, most do not.
    pub mean_ms: f64,
    /// How much of the mean is not taken without a key.
    pub share: f64,
    /// Read units of access a request: what the page itself takes is taken off.
    pub read_units: f64,
    /// Write units a request.
    pub write_units: f64,
}

#[derive(Default)]
struct Readings {
    times: Vec<Duration>,
    read: f64,
    write: f64,
}

/// Reads the first page of a public collection as each kind of caller.
pub async fn measure(system: &System, log: &PackedLog, scale: &Scale) -> Vec<Row> {
    system.make_public(&log.collection).await;
    let anonymous = Client::http(system.base_url());
    let mut callers = vec![("nobody: a public collection", anonymous.clone())];
    for (caller, per_minute) in [
        ("a plan without limits", None),
        ("10,000 a minute", Some(10_000)),
        ("1,000 a minute", Some(1_000)),
        // The largest limit of which a hundredth is one.
        ("199 a minute", Some(199)),
    ] {
        callers.push((caller, anonymous.with_key(&system.key_limited_to(per_minute).await)));
    }
    let path = format!("{}?limit=100", log.path());
    let events: Vec<String> = callers
        .iter()
        .map(|(_, client)| gateway_event::event(&client.get(&path).accept(TAXII)).to_string())
        .collect();
    let mut readings: Vec<Readings> = callers.iter().map(|_| Readings::default()).collect();
    // Fewer than the smallest limit, so that nothing is refused.
    for reading in 0..WARMING + scale.readings.min(190 - WARMING) {
        for turn in 0..events.len() {
            let kind = (reading + turn) % events.len();
            let before = system.services().store().units();
            let begun = Instant::now();
            ask(system, &events[kind]).await;
            let time = begun.elapsed();
            let spent = system.services().store().units() - before;
            if reading >= WARMING {
                readings[kind].times.push(time);
                readings[kind].read += spent.read;
                readings[kind].write += spent.write;
            }
        }
    }
    rows(&callers, readings)
}

async fn ask(system: &System, event: &str) {
    let request = lambda_http::request::from_str(event).expect("an event");
    let response = (system.taxii)(request).await;
    let answer = match response.body() {
        Body::Text(text) => text.chars().take(200).collect(),
        _ => String::new(),
    };
    assert_eq!(response.status(), 200, "{answer}");
}

#[allow(clippy::cast_precision_loss)]
fn rows(callers: &[(&'static str, Client)], readings: Vec<Readings>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for ((caller, _), mut readings) in callers.iter().zip(readings) {
        readings.times.sort();
        let count = readings.times.len() as f64;
        let total: Duration = readings.times.iter().sum();
        let mean_ms = total.as_secs_f64() * 1000.0 / count;
        let page_read = rows.first().map_or(0.0, |nobody| nobody.read_units);
        let page_ms = rows.first().map_or(mean_ms, |nobody| nobody.mean_ms);
        rows.push(Row {
            caller,
            median_ms: readings.times[readings.times.len() / 2].as_secs_f64() * 1000.0,
            mean_ms,
            share: (mean_ms - page_ms) / mean_ms,
            read_units: readings.read / count - page_read,
            write_units: readings.write / count,
        });
    }
    if let Some(nobody) = rows.first_mut() {
        nobody.read_units = 0.0;
    }
    rows
}
