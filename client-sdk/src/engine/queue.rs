//! The messages that were accepted, until their guarantee is reached.

use std::{
    collections::{HashSet, VecDeque},
    num::NonZeroU16,
    sync::Arc,
    task::Waker,
    time::Instant,
};

use crate::{
    engine::{
        lane::{Entry, Lane, Leaving, op_id, place},
        numbers::Numbers,
        slot::Slot,
    },
    error::{Error, ErrorKind},
    message::Message,
    outbox::{Exchange, Outbox, Store, Stored},
    qos::QoS,
    receipt::Receipt,
    transport::{Begun, Capabilities, OpId},
};

/// The outcome of one publish, as its receipt or as the reason why there is none.
pub(crate) type Published = Result<Receipt, Error>;

/// A message to be sent, and the number of its exchange if the store knows of it.
pub(crate) type Sending = (OpId, Message, Option<NonZeroU16>);

/// The messages, in two lanes: those that are acknowledged, which wait for the window, and those that are not,
/// which never wait behind them.
#[derive(Debug)]
pub(crate) struct Queue {
    max_messages: usize,
    max_bytes: usize,
    store: Option<Box<dyn Store>>,
    lanes: [Lane; 2],
    numbers: Numbers,
    /// The peer has these, and they are finished when that is noted.
    releasing: VecDeque<OpId>,
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

impl Queue {
    /// An empty queue, or one with what an earlier process left.
    pub(crate) fn new(outbox: Outbox, now: Instant) -> Self {
        let mut queue = Self {
            max_messages: outbox.max_messages,
            max_bytes: outbox.max_bytes,
            store: outbox.store,
            lanes: [Lane::default(), Lane::default()],
            numbers: Numbers::default(),
            releasing: VecDeque::new(),
            messages: 0,
            bytes: 0,
            in_flight: 0,
            next_expiry: None,
            waiting: VecDeque::new(),
            next_waiter: 0,
            unmarkable: Vec::new(),
        };
        for earlier in outbox.recovered {
            let (id, _) = queue.push(earlier.message, Some(earlier.key), true, now);
            if let Some(exchange) = earlier.exchange
                && let Some(entry) = queue.entry(id)
            {
                entry.begun = true;
                entry.attempts = 1;
                entry.number = Some(exchange.number);
                entry.marked = Some(stored_already());
                entry.received = exchange.received.then(stored_already);
                queue.numbers.handle_used(exchange.number);
            }
        }
        queue
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
            number: None,
            received: None,
            begun: false,
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
    ///
    /// With `acknowledged_first`, those that need no acknowledgement wait until there are no others.
    pub(crate) fn poll_send(&mut self, window: usize, acknowledged_first: bool) -> Option<Sending> {
        let [unacknowledged, acknowledged] = &mut self.lanes;
        let may_pass = !acknowledged_first || acknowledged.entries.is_empty();
        if may_pass && let Some((sequence, entry)) = unacknowledged.next_queued() {
            return Some((op_id(QoS::AtMostOnce, sequence), entry.send(), None));
        }
        if self.in_flight >= window.max(1) {
            return None;
        }
        loop {
            let [_, acknowledged] = &mut self.lanes;
            let cursor = acknowledged.cursor;
            let (sequence, entry) = acknowledged.next_queued()?;
            let id = op_id(entry.message.qos, sequence);
            match entry.poll_marked(self.store.as_deref_mut(), &mut self.numbers) {
                Some(Ok(())) => {
                    self.in_flight += 1;
                    return Some((id, entry.send(), entry.number));
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
        if self.entry(id)?.is_queued() {
            self.remove(id)
        } else {
            None
        }
    }

    /// Takes a message out, whatever became of it; `None` for one that is not there (any more).
    pub(crate) fn remove(&mut self, id: OpId) -> Option<Leaving> {
        let (lane, sequence) = place(id)?;
        let lane = self.lanes.get_mut(lane)?;
        let entry = lane.entries.get_mut(lane.index(sequence)?)?.take()?;
        lane.trim();
        Some(self.leave(entry))
    }

    /// Takes out what is not tried any more. The peer may remember its number, which is not used again in this session.
    pub(crate) fn remove_given_up(&mut self, id: OpId) -> Option<Leaving> {
        let number = self.entry(id)?.number;
        let leaving = self.remove(id);
        number
            .into_iter()
            .for_each(|number| self.numbers.handle_used(number));
        leaving
    }

    /// The session is about to end and has not sent this.
    pub(crate) fn handle_unsent(&mut self, id: OpId) {
        let Some((lane, sequence)) = place(id) else { return };
        let Some(lane) = self.lanes.get_mut(lane) else {
            return;
        };
        let Some(index) = lane.index(sequence) else { return };
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
        self.releasing.clear();
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

    /// The peer has the message, and will know a repeat of it until it is released.
    pub(crate) fn handle_received(&mut self, id: OpId) {
        let Some((lane, sequence)) = place(id) else { return };
        let entry = self.lanes.get_mut(lane).and_then(|lane| lane.entry(sequence));
        let Some(entry) = entry else { return };
        if let (Some(store), Some(key), Some(number), None) =
            (&mut self.store, entry.key, entry.number, &entry.received)
        {
            let received = true;
            entry.received = Some(store.mark(key, Exchange { number, received }));
        }
        self.releasing.push_back(id);
    }

    /// The next message that the peer has, once that is noted: if the process ended now, a later one would not send it again.
    pub(crate) fn poll_release(&mut self) -> Option<OpId> {
        while let Some(&id) = self.releasing.front() {
            match self.entry(id).map(|entry| &entry.received) {
                // It could not be noted: going on is all the same the best that can be done for it.
                Some(Some(stored)) if stored.outcome().is_none() => return None,
                Some(_) => return self.releasing.pop_front(),
                None => drop(self.releasing.pop_front()),
            }
        }
        None
    }

    /// What an earlier process began, until the first session says what became of it.
    pub(crate) fn begun(&self) -> Vec<Begun> {
        let [_, acknowledged] = &self.lanes;
        let entries = acknowledged.entries.iter().zip(acknowledged.first..);
        let begun = entries.filter_map(|(entry, sequence)| {
            let entry = entry.as_ref().filter(|entry| entry.begun)?;
            Some(Begun {
                id: op_id(entry.message.qos, sequence),
                message: entry.message.clone(),
                number: entry.number?,
                received: entry.received.is_some(),
            })
        });
        begun.collect()
    }

    /// A session began: these are still in flight. Returns what an earlier process began and the peer does not remember.
    pub(crate) fn handle_session_start(&mut self, held: &[OpId], resumed: bool) -> Vec<Leaving> {
        let held: HashSet<OpId> = held.iter().copied().collect();
        let [_, acknowledged] = &mut self.lanes;
        for (entry, sequence) in acknowledged.entries.iter_mut().zip(acknowledged.first..) {
            if let Some(entry) = entry
                && held.contains(&op_id(entry.message.qos, sequence))
            {
                entry.in_flight = true;
                entry.begun = false;
                self.in_flight += 1;
            }
        }
        let lost = self.remove_where(|entry| entry.begun);
        if !resumed {
            let [_, acknowledged] = &self.lanes;
            let numbers = acknowledged.entries.iter().flatten();
            self.numbers.keep_only(numbers.filter_map(|entry| entry.number));
        }
        lost
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
                || (!message.properties.is_empty() && !capabilities.properties)
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

    /// How many acknowledged messages are in flight.
    pub(crate) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The acknowledged message in flight, if it is the only one.
    pub(crate) fn alone_in_flight(&self) -> Option<OpId> {
        let [_, acknowledged] = &self.lanes;
        let mut entries = acknowledged.entries.iter().zip(acknowledged.first..);
        let (entry, sequence) = entries
            .find_map(|(entry, sequence)| Some((entry.as_ref().filter(|entry| entry.in_flight)?, sequence)))
            .filter(|_| self.in_flight == 1)?;
        Some(op_id(entry.message.qos, sequence))
    }

    /// Whether there are messages that are to be acknowledged.
    pub(crate) fn has_acknowledged(&self) -> bool {
        let [_, acknowledged] = &self.lanes;
        !acknowledged.entries.is_empty()
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

    fn entry(&mut self, id: OpId) -> Option<&mut Entry> {
        let (lane, sequence) = place(id)?;
        self.lanes.get_mut(lane)?.entry(sequence)
    }

    fn remove_queued(&mut self, unwanted: impl Fn(&Entry) -> bool) -> Vec<Leaving> {
        self.remove_where(|entry| entry.is_queued() && unwanted(entry))
    }

    fn remove_where(&mut self, unwanted: impl Fn(&Entry) -> bool) -> Vec<Leaving> {
        let mut taken = Vec::new();
        for lane in &mut self.lanes {
            for slot in &mut lane.entries {
                if slot.as_ref().is_some_and(&unwanted) {
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
        if let Some(number) = entry.number {
            self.numbers.handle_free(number);
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

fn stored_already() -> Stored {
    let stored = Slot::new();
    stored.fill(Ok(()));
    stored
}
