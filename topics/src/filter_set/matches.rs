//! The walk that finds every entry for a topic.

use crate::MAX_LEVELS;
use crate::level::Levels;
use crate::topic::Topic;

use super::FilterSet;
use super::hash::PathHash;
use super::index::NONE;
use super::trie::List;

/// Every entry of a [`FilterSet`] whose filter matches a topic.
///
/// A depth-first walk without a stack: at each depth a bit says whether the wildcard child is still to be tried, and
/// the way back is the parents.
pub struct Matches<'s, 't, K, V> {
    set: &'s FilterSet<K, V>,
    topic: Topic<'t>,
    /// The entry that is next, and the list that is next after its own.
    entry: u32,
    list: u32,
    /// The node that was entered last, how many levels lead to it, and the levels behind the one below it.
    node: u32,
    depth: u8,
    levels: Levels<'t>,
    /// Its child that is to be entered next, if any, and the hash of the path to it. The hash is computed from the
    /// topic alone, not read from the nodes, so that the processor can fetch what is deeper while it waits for this.
    child: u32,
    hash: PathHash,
    /// Bit `d` is set while the wildcard child of the node at depth `d` is to be tried.
    pending: u128,
    /// How many bytes of the topic are behind the level below the node at depth `d`.
    behind: [u16; MAX_LEVELS],
}

impl<'s, 't, K, V> Matches<'s, 't, K, V> {
    #[inline]
    pub(super) fn new(set: &'s FilterSet<K, V>, topic: Topic<'t>) -> Self {
        let mut matches = Self {
            set,
            topic,
            entry: NONE,
            list: NONE,
            node: NONE,
            depth: 0,
            levels: topic.levels(),
            child: NONE,
            hash: PathHash(0),
            pending: 0,
            behind: [0; MAX_LEVELS],
        };
        let hash = set.trie.channel_hash(topic.channel());
        if let Some(channel) = set.trie.channel(topic.channel(), hash) {
            matches.enter(channel, hash);
        }
        matches
    }

    /// Enters a node: queues its lists and chooses the child after it.
    #[inline]
    fn enter(&mut self, id: u32, hash: PathHash) {
        let Some(node) = self.set.trie.node(id) else {
            return;
        };
        self.node = id;
        self.entry = node.list(List::ZeroOrMore);
        let Some(level) = self.levels.next() else {
            self.list = node.list(List::Exact);
            self.child = NONE;
            return;
        };
        self.list = node.list(List::OneOrMore);
        self.hash = hash.level(level);
        self.child = self.set.trie.child(id, self.hash, level).unwrap_or(NONE);
        if node.star == NONE {
            return;
        }
        if self.child == NONE {
            self.child = node.star;
            self.hash = hash.star();
            return;
        }
        self.pending |= 1 << self.depth;
        if let Some(behind) = self.behind.get_mut(usize::from(self.depth)) {
            // A topic has at most 65,535 bytes.
            *behind = self.levels.bytes_left() as u16;
        }
    }

    /// Goes back to the deepest node whose wildcard child is to be tried, and chooses that child.
    fn turn_back(&mut self) -> bool {
        let Some(depth) = self.pending.checked_ilog2() else {
            return false;
        };
        self.pending &= !(1 << depth);
        let mut id = self.node;
        for _ in depth..u32::from(self.depth) {
            id = self.set.trie.node(id).map_or(NONE, |node| node.parent);
        }
        let Some(node) = self.set.trie.node(id) else {
            return false;
        };
        self.node = id;
        self.depth = depth as u8;
        self.child = node.star;
        self.hash = node.hash.star();
        let behind = self.behind.get(depth as usize).copied().unwrap_or(0);
        self.levels = self.topic.levels().last_bytes(behind.into());
        true
    }
}

impl<'s, K, V> Iterator for Matches<'s, '_, K, V> {
    type Item = (&'s K, &'s V);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.entry == NONE {
                self.entry = core::mem::replace(&mut self.list, NONE);
            }
            if self.entry != NONE {
                let (key, value, next) = self.set.entries.get(self.entry)?;
                self.entry = next;
                return Some((key, value));
            }
            if self.child == NONE && !self.turn_back() {
                return None;
            }
            self.depth += 1;
            self.enter(self.child, self.hash);
        }
    }
}

impl<K, V> core::iter::FusedIterator for Matches<'_, '_, K, V> {}

impl<K, V> core::fmt::Debug for Matches<'_, '_, K, V> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "Matches({:?})", self.topic)
    }
}
