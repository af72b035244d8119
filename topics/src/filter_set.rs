//! Which of many filters match a topic.

use alloc::vec::Vec;
use core::hash::Hash;

use crate::filter::Filter;
use crate::owned::FilterBuf;
use crate::topic::Topic;

/// A map from filter and key to a value, which finds every entry whose filter matches a topic.
#[derive(Debug, Clone)]
pub struct FilterSet<K, V> {
    entries: Vec<(FilterBuf, K, V)>,
}

impl<K, V> Default for FilterSet<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<K: Eq + Hash, V> FilterSet<K, V> {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds an entry; gives back the value that filter and key had before.
    pub fn insert(&mut self, filter: Filter<'_>, key: K, value: V) -> Option<V> {
        match self
            .entries
            .iter_mut()
            .find(|entry| entry.1 == key && entry.0.as_filter() == filter)
        {
            Some(entry) => Some(core::mem::replace(&mut entry.2, value)),
            None => {
                self.entries.push((filter.to_buf(), key, value));
                None
            }
        }
    }

    /// Removes an entry; gives back its value.
    pub fn remove(&mut self, filter: Filter<'_>, key: &K) -> Option<V> {
        let at = self
            .entries
            .iter()
            .position(|entry| entry.1 == *key && entry.0.as_filter() == filter)?;
        Some(self.entries.swap_remove(at).2)
    }

    /// The value of filter and key.
    pub fn get(&self, filter: Filter<'_>, key: &K) -> Option<&V> {
        let found = self
            .entries
            .iter()
            .find(|entry| entry.1 == *key && entry.0.as_filter() == filter);
        found.map(|entry| &entry.2)
    }

    /// Every entry whose filter matches the topic, in no particular order. Allocates nothing.
    pub fn matches<'s>(&'s self, topic: Topic<'s>) -> impl Iterator<Item = (&'s K, &'s V)> {
        let matching = self.entries.iter().filter(move |entry| entry.0.matches(topic));
        matching.map(|entry| (&entry.1, &entry.2))
    }
}
