//! One connection: it says where it stands, tells what the log has to say, and, while that is
//! nothing, that it lives.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use shared::http::Call;
use shared::log::{CollectionId, LogId, Seen, Tailer};
use shared::services::{Defined, Services};
use shared::store::{Consistency, Store, StoreError};
use shared::time::Position;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::access::{self, Refusal, Visitor};
use crate::ask::Ask;
use crate::event_id::EventId;
use crate::frame::Frames;
use crate::knowledge::Knowledge;
use crate::metrics::Tally;
use crate::teller::Teller;

/// What a client waits before it comes again.
const RETRY: Duration = Duration::from_secs(1);

/// What it waits when it could not be served.
const LONG_RETRY: Duration = Duration::from_secs(30);

/// Clients take a connection for dead that says nothing for 45 s; they are told at least every 5.
const HEARTBEAT: Duration = Duration::from_millis(4_500);

/// The pause between polls: the first after something happened, and the longest.
const PACE: (Duration, Duration) = (Duration::from_millis(150), Duration::from_secs(1));

/// Whether the reader may still read is asked again after this long.
const CHECK: Duration = Duration::from_secs(30);

/// What takes longer is given up, so that the reader is told in time that the connection lives: a
/// look at the log, and the question whether it may still be read, one after the other.
const STALL: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));

/// Metrics are reported this often while a connection lasts.
const REPORT: Duration = Duration::from_mins(1);

/// A finite answer holds so many bytes: what a gateway takes in one piece.
const FINITE: usize = 4_000_000;

/// Leaves are kept so long: an older position cannot be resumed from.
const KEPT_MICROS: u64 = 30 * 86_400 * 1_000_000;

/// A connection.
pub struct Connection {
    services: Services,
    call: Arc<Call>,
    name: String,
    defined: Arc<Defined>,
    tailer: Tailer,
    teller: Teller,
    /// Entries that were read and not told yet.
    pending: VecDeque<Seen>,
    /// The first frame.
    greeting: Option<Bytes>,
    /// Where the reader stands while nothing was read.
    cursor: EventId,
    /// It ends once there was something to read, or after so long.
    finite: Option<Duration>,
    /// The last poll brought nothing.
    idle: bool,
    sent: usize,
    events: u32,
    ended: bool,
    asked: Instant,
    span: Duration,
    said: Instant,
    checked: Instant,
    pace: Duration,
    tally: Tally,
    reported: Instant,
}

/// Where a reader begins.
struct Start {
    cursor: EventId,
    after: Position,
    /// Up to here it is a replay.
    replay: Position,
    /// Up to here may lie what replaces versions that were passed over for the reader.
    unsure: Position,
    reset: bool,
}

