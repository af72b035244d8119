//! The built-in broker: everything in memory.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use manywire_topics::{FilterBuf, FilterSet};

use super::retained::Retained;
use super::{
    Acceptance, Broker, BrokerError, Delivery, Outlet, RetainedHandling, SubscribeOptions, Subscriber,
};
use crate::Limits;
use crate::identity::Answer;
use crate::message::{Message, Origin};

/// Carries messages inside this process. A message is accepted when it is in the outlets of all its
/// subscribers.
///
/// Publishing costs one walk through a trie of filters and, for a subscriber with one filter, no allocation.
pub struct MemoryBroker {
    state: RwLock<State>,
    max_subscriptions: usize,
}

struct State {
    filters: FilterSet<Origin, Subscription>,
    subscribers: HashMap<Origin, Seat>,
    retained: Retained,
}

struct Seat {
    filters: HashSet<FilterBuf>,
    /// How many filters there are, also readable from each of the subscriptions.
    count: Arc<AtomicUsize>,
}

struct Subscription {
    outlet: Arc<dyn Outlet>,
    options: SubscribeOptions,
    /// How many filters the subscriber has: of more than one, several may match one message.
    count: Arc<AtomicUsize>,
}

impl MemoryBroker {
    /// A broker without subscribers.
    pub fn new(limits: &Limits) -> Self {
        Self {
            state: RwLock::new(State {
                filters: FilterSet::new(),
                subscribers: HashMap::new(),
                retained: Retained::new(limits.retained_messages, limits.retained_bytes),
            }),
            max_subscriptions: limits.subscriptions,
        }
    }

    fn accept(&self, message: Message) -> Result<(), BrokerError> {
        let message = Arc::new(message);
        if message.retain {
            // Under the write lock, so that no subscriber gets the new message as retained and as live.
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            state.retained.keep(&message)?;
            state.fan_out(&message);
        } else {
            self.state
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .fan_out(&message);
        }
        Ok(())
    }
}

impl Broker for MemoryBroker {
    fn publish(&self, message: Message) -> Acceptance {
        Acceptance::ready(self.accept(message))
    }

    fn subscribe<'a>(
        &'a self,
        subscriber: &'a Subscriber,
        filter: FilterBuf,
        options: SubscribeOptions,
    ) -> Answer<'a, Result<bool, BrokerError>> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let outcome = state.subscribe(subscriber, filter, options, self.max_subscriptions);
        Box::pin(future::ready(outcome))
    }

    fn unsubscribe(&self, subscriber: &Subscriber, filter: &FilterBuf) -> bool {
        self.state
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .unsubscribe(subscriber.origin(), filter)
    }

    fn leave(&self, subscriber: &Subscriber) {
        self.state
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .leave(subscriber.origin());
    }
}

impl State {
    fn fan_out(&self, message: &Arc<Message>) {
        let mut shared: Vec<(Origin, &Subscription)> = Vec::new();
        for (&origin, subscription) in self.filters.matches(message.topic.as_topic()) {
            if subscription.options.no_local && message.origin == Some(origin) {
                continue;
            }
            if subscription.count.load(Ordering::Relaxed) > 1 {
                shared.push((origin, subscription));
            } else {
                let subscriptions = &[&subscription.options];
                subscription.outlet.deliver(Delivery {
                    message,
                    subscriptions,
                    retained: false,
                });
            }
        }
        shared.sort_by_key(|(origin, _)| *origin);
        for same in shared.chunk_by(|(one, _), (other, _)| one == other) {
            let options: Vec<&SubscribeOptions> = same.iter().map(|(_, matched)| &matched.options).collect();
            if let Some((_, first)) = same.first() {
                first.outlet.deliver(Delivery {
                    message,
                    subscriptions: &options,
                    retained: false,
                });
            }
        }
    }

    fn subscribe(
        &mut self,
        subscriber: &Subscriber,
        filter: FilterBuf,
        options: SubscribeOptions,
        max_subscriptions: usize,
    ) -> Result<bool, BrokerError> {
        let origin = subscriber.origin();
        let seat = self.subscribers.entry(origin).or_insert_with(Seat::new);
        let existed = seat.filters.contains(&filter);
        if !existed && seat.filters.len() >= max_subscriptions {
            return Err(BrokerError::TooManySubscriptions);
        }
        seat.filters.insert(filter.clone());
        seat.count.store(seat.filters.len(), Ordering::Relaxed);
        let count = Arc::clone(&seat.count);
        let wants_retained = match options.retained {
            RetainedHandling::Send => true,
            RetainedHandling::SendIfNew => !existed,
            RetainedHandling::Skip => false,
        };
        if wants_retained {
            let now = SystemTime::now();
            for message in self.retained.matching(&filter, now) {
                let subscriptions = &[&options];
                subscriber.outlet().deliver(Delivery {
                    message,
                    subscriptions,
                    retained: true,
                });
            }
        }
        let subscription = Subscription {
            outlet: Arc::clone(subscriber.outlet()),
            options,
            count,
        };
        self.filters.insert(filter.as_filter(), origin, subscription);
        Ok(existed)
    }

    fn unsubscribe(&mut self, origin: Origin, filter: &FilterBuf) -> bool {
        let Some(seat) = self.subscribers.get_mut(&origin) else {
            return false;
        };
        let existed = seat.filters.remove(filter);
        seat.count.store(seat.filters.len(), Ordering::Relaxed);
        if seat.filters.is_empty() {
            self.subscribers.remove(&origin);
        }
        if existed {
            self.filters.remove(filter.as_filter(), &origin);
        }
        existed
    }

    fn leave(&mut self, origin: Origin) {
        let Some(seat) = self.subscribers.remove(&origin) else {
            return;
        };
        for filter in seat.filters {
            self.filters.remove(filter.as_filter(), &origin);
        }
    }
}

impl Seat {
    fn new() -> Self {
        Self {
            filters: HashSet::new(),
            count: Arc::default(),
        }
    }
}

impl fmt::Debug for MemoryBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("MemoryBroker")
            .field("subscriptions", &state.filters.len())
            .field("retained", &state.retained.len())
            .finish()
    }
}
