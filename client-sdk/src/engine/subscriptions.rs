//! Who wants which messages, and what the platform was asked for on their behalf.

use std::{collections::HashMap, mem, sync::Arc};

use manywire_topics::{FilterBuf, FilterSet};

use crate::{
    engine::{
        inbox::{Inbox, Item, Put, Serial},
        lane::control_id,
        slot::Slot,
    },
    error::{Error, Refusal},
    qos::QoS,
    transport::{Op, OpId, Received, SubscriptionId},
};

/// Names one subscriber of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ListenerId(u64);

/// The outcome of subscribing: the guarantee granted.
pub(crate) type Subscribed = Result<QoS, Error>;

/// All subscribers. Those of one filter share one subscription of the platform.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    routes: FilterSet<ListenerId, Arc<Inbox>>,
    by_filter: HashMap<FilterBuf, SubscriptionId>,
    wanted: HashMap<SubscriptionId, Wanted>,
    /// Which wish an operation in flight is about.
    asked: HashMap<OpId, SubscriptionId>,
    /// Unsubscribes that are not confirmed: repeated if the session is resumed.
    leaving: HashMap<OpId, (SubscriptionId, FilterBuf)>,
    /// What to send, in order.
    ops: Vec<Op>,
    online: bool,
    next: u64,
}

/// One filter that somebody wants.
#[derive(Debug)]
struct Wanted {
    filter: FilterBuf,
    qos: QoS,
    granted: Option<QoS>,
    listeners: Vec<Listener>,
}

#[derive(Debug)]
struct Listener {
    id: ListenerId,
    inbox: Arc<Inbox>,
    subscribed: Arc<Slot<Subscribed>>,
}

impl Subscriptions {
    /// Adds a subscriber. It is subscribed when its slot says so; until then, and across lost connections, it is wanted.
    pub(crate) fn subscribe(
        &mut self,
        filter: FilterBuf,
        qos: QoS,
        inbox: Arc<Inbox>,
    ) -> (ListenerId, Arc<Slot<Subscribed>>) {
        let id = ListenerId(self.take_number());
        let subscribed = Slot::new();
        let listener = Listener {
            id,
            inbox: Arc::clone(&inbox),
            subscribed: Arc::clone(&subscribed),
        };
        self.routes.insert(filter.as_filter(), id, inbox);
        let known = self.by_filter.get(&filter).copied();
        let subscription = known.unwrap_or_else(|| SubscriptionId(self.take_number()));
        let wanted = self.wanted.entry(subscription).or_insert_with(|| Wanted {
            filter: filter.clone(),
            qos,
            granted: None,
            listeners: Vec::new(),
        });
        wanted.listeners.push(listener);
        let stronger = qos > wanted.qos;
        wanted.qos = wanted.qos.max(qos);
        match wanted.granted {
            Some(granted) if !stronger => subscribed.fill(Ok(granted)),
            _ if known.is_none() || stronger => {
                self.by_filter.insert(filter, subscription);
                self.ask(subscription);
            }
            _ => {}
        }
        (id, subscribed)
    }

    /// Removes a subscriber. The last one of a filter unsubscribes it.
    pub(crate) fn unsubscribe(&mut self, filter: &FilterBuf, id: ListenerId) {
        self.routes.remove(filter.as_filter(), &id);
        let Some(&subscription) = self.by_filter.get(filter) else {
            return;
        };
        let Some(wanted) = self.wanted.get_mut(&subscription) else {
            return;
        };
        wanted.listeners.retain(|listener| listener.id != id);
        if !wanted.listeners.is_empty() {
            return;
        }
        self.wanted.remove(&subscription);
        self.by_filter.remove(filter);
        self.asked.retain(|_, asked| *asked != subscription);
        let op = control_id(self.take_number());
        self.leaving.insert(op, (subscription, filter.clone()));
        if self.online {
            self.ops.push(Op::Unsubscribe {
                id: op,
                subscription,
                filter: filter.clone(),
            });
        }
    }

    /// Whether there is something to send.
    pub(crate) fn has_ops(&self) -> bool {
        !self.ops.is_empty()
    }

    /// What to send now.
    pub(crate) fn poll_ops(&mut self) -> Vec<Op> {
        mem::take(&mut self.ops)
    }

    /// A session began. What the platform does not have any more, or never confirmed, is asked for again.
    pub(crate) fn handle_session_start(&mut self, resumed: bool) {
        self.online = true;
        if resumed {
            let leaving = mem::take(&mut self.leaving);
            for (id, (subscription, filter)) in leaving {
                if !self.by_filter.contains_key(&filter) {
                    self.ops.push(Op::Unsubscribe {
                        id,
                        subscription,
                        filter: filter.clone(),
                    });
                    self.leaving.insert(id, (subscription, filter));
                }
            }
        } else {
            self.leaving.clear();
            self.wanted.values_mut().for_each(|wanted| wanted.granted = None);
        }
        let mut missing: Vec<SubscriptionId> = self.wanted.keys().copied().collect();
        missing.retain(|id| self.wanted.get(id).is_some_and(|wanted| wanted.granted.is_none()));
        missing.sort_unstable();
        missing.into_iter().for_each(|id| self.ask(id));
    }

