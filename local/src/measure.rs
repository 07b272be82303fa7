//! What pages of a collection cost: read units, as the tables charge them, and time. The figures
//! in the README come from here.

use std::fmt;
use std::time::{Duration, Instant};

use reqwest::Client;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::Value;
use thiserror::Error;

use crate::http_client::{self, HttpClientError};
use crate::serve::{Options, Running, StartError, Storage, start};

/// IOCs sent in one request.
const PER_REQUEST: usize = 250;
/// How often each page is read; the median is reported.
const READINGS: usize = 21;
/// How long the logs may take to hold everything.
const PATIENCE: Duration = Duration::from_mins(10);

/// The tables are quiet when they charge nothing for this long.
const QUIET: Duration = Duration::from_secs(1);

/// The most read units a page may cost (contract: taxii, "Cost").
const BOUNDS: [(usize, f64); 2] = [(100, 12.0), (1000, 40.0)];

/// Why nothing was measured.
#[derive(Debug, Error)]
pub enum MeasureError {
    /// The service does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The service cannot be asked.
    #[error(transparent)]
    Client(#[from] HttpClientError),
    /// A request failed.
    #[error("a request failed: {0}")]
    Request(#[from] reqwest::Error),
    /// An answer was not as expected.
    #[error("{0}")]
    Answer(String),
}

/// One kind of page.
#[derive(Debug, Clone)]
pub struct Row {
    /// Objects asked for.
    pub limit: usize,
    /// From where.
    pub place: &'static str,
    /// Read units of one page, the most that was seen.
    pub units: f64,
    /// Median time of one page.
    pub time: Duration,
    /// The most units the contract allows.
    pub bound: f64,
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct Report {
    /// Objects in the collection.
    pub objects: usize,
    /// Objects accepted and visible a second.
    pub per_second: f64,
    /// Write units each object took, all logs included.
    pub write_units: f64,
    /// The pages.
    pub rows: Vec<Row>,
}

impl Report {
    /// Whether every page kept its bound.
    #[must_use]
    pub fn within_bounds(&self) -> bool {
        self.rows.iter().all(|row| row.units <= row.bound)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} indicators, {:.0} a second from request to log, {:.2} write units each\n",
            self.objects, self.per_second, self.write_units
        )?;
        writeln!(f, "| page | from | read units | at most | ms |")?;
        writeln!(f, "|---:|---|---:|---:|---:|")?;
        for row in &self.rows {
            let ms = row.time.as_secs_f64() * 1000.0;
            let Row { limit, place, units, bound, .. } = row;
            writeln!(f, "| {limit} | {place} | {units:.1} | {bound:.0} | {ms:.1} |")?;
        }
        Ok(())
    }
}

/// Starts a service in memory, loads `objects` generated indicators, and reads pages.
///
/// # Errors
/// When the service does not start or does not answer as it should.
pub async fn measure(objects: usize) -> Result<Report, MeasureError> {
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let running = start(Options { listen, storage: Storage::InMemory, demo: false }).await?;
    let measured = Measuring::new(&running)?.run(objects).await;
    running.stop().await;
    measured
}

struct Measuring<'a> {
    running: &'a Running,
    client: Client,
    objects_url: String,
}

struct Page {
    count: usize,
    next: Option<String>,
    last: Option<String>,
}

impl<'a> Measuring<'a> {
    fn new(running: &'a Running) -> Result<Self, MeasureError> {
        let client = http_client::to(&running.base_url)?;
        let collection = &running.demo_collection;
        let objects_url =
            format!("{}/taxii2/intel/collections/{collection}/objects/", running.base_url);
        Ok(Self { running, client, objects_url })
    }

    async fn run(&self, objects: usize) -> Result<Report, MeasureError> {
        let before = self.running.services.store().units();
        let begun = Instant::now();
        for first in (0..objects).step_by(PER_REQUEST) {
            self.send(first, PER_REQUEST.min(objects - first)).await?;
        }
        let (middle, nearly_last) = self.walk(objects).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let written = self.running.services.store().units() - before;
        self.until_quiet().await?;
        let mut rows = Vec::new();
        for (limit, bound) in BOUNDS {
            let size = ("limit", limit.to_string());
            let places = [
                ("the beginning", vec![size.clone()]),
                ("the middle, by `next`", vec![size.clone(), ("next", middle.0.clone())]),
                (
                    "the middle, by `added_after`",
                    vec![size.clone(), ("added_after", middle.1.clone())],
                ),
                (
                    "near the end, by `added_after`",
                    vec![size, ("added_after", nearly_last.clone())],
                ),
            ];
            for (place, query) in places {
                let (units, time) = self.read_often(&query).await?;
                rows.push(Row { limit, place, units, time, bound });
            }
        }
        #[allow(clippy::cast_precision_loss)]
        let count = objects as f64;
        Ok(Report {
            objects,
            per_second: count / seconds,
            write_units: written.write / count,
            rows,
        })
    }

