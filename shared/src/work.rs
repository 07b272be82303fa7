//! The work a task does: which request or event it serves, and what the tables charge for it. So
//! log lines and metrics say whose they are, whatever module writes them.

use std::future::Future;
use std::sync::Arc;

use crate::store::{Meter, Units};

tokio::task_local! {
    static WORK: Arc<Work>;
}

/// One request or event.
#[derive(Debug)]
pub struct Work {
    /// The id its answer and log lines carry.
    pub request_id: String,
    /// The trace it is part of (AWS X-Ray), if its caller began one.
    pub trace_id: Option<String>,
    meter: Meter,
}

impl Work {
    /// Work that has cost nothing yet.
    #[must_use]
    pub fn new(request_id: String, trace_id: Option<String>) -> Arc<Self> {
        Arc::new(Self { request_id, trace_id, meter: Meter::default() })
    }

    /// What the tables have charged for it so far.
    #[must_use]
    pub fn units(&self) -> Units {
        self.meter.units()
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }
}

/// Does `future` as part of `work`.
pub async fn doing<F: Future>(work: Arc<Work>, future: F) -> F::Output {
    WORK.scope(work, future).await
}

/// Does `step` as part of `work`: one poll of a body that is sent piece by piece.
pub(crate) fn stepping<T>(work: Arc<Work>, step: impl FnOnce() -> T) -> T {
    WORK.sync_scope(work, step)
}

/// What this task does, if that is a request or an event.
pub(crate) fn present() -> Option<Arc<Work>> {
    WORK.try_with(Arc::clone).ok()
}
