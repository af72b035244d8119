//! The entries: keys and values in lists, one list for each end of a filter.

use alloc::vec::Vec;
use core::hash::Hash;

use super::hash;
use super::index::{Index, NONE};

#[derive(Debug, Clone)]
struct Entry<K, V> {
    key: K,
    value: V,
    /// The node and list it is in, as one number.
    list: u64,
    next: u32,
    previous: u32,
}

#[derive(Debug, Clone)]
enum Place<K, V> {
    Used(Entry<K, V>),
    /// And the next free one.
    Free(u32),
}

/// All entries, and where each is.
#[derive(Debug, Clone)]
pub(super) struct Entries<K, V> {
    places: Vec<Place<K, V>>,
    index: Index,
    free: u32,
    len: usize,
    seed: u64,
}

/// What became of a list when an entry left it.
pub(super) struct Removed<V> {
    pub(super) value: V,
    /// The new first entry, if it was the first.
    pub(super) first: Option<u32>,
}

impl<K, V> Entries<K, V> {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            places: Vec::new(),
            index: Index::default(),
            free: NONE,
            len: 0,
            seed,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Key and value of an entry, and the next one of its list.
    #[inline]
    pub(super) fn get(&self, id: u32) -> Option<(&K, &V, u32)> {
        match self.places.get(id as usize)? {
            Place::Used(entry) => Some((&entry.key, &entry.value, entry.next)),
            Place::Free(_) => None,
        }
    }

    fn entry(&self, id: u32) -> Option<&Entry<K, V>> {
        match self.places.get(id as usize)? {
            Place::Used(entry) => Some(entry),
            Place::Free(_) => None,
        }
    }

    fn entry_mut(&mut self, id: u32) -> Option<&mut Entry<K, V>> {
        match self.places.get_mut(id as usize)? {
            Place::Used(entry) => Some(entry),
            Place::Free(_) => None,
        }
    }

    pub(super) fn value_mut(&mut self, id: u32) -> Option<&mut V> {
        self.entry_mut(id).map(|entry| &mut entry.value)
    }
}

impl<K: Eq + Hash, V> Entries<K, V> {
    /// The entry with this key in this list.
    pub(super) fn find(&self, list: u64, key: &K) -> Option<u32> {
        let hash = hash::of_key(key, self.seed, list);
        self.index.find(hash, |id| {
            self.entry(id)
                .is_some_and(|entry| entry.list == list && entry.key == *key)
        })
    }

    /// Adds an entry before `next`, the first of its list so far; it is the new first.
    pub(super) fn add(&mut self, list: u64, next: u32, key: K, value: V) -> u32 {
        let hash = hash::of_key(&key, self.seed, list);
        let used = Place::Used(Entry {
            key,
            value,
            list,
            next,
            previous: NONE,
        });
        let id = match self.places.get_mut(self.free as usize) {
            Some(place) => {
                let id = self.free;
                self.free = if let Place::Free(next) = place {
                    *next
                } else {
                    NONE
                };
                *place = used;
                id
            }
            None => {
                let id = u32::try_from(self.places.len()).unwrap_or(NONE);
                self.places.push(used);
                id
            }
        };
        if let Some(entry) = self.entry_mut(next) {
            entry.previous = id;
        }
        self.index.insert(hash, id);
        self.len += 1;
        id
    }

    /// Takes an entry out of its list.
    pub(super) fn remove(&mut self, id: u32) -> Option<Removed<V>> {
        let hash = self
            .entry(id)
            .map(|entry| hash::of_key(&entry.key, self.seed, entry.list))?;
        let place = self.places.get_mut(id as usize)?;
        let Place::Used(entry) = core::mem::replace(place, Place::Free(self.free)) else {
            return None;
        };
        self.free = id;
        self.index.remove(hash, id);
        self.len -= 1;
        if let Some(next) = self.entry_mut(entry.next) {
            next.previous = entry.previous;
        }
        if let Some(previous) = self.entry_mut(entry.previous) {
            previous.next = entry.next;
        }
        Some(Removed {
            value: entry.value,
            first: (entry.previous == NONE).then_some(entry.next),
        })
    }
}
