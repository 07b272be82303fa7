//! Reads that many ask for at the same time, made once for all of them: connections of one
//! process that follow the same log ask the same at the same moments.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::time::timeout;

use super::StoreError;

/// A reading waits so long for the one before it.
const PATIENCE: Duration = Duration::from_secs(1);

type Reading<V> = Shared<BoxFuture<'static, Result<V, StoreError>>>;

/// Readings by what is asked for.
pub(super) struct Together<K, V>(Mutex<HashMap<K, Turns<V>>>);

/// One reading at a time, and the one that begins after it.
struct Turns<V> {
    /// Held by who reads.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// It has not begun, so it sees what was written before anybody who joins it asked.
    next: Option<Reading<V>>,
}

impl<K, V> Together<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// What `read` gives, or another's reading of the same that begins after this call: it is as
    /// new as a reading of one's own. While one is under way, all who ask wait for the next.
    pub(super) async fn read<F>(self: &Arc<Self>, key: K, read: F) -> Result<V, StoreError>
    where
        F: Future<Output = Result<V, StoreError>> + Send + 'static,
    {
        let mut joined = Joined { together: self, reading: None, key: &key };
        joined.reading = Some(self.join(&key, read));
        match &joined.reading {
            Some(reading) => reading.clone().await,
            None => Err(StoreError::Unavailable("nobody reads".to_owned())),
        }
    }

    fn join<F>(self: &Arc<Self>, key: &K, read: F) -> Reading<V>
    where
        F: Future<Output = Result<V, StoreError>> + Send + 'static,
    {
        let mut readings = self.readings();
        let turns = readings.entry(key.clone()).or_default();
        let (turn, together, key) = (Arc::clone(&turns.turn), Arc::clone(self), key.clone());
        let begin = || {
            let reading = async move {
                // Where the one before does not come back, this one does not wait for it.
                let _turn = timeout(PATIENCE, turn.lock()).await.ok();
                // Who asks from now on may know of what this reading does not see.
                if let Some(turns) = together.readings().get_mut(&key) {
                    turns.next = None;
                }
                read.await
            };
            reading.boxed().shared()
        };
        turns.next.get_or_insert_with(begin).clone()
    }

    fn readings(&self) -> MutexGuard<'_, HashMap<K, Turns<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits for a reading. Whether or not it waits to the end, nothing is left of a
/// reading that nobody waits for.
struct Joined<'a, K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    together: &'a Together<K, V>,
    reading: Option<Reading<V>>,
    key: &'a K,
}

impl<K, V> Drop for Joined<'_, K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn drop(&mut self) {
        self.reading = None;
        let mut readings = self.together.readings();
        let Some(turns) = readings.get_mut(self.key) else { return };
        let forsaken = turns.next.take_if(|next| next.strong_count().is_none_or(|count| count < 2));
        let over = turns.next.is_none()
            && Arc::strong_count(&turns.turn) < 2 + usize::from(forsaken.is_some());
        let turns = over.then(|| readings.remove(self.key));
        // What they hold may hold this.
        drop(readings);
        drop((forsaken, turns));
    }
}

impl<V> Default for Turns<V> {
    fn default() -> Self {
        Self { turn: Arc::default(), next: None }
    }
}

impl<K, V> Default for Together<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K, V> fmt::Debug for Together<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Together")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    #[derive(Default)]
    struct Source {
        reads: AtomicU32,
        go_on: Notify,
    }

    impl Source {
        async fn read(self: Arc<Self>) -> Result<u32, StoreError> {
            let number = self.reads.fetch_add(1, Ordering::SeqCst);
            self.go_on.notified().await;
            Ok(number)
        }
    }

    #[tokio::test]
    async fn who_asks_while_one_reads_waits_for_the_next_with_all_others() {
        let (together, source) = (Arc::new(Together::default()), Arc::new(Source::default()));
        let ask = || {
            let (together, source) = (Arc::clone(&together), Arc::clone(&source));
            tokio::spawn(async move { together.read("a", source.read()).await.unwrap() })
        };
        let first = ask();
        while source.reads.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let others: Vec<_> = (0..5).map(|_| ask()).collect();
        tokio::task::yield_now().await;
        assert_eq!(source.reads.load(Ordering::SeqCst), 1);
        source.go_on.notify_one();
        assert_eq!(first.await.unwrap(), 0);
        source.go_on.notify_one();
        assert!(join_all(others).await.into_iter().all(|number| number.unwrap() == 1));
        assert!(together.readings().is_empty());
    }

    #[tokio::test]
    async fn who_does_not_come_back_holds_nobody_up() {
        let (together, source) = (Arc::new(Together::default()), Arc::new(Source::default()));
        let mut stuck = Box::pin(together.read("a", Arc::clone(&source).read()));
        assert!(futures::poll!(&mut stuck).is_pending());
        let read = async { Ok(7) };
        assert_eq!(together.read("a", read).await.unwrap(), 7);
        drop(stuck);
        assert!(together.readings().is_empty());
    }

    #[tokio::test]
    async fn nothing_is_left_of_who_gave_up() {
        let (together, source) = (Arc::new(Together::default()), Arc::new(Source::default()));
        let mut first = Box::pin(together.read("a", Arc::clone(&source).read()));
        assert!(futures::poll!(&mut first).is_pending());
        let mut second = Box::pin(together.read("a", Arc::clone(&source).read()));
        assert!(futures::poll!(&mut second).is_pending());
        drop(second);
        drop(first);
        assert!(together.readings().is_empty());
        assert_eq!(source.reads.load(Ordering::SeqCst), 1);
        assert_eq!(Arc::strong_count(&together), 1);
    }
}
