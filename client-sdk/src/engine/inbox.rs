//! What a subscriber has not taken yet.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::{error::Error, transport::Received};

/// A bounded queue with one reader.
///
/// Messages that the platform wants acknowledged are never dropped: their acknowledgement is withheld until they are
/// taken, so the platform's own window bounds them (65,535 at most, MQTT's packet identifiers). The others are
/// bounded by `capacity`; the oldest makes room for the newest, and is counted.
#[derive(Debug)]
pub(crate) struct Inbox(Mutex<State>);

#[derive(Debug)]
struct State {
    queue: VecDeque<Item>,
    /// How many in the queue are not acknowledged.
    droppable: usize,
    capacity: usize,
    dropped: u64,
    overflowing: bool,
    end: Option<Option<Error>>,
    waker: Option<Waker>,
}

/// A message, and where to acknowledge it.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) received: Arc<Received>,
    pub(crate) delivery: Option<Serial>,
}

/// Names one delivery across all sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Serial(pub(crate) u64);

/// What became of a message that was put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// It waits for the reader.
    Kept,
    /// It waits, and the first of a row of older ones was dropped for it.
    Overflowed,
    /// Nobody reads any more.
    Ended,
}

impl Inbox {
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            queue: VecDeque::new(),
            droppable: 0,
            capacity: capacity.max(1),
            dropped: 0,
            overflowing: false,
            end: None,
            waker: None,
        })))
    }

    pub(crate) fn put(&self, item: Item) -> Put {
        let mut state = self.lock();
        if state.end.is_some() {
            return Put::Ended;
        }
        let mut put = Put::Kept;
        if item.delivery.is_none() {
            if state.droppable >= state.capacity {
                state.drop_oldest();
                if !state.overflowing {
                    state.overflowing = true;
                    put = Put::Overflowed;
                }
            }
            state.droppable += 1;
        }
        state.queue.push_back(item);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        put
    }

    /// The next message, or the end: with its reason, if there is one.
    pub(crate) fn poll_take(&self, context: &Context<'_>) -> Poll<Option<Item>> {
        let mut state = self.lock();
        if let Some(item) = state.queue.pop_front() {
            if item.delivery.is_none() {
                state.droppable -= 1;
            }
            if state.queue.is_empty() {
                state.overflowing = false;
            }
            return Poll::Ready(Some(item));
        }
        if state.end.is_some() {
            return Poll::Ready(None);
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            waker => *waker = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Nothing more is put in. What is there can still be taken.
    pub(crate) fn end(&self, reason: Option<Error>) {
        let mut state = self.lock();
        if state.end.is_none() {
            state.end = Some(reason);
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Why nothing more comes, once that is so.
    pub(crate) fn end_reason(&self) -> Option<Error> {
        self.lock().end.clone().flatten()
    }

    /// How many messages were dropped because the reader was too slow.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Empties it, and returns what the platform still wants acknowledged.
    pub(crate) fn clear(&self) -> Vec<Serial> {
        let mut state = self.lock();
        state.droppable = 0;
        state.queue.drain(..).filter_map(|item| item.delivery).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.queue.iter().position(|item| item.delivery.is_none()) {
            self.queue.remove(oldest);
            self.droppable -= 1;
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::task::noop_waker;

    use super::*;
    use crate::transport::SubscriptionId;

    fn item(byte: u8, delivery: Option<u64>) -> Item {
        let received = Received::through(SubscriptionId(0), vec![byte]);
        Item {
            received: Arc::new(received),
            delivery: delivery.map(Serial),
        }
    }

    fn take_all(inbox: &Inbox) -> Vec<u8> {
        let waker = noop_waker();
        let context = Context::from_waker(&waker);
        let mut bytes = Vec::new();
        while let Poll::Ready(Some(item)) = inbox.poll_take(&context) {
            bytes.push(item.received.payload[0]);
        }
        bytes
    }

    #[test]
    fn the_oldest_unacknowledged_message_makes_room_and_is_counted() {
        let inbox = Inbox::new(2);
        let puts: Vec<Put> = (1..=4).map(|byte| inbox.put(item(byte, None))).collect();
        assert_eq!(puts, [Put::Kept, Put::Kept, Put::Overflowed, Put::Kept]);
        assert_eq!(inbox.dropped(), 2);
        assert_eq!(take_all(&inbox), [3, 4]);
    }

    #[test]
    fn acknowledged_messages_are_never_dropped() {
        let inbox = Inbox::new(1);
        for byte in 1..=3 {
            inbox.put(item(byte, Some(u64::from(byte))));
        }
        inbox.put(item(4, None));
        inbox.put(item(5, None));
        assert_eq!(take_all(&inbox), [1, 2, 3, 5]);
    }

    #[test]
    fn what_is_there_can_be_taken_after_the_end() {
        let inbox = Inbox::new(4);
        inbox.put(item(1, None));
        inbox.end(None);
        assert_eq!(inbox.put(item(2, None)), Put::Ended);
        assert_eq!(take_all(&inbox), [1]);
    }
}
