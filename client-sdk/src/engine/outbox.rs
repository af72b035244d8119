//! Where accepted messages wait until their guarantee is reached.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    task::Waker,
    time::Instant,
};

use crate::{
    engine::slot::Slot,
    error::{Error, ErrorKind},
    message::Message,
    qos::QoS,
    receipt::Receipt,
    transport::{Capabilities, OpId},
};

/// How much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outbox {
    /// The most messages that wait or are in flight.
    pub max_messages: usize,
    /// The most bytes of payload that wait or are in flight.
    pub max_bytes: usize,
}

impl Outbox {
    /// In memory: what waits is lost with the process. 10,000 messages and 64 MiB, unless set otherwise.
    #[must_use]
    pub const fn memory() -> Self {
        Self {
            max_messages: 10_000,
            max_bytes: 64 << 20,
        }
    }

    /// The same with room for this many messages.
    #[must_use]
    pub const fn max_messages(mut self, messages: usize) -> Self {
        self.max_messages = messages;
        self
    }

    /// The same with room for this many bytes of payload.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self::memory()
    }
}

/// The outcome of one publish, as its receipt or as the reason why there is none.
pub(crate) type Published = Result<Receipt, Error>;

/// The messages, in two lanes: those that are acknowledged, which wait for the window, and those that are not,
/// which never wait behind them.
#[derive(Debug)]
pub(crate) struct Queue {
    limits: Outbox,
    lanes: [Lane; 2],
    messages: usize,
    bytes: usize,
    in_flight: usize,
    next_expiry: Option<Instant>,
    waiting: VecDeque<(u64, Waker)>,
    next_waiter: u64,
}

#[derive(Debug, Default)]
struct Lane {
    /// The sequence number of the first entry.
    first: u64,
    /// `None` where a message is done and an earlier one is not.
    entries: VecDeque<Option<Entry>>,
    /// Entries before this one are in flight or done.
    cursor: usize,
}

#[derive(Debug)]
struct Entry {
    message: Message,
    slot: Arc<Slot<Published>>,
    expires: Option<Instant>,
    attempts: u32,
    in_flight: bool,
}

/// What is left of a message that leaves the queue.
#[derive(Debug)]
pub(crate) struct Leaving {
    pub(crate) message: Message,
    pub(crate) in_flight: bool,
    slot: Arc<Slot<Published>>,
    attempts: u32,
}

impl Leaving {
    pub(crate) fn succeed(self) {
        self.slot.fill(Ok(Receipt::new(self.message.qos, self.attempts)));
    }

    pub(crate) fn fail(self, error: Error) {
        self.slot.fill(Err(error));
    }

    /// Fails with an error that carries the message.
    pub(crate) fn give_back(self, kind: ErrorKind, reason: Option<Box<str>>) {
        self.slot
            .fill(Err(Error::with_message(kind, reason, self.message)));
    }
}

impl Queue {
    pub(crate) fn new(limits: Outbox) -> Self {
        Self {
            limits,
            lanes: [Lane::default(), Lane::default()],
            messages: 0,
            bytes: 0,
            in_flight: 0,
            next_expiry: None,
            waiting: VecDeque::new(),
            next_waiter: 0,
        }
    }

    /// Accepts a message, or says that there is no room for it now ([`ErrorKind::QueueFull`]) or never
    /// ([`ErrorKind::TooLarge`]).
    pub(crate) fn accept(&mut self, message: Message, now: Instant) -> Result<Arc<Slot<Published>>, Error> {
        let size = message.payload.len();
        if size > self.limits.max_bytes {
            let reason = format!("{size} bytes, and the outbox holds {}", self.limits.max_bytes);
            return Err(Error::with_message(
                ErrorKind::TooLarge,
                Some(reason.into()),
                message,
            ));
        }
        // A message whose answer never comes keeps the places of those behind it: they are bounded too.
        let stretched = self.lane(message.qos).entries.len() >= self.limits.max_messages.saturating_mul(4);
        if self.messages >= self.limits.max_messages || self.bytes + size > self.limits.max_bytes || stretched
        {
            return Err(Error::with_message(ErrorKind::QueueFull, None, message));
        }
        let expires = message
            .expires_after
            .and_then(|lifetime| now.checked_add(lifetime));
        self.next_expiry = self.next_expiry.into_iter().chain(expires).min();
        self.messages += 1;
        self.bytes += size;
        let slot = Slot::new();
        let entry = Entry {
            slot: Arc::clone(&slot),
            expires,
            attempts: 0,
            in_flight: false,
            message,
        };
        self.lane(entry.message.qos).entries.push_back(Some(entry));
        self.wake_next_waiter();
        Ok(slot)
    }

