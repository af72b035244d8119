//! The messages that were accepted, until their guarantee is reached.

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
    outbox::{Outbox, Store, Stored},
    qos::QoS,
    receipt::Receipt,
    transport::{Capabilities, OpId},
};

/// The outcome of one publish, as its receipt or as the reason why there is none.
pub(crate) type Published = Result<Receipt, Error>;

/// The messages, in two lanes: those that are acknowledged, which wait for the window, and those that are not,
/// which never wait behind them.
#[derive(Debug)]
pub(crate) struct Queue {
    max_messages: usize,
    max_bytes: usize,
    store: Option<Box<dyn Store>>,
    lanes: [Lane; 2],
    messages: usize,
    bytes: usize,
    in_flight: usize,
    next_expiry: Option<Instant>,
    waiting: VecDeque<(u64, Waker)>,
    next_waiter: u64,
    /// Could not be noted as about to be sent, and so must not be sent.
    unmarkable: Vec<(Leaving, Error)>,
}

/// A message that was taken in.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) id: OpId,
    pub(crate) slot: Arc<Slot<Published>>,
    /// Filled when it is on the disk; `None` when it is kept in memory only.
    pub(crate) stored: Option<Stored>,
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
    /// Its key in the store.
    key: Option<u64>,
    /// Asked to be noted as about to be sent.
    marked: Option<Stored>,
    /// Accepted by an earlier process: nobody here waits for its outcome.
    recovered: bool,
}

/// What is left of a message that leaves the queue.
#[derive(Debug)]
pub(crate) struct Leaving {
    pub(crate) message: Message,
    pub(crate) in_flight: bool,
    pub(crate) recovered: bool,
    slot: Arc<Slot<Published>>,
    attempts: u32,
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

impl Queue {
    /// An empty queue, or one with what an earlier process left. What that may have sent and must not be repeated is
    /// returned.
    pub(crate) fn new(outbox: Outbox, now: Instant) -> (Self, Vec<Message>) {
        let mut queue = Self {
            max_messages: outbox.max_messages,
            max_bytes: outbox.max_bytes,
            store: outbox.store,
            lanes: [Lane::default(), Lane::default()],
            messages: 0,
            bytes: 0,
            in_flight: 0,
            next_expiry: None,
            waiting: VecDeque::new(),
            next_waiter: 0,
            unmarkable: Vec::new(),
        };
        let mut in_doubt = Vec::new();
        for earlier in outbox.recovered {
            if !earlier.marked {
                queue.push(earlier.message, Some(earlier.key), true, now);
                continue;
            }
            in_doubt.push(earlier.message);
            if let Some(store) = &mut queue.store {
                store.remove(earlier.key);
            }
        }
        (queue, in_doubt)
    }

    /// Whom to call when something was written to the store.
    pub(crate) fn notify_with(&mut self, notify: Box<dyn Fn() + Send + Sync>) {
        if let Some(store) = &mut self.store {
            store.notify_with(notify);
        }
    }

    /// Accepts a message, or says that there is no room for it now ([`ErrorKind::QueueFull`]) or never
    /// ([`ErrorKind::TooLarge`]).
    pub(crate) fn accept(&mut self, message: Message, now: Instant) -> Result<Accepted, Error> {
        let size = message.payload.len();
        if size > self.max_bytes {
            let reason = format!("{size} bytes, and the outbox holds {}", self.max_bytes);
            return Err(Error::with_message(
                ErrorKind::TooLarge,
                Some(reason.into()),
                message,
            ));
        }
        // A message whose answer never comes keeps the places of those behind it: they are bounded too.
        let stretched = self.lane(message.qos).entries.len() >= self.max_messages.saturating_mul(4);
        if self.messages >= self.max_messages || self.bytes + size > self.max_bytes || stretched {
            return Err(Error::with_message(ErrorKind::QueueFull, None, message));
        }
        let put = self.store.as_mut().map(|store| store.put(&message));
        let (key, stored) = put.unzip();
        let (id, slot) = self.push(message, key, false, now);
        self.wake_next_waiter();
        Ok(Accepted { id, slot, stored })
    }