impl Connection {
    /// A connection that lasts no longer than `span` from when it was `asked` for.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin(
        services: Services,
        call: Arc<Call>,
        defined: Arc<Defined>,
        ask: Ask,
        asked: Instant,
        span: Duration,
        finite: Option<Duration>,
    ) -> Result<Self, StoreError> {
        let begun = Instant::now();
        let store = services.store();
        let log = LogId::Collection(defined.collection.id);
        let ends = Ends::of(store, log).await?;
        let start = start(&ask, &ends, store.position_now());
        let live_only = ask.cursor.is_none();
        let seq = live_only.then_some(ends.seq + 1);
        let tailer = Tailer::new(store, log, start.after, seq).await?;
        let joins = ask.dependencies.unwrap_or(defined.collection.settings.stream.dependencies);
        let knowledge = Knowledge::new(start.after, start.replay, start.unsure);
        let teller = Teller::new(knowledge, start.replay, joins, ask.deletes);
        let mut frames = Frames::default();
        frames.connected(Some(start.cursor), RETRY, &ends.greeting(start.reset));
        Ok(Self {
            name: defined.collection.id.to_string(),
            greeting: Some(frames.take().into()),
            cursor: start.cursor,
            pending: VecDeque::new(),
            services,
            call,
            defined,
            tailer,
            teller,
            finite,
            idle: false,
            sent: 0,
            events: 0,
            ended: false,
            asked,
            span,
            said: begun,
            checked: begun,
            pace: PACE.0,
            tally: Tally { connections: 1, ..Tally::default() },
            reported: begun,
        })
    }

    /// The next frames, as soon as there are any; none when the connection ends.
    pub async fn next(&mut self) -> Option<Bytes> {
        if let Some(greeting) = self.greeting.take() {
            self.sent += greeting.len();
            return Some(greeting);
        }
        while !self.is_over() && self.may_go_on().await {
            let left = self.span.saturating_sub(self.asked.elapsed());
            let advanced = match timeout(left.min(STALL.0), self.advance()).await {
                Ok(advanced) => advanced,
                // What is under way at the end is told on the next connection.
                Err(_) if left <= STALL.0 => break,
                Err(_) => Err(StoreError::Unavailable(format!("no answer in {:?}", STALL.0))),
            };
            let stands_still = advanced.is_err();
            let made = advanced.unwrap_or_else(|error| {
                tracing::warn!(%error, "a stream stands still");
                self.pace = PACE.1;
                String::new()
            });
            self.report(false);
            if !made.is_empty() {
                return Some(self.say(made));
            }
            let nothing_more = self.idle || stands_still;
            if nothing_more && self.finite.is_some_and(|patience| self.is_done(patience)) {
                self.ended = true;
                return Some(self.heartbeat());
            }
            if self.said.elapsed() >= HEARTBEAT {
                return Some(self.heartbeat());
            }
            if self.pending.is_empty() || stands_still {
                self.pause().await;
            }
        }
        self.ended = true;
        None
    }

    /// Whether a finite answer may end, now that nothing more is to be read.
    fn is_done(&self, patience: Duration) -> bool {
        self.events > 0 || self.asked.elapsed() >= patience
    }

    fn is_over(&self) -> bool {
        let full = self.finite.is_some() && self.sent >= FINITE;
        self.ended || full || self.asked.elapsed() >= self.span
    }

    /// Tells what was read, or reads on. Nothing made is nothing to tell.
    async fn advance(&mut self) -> Result<String, StoreError> {
        if self.pending.is_empty() {
            let polled = self.tailer.poll().await?;
            self.idle = polled.entries.is_empty() && !polled.more;
            self.pace = if self.idle { (self.pace * 3 / 2).min(PACE.1) } else { Duration::ZERO };
            self.pending = polled.entries.into();
            if self.pending.is_empty() {
                return Ok(String::new());
            }
        }
        let told = self
            .teller
            .tell(&self.services, &self.defined, &self.tailer, &mut self.pending)
            .await?;
        self.tally.events += told.events;
        self.events += told.events;
        if let Some(oldest) = told.oldest_live {
            let now = self.services.store().position_now();
            let lag = Duration::from_micros(now.minus(oldest.micros()).micros());
            self.tally.lag = self.tally.lag.max(lag);
        }
        Ok(told.frames)
    }

    /// Waits for the next poll, but not beyond what has to be said or the end.
    async fn pause(&mut self) {
        let heartbeat = HEARTBEAT.saturating_sub(self.said.elapsed());
        let end = self.span.saturating_sub(self.asked.elapsed());
        let pace = self.pace.min(heartbeat).min(end);
        self.pace = self.pace.max(PACE.0);
        tokio::time::sleep(pace).await;
    }

    /// Whether the reader may still read, asked now and then: keys are revoked, streams stopped.
    async fn may_go_on(&mut self) -> bool {
        if self.checked.elapsed() < CHECK {
            return true;
        }
        self.checked = Instant::now();
        let readable = async {
            let visitor = Visitor::again(&self.services, &self.call).await?;
            access::readable(&self.services, &visitor, &self.name).await
        };
        // Who cannot be told now is told the next time.
        let Ok(readable) = timeout(STALL.1, readable).await else { return true };
        match readable {
            Ok(defined) => {
                self.defined = defined;
                true
            }
            Err(Refusal::Passing(_)) => true,
            // Coming again, the client is told why.
            Err(Refusal::Lasting(_)) => false,
        }
    }

    fn say(&mut self, frames: String) -> Bytes {
        self.said = Instant::now();
        self.sent += frames.len();
        frames.into()
    }

    /// Up to where everything was told.
    fn heartbeat(&mut self) -> Bytes {
        let told = match self.pending.front() {
            Some(next) => next.entry.position.minus(1),
            None => self.tailer.reached(),
        };
        if told > self.cursor.position() {
            self.cursor = self.teller.told_through(told);
        }
        let mut frames = Frames::default();
        frames.heartbeat(Some(self.cursor), self.services.store().now());
        self.say(frames.take())
    }

    fn report(&mut self, last: bool) {
        if last || self.reported.elapsed() >= REPORT {
            self.tally.lasted = self.reported.elapsed();
            self.reported = Instant::now();
            self.tally.report(self.defined.collection.id);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.report(true);
    }
}