    /// The next message to send: any that needs no acknowledgement, else the first for which the window has room.
    pub(crate) fn poll_send(&mut self, window: usize) -> Option<(OpId, Message)> {
        let [unacknowledged, acknowledged] = &mut self.lanes;
        if let Some((sequence, entry)) = unacknowledged.next_queued() {
            return Some((op_id(QoS::AtMostOnce, sequence), entry.send()));
        }
        if self.in_flight >= window.max(1) {
            return None;
        }
        let (sequence, entry) = acknowledged.next_queued()?;
        self.in_flight += 1;
        Some((op_id(entry.message.qos, sequence), entry.send()))
    }

    /// Takes a message out, whatever became of it; `None` for one that is not there (any more).
    pub(crate) fn remove(&mut self, id: OpId) -> Option<Leaving> {
        let (lane, sequence) = place(id)?;
        let lane = self.lanes.get_mut(lane)?;
        let index = usize::try_from(sequence.checked_sub(lane.first)?).ok()?;
        let entry = lane.entries.get_mut(index)?.take()?;
        lane.trim();
        Some(self.leave(entry))
    }

    /// The session is about to end and has not sent this.
    pub(crate) fn handle_unsent(&mut self, id: OpId) {
        let Some((lane, sequence)) = place(id) else { return };
        let Some(lane) = self.lanes.get_mut(lane) else {
            return;
        };
        let index = sequence
            .checked_sub(lane.first)
            .and_then(|index| usize::try_from(index).ok());
        let Some(index) = index else { return };
        if let Some(Some(entry)) = lane.entries.get_mut(index)
            && entry.in_flight
        {
            entry.in_flight = false;
            entry.attempts = entry.attempts.saturating_sub(1);
            lane.cursor = lane.cursor.min(index);
            if entry.message.qos != QoS::AtMostOnce {
                self.in_flight -= 1;
            }
        }
    }

    /// The session ended. What was sent and needs no acknowledgement leaves, since it may have arrived and must not be
    /// repeated. The rest goes back to the start of the line, except what the transport holds and finishes itself.
    pub(crate) fn handle_session_end(&mut self) -> Vec<Leaving> {
        let [unacknowledged, acknowledged] = &mut self.lanes;
        acknowledged.cursor = 0;
        for entry in acknowledged.entries.iter_mut().flatten() {
            entry.in_flight = false;
        }
        self.in_flight = 0;
        let sent = unacknowledged
            .entries
            .iter_mut()
            .filter(|slot| slot.as_ref().is_some_and(|e| e.in_flight));
        let sent: Vec<Entry> = sent.filter_map(Option::take).collect();
        unacknowledged.trim();
        sent.into_iter().map(|entry| self.leave(entry)).collect()
    }

    /// A session began: these are still in flight.
    pub(crate) fn handle_held(&mut self, held: &[OpId]) {
        let held: HashSet<OpId> = held.iter().copied().collect();
        let [_, acknowledged] = &mut self.lanes;
        for (entry, sequence) in acknowledged.entries.iter_mut().zip(acknowledged.first..) {
            if let Some(entry) = entry
                && held.contains(&op_id(entry.message.qos, sequence))
            {
                entry.in_flight = true;
                self.in_flight += 1;
            }
        }
    }

    /// Takes out what the session cannot carry: larger than its limit, or asking for more than it gives.
    pub(crate) fn remove_unfit(&mut self, capabilities: &Capabilities) -> Vec<Leaving> {
        self.remove_queued(|entry| {
            let message = &entry.message;
            capabilities
                .max_payload
                .is_some_and(|limit| message.payload.len() > limit)
                || message.qos > capabilities.max_qos
                || (message.retain && !capabilities.retain)
        })
    }

    /// Takes out what is too old. What is in flight is left: its answer decides.
    pub(crate) fn remove_expired(&mut self, now: Instant) -> Vec<Leaving> {
        if self.next_expiry.is_none_or(|expiry| now < expiry) {
            return Vec::new();
        }
        let expired = self.remove_queued(|entry| entry.expires.is_some_and(|expiry| expiry <= now));
        let entries = self.lanes.iter().flat_map(|lane| lane.entries.iter().flatten());
        self.next_expiry = entries
            .filter_map(|entry| entry.expires.filter(|expiry| *expiry > now))
            .min();
        expired
    }

