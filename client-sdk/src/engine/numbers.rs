//! Numbers for exchanges that must be recognised after a restart.

use std::{collections::HashSet, num::NonZeroU16};

/// Hands out numbers from [`LOWEST`] on, in turn, none twice before it is free.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    used: HashSet<NonZeroU16>,
    last: u16,
}

impl Numbers {
    /// A free number; `None` while all are used.
    pub(crate) fn take(&mut self) -> Option<NonZeroU16> {
        for _ in LOWEST..=u16::MAX {
            self.last = self.last.checked_add(1).unwrap_or(LOWEST).max(LOWEST);
            let number = NonZeroU16::new(self.last)?;
            if self.used.insert(number) {
                return Some(number);
            }
        }
        None
    }

    /// An earlier process took it.
    pub(crate) fn handle_used(&mut self, number: NonZeroU16) {
        self.used.insert(number);
        self.last = self.last.max(number.get());
    }

    /// Its exchange is over.
    pub(crate) fn handle_free(&mut self, number: NonZeroU16) {
        self.used.remove(&number);
    }

    /// The peer has forgotten every exchange: only these are still used.
    pub(crate) fn keep_only(&mut self, numbers: impl Iterator<Item = NonZeroU16>) {
        self.used = numbers.collect();
    }
}

/// Below are the numbers that a transport gives to what need not be recognised later.
const LOWEST: u16 = 0x8000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_handed_out_in_turn_and_come_back() {
        let mut numbers = Numbers::default();
        numbers.handle_used(NonZeroU16::new(0x8001).unwrap());
        let taken: Vec<u16> = std::iter::from_fn(|| numbers.take())
            .map(NonZeroU16::get)
            .collect();
        assert_eq!(taken[..2], [0x8002, 0x8003]);
        assert_eq!(taken.len(), 0x7FFF);
        numbers.handle_free(NonZeroU16::new(0x9000).unwrap());
        assert_eq!(numbers.take().map(NonZeroU16::get), Some(0x9000));
    }
}
