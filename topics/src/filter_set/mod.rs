//! Which of many filters match a topic.

mod entries;
mod hash;
mod index;
mod matches;
mod trie;

use core::fmt;
use core::hash::Hash;

pub use matches::Matches;

use crate::filter::Filter;
use crate::scan::Tail;
use crate::topic::Topic;

use entries::Entries;
use index::NONE;
use trie::{List, Trie};

/// A map from filter and key to a value, which finds every entry whose filter matches a topic.
///
/// It is a trie of levels: filters share the nodes of what they have in common. A node is 64 bytes and is found by
/// the hash of its path, so that finding one costs the same among thousands and among millions; looking for
/// matches allocates nothing and costs as much as the topic has levels, plus one visit for each wildcard on the way.
///
/// ```
/// use manywire_topics::{Channel, Dialect, Filter, FilterSet, Topic};
///
/// let channel = Channel::new(Dialect::Channels, None, "1")?;
/// let mut set = FilterSet::new();
/// set.insert(Filter::new(channel, "bedroom/*")?, "alice", 1);
/// set.insert(Filter::new(channel, ">")?, "bob", 0);
/// let mut who: Vec<_> = set.matches(Topic::new(channel, "bedroom/temperature")?).collect();
/// who.sort();
/// assert_eq!(who, [(&"alice", &1), (&"bob", &0)]);
/// # Ok::<(), manywire_topics::Error>(())
/// ```
#[derive(Clone)]
pub struct FilterSet<K, V> {
    trie: Trie,
    entries: Entries<K, V>,
}

impl<K, V> FilterSet<K, V> {
    /// An empty set.
    pub fn new() -> Self {
        Self::with_seed(0x243F_6A88_85A3_08D3)
    }

    /// An empty set whose hashes depend on `seed`: where strangers choose filters and topics, make it random, so that
    /// they cannot choose texts that collide.
    pub fn with_seed(seed: u64) -> Self {
        Self {
            trie: Trie::new(seed),
            entries: Entries::new(seed),
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes every entry.
    pub fn clear(&mut self) {
        *self = Self::with_seed(self.trie.seed());
    }

    /// Every entry whose filter matches the topic, in no particular order. Allocates nothing.
    #[inline]
    pub fn matches<'s, 't>(&'s self, topic: Topic<'t>) -> Matches<'s, 't, K, V> {
        Matches::new(self, topic)
    }
}

impl<K: Eq + Hash, V> FilterSet<K, V> {
    /// Adds an entry; gives back the value that filter and key had before.
    pub fn insert(&mut self, filter: Filter<'_>, key: K, value: V) -> Option<V> {
        let mut node = self.trie.channel_or_new(filter.channel());
        for level in filter.body() {
            node = self.trie.child_or_new(node, level);
        }
        let list = List::of(filter.tail());
        let place = list.at(node);
        if let Some(old) = self
            .entries
            .find(place, &key)
            .and_then(|id| self.entries.value_mut(id))
        {
            return Some(core::mem::replace(old, value));
        }
        let first = self.trie.node(node).map_or(NONE, |node| node.list(list));
        let entry = self.entries.add(place, first, key, value);
        if let Some(node) = self.trie.node_mut(node) {
            node.set_list(list, entry);
        }
        None
    }

    /// Removes an entry; gives back its value. What no other filter needs is freed.
    pub fn remove(&mut self, filter: Filter<'_>, key: &K) -> Option<V> {
        let (node, entry) = self.find(filter, key)?;
        let removed = self.entries.remove(entry)?;
        if let (Some(first), Some(node)) = (removed.first, self.trie.node_mut(node)) {
            node.set_list(List::of(filter.tail()), first);
        }
        self.trie.prune(node);
        Some(removed.value)
    }

    /// The value of filter and key.
    pub fn get(&self, filter: Filter<'_>, key: &K) -> Option<&V> {
        let (_, entry) = self.find(filter, key)?;
        self.entries.get(entry).map(|(_, value, _)| value)
    }

    /// The value of filter and key, to be changed.
    pub fn get_mut(&mut self, filter: Filter<'_>, key: &K) -> Option<&mut V> {
        let (_, entry) = self.find(filter, key)?;
        self.entries.value_mut(entry)
    }

    /// The node at which the filter ends, and its entry with this key.
    fn find(&self, filter: Filter<'_>, key: &K) -> Option<(u32, u32)> {
        let channel = filter.channel();
        let mut id = self.trie.channel(channel, self.trie.channel_hash(channel))?;
        for level in filter.body() {
            let node = self.trie.node(id)?;
            id = if level.is_one() {
                node.star
            } else {
                self.trie.child(id, node.hash.level(level), level)?
            };
        }
        let entry = self.entries.find(List::of(filter.tail()).at(id), key)?;
        Some((id, entry))
    }
}

impl List {
    fn of(tail: Tail) -> Self {
        match tail {
            Tail::Exact => Self::Exact,
            Tail::OneOrMore => Self::OneOrMore,
            Tail::ZeroOrMore => Self::ZeroOrMore,
        }
    }

    /// This list of a node, as one number.
    fn at(self, node: u32) -> u64 {
        u64::from(node) << 2 | self as u64
    }
}

impl<K, V> Default for FilterSet<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> fmt::Debug for FilterSet<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FilterSet({} entries)", self.len())
    }
}
