//! The built-in broker: everything in memory.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use manywire_mqtt_codec::QoS;
use manywire_topics::{Dialect, FilterBuf, FilterSet};

use super::retained::Retained;
use super::{
    Acceptance, Broker, BrokerError, Delivery, Outlet, RetainedHandling, SubscribeOptions, Subscriber,
};
use crate::Limits;
use crate::identity::Answer;
use crate::message::{Message, Origin};
use crate::store::{Store, StoreError, Table};

/// Carries messages inside this process. A message is accepted when it is in the outlets of all its
/// subscribers.
///
/// Publishing costs one walk through a trie of filters and, for a subscriber with one filter, no allocation.
pub struct MemoryBroker {
    state: RwLock<State>,
    /// Bytes in one topic or filter.
    max_topic: usize,
    store: Option<Arc<Store>>,
}

struct State {
    filters: FilterSet<Origin, Subscription>,
    subscribers: HashMap<Origin, Seat>,
    retained: Retained,
    /// What the filters of all together hold.
    filter_bytes: usize,
    max_filter_bytes: usize,
    /// Filters of one subscriber.
    max_filters: usize,
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
        Self::with_retained(
            limits,
            Retained::new(limits.retained_messages, limits.retained_bytes),
            None,
        )
    }

    /// A broker whose retained messages are in the store. A message with a QoS above 0 and a retained one is
    /// accepted when the store has committed it.
    pub(crate) fn with_store(
        limits: &Limits,
        store: Arc<Store>,
        dialect: Dialect,
    ) -> Result<Self, StoreError> {
        let mut retained = Retained::new(limits.retained_messages, limits.retained_bytes);
        for (key, record) in store.scan(Table::Retained)? {
            match Message::from_record(record, dialect) {
                Some(message) => {
                    // What does not fit any more stays on disk, for a start with more room.
                    let _ = retained.keep(&Arc::new(message));
                }
                None => {
                    tracing::warn!(key = %String::from_utf8_lossy(&key), "a retained message is unreadable")
                }
            }
        }
        Ok(Self::with_retained(limits, retained, Some(store)))
    }

    fn with_retained(limits: &Limits, retained: Retained, store: Option<Arc<Store>>) -> Self {
        Self {
            state: RwLock::new(State {
                // Strangers choose filters: what they choose must not collide on purpose.
                filters: FilterSet::with_seed(seed()),
                subscribers: HashMap::new(),
                retained,
                filter_bytes: 0,
                max_filter_bytes: limits.subscription_bytes,
                max_filters: limits.subscriptions,
            }),
            max_topic: limits.topic,
            store,
        }
    }

    fn accept(&self, message: Message) -> Result<(), BrokerError> {
        if message.topic.text_len() > self.max_topic {
            return Err(BrokerError::TopicTooLong);
        }
        let message = Arc::new(message);
        if message.retain {
            // Under the write lock, so that no subscriber gets the new message as retained and as live.
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            state.retained.keep(&message)?;
            if let Some(store) = &self.store {
                keep(store, &message)?;
            }
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
        let must_be_safe = message.retain || message.qos > QoS::AtMostOnce;
        let accepted = self.accept(message);
        match &self.store {
            // Sessions that outlive their connection have handed in what they keep of it.
            Some(store) if must_be_safe && accepted.is_ok() && !store.is_clean() => {
                let committed = store.committed();
                Acceptance::pending(async { committed.await.map_err(|_| BrokerError::NotStored) })
            }
            _ => Acceptance::ready(accepted),
        }
    }

    fn subscribe<'a>(
        &'a self,
        subscriber: &'a Subscriber,
        filter: FilterBuf,
        options: SubscribeOptions,
    ) -> Answer<'a, Result<bool, BrokerError>> {
        let outcome = if filter.text_len() > self.max_topic {
            Err(BrokerError::TopicTooLong)
        } else {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            state.subscribe(subscriber, filter, options)
        };
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
    ) -> Result<bool, BrokerError> {
        let origin = subscriber.origin();
        let cost = cost(&filter);
        let (count, existed) = match self.subscribers.get(&origin) {
            Some(seat) => (seat.filters.len(), seat.filters.contains(&filter)),
            None => (0, false),
        };
        if !existed {
            if count >= self.max_filters || self.filter_bytes + cost > self.max_filter_bytes {
                return Err(BrokerError::TooManySubscriptions);
            }
            self.filter_bytes += cost;
        }
        let seat = self.subscribers.entry(origin).or_insert_with(Seat::new);
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
            self.filter_bytes -= cost(filter);
        }
        existed
    }

    fn leave(&mut self, origin: Origin) {
        let Some(seat) = self.subscribers.remove(&origin) else {
            return;
        };
        for filter in seat.filters {
            self.filters.remove(filter.as_filter(), &origin);
            self.filter_bytes -= cost(&filter);
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

/// What a subscription holds: its text and an estimate for its places in the maps and the trie.
fn cost(filter: &FilterBuf) -> usize {
    256 + filter.text_len()
}

/// Hands a retained message in to the store, or what it clears.
fn keep(store: &Store, message: &Message) -> Result<(), BrokerError> {
    let key = message.topic_key().map_err(|_| BrokerError::NotStored)?;
    if message.payload.is_empty() {
        store.remove(Table::Retained, key);
    } else {
        store.put(
            Table::Retained,
            key,
            message.to_record().map_err(|_| BrokerError::NotStored)?,
        );
    }
    Ok(())
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

/// Something nobody can guess, as far as the machine has it.
fn seed() -> u64 {
    getrandom::u64().unwrap_or_else(|_| fastrand::u64(..))
}
