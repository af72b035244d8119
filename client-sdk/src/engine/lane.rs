//! One lane of the queue: messages in the order of their acceptance, and the ids that name them.

use std::{collections::VecDeque, num::NonZeroU16, sync::Arc, time::Instant};

use crate::{
    engine::{numbers::Numbers, queue::Published, slot::Slot},
    error::Error,
    message::Message,
    outbox::{Exchange, Store, Stored},
    qos::QoS,
    receipt::Receipt,
    transport::OpId,
};

/// The messages with one kind of guarantee.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// The sequence number of the first entry.
    pub(super) first: u64,
    /// `None` where a message is done and an earlier one is not.
    pub(super) entries: VecDeque<Option<Entry>>,
    /// Entries before this one are in flight or done.
    pub(super) cursor: usize,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) message: Message,
    pub(super) slot: Arc<Slot<Published>>,
    pub(super) expires: Option<Instant>,
    pub(super) attempts: u32,
    pub(super) in_flight: bool,
    /// Its key in the store.
    pub(super) key: Option<u64>,
    /// Asked to be noted as about to be sent.
    pub(super) marked: Option<Stored>,
    /// What it is noted as.
    pub(super) number: Option<NonZeroU16>,
    /// Asked to be noted as received by the peer.
    pub(super) received: Option<Stored>,
    /// An earlier process sent it: it goes on if the peer remembers, and is not sent anew.
    pub(super) begun: bool,
    /// Accepted by an earlier process: nobody here waits for its outcome.
    pub(super) recovered: bool,
}

impl Lane {
    pub(super) fn index(&self, sequence: u64) -> Option<usize> {
        usize::try_from(sequence.checked_sub(self.first)?).ok()
    }

    pub(super) fn entry(&mut self, sequence: u64) -> Option<&mut Entry> {
        let index = self.index(sequence)?;
        self.entries.get_mut(index)?.as_mut()
    }

    /// The first entry that is not in flight, from the cursor on, which moves past it.
    pub(super) fn next_queued(&mut self) -> Option<(u64, &mut Entry)> {
        let start = self.cursor;
        let found = self
            .entries
            .range(start.min(self.entries.len())..)
            .position(|slot| slot.as_ref().is_some_and(Entry::is_queued));
        let Some(offset) = found else {
            self.cursor = self.entries.len();
            return None;
        };
        let index = start + offset;
        self.cursor = index + 1;
        let sequence = self.first + index as u64;
        Some((sequence, self.entries.get_mut(index)?.as_mut()?))
    }

    /// Forgets what is done at the front.
    pub(super) fn trim(&mut self) {
        while let Some(None) = self.entries.front() {
            self.entries.pop_front();
            self.first += 1;
            self.cursor = self.cursor.saturating_sub(1);
        }
    }
}

impl Entry {
    /// Whether it waits for its turn.
    pub(super) const fn is_queued(&self) -> bool {
        !self.in_flight && !self.begun
    }

    /// Whether it may be sent: exactly once only when the store knows of it, and under which number, so that a later process
    /// can go on with it and does not begin anew.
    pub(super) fn poll_marked(
        &mut self,
        store: Option<&mut (dyn Store + 'static)>,
        numbers: &mut Numbers,
    ) -> Option<Result<(), Error>> {
        let (Some(store), Some(key), QoS::ExactlyOnce) = (store, self.key, self.message.qos) else {
            return Some(Ok(()));
        };
        if self.number.is_none() {
            self.number = Some(numbers.take()?);
        }
        let exchange = Exchange {
            number: self.number?,
            received: false,
        };
        self.marked
            .get_or_insert_with(|| store.mark(key, exchange))
            .outcome()
    }

    pub(super) fn send(&mut self) -> Message {
        self.in_flight = true;
        self.attempts = self.attempts.saturating_add(1);
        self.message.clone()
    }
}

/// What is left of a message that leaves the queue.
#[derive(Debug)]
pub(crate) struct Leaving {
    pub(crate) message: Message,
    pub(crate) in_flight: bool,
    pub(crate) recovered: bool,
    pub(super) slot: Arc<Slot<Published>>,
    pub(super) attempts: u32,
}

impl Leaving {
    pub(crate) fn succeed(self) {
        let qos = self.message.qos;
        self.succeed_with(qos);
    }

    pub(crate) fn succeed_with(self, qos: QoS) {
        self.slot.fill(Ok(Receipt::new(qos, self.attempts)));
    }

    pub(crate) fn fill(self, error: Error) {
        self.slot.fill(Err(error));
    }
}

/// An id says its lane in its lowest bits: 0 unacknowledged, 1 acknowledged; 2 is for what is no publish.
pub(super) fn op_id(qos: QoS, sequence: u64) -> OpId {
    OpId(sequence << 2 | u64::from(qos != QoS::AtMostOnce))
}

/// Whether it names a publish at most once, which a session answers without having an answer itself.
pub(crate) const fn is_unanswered(id: OpId) -> bool {
    id.0 & 3 == 0
}

pub(super) fn place(id: OpId) -> Option<(usize, u64)> {
    let lane = usize::try_from(id.0 & 3).ok()?;
    Some((lane, id.0 >> 2))
}

/// The id of an operation that is no publish.
pub(crate) const fn control_id(sequence: u64) -> OpId {
    OpId(sequence << 2 | 2)
}
