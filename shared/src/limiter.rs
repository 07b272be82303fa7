//! Rate and day limits that hold across all instances (contract: access, "Plans"): the count lies
//! in the store, and an instance takes a hundredth of the limit for itself with one write.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as BriefMutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::access::{Allowance, Caller, KeyId, Quota, Used, Window};
use crate::metric;
use crate::store::{Store, StoreError};

/// What the store may take to answer; after that the request is served.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a key's requests are then served without asking again.
const RESPITE: Duration = Duration::from_secs(5);
/// More keys than this are forgotten at once, and what they hold with them.
const MEMORY_BOUND: usize = 10_000;
/// The metric that counts requests served though their limit could not be looked up.
const FAILURES: &str = "LimiterFailures";

/// What an instance knows of its keys' limits.
#[derive(Debug, Default)]
pub struct Limiter {
    keys: BriefMutex<HashMap<KeyId, Arc<Mutex<Held>>>>,
}

/// What an instance holds of one key.
#[derive(Debug, Default)]
struct Held {
    /// What the store said last.
    used: Option<Used>,
    /// Requests that are counted in that window already and were not made yet.
    leased: u64,
    /// What the key was told last.
    told: Option<(Window, Quota)>,
    /// When the store could not be asked.
    failed: Option<Instant>,
}

/// A request more than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverLimit(pub Quota);

impl Limiter {
    /// Counts one request; answers with what to tell its caller, if its plan limits anything.
    ///
    /// # Errors
    /// When nothing is left, by a fresh look. If the store cannot be asked, the request counts as
    /// admitted; that is logged and reported.
    pub async fn admit(&self, store: &Store, caller: &Caller) -> Result<Option<Quota>, OverLimit> {
        let Some(allowed) = Allowance::of(&caller.plan.terms) else { return Ok(None) };
        let held = self.of(&caller.key);
        // One at a time for a key: the others wait for the same lease.
        let mut held = held.lock().await;
        let now = Window::of(store.now());
        if held.leased == 0 || held.used.is_none_or(|used| used.window < now) {
            held.leased = 0;
            if held.failed.is_some_and(|failed| failed.elapsed() < RESPITE) {
                return Ok(Some(held.serve_unlimited(now, allowed, "it just failed")));
            }
            match tokio::time::timeout(PATIENCE, held.lease(store, &caller.key, now, allowed)).await
            {
                Ok(Ok(())) => held.failed = None,
                Ok(Err(LeaseError::NoneLeft(quota))) => return Err(OverLimit(quota)),
                Ok(Err(LeaseError::Store(error))) => {
                    return Ok(Some(held.fail(now, allowed, &error.to_string())));
                }
                Err(_) => return Ok(Some(held.fail(now, allowed, "no answer in time"))),
            }
        }
        held.leased -= 1;
        let quota = held.used.map(|used| (used.window, allowed.quota(used, held.leased)));
        Ok(quota.map(|(window, quota)| held.tell(window, quota)))
    }

    fn of(&self, key: &KeyId) -> Arc<Mutex<Held>> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MEMORY_BOUND && !keys.contains_key(key) {
            keys.clear();
        }
        keys.entry(key.clone()).or_default().clone()
    }
}

enum LeaseError {
    NoneLeft(Quota),
    Store(StoreError),
}

impl Held {
    async fn lease(
        &mut self,
        store: &Store,
        key: &KeyId,
        now: Window,
        allowed: Allowance,
    ) -> Result<(), LeaseError> {
        // What was read in this very window is good enough to try; the write's condition decides.
        let mut seen = self.used.filter(|used| used.window >= now);
        let mut fresh = false;
        if seen.is_none() {
            seen = store.used(key).await.map_err(LeaseError::Store)?;
            fresh = true;
        }
        loop {
            // Where another instance's clock is ahead, its window is everybody's.
            let window = seen.map_or(now, |seen| seen.window.max(now));
            let used = Used { window: now, in_minute: 0, in_day: 0 };
            let used = seen.unwrap_or(used).seen_from(window);
            let left = allowed.left(used);
            if left == 0 && (fresh || self.is_spent(used)) {
                self.used = Some(used);
                return Err(LeaseError::NoneLeft(allowed.quota(used, 0)));
            }
            if left > 0 {
                let lease = allowed.lease().min(left);
                match store.use_up(key, seen, window, lease, allowed).await {
                    Ok(used) => {
                        self.used = Some(used);
                        self.leased = lease;
                        return Ok(());
                    }
                    // Somebody else was first, which happens no more often than there are
                    // requests in the limit.
                    Err(StoreError::Conflict) => {}
                    Err(error) => return Err(LeaseError::Store(error)),
                }
            }
            seen = store.used(key).await.map_err(LeaseError::Store)?;
            fresh = true;
        }
    }

    /// Whether a fresh look found nothing left in this window before: counts never fall in one.
    fn is_spent(&self, used: Used) -> bool {
        self.used == Some(used)
    }

    fn fail(&mut self, now: Window, allowed: Allowance, reason: &str) -> Quota {
        self.failed = Some(Instant::now());
        self.serve_unlimited(now, allowed, reason)
    }

    /// The request is served all the same, and told what was known last.
    fn serve_unlimited(&self, now: Window, allowed: Allowance, reason: &str) -> Quota {
        tracing::error!(reason, "a limit could not be looked up; the request is served");
        metric::count(FAILURES);
        let known = self.told.filter(|(window, _)| *window >= now).map(|(_, quota)| quota);
        known.unwrap_or_else(|| allowed.quota(Used { window: now, in_minute: 0, in_day: 0 }, 0))
    }

    /// What is told of what remains never rises within a window.
    fn tell(&mut self, window: Window, quota: Quota) -> Quota {
        let quota = match self.told {
            Some((told_in, told)) if told_in == window && told.remaining <= quota.remaining => {
                Quota { remaining: told.remaining.saturating_sub(1), ..told }
            }
            _ => quota,
        };
        self.told = Some((window, quota));
        quota
    }
}