/// What a reader that cannot be served now is answered: it is connected, and comes again later.
#[must_use]
pub fn put_off(ask: &Ask) -> Bytes {
    // Without a position, who asked for what comes would come again for all that ever came.
    let cursor = ask.cursor;
    let mut frames = Frames::default();
    frames.connected(cursor, LONG_RETRY, &json!({"connectionId": Uuid::new_v4()}));
    frames.heartbeat(cursor, chrono::Utc::now());
    frames.take().into()
}

/// Where a log begins and ends.
struct Ends {
    id: CollectionId,
    first: Position,
    last: Position,
    seq: u64,
}

impl Ends {
    async fn of(store: &Store, log: LogId) -> Result<Self, StoreError> {
        let LogId::Collection(id) = log else {
            return Err(StoreError::Damaged(format!("{log} is no collection's log")));
        };
        let (first, last) = tokio::try_join!(
            store.commits_from(log, 1, 2, Consistency::Eventual),
            store.last_commits(log, None, 1),
        )?;
        let last = last.first();
        Ok(Self {
            id,
            first: first.0.first().map(|(commit, _)| commit.first).unwrap_or_default(),
            last: last.map(|commit| commit.last).unwrap_or_default(),
            seq: last.map_or(0, |commit| commit.seq),
        })
    }

    fn greeting(&self, reset: bool) -> Value {
        let mut greeting = json!({
            "streamId": self.id.to_string(),
            "firstEventId": EventId::new(self.first, 0).to_string(),
            "firstEventDate": self.first.to_string(),
            "lastEventId": EventId::through(self.last).to_string(),
            "lastEventDate": self.last.to_string(),
            "streamSize": self.seq,
            "connectionId": Uuid::new_v4(),
        });
        if reset && let Some(members) = greeting.as_object_mut() {
            members.insert("reset".to_owned(), Value::Bool(true));
        }
        greeting
    }
}

fn start(ask: &Ask, ends: &Ends, now: Position) -> Start {
    let Some(cursor) = ask.cursor else {
        let cursor = EventId::through(ends.last);
        let never = Position::default();
        return Start { cursor, after: ends.last, replay: never, unsure: never, reset: false };
    };
    let kept = now.minus(KEPT_MICROS);
    let recover = ask.recover.unwrap_or_default();
    let position = cursor.position();
    // Who is still within its first replay lacks no deletes that were dropped.
    let replaying = position < recover && recover >= kept;
    let reset = position > Position::default() && position < kept && !replaying;
    if reset || position == Position::default() {
        let replay = recover.max(ends.last);
        let cursor = EventId::START;
        let zero = Position::default();
        return Start { cursor, after: zero, replay, unsure: zero, reset };
    }
    // A cursor ahead of the log comes from a clock: what is appended next is news all the same.
    let (cursor, after) = if position > ends.last {
        (EventId::through(ends.last), ends.last)
    } else {
        (cursor, cursor.read_after())
    };
    let replay = if position < recover { recover } else { Position::default() };
    let unsure = if cursor.has_passed() { ends.last } else { Position::default() };
    Start { cursor, after, replay, unsure, reset: false }
}

#[cfg(test)]
mod tests;
