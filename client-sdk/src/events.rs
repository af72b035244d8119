//! What happens to a client as a whole.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_core::Stream;
use manywire_topics::FilterBuf;

use crate::{error::Error, message::Message};

/// Something that happened to the client as a whole.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ClientEvent {
    /// There is a session.
    Connected {
        /// Whether the platform still had the session from before.
        resumed: bool,
    },
    /// The connection was lost, or could not be made.
    Disconnected {
        /// Why.
        error: Error,
        /// When the next attempt is made; `None` when there will be none.
        retry_in: Option<Duration>,
    },
    /// The platform did not keep the session, or forgot a subscription for a while: messages that were published in
    /// between may never come.
    Gap,
    /// A subscriber is too slow, and began to lose messages that need no acknowledgement.
    /// [`Subscription::dropped`](crate::Subscription::dropped) counts them.
    Overflowed {
        /// What it subscribed to.
        filter: FilterBuf,
    },
    /// A message that an earlier process left in the outbox's file could not be delivered, and was taken out of it. The first
    /// listener is told of those that came before it, up to 256.
    SetAside {
        /// The message.
        message: Message,
        /// Why.
        error: Error,
    },
    /// The client has stopped. Nothing follows.
    Closed,
}

/// The stream of [`ClientEvent`]s. A reader that falls 256 events behind loses the oldest.
#[derive(Debug)]
pub struct ClientEvents(Arc<Reader>);

impl Stream for ClientEvents {
    type Item = ClientEvent;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ClientEvent>> {
        let mut state = self.0.lock();
        match state.queue.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None if state.ended => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Everyone who listens.
#[derive(Debug, Default)]
pub(crate) struct Events {
    readers: Vec<Weak<Reader>>,
    /// Set aside before anybody listened.
    unheard: VecDeque<ClientEvent>,
    ended: bool,
}

#[derive(Debug, Default)]
struct Reader(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<ClientEvent>,
    ended: bool,
    waker: Option<Waker>,
}

impl Events {
    pub(crate) fn subscribe(&mut self) -> ClientEvents {
        let reader = Arc::new(Reader::default());
        {
            let mut state = reader.lock();
            state.queue = std::mem::take(&mut self.unheard);
            state.ended = self.ended;
        }
        self.readers.push(Arc::downgrade(&reader));
        ClientEvents(reader)
    }

    pub(crate) fn emit(&mut self, event: &ClientEvent) {
        let nobody = self.readers.iter().all(|reader| reader.strong_count() == 0);
        if nobody && matches!(event, ClientEvent::SetAside { .. }) && self.unheard.len() < CAPACITY {
            self.unheard.push_back(event.clone());
        }
        self.readers.retain(|reader| {
            let Some(reader) = reader.upgrade() else {
                return false;
            };
            let mut state = reader.lock();
            if state.queue.len() >= CAPACITY {
                state.queue.pop_front();
            }
            state.queue.push_back(event.clone());
            state.wake();
            true
        });
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
        for reader in self.readers.drain(..).filter_map(|reader| reader.upgrade()) {
            let mut state = reader.lock();
            state.ended = true;
            state.wake();
        }
    }
}

impl Reader {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

const CAPACITY: usize = 256;