    /// The session ended: nothing that was asked will be answered.
    pub(crate) fn handle_session_end(&mut self) {
        self.online = false;
        self.ops.clear();
        self.asked.clear();
    }

    /// The platform confirmed.
    pub(crate) fn handle_subscribed(&mut self, op: OpId, granted: QoS) {
        let Some(subscription) = self.asked.remove(&op) else {
            return;
        };
        let Some(wanted) = self.wanted.get_mut(&subscription) else {
            return;
        };
        wanted.granted = Some(granted);
        for listener in &wanted.listeners {
            listener.subscribed.fill(Ok(granted));
        }
    }

    /// The platform confirmed that nothing more comes.
    pub(crate) fn handle_unsubscribed(&mut self, op: OpId) {
        self.leaving.remove(&op);
    }

    /// The platform refused: every subscriber of the filter is told. Whether the operation was one of ours.
    pub(crate) fn handle_refused(&mut self, op: OpId, refusal: &Refusal) -> bool {
        if let Some(subscription) = self.asked.remove(&op) {
            self.handle_ended(subscription, refusal);
            return true;
        }
        self.leaving.remove(&op).is_some()
    }

    /// The platform ended a subscription.
    pub(crate) fn handle_ended(&mut self, subscription: SubscriptionId, refusal: &Refusal) {
        let Some(wanted) = self.wanted.remove(&subscription) else {
            return;
        };
        self.by_filter.remove(&wanted.filter);
        let error = Error::refused(refusal);
        for listener in wanted.listeners {
            self.routes.remove(wanted.filter.as_filter(), &listener.id);
            listener.subscribed.fill(Err(error.clone()));
            listener.inbox.end(Some(error.clone()));
        }
    }

    /// Hands a message to everyone whose filter it matches. Returns how many took it, and the filters of those that
    /// began to drop for want of room.
    pub(crate) fn route(
        &self,
        received: Arc<Received>,
        delivery: Option<Serial>,
    ) -> (usize, Vec<ListenerId>) {
        let mut takers = 0;
        let mut overflowed = Vec::new();
        let mut put = |id: ListenerId, inbox: &Inbox| match inbox.put(Item {
            received: Arc::clone(&received),
            delivery,
        }) {
            Put::Kept => takers += 1,
            Put::Overflowed => {
                takers += 1;
                overflowed.push(id);
            }
            Put::Ended => {}
        };
        let wanted = received.subscription.and_then(|id| self.wanted.get(&id));
        match (wanted, &received.topic) {
            (Some(wanted), Some(topic)) if !wanted.filter.as_filter().matches(topic.as_topic()) => {}
            (Some(wanted), _) => wanted
                .listeners
                .iter()
                .for_each(|listener| put(listener.id, &listener.inbox)),
            (None, Some(topic)) if received.subscription.is_none() => {
                for (id, inbox) in self.routes.matches(topic.as_topic()) {
                    put(*id, inbox);
                }
            }
            (None, _) => {}
        }
        (takers, overflowed)
    }

    /// The filter of a subscriber.
    pub(crate) fn filter_of(&self, id: ListenerId) -> Option<&FilterBuf> {
        let mut wanted = self.wanted.values();
        wanted
            .find(|wanted| wanted.listeners.iter().any(|l| l.id == id))
            .map(|wanted| &wanted.filter)
    }

    /// Ends every subscription.
    pub(crate) fn end_all(&mut self, reason: Option<&Error>) {
        for (_, wanted) in self.wanted.drain() {
            for listener in wanted.listeners {
                self.routes.remove(wanted.filter.as_filter(), &listener.id);
                let closed = || Error::new(crate::error::ErrorKind::Closed);
                listener
                    .subscribed
                    .fill(Err(reason.cloned().unwrap_or_else(closed)));
                listener.inbox.end(reason.cloned());
            }
        }
        self.by_filter.clear();
    }

    fn ask(&mut self, subscription: SubscriptionId) {
        if !self.online {
            return;
        }
        let id = control_id(self.take_number());
        if let Some(wanted) = self.wanted.get(&subscription) {
            self.asked.insert(id, subscription);
            let (filter, qos) = (wanted.filter.clone(), wanted.qos);
            self.ops.push(Op::Subscribe {
                id,
                subscription,
                filter,
                qos,
            });
        }
    }

    fn take_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}
