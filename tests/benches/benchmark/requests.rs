//! Part b: requests a second over HTTP at eight connections, beside what the engine does when the
//! bare SDK asks it for the same commits, eight Queries under way.

use serde::Serialize;

use crate::floor::queries_per_second;
use crate::http_client::requests_per_second;
use crate::packed_log::PackedLog;
use crate::place::{PageAsk, Place};
use crate::scale::Scale;
use crate::system::System;

/// Objects on a page.
const LIMIT: usize = 100;
/// Connections.
pub const CONNECTIONS: usize = 8;
/// Deep pages are asked for at this many places of the log.
const PLACES: usize = 64;

/// How one kind of page stood eight connections.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Objects in the collection.
    pub collection: usize,
    /// From where.
    pub place: Place,
    /// Pages a second over HTTP.
    pub requests_per_second: f64,
    /// The floor: bare Queries a second.
    pub queries_per_second: f64,
    /// The floor as a multiple of the pages.
    pub ratio: f64,
}

/// Asks for pages of 100 from every place of every collection.
pub async fn measure(system: &System, logs: &[PackedLog], scale: &Scale) -> Vec<Row> {
    let mut rows = Vec::new();
    for log in logs {
        for place in Place::ALL {
            let mut asks = Vec::new();
            for number in 0..if place == Place::First { 1 } else { PLACES } {
                // Past the first page, and with a whole page to come.
                let index = LIMIT + (log.objects - 2 * LIMIT) * number / PLACES;
                asks.push(PageAsk::new(system, log, LIMIT, place, index).await);
            }
            let paths: Vec<String> = asks.iter().map(|ask| ask.path.clone()).collect();
            let floor: Vec<_> = asks.into_iter().map(|ask| ask.floor).collect();
            let (base_url, key) = (system.base_url(), system.reader());
            // Half of the floor's time before, half after.
            let half = scale.load_for / 2;
            let before = queries_per_second(&system.sdk, &floor, CONNECTIONS, half).await;
            let pages =
                requests_per_second(base_url, key, &paths, CONNECTIONS, scale.load_for).await;
            let after = queries_per_second(&system.sdk, &floor, CONNECTIONS, half).await;
            let queries = f64::midpoint(before, after);
            rows.push(Row {
                collection: log.objects,
                place,
                requests_per_second: pages,
                queries_per_second: queries,
                ratio: queries / pages,
            });
        }
    }
    rows
}
