//! One connection: it says where it stands, tells what the log has to say, and, while that is
//! nothing, that it lives.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use shared::http::{Call, MAX_ENCODED_BYTES, encoded_bytes};
use shared::log::{CollectionId, LogId, Seen, Tailer};
use shared::services::{Defined, Services};
use shared::store::{Consistency, Store, StoreError};
use shared::time::Position;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::access::{self, Refusal, Visitor};
use crate::ask::Ask;
use crate::event_id::{EventId, Stamp};
use crate::frame::Frames;
use crate::knowledge::Knowledge;
use crate::metrics::Tally;
use crate::teller::{Teller, Told};

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

/// A finite answer is long enough with so many bytes; more than [`MAX_ENCODED_BYTES`] a gateway
/// does not take in one piece.
const FINITE: usize = 3_500_000;

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
    /// Bytes sent, as a finite answer counts them.
    sent: usize,
    /// There was something after the first frame.
    has_said: bool,
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
    stamp: Stamp,
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
        let mut teller = Teller::new(knowledge, start.stamp, start.replay, joins, ask.deletes);
        if live_only {
            teller.is_current_at(store.position_now());
        }
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
            has_said: false,
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
            self.sent += 2 * greeting.len();
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
            let told = advanced.unwrap_or_else(|error| {
                tracing::warn!(%error, "a stream stands still");
                self.pace = PACE.1;
                Told::default()
            });
            self.report(false);
            if !told.frames.is_empty() {
                // A group alone always fits; what does not now comes first on the next connection.
                let bytes = self.sent + encoded_bytes(&told.frames);
                if self.finite.is_some() && self.has_said && bytes > MAX_ENCODED_BYTES {
                    break;
                }
                self.count(&told);
                return Some(self.say(told.frames));
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
    async fn advance(&mut self) -> Result<Told, StoreError> {
        if self.pending.is_empty() {
            let polled = self.tailer.poll().await?;
            self.idle = polled.entries.is_empty() && !polled.more;
            self.pace = if self.idle { (self.pace * 3 / 2).min(PACE.1) } else { Duration::ZERO };
            self.pending = polled.entries.into();
            if self.idle {
                self.teller.is_current_at(self.services.store().position_now());
            }
            if self.pending.is_empty() {
                return Ok(Told::default());
            }
        }
        self.teller.tell(&self.services, &self.defined, &self.tailer, &mut self.pending).await
    }

    fn count(&mut self, told: &Told) {
        self.tally.events += told.events;
        self.events += told.events;
        if let Some(oldest) = told.oldest_live {
            let now = self.services.store().position_now();
            let lag = Duration::from_micros(now.minus(oldest.micros()).micros());
            self.tally.lag = self.tally.lag.max(lag);
        }
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
        self.has_said = true;
        self.sent += encoded_bytes(&frames);
        frames.into()
    }

    /// Up to where everything was told.
    fn heartbeat(&mut self) -> Bytes {
        let told = match self.pending.front() {
            Some(next) => next.entry.position.minus(1),
            None => self.tailer.reached(),
        };
        // The same position says more once all there is was read.
        if told >= self.cursor.position() {
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
    let never = Position::default();
    let Some(cursor) = ask.cursor else {
        let (after, stamp) = (ends.last, Stamp::anew(now));
        let cursor = stamp.id(EventId::through(after));
        return Start { cursor, after, replay: never, unsure: never, reset: false, stamp };
    };
    let kept = now.minus(KEPT_MICROS);
    let recover = ask.recover.unwrap_or_default();
    let position = cursor.position();
    // Behind the last entry there are no leaves, however long ago that was.
    let at_end = position >= ends.last;
    // Who is still within its first replay lacks no leaves that were dropped.
    let replaying = position < recover && recover >= kept;
    let behind = !at_end && !replaying && cursor.lacks_none_before() < kept;
    let reset = position > never && behind;
    if reset || position == never {
        let replay = recover.max(ends.last);
        let (cursor, stamp) = (EventId::START, Stamp::anew(now));
        return Start { cursor, after: never, replay, unsure: never, reset, stamp };
    }
    let stamp = if at_end { Stamp::anew(now) } else { Stamp::new(now, cursor.day()) };
    // A cursor ahead of the log comes from a clock: what is appended next is news all the same.
    let (cursor, after) = if position > ends.last {
        (stamp.id(EventId::through(ends.last)), ends.last)
    } else {
        (cursor, cursor.read_after())
    };
    let replay = if position < recover { recover } else { never };
    let unsure = if cursor.has_passed() { ends.last } else { never };
    Start { cursor, after, replay, unsure, reset: false, stamp }
}

#[cfg(test)]
mod tests;