    fn push(
        &mut self,
        message: Message,
        key: Option<u64>,
        recovered: bool,
        now: Instant,
    ) -> (OpId, Arc<Slot<Published>>) {
        let expires = message
            .expires_after
            .and_then(|lifetime| now.checked_add(lifetime));
        self.next_expiry = self.next_expiry.into_iter().chain(expires).min();
        self.messages += 1;
        self.bytes += message.payload.len();
        let slot = Slot::new();
        let entry = Entry {
            slot: Arc::clone(&slot),
            expires,
            attempts: 0,
            in_flight: false,
            key,
            marked: None,
            recovered,
            message,
        };
        let qos = entry.message.qos;
        let lane = self.lane(qos);
        let id = op_id(qos, lane.first + lane.entries.len() as u64);
        lane.entries.push_back(Some(entry));
        (id, slot)
    }

    /// The next message to send: any that needs no acknowledgement, else the first for which the window has room.
    pub(crate) fn poll_send(&mut self, window: usize) -> Option<(OpId, Message)> {
        let [unacknowledged, _] = &mut self.lanes;
        if let Some((sequence, entry)) = unacknowledged.next_queued() {
            return Some((op_id(QoS::AtMostOnce, sequence), entry.send()));
        }
        if self.in_flight >= window.max(1) {
            return None;
        }
        loop {
            let [_, acknowledged] = &mut self.lanes;
            let cursor = acknowledged.cursor;
            let (sequence, entry) = acknowledged.next_queued()?;
            let id = op_id(entry.message.qos, sequence);
            match entry.poll_marked(self.store.as_deref_mut()) {
                Some(Ok(())) => {
                    self.in_flight += 1;
                    return Some((id, entry.send()));
                }
                Some(Err(error)) => {
                    let leaving = self.remove(id)?;
                    self.unmarkable.push((leaving, error));
                }
                None => {
                    // Those behind it wait too, so that the order stays.
                    acknowledged.cursor = cursor;
                    return None;
                }
            }
        }
    }

    /// A message that will not be sent because that could not be noted.
    pub(crate) fn poll_unmarkable(&mut self) -> Option<(Leaving, Error)> {
        self.unmarkable.pop()
    }

    /// Takes a message out if it is not on its way.
    pub(crate) fn remove_if_queued(&mut self, id: OpId) -> Option<Leaving> {
        let (lane, sequence) = place(id)?;
        let lane = self.lanes.get(lane)?;
        let index = usize::try_from(sequence.checked_sub(lane.first)?).ok()?;
        let queued = lane
            .entries
            .get(index)?
            .as_ref()
            .is_some_and(|entry| !entry.in_flight);
        if queued { self.remove(id) } else { None }
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

    /// Takes everything out, in order. In the store it stays.
    pub(crate) fn remove_all(&mut self) -> Vec<Leaving> {
        let mut entries: Vec<Entry> = Vec::new();
        for lane in &mut self.lanes {
            entries.extend(lane.entries.iter_mut().filter_map(Option::take));
            lane.trim();
        }
        self.next_expiry = None;
        entries.iter_mut().for_each(|entry| entry.key = None);
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
        if self.messages < self.max_messages
            && self.bytes < self.max_bytes
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
        if let (Some(store), Some(key)) = (&mut self.store, entry.key) {
            store.remove(key);
        }
        self.wake_next_waiter();
        Leaving {
            recovered: entry.recovered,
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
    /// Whether it may be sent: exactly once only when the store knows of it, so that no later process sends it again.
    fn poll_marked(&mut self, store: Option<&mut (dyn Store + 'static)>) -> Option<Result<(), Error>> {
        let (Some(store), Some(key), QoS::ExactlyOnce) = (store, self.key, self.message.qos) else {
            return Some(Ok(()));
        };
        self.marked.get_or_insert_with(|| store.mark(key)).outcome()
    }

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