    async fn send(&self, first: usize, count: usize) -> Result<(), MeasureError> {
        let body: String = (first..first + count).map(ioc).collect();
        let answer = self
            .client
            .post(format!("{}/api/v1/iocs", self.running.base_url))
            .header("x-api-key", &self.running.keys.writer)
            .header("content-type", "application/x-ndjson")
            .body(body)
            .send()
            .await?;
        let status = answer.status();
        let report: Value = answer.json().await?;
        if report["created"] != count {
            return Err(MeasureError::Answer(format!("{status}: {count} sent: {report}")));
        }
        Ok(())
    }

    async fn page(&self, query: &[(&str, String)]) -> Result<Page, MeasureError> {
        let request = self.client.get(&self.objects_url).query(query);
        let answer = request.header("x-api-key", &self.running.keys.reader).send().await?;
        let last = header(answer.headers(), "x-taxii-date-added-last");
        let status = answer.status();
        let body: Value = answer.json().await?;
        if !status.is_success() {
            return Err(MeasureError::Answer(format!("{status}: {body}")));
        }
        let count = body["objects"].as_array().map_or(0, Vec::len);
        let next = body["next"].as_str().map(str::to_owned);
        Ok(Page { count, next, last })
    }

    /// Waits until the functions behind the logs read and write nothing more: the meter is the whole
    /// service's and would count their units with those of the pages.
    async fn until_quiet(&self) -> Result<(), MeasureError> {
        let store = self.running.services.store();
        let begun = Instant::now();
        let mut known = store.units();
        loop {
            tokio::time::sleep(QUIET).await;
            let now = store.units();
            if now == known {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(MeasureError::Answer("the tables never came to rest".into()));
            }
            known = now;
        }
    }

    /// Reads everything once, waiting for what is not there yet. Returns the middle, as a cursor
    /// and as a time, and a time a page of the largest size before the end.
    async fn walk(&self, objects: usize) -> Result<((String, String), String), MeasureError> {
        let begun = Instant::now();
        let mut seen = 0;
        let mut from: Option<String> = None;
        let mut middle = None;
        let mut nearly_last = None;
        while seen < objects {
            let mut query = vec![("limit", "1000".to_owned())];
            query.extend(from.clone().map(|after| ("added_after", after)));
            let page = self.page(&query).await?;
            if begun.elapsed() > PATIENCE {
                return Err(MeasureError::Answer(format!("{seen} of {objects} became visible")));
            }
            if page.count == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
            seen += page.count;
            let last = page.last.ok_or_else(|| MeasureError::Answer("no date added".into()))?;
            if let (Some(next), None, true) = (page.next, &middle, seen * 2 >= objects) {
                middle = Some((next, last.clone()));
            }
            if seen + 1000 <= objects {
                nearly_last = Some(last.clone());
            }
            from = Some(last);
        }
        let too_few = || MeasureError::Answer("measure at least 3000 objects".into());
        Ok((middle.ok_or_else(too_few)?, nearly_last.ok_or_else(too_few)?))
    }

    async fn read_often(&self, query: &[(&str, String)]) -> Result<(f64, Duration), MeasureError> {
        let mut units = 0.0_f64;
        let mut times = Vec::with_capacity(READINGS);
        for _ in 0..READINGS {
            let before = self.running.services.store().units();
            let begun = Instant::now();
            self.page(query).await?;
            times.push(begun.elapsed());
            units = units.max((self.running.services.store().units() - before).read);
        }
        times.sort();
        Ok((units, times[READINGS / 2]))
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(HeaderValue::to_str)?.ok().map(str::to_owned)
}

/// An IOC as lists have them: a name nobody can guess, a tag and a source many share.
fn ioc(number: usize) -> String {
    // A fixed scramble: the same objects at every run, no two alike.
    let scrambled = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    format!(
        "{{\"type\":\"domain\",\"value\":\"{scrambled:016x}.example.com\",\"source\":\"list {}\",\"tags\":[\"family-{}\"],\"confidence\":\"medium\"}}\n",
        number % 3,
        number % 41
    )
}
