//! What holds a packet identifier: our publishes, subscriptions and unsubscriptions until they are answered.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use manywire_mqtt_codec::PacketId;

/// Exchanges by packet identifier, in the order they began.
///
/// An identifier is never handed out while it is held, whatever order the server answers in, so there is nothing to collide with and nothing to
/// wedge on. Memory follows what is held.
#[derive(Debug)]
pub(super) struct InFlight<T> {
    held: HashMap<PacketId, Held<T>, BuildHasherDefault<PacketIdHasher>>,
    last_id: u16,
    next_sequence: u64,
}

#[derive(Debug)]
struct Held<T> {
    sequence: u64,
    exchange: T,
}

impl<T> Default for InFlight<T> {
    fn default() -> Self {
        Self {
            held: HashMap::default(),
            last_id: 0,
            next_sequence: 0,
        }
    }
}

impl<T> InFlight<T> {
    /// Gives `exchange` the next free identifier. Gives it back when all 32,767 are held: those above are the engine's to give.
    pub(super) fn hold(&mut self, exchange: T) -> Result<PacketId, T> {
        for _ in 0..=HIGHEST {
            self.last_id = (self.last_id + 1) & HIGHEST;
            let Some(id) = PacketId::new(self.last_id) else {
                continue;
            };
            if self.held.contains_key(&id) {
                continue;
            }
            self.renew(id, exchange);
            return Ok(id);
        }
        Err(exchange)
    }

    /// Gives `exchange` this identifier, unless it is held.
    pub(super) fn hold_as(&mut self, id: PacketId, exchange: T) -> Option<PacketId> {
        if self.held.contains_key(&id) {
            return None;
        }
        self.renew(id, exchange);
        Some(id)
    }

    pub(super) fn get_mut(&mut self, id: PacketId) -> Option<&mut T> {
        self.held.get_mut(&id).map(|held| &mut held.exchange)
    }

    /// The exchange goes on as another one, which begins now.
    pub(super) fn renew(&mut self, id: PacketId, exchange: T) {
        self.next_sequence += 1;
        self.held.insert(
            id,
            Held {
                sequence: self.next_sequence,
                exchange,
            },
        );
    }

    /// Ends an exchange; its identifier is free.
    pub(super) fn release(&mut self, id: PacketId) -> Option<T> {
        self.held.remove(&id).map(|held| held.exchange)
    }

    /// Ends the exchanges for which `keep` is false, and hands them over in the order they began.
    pub(super) fn release_unless(&mut self, mut keep: impl FnMut(&mut T) -> bool) -> Vec<T> {
        let mut released: Vec<_> = self
            .held
            .extract_if(|_, held| !keep(&mut held.exchange))
            .map(|(_, held)| held)
            .collect();
        released.sort_unstable_by_key(|held| held.sequence);
        released.into_iter().map(|held| held.exchange).collect()
    }

    /// What is held, in the order it began.
    pub(super) fn in_order(&self) -> Vec<(PacketId, &T)> {
        let mut held: Vec<_> = self.held.iter().collect();
        held.sort_unstable_by_key(|(_, held)| held.sequence);
        held.into_iter().map(|(id, held)| (*id, &held.exchange)).collect()
    }
}

/// The highest identifier that is chosen here.
const HIGHEST: u16 = 0x7FFF;

/// Packet identifiers are handed out in turn: spreading them takes one multiplication, and a server can only answer with one that we chose.
#[derive(Default)]
struct PacketIdHasher(u64);

impl Hasher for PacketIdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u16(u16::from(*byte));
        }
    }

    fn write_u16(&mut self, value: u16) {
        self.0 = (self.0 ^ u64::from(value)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_not_handed_out_while_it_is_held() {
        let mut in_flight = InFlight::default();
        let stuck = in_flight.hold("stuck").unwrap();
        for _ in 0..200_000 {
            let id = in_flight.hold("short").unwrap();
            assert_ne!(id, stuck);
            assert_eq!(in_flight.release(id), Some("short"));
        }
        assert_eq!(in_flight.release(stuck), Some("stuck"));
    }

    // R9, R10: identifiers run out, and come back one by one, in any order.
    #[test]
    fn all_identifiers_held_is_a_refusal_and_not_a_wedge() {
        let mut in_flight = InFlight::default();
        let ids: Vec<_> = (0..32_767).map(|n| in_flight.hold(n).unwrap()).collect();
        assert_eq!(in_flight.hold(65_535), Err(65_535));
        let middle = ids[30_000];
        assert_eq!(in_flight.hold_as(middle, 0), None);
        assert_eq!(in_flight.release(middle), Some(30_000));
        assert_eq!(in_flight.hold(65_535), Ok(middle));
        assert_eq!(in_flight.in_order().last(), Some(&(middle, &65_535)));
    }

    #[test]
    fn order_is_the_order_of_beginning_also_when_identifiers_wrap() {
        let mut in_flight = InFlight::default();
        for n in 0..65_000 {
            let id = in_flight.hold(n).unwrap();
            in_flight.release(id);
        }
        for n in 0..1_000 {
            in_flight.hold(n).unwrap();
        }
        let order: Vec<_> = in_flight.in_order().into_iter().map(|(_, n)| *n).collect();
        assert!(order.is_sorted() && order.len() == 1_000);
        let odd = in_flight.release_unless(|n| *n % 2 == 0);
        assert!(odd.is_sorted() && odd.len() == 500);
    }
}
