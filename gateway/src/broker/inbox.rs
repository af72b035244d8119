//! A bounded queue of messages for one subscriber.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use manywire_mqtt_codec::QoS;
use manywire_topics::FilterBuf;
use thiserror::Error;
use tokio::sync::Notify;

use super::{Broker, BrokerError, Delivery, Outlet, SubscribeOptions, Subscriber};
use crate::Message;
use crate::message::Origin;

/// How much may wait in an [`Inbox`].
#[derive(Clone, Debug)]
pub struct InboxLimits {
    /// Messages in this inbox.
    pub messages: usize,
    /// Bytes in this inbox.
    pub bytes: usize,
    /// Bytes in all inboxes of this gateway.
    pub total_bytes: usize,
    /// What all inboxes of this gateway hold.
    pub total: Arc<AtomicUsize>,
}

/// A bounded queue of messages for one subscriber. Dropping it ends its subscriptions.
///
/// When its owner is so slow that the queue is full, what waits is let go, nothing more is taken, and
/// [`receive`](Self::receive) returns [`Lagged`]: a gap is always reported, never silent, and the memory of
/// a stalled client is free at once.
pub struct Inbox {
    queue: Arc<Queue>,
    subscriber: Subscriber,
    broker: Arc<dyn Broker>,
}

/// One message taken out of an [`Inbox`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// The message, shared by all its subscribers.
    pub message: Arc<Message>,
    /// The QoS to deliver it with.
    pub qos: QoS,
    /// The RETAIN flag to deliver it with.
    pub retain: bool,
    /// The subscription identifiers of MQTT 5 to deliver it with.
    pub identifiers: Vec<NonZeroU32>,
}

/// The owner of an [`Inbox`] was too slow: messages have been lost for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the subscriber was too slow: {lost} messages were lost for it")]
pub struct Lagged {
    /// How many, until now.
    pub lost: u64,
}

struct Queue {
    state: Mutex<QueueState>,
    changed: Notify,
    limits: InboxLimits,
}

#[derive(Default)]
struct QueueState {
    waiting: VecDeque<Received>,
    bytes: usize,
    lost: u64,
}

impl Inbox {
    /// An empty queue without subscriptions.
    pub fn new(broker: Arc<dyn Broker>, origin: Origin, limits: InboxLimits) -> Self {
        let queue = Arc::new(Queue {
            state: Mutex::default(),
            changed: Notify::new(),
            limits,
        });
        let outlet: Arc<dyn Outlet> = Arc::<Queue>::clone(&queue);
        Self {
            queue,
            subscriber: Subscriber::new(origin, outlet),
            broker,
        }
    }

    /// Its identity: messages published with it are left out of subscriptions with `no_local`.
    pub fn origin(&self) -> Origin {
        self.subscriber.origin()
    }

    /// Lets the messages of a filter come in. Returns whether it was subscribed to before.
    ///
    /// # Errors
    /// The broker refuses.
    pub async fn subscribe(&self, filter: FilterBuf, options: SubscribeOptions) -> Result<bool, BrokerError> {
        self.broker.subscribe(&self.subscriber, filter, options).await
    }

    /// Ends one subscription. Messages that wait already are still received. Returns whether there was one.
    pub fn unsubscribe(&self, filter: &FilterBuf) -> bool {
        self.broker.unsubscribe(&self.subscriber, filter)
    }

    /// Waits for the next message. Cancel safe.
    ///
    /// # Errors
    /// The owner was too slow; from then on it is always this error.
    pub async fn receive(&mut self) -> Result<Received, Lagged> {
        loop {
            if let Some(outcome) = self.try_receive() {
                return outcome;
            }
            self.queue.changed.notified().await;
        }
    }

    /// The next message, if one waits.
    pub fn try_receive(&mut self) -> Option<Result<Received, Lagged>> {
        self.queue.take()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.broker.leave(&self.subscriber);
        self.queue.lock().clear(&self.queue.limits.total);
    }
}

impl Outlet for Queue {
    fn deliver(&self, delivery: Delivery<'_>) {
        let cost = delivery.message.cost();
        let mut state = self.lock();
        if state.lost > 0 {
            state.lost += 1;
            return;
        }
        let total = self.limits.total.fetch_add(cost, Ordering::Relaxed) + cost;
        // What was retained comes all at once: only its bytes count, or nobody could subscribe to it.
        let full = (state.waiting.len() >= self.limits.messages && !delivery.retained)
            || state.bytes + cost > self.limits.bytes
            || total > self.limits.total_bytes;
        if full {
            self.limits.total.fetch_sub(cost, Ordering::Relaxed);
            state.lost = 1 + u64::try_from(state.waiting.len()).unwrap_or(u64::MAX - 1);
            state.clear(&self.limits.total);
        } else {
            state.bytes += cost;
            state.waiting.push_back(Received {
                message: Arc::clone(delivery.message),
                qos: delivery.qos(),
                retain: delivery.retain_flag(),
                identifiers: delivery.identifiers().collect(),
            });
        }
        drop(state);
        self.changed.notify_one();
    }
}

impl Queue {
    fn take(&self) -> Option<Result<Received, Lagged>> {
        let mut state = self.lock();
        if state.lost > 0 {
            return Some(Err(Lagged { lost: state.lost }));
        }
        let received = state.waiting.pop_front()?;
        let cost = received.message.cost();
        state.bytes -= cost;
        self.limits.total.fetch_sub(cost, Ordering::Relaxed);
        if state.waiting.is_empty() && state.waiting.capacity() > 64 {
            state.waiting = VecDeque::new();
        }
        Some(Ok(received))
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueState {
    fn clear(&mut self, total: &AtomicUsize) {
        total.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = 0;
        self.waiting = VecDeque::new();
    }
}
