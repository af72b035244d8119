//! An open-addressed table from hash to id; what an id means, and which of equal hashes is meant, the caller knows.

use alloc::vec;
use alloc::vec::Vec;

/// No node, no entry.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    id: u32,
}

const EMPTY: Slot = Slot { hash: 0, id: NONE };

/// Linear probing at most three quarters full; removal shifts back, so that nothing is left of what was removed.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// Empty, or a power of two long.
    slots: Vec<Slot>,
    len: usize,
}

impl Index {
    #[inline]
    fn mask(&self) -> usize {
        self.slots.len().wrapping_sub(1)
    }

    /// The id with this hash that is the one.
    #[inline]
    pub(super) fn find(&self, hash: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut at = hash as usize & self.mask();
        loop {
            let slot = self.slots.get(at)?;
            if slot.id == NONE {
                return None;
            }
            if slot.hash == hash && is_it(slot.id) {
                return Some(slot.id);
            }
            at = (at + 1) & self.mask();
        }
    }

    /// Adds an id that is not there yet.
    pub(super) fn insert(&mut self, hash: u32, id: u32) {
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            let grown = vec![EMPTY; (self.slots.len() * 2).max(8)];
            for slot in core::mem::replace(&mut self.slots, grown) {
                if slot.id != NONE {
                    self.place(slot);
                }
            }
        }
        self.place(Slot { hash, id });
        self.len += 1;
    }

    fn place(&mut self, new: Slot) {
        let mask = self.mask();
        let mut at = new.hash as usize & mask;
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.id == NONE {
                *slot = new;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// Removes an id.
    pub(super) fn remove(&mut self, hash: u32, id: u32) {
        let mask = self.mask();
        let mut hole = hash as usize & mask;
        while self
            .slots
            .get(hole)
            .is_some_and(|slot| slot.id != id && slot.id != NONE)
        {
            hole = (hole + 1) & mask;
        }
        if self.slots.get(hole).is_none_or(|slot| slot.id == NONE) {
            return;
        }
        self.len -= 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let Some(&slot) = self.slots.get(at) else { return };
            if slot.id == NONE {
                break;
            }
            // What probing brought past the hole moves into it.
            let home = slot.hash as usize & mask;
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.set(hole, slot);
                hole = at;
            }
        }
        self.set(hole, EMPTY);
    }

    fn set(&mut self, at: usize, new: Slot) {
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_is_gone_and_the_rest_is_found() {
        let mut index = Index::default();
        // Few different hashes, so that probe sequences run into each other and around the end.
        let hash = |id: u32| (id * 7) % 13;
        for id in 0..200 {
            index.insert(hash(id), id);
        }
        for id in (0..200).step_by(3) {
            index.remove(hash(id), id);
        }
        for id in 0..200 {
            let found = index.find(hash(id), |found| found == id);
            assert_eq!(found, (id % 3 != 0).then_some(id));
        }
    }
}
