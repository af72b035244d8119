use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};
use core::time::Duration;

/// What was received within EXCHANGE_LIFETIME, and what it was answered with (RFC 7252 §4.5).
///
/// A duplicate is a message with the id *and the bytes* of an earlier one: a peer that sends more than 265 messages a
/// second has used every id before EXCHANGE_LIFETIME is over, and its new messages must not be taken for old ones.
#[derive(Debug)]
pub(crate) struct Duplicates<P> {
    seen: BTreeMap<(P, u16), Seen>,
    order: VecDeque<(Duration, P, u16, u64)>,
    capacity: usize,
    lifetime: Duration,
    serial: u64,
}

#[derive(Debug)]
struct Seen {
    serial: u64,
    digest: u64,
    reply: Option<Vec<u8>>,
}

pub(crate) enum Arrival<'a> {
    New,
    /// Again, with what was answered the first time, if it was already.
    Again(Option<&'a [u8]>),
}

impl<P: Copy + Ord> Duplicates<P> {
    pub(crate) const fn new(capacity: usize, lifetime: Duration) -> Self {
        Self {
            seen: BTreeMap::new(),
            order: VecDeque::new(),
            capacity,
            lifetime,
            serial: 0,
        }
    }

    pub(crate) fn arrive(&mut self, now: Duration, peer: P, message_id: u16, datagram: &[u8]) -> Arrival<'_> {
        self.forget(now);
        let digest = digest(datagram);
        let key = (peer, message_id);
        let again = self.seen.get(&key).is_some_and(|seen| seen.digest == digest);
        if !again {
            self.serial += 1;
            self.seen.insert(
                key,
                Seen {
                    serial: self.serial,
                    digest,
                    reply: None,
                },
            );
            self.order.push_back((now, peer, message_id, self.serial));
            return Arrival::New;
        }
        Arrival::Again(self.seen.get(&key).and_then(|seen| seen.reply.as_deref()))
    }

    /// Remembers what a message was answered with, to be sent again to its duplicates.
    pub(crate) fn answered(&mut self, peer: P, message_id: u16, reply: Vec<u8>) {
        if let Some(seen) = self.seen.get_mut(&(peer, message_id)) {
            seen.reply = Some(reply);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    fn forget(&mut self, now: Duration) {
        while let Some(&(at, peer, message_id, serial)) = self.order.front() {
            if now.saturating_sub(at) < self.lifetime && self.order.len() < self.capacity.max(1) {
                break;
            }
            self.order.pop_front();
            if self
                .seen
                .get(&(peer, message_id))
                .is_some_and(|seen| seen.serial == serial)
            {
                self.seen.remove(&(peer, message_id));
            }
        }
    }
}

/// A quick digest, eight bytes at a time: only equal bytes from the same peer need to be recognised.
fn digest(bytes: &[u8]) -> u64 {
    const SEED: u64 = 0x517c_c1b7_2722_0a95;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut digest = bytes.len() as u64;
    for word in words {
        digest = (digest.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(SEED);
    }
    for byte in rest {
        digest = (digest.rotate_left(5) ^ u64::from(*byte)).wrapping_mul(SEED);
    }
    digest
}