    /// Takes everything out, in order.
    pub(crate) fn remove_all(&mut self) -> Vec<Leaving> {
        let mut entries: Vec<Entry> = Vec::new();
        for lane in &mut self.lanes {
            entries.extend(lane.entries.iter_mut().filter_map(Option::take));
            lane.trim();
        }
        self.next_expiry = None;
        entries.into_iter().map(|entry| self.leave(entry)).collect()
    }

    /// Not delivered and older than its lifetime at this moment, at the earliest.
    pub(crate) const fn poll_timeout(&self) -> Option<Instant> {
        self.next_expiry
    }

    /// How many messages wait or are in flight.
    pub(crate) const fn len(&self) -> usize {
        self.messages
    }

    /// Queues a task for room. `ticket` is what an earlier call returned.
    pub(crate) fn wait_for_room(&mut self, ticket: Option<u64>, waker: &Waker) -> u64 {
        if let Some(ticket) = ticket
            && let Some((_, waiting)) = self.waiting.iter_mut().find(|(key, _)| *key == ticket)
        {
            waiting.clone_from(waker);
            return ticket;
        }
        let ticket = self.next_waiter;
        self.next_waiter += 1;
        self.waiting.push_back((ticket, waker.clone()));
        ticket
    }

    /// A task no longer waits. If it had been woken, the next one is.
    pub(crate) fn stop_waiting(&mut self, ticket: u64) {
        match self.waiting.iter().position(|(key, _)| *key == ticket) {
            Some(index) => drop(self.waiting.remove(index)),
            None => self.wake_next_waiter(),
        }
    }

    /// Wakes every task that waits for room: there will be none.
    pub(crate) fn wake_all_waiters(&mut self) {
        self.waiting.drain(..).for_each(|(_, waker)| waker.wake());
    }

    fn wake_next_waiter(&mut self) {
        if self.messages < self.limits.max_messages
            && self.bytes < self.limits.max_bytes
            && let Some((_, waker)) = self.waiting.pop_front()
        {
            waker.wake();
        }
    }

    fn lane(&mut self, qos: QoS) -> &mut Lane {
        let [unacknowledged, acknowledged] = &mut self.lanes;
        if qos == QoS::AtMostOnce {
            unacknowledged
        } else {
            acknowledged
        }
    }

    fn remove_queued(&mut self, unwanted: impl Fn(&Entry) -> bool) -> Vec<Leaving> {
        let mut taken = Vec::new();
        for lane in &mut self.lanes {
            for slot in &mut lane.entries {
                if slot
                    .as_ref()
                    .is_some_and(|entry| !entry.in_flight && unwanted(entry))
                {
                    taken.extend(slot.take());
                }
            }
            lane.trim();
        }
        taken.into_iter().map(|entry| self.leave(entry)).collect()
    }

    fn leave(&mut self, entry: Entry) -> Leaving {
        self.messages -= 1;
        self.bytes -= entry.message.payload.len();
        if entry.in_flight && entry.message.qos != QoS::AtMostOnce {
            self.in_flight -= 1;
        }
        self.wake_next_waiter();
        Leaving {
            message: entry.message,
            in_flight: entry.in_flight,
            slot: entry.slot,
            attempts: entry.attempts,
        }
    }
}

impl Lane {
    /// The first entry that is not in flight, from the cursor on, which moves past it.
    fn next_queued(&mut self) -> Option<(u64, &mut Entry)> {
        let start = self.cursor;
        let found = self
            .entries
            .range(start.min(self.entries.len())..)
            .position(|slot| slot.as_ref().is_some_and(|entry| !entry.in_flight));
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
    fn trim(&mut self) {
        while let Some(None) = self.entries.front() {
            self.entries.pop_front();
            self.first += 1;
            self.cursor = self.cursor.saturating_sub(1);
        }
    }
}

impl Entry {
    fn send(&mut self) -> Message {
        self.in_flight = true;
        self.attempts = self.attempts.saturating_add(1);
        self.message.clone()
    }
}

/// An id says its lane in its lowest bits: 0 unacknowledged, 1 acknowledged; 2 is for what is no publish.
fn op_id(qos: QoS, sequence: u64) -> OpId {
    OpId(sequence << 2 | u64::from(qos != QoS::AtMostOnce))
}

fn place(id: OpId) -> Option<(usize, u64)> {
    let lane = usize::try_from(id.0 & 3).ok()?;
    Some((lane, id.0 >> 2))
}

/// The id of an operation that is no publish.
pub(crate) const fn control_id(sequence: u64) -> OpId {
    OpId(sequence << 2 | 2)
}
