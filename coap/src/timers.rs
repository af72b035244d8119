use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

/// Deadlines by key: at most one for each key.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    deadlines: BTreeMap<K, Duration>,
    order: BTreeSet<(Duration, K)>,
}

impl<K: Copy + Ord> Timers<K> {
    pub(crate) const fn new() -> Self {
        Self {
            deadlines: BTreeMap::new(),
            order: BTreeSet::new(),
        }
    }

    pub(crate) fn set(&mut self, key: K, deadline: Duration) {
        if let Some(old) = self.deadlines.insert(key, deadline) {
            self.order.remove(&(old, key));
        }
        self.order.insert((deadline, key));
    }

    pub(crate) fn clear(&mut self, key: K) {
        if let Some(old) = self.deadlines.remove(&key) {
            self.order.remove(&(old, key));
        }
    }

    pub(crate) fn next(&self) -> Option<Duration> {
        self.order.first().map(|(deadline, _)| *deadline)
    }

    /// Takes the earliest key whose deadline is not after `now`.
    pub(crate) fn pop(&mut self, now: Duration) -> Option<K> {
        let &(deadline, key) = self.order.first()?;
        if deadline > now {
            return None;
        }
        self.clear(key);
        Some(key)
    }
}
