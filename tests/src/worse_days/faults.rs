//! Which faults happen, how often, and to which requests.

use std::ops::RangeInclusive;
use std::time::Duration;

/// What may go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A write is not forwarded and its connection is cut.
    LostWrite,
    /// A write is not forwarded and answered 500 `InternalServerError`.
    FailedWrite,
    /// A write's connection is cut at once, and the write is done a while later all the same:
    /// perhaps after the client has sent it again.
    LateWrite,
    /// Not forwarded, and answered with `ProvisionedThroughputExceededException`.
    OverThroughput,
    /// Not forwarded, and answered with `ThrottlingException`.
    Throttled,
    /// A batch of keys or writes is done in part; the others come back as unprocessed.
    Unprocessed,
    /// Forwarded and done, but the connection is cut instead of answering.
    LostAnswer,
    /// Forwarded and done, but answered 500 `InternalServerError`.
    FailedAnswer,
    /// Answered late; part of the delay comes before the request is done, part after.
    Slow,
    /// An item of an eventually consistent read is shown as it was up to [`Faults::lag`] ago:
    /// with an older image, not at all, or though it was deleted. Each item for itself.
    StaleRead,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::LostWrite,
        Self::FailedWrite,
        Self::LateWrite,
        Self::OverThroughput,
        Self::Throttled,
        Self::Unprocessed,
        Self::LostAnswer,
        Self::FailedAnswer,
        Self::Slow,
        Self::StaleRead,
    ];

    /// With this probability, to every request it can happen to.
    pub fn at(self, chance: f64) -> Fault {
        Fault { kind: self, chance, spare: 0, times: None, only: Only::everything() }
    }

    /// To every request it can happen to.
    pub fn always(self) -> Fault {
        self.at(1.0)
    }

    /// To the next request it can happen to.
    pub fn once(self) -> Fault {
        self.always().times(1)
    }
}

/// A fault that happens by chance or by schedule.
#[derive(Debug, Clone)]
pub struct Fault {
    pub(super) kind: Kind,
    pub(super) chance: f64,
    pub(super) spare: usize,
    pub(super) times: Option<usize>,
    pub(super) only: Only,
}

impl Fault {
    /// Only to these requests.
    #[must_use]
    pub fn on(self, only: Only) -> Self {
        Self { only, ..self }
    }

    /// At most so often.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Not to the first `spare` requests it could happen to.
    #[must_use]
    pub fn after(self, spare: usize) -> Self {
        Self { spare, ..self }
    }
}

/// Which requests; all that is named must hold. A request of several items is meant if one of
/// them is.
#[derive(Debug, Clone, Default)]
pub struct Only {
    operations: Vec<String>,
    table: Option<String>,
    key: Option<String>,
}

impl Only {
    /// All requests for items.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Requests of this operation (`PutItem`), or of one named before.
    #[must_use]
    pub fn operation(mut self, name: &str) -> Self {
        self.operations.push(name.to_owned());
        self
    }

    /// Requests for tables whose name contains `part`, in any letter case (`objects`).
    #[must_use]
    pub fn table(self, part: &str) -> Self {
        Self { table: Some(part.to_lowercase()), ..self }
    }

    /// Requests for items whose key, spelt `partition/sort`, contains `part`. A Query is for
    /// `partition/`.
    #[must_use]
    pub fn key(self, part: &str) -> Self {
        Self { key: Some(part.to_owned()), ..self }
    }

    pub(super) fn means(&self, operation: &str, table: &str, key: &str) -> bool {
        let named = self.operations.iter().any(|name| name == operation);
        (self.operations.is_empty() || named)
            && self.table.as_ref().is_none_or(|part| table.to_lowercase().contains(part.as_str()))
            && self.key.as_ref().is_none_or(|part| key.contains(part.as_str()))
    }
}

/// All that goes wrong from now on. Of the faults that would take the answer's place, the first
/// that strikes does.
#[derive(Debug, Clone)]
pub struct Faults {
    /// Repeats a run, as far as its keys are the same.
    pub seed: u64,
    /// What goes wrong, in order.
    pub faults: Vec<Fault>,
    /// How late an answer of [`Kind::Slow`] is, and how late a [`Kind::LateWrite`] is done.
    pub slow: RangeInclusive<Duration>,
    /// How far back an eventually consistent read may see.
    pub lag: Duration,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self {
            seed: 0,
            faults: Vec::new(),
            slow: Duration::from_millis(20)..=Duration::from_millis(200),
            lag: Duration::from_millis(500),
        }
    }

    /// Every kind at a rate that the SDK's four attempts nearly always, but not always, survive.
    pub fn moderate(seed: u64) -> Self {
        let often = [Kind::Unprocessed, Kind::StaleRead].map(|kind| kind.at(0.3));
        let faults = Kind::ALL
            .into_iter()
            .filter(|kind| !matches!(kind, Kind::Unprocessed | Kind::StaleRead))
            .map(|kind| kind.at(0.03));
        Self { seed, faults: faults.chain(often).collect(), ..Self::none() }
    }

    /// The same and one fault more.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// One fault alone.
    pub fn only(fault: Fault) -> Self {
        Self::none().with(fault)
    }
}
