//! The nodes: one for each path that a filter has, found by the hash of the path.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::channel::Channel;
use crate::level::Level;

use super::hash::PathHash;
use super::index::{Index, NONE};

/// Which of a node's lists an entry is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// Of filters that end here.
    Exact,
    /// Of filters that go on with `>`.
    OneOrMore,
    /// Of filters that go on with `#`.
    ZeroOrMore,
}

/// A node fills one cache line.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub(super) struct Node {
    /// The hash of the path, which its children's hashes continue.
    pub(super) hash: PathHash,
    label: Label,
    /// The parent; in a free node, the next free one.
    pub(super) parent: u32,
    /// The child for `*`.
    pub(super) star: u32,
    /// How many other children there are.
    children: u32,
    /// The first entry of each list.
    lists: [u32; 3],
}

impl Node {
    #[inline]
    pub(super) fn list(&self, list: List) -> u32 {
        let [exact, one_or_more, zero_or_more] = self.lists;
        match list {
            List::Exact => exact,
            List::OneOrMore => one_or_more,
            List::ZeroOrMore => zero_or_more,
        }
    }

    pub(super) fn set_list(&mut self, list: List, entry: u32) {
        let [exact, one_or_more, zero_or_more] = &mut self.lists;
        match list {
            List::Exact => *exact = entry,
            List::OneOrMore => *one_or_more = entry,
            List::ZeroOrMore => *zero_or_more = entry,
        }
    }

    fn is_idle(&self) -> bool {
        self.children == 0 && self.star == NONE && self.lists == [NONE; 3]
    }
}

/// What leads from its parent to a node.
#[derive(Debug, Clone)]
enum Label {
    /// The wildcard for one level.
    Star,
    /// A level, or a channel.
    Short { len: u8, bytes: [u8; 30] },
    /// A longer one.
    Long(Box<[u8]>),
}

impl Label {
    fn new(bytes: &[u8]) -> Self {
        let mut short = [0; 30];
        match (short.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(start), Ok(len)) => {
                start.copy_from_slice(bytes);
                Self::Short { len, bytes: short }
            }
            _ => Self::Long(bytes.into()),
        }
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Star => &[],
            Self::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }

    #[inline]
    fn is_level(&self, level: Level<'_>) -> bool {
        match level.plain() {
            Some(text) => self.bytes() == text.as_bytes(),
            None => self.bytes().iter().copied().eq(level.bytes()),
        }
    }

    /// Whether it is dialect, domain, 0 and id.
    #[inline]
    fn is_channel(&self, channel: Channel<'_>) -> bool {
        let Some((dialect, rest)) = self.bytes().split_first() else {
            return false;
        };
        let domain = channel.domain_text().as_bytes();
        *dialect == channel.dialect() as u8
            && rest.strip_prefix(domain).and_then(|rest| rest.strip_prefix(&[0]))
                == Some(channel.id().as_bytes())
    }
}

/// The nodes, and where each is.
#[derive(Debug, Clone)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    index: Index,
    free: u32,
    seed: u64,
}

impl Trie {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            nodes: Vec::new(),
            index: Index::default(),
            free: NONE,
            seed,
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    #[inline]
    pub(super) fn node(&self, node: u32) -> Option<&Node> {
        self.nodes.get(node as usize)
    }

    pub(super) fn node_mut(&mut self, node: u32) -> Option<&mut Node> {
        self.nodes.get_mut(node as usize)
    }

    #[inline]
    pub(super) fn channel_hash(&self, channel: Channel<'_>) -> PathHash {
        let start = PathHash(self.seed ^ channel.dialect() as u64);
        let hash = if channel.domain_text().is_empty() {
            start
        } else {
            start.bytes(channel.domain_text().as_bytes())
        };
        hash.bytes(channel.id().as_bytes())
    }

    /// The node of a channel with this hash.
    #[inline]
    pub(super) fn channel(&self, channel: Channel<'_>, hash: PathHash) -> Option<u32> {
        self.index.find(hash.0 as u32, |id| {
            self.node(id)
                .is_some_and(|node| node.parent == NONE && node.label.is_channel(channel))
        })
    }

    /// The child of a node for a level; `hash` is that of the child's path.
    #[inline]
    pub(super) fn child(&self, parent: u32, hash: PathHash, level: Level<'_>) -> Option<u32> {
        self.index.find(hash.0 as u32, |id| {
            self.node(id)
                .is_some_and(|node| node.parent == parent && node.label.is_level(level))
        })
    }

    /// The node of a channel, made if there is none.
    pub(super) fn channel_or_new(&mut self, channel: Channel<'_>) -> u32 {
        let hash = self.channel_hash(channel);
        if let Some(node) = self.channel(channel, hash) {
            return node;
        }
        let (domain, id) = (channel.domain_text().as_bytes(), channel.id().as_bytes());
        let label: Vec<u8> = [&[channel.dialect() as u8], domain, &[0], id].concat();
        self.add(hash, NONE, Label::new(&label))
    }

    /// The child of a node for a level, which may be the wildcard, made if there is none.
    pub(super) fn child_or_new(&mut self, parent: u32, level: Level<'_>) -> u32 {
        let Some(node) = self.node(parent) else {
            return NONE;
        };
        let (hash, star) = (node.hash, node.star);
        if level.is_one() {
            if star != NONE {
                return star;
            }
            let star = self.add(hash.star(), parent, Label::Star);
            if let Some(node) = self.node_mut(parent) {
                node.star = star;
            }
            return star;
        }
        let hash = hash.level(level);
        if let Some(child) = self.child(parent, hash, level) {
            return child;
        }
        let label = match level.plain() {
            Some(text) => Label::new(text.as_bytes()),
            None => Label::new(&level.bytes().collect::<Vec<u8>>()),
        };
        if let Some(node) = self.node_mut(parent) {
            node.children += 1;
        }
        self.add(hash, parent, label)
    }

    fn add(&mut self, hash: PathHash, parent: u32, label: Label) -> u32 {
        let is_star = matches!(label, Label::Star);
        let node = Node {
            hash,
            label,
            parent,
            star: NONE,
            children: 0,
            lists: [NONE; 3],
        };
        let id = match self.nodes.get_mut(self.free as usize) {
            Some(free) => {
                let id = self.free;
                self.free = free.parent;
                *free = node;
                id
            }
            None => {
                // Four billion nodes are 256 GiB: memory ends first.
                let id = u32::try_from(self.nodes.len()).unwrap_or(NONE);
                self.nodes.push(node);
                id
            }
        };
        if !is_star {
            self.index.insert(hash.0 as u32, id);
        }
        id
    }

    /// Removes a node that nothing needs any more, and its ancestors likewise.
    pub(super) fn prune(&mut self, mut id: u32) {
        while let Some(node) = self.nodes.get_mut(id as usize) {
            if !node.is_idle() {
                return;
            }
            let parent = node.parent;
            let is_star = matches!(node.label, Label::Star);
            let hash = node.hash;
            node.label = Label::Star;
            node.parent = self.free;
            self.free = id;
            if !is_star {
                self.index.remove(hash.0 as u32, id);
            }
            if let Some(node) = self.nodes.get_mut(parent as usize) {
                if is_star {
                    node.star = NONE;
                } else {
                    node.children -= 1;
                }
            }
            id = parent;
        }
    }
}
