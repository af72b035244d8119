//! Who wants which messages, and what the platform was asked for on their behalf.

use std::{collections::HashMap, mem, sync::Arc};

use manywire_topics::{FilterBuf, FilterSet, TopicBuf};

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
    by_filter: HashMap<Filtered, SubscriptionId>,
    wanted: HashMap<SubscriptionId, Wanted>,
    /// Which wish an operation in flight is about.
    asked: HashMap<OpId, SubscriptionId>,
    /// Unsubscribes that are not confirmed: repeated if the session is resumed.
    leaving: HashMap<OpId, (SubscriptionId, Filtered)>,
    /// What to send, in order.
    ops: Vec<Op>,
    online: bool,
    next: u64,
}

/// A filter, and the name of those who share its messages.
pub(crate) type Filtered = (FilterBuf, Option<Arc<str>>);

/// One filter that somebody wants.
#[derive(Debug)]
struct Wanted {
    filtered: Filtered,
    qos: QoS,
    granted: Option<QoS>,
    /// The last time it was asked for, while that is not answered.
    unanswered: Option<OpId>,
    listeners: Vec<Listener>,
}

#[derive(Debug)]
struct Listener {
    id: ListenerId,
    inbox: Arc<Inbox>,
    subscribed: Arc<Slot<Subscribed>>,
    /// What was asked on its behalf: the retained messages that answer it are its own.
    asked: Option<OpId>,
}

impl Listener {
    fn wants(&self, received: &Received) -> bool {
        received.asked.is_none_or(|asked| self.asked == Some(asked))
    }
}

impl Subscriptions {
    /// Adds a subscriber. It is subscribed when its slot says so; until then, and across lost connections, it is wanted.
    /// `retained` is whether the platform keeps messages: asking once more makes it send them to this subscriber too.
    pub(crate) fn subscribe(
        &mut self,
        filtered: Filtered,
        qos: QoS,
        retained: bool,
        inbox: Arc<Inbox>,
    ) -> (ListenerId, Arc<Slot<Subscribed>>) {
        let id = ListenerId(self.take_number());
        let subscribed = Slot::new();
        let listener = Listener {
            id,
            inbox: Arc::clone(&inbox),
            subscribed: Arc::clone(&subscribed),
            asked: None,
        };
        // What is shared comes by its subscription alone.
        if filtered.1.is_none() {
            self.routes.insert(filtered.0.as_filter(), id, inbox);
        }
        let known = self.by_filter.get(&filtered).copied();
        let subscription = known.unwrap_or_else(|| SubscriptionId(self.take_number()));
        let wanted = self.wanted.entry(subscription).or_insert_with(|| Wanted {
            filtered: filtered.clone(),
            qos,
            granted: None,
            unanswered: None,
            listeners: Vec::new(),
        });
        wanted.listeners.push(listener);
        // A shared subscription has no retained messages [MQTT-4.8.2-25].
        let again = qos > wanted.qos || (retained && filtered.1.is_none());
        wanted.qos = wanted.qos.max(qos);
        match wanted.granted {
            Some(granted) if !again => subscribed.fill(Ok(granted)),
            _ if known.is_none() || again => {
                self.by_filter.insert(filtered, subscription);
                self.ask(subscription);
            }
            _ => {}
        }
        (id, subscribed)
    }

    /// Removes a subscriber. The last one of a filter unsubscribes it.
    pub(crate) fn unsubscribe(&mut self, filtered: &Filtered, id: ListenerId) {
        self.routes.remove(filtered.0.as_filter(), &id);
        let Some(&subscription) = self.by_filter.get(filtered) else {
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
        self.by_filter.remove(filtered);
        self.asked.retain(|_, asked| *asked != subscription);
        let op = control_id(self.take_number());
        self.leaving.insert(op, (subscription, filtered.clone()));
        if self.online {
            self.ops.push(unsubscribe(op, subscription, filtered));
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
            for (id, (subscription, filtered)) in leaving {
                if !self.by_filter.contains_key(&filtered) {
                    self.ops.push(unsubscribe(id, subscription, &filtered));
                    self.leaving.insert(id, (subscription, filtered));
                }
            }
        } else {
            self.leaving.clear();
            self.wanted.values_mut().for_each(Wanted::forget);
        }
        let mut missing: Vec<SubscriptionId> = self.wanted.keys().copied().collect();
        missing.retain(|id| self.wanted.get(id).is_some_and(Wanted::is_missing));
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
        wanted.unanswered = wanted.unanswered.filter(|asked| *asked != op);
        for listener in &wanted.listeners {
            if listener.asked.is_some_and(|asked| asked <= op) {
                listener.subscribed.fill(Ok(granted));
            }
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
        self.by_filter.remove(&wanted.filtered);
        let error = Error::refused(refusal);
        for listener in wanted.listeners {
            self.routes.remove(wanted.filtered.0.as_filter(), &listener.id);
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
        let topic = received.topic.as_ref().map(TopicBuf::as_topic);
        match (received.subscription, topic) {
            (None, Some(topic)) => {
                for (id, inbox) in self.routes.matches(topic) {
                    put(*id, inbox);
                }
            }
            (through, _) => {
                let through = through.iter().chain(&received.also);
                for wanted in through.filter_map(|id| self.wanted.get(id)) {
                    // The wire's filter may be wider than ours.
                    if topic.is_none_or(|topic| wanted.filtered.0.as_filter().matches(topic)) {
                        let listeners = wanted.listeners.iter();
                        listeners
                            .filter(|listener| listener.wants(&received))
                            .for_each(|listener| put(listener.id, &listener.inbox));
                    }
                }
            }
        }
        (takers, overflowed)
    }

    /// The filter of a subscriber.
    pub(crate) fn filter_of(&self, id: ListenerId) -> Option<&FilterBuf> {
        let mut wanted = self.wanted.values();
        wanted
            .find(|wanted| wanted.listeners.iter().any(|l| l.id == id))
            .map(|wanted| &wanted.filtered.0)
    }

    /// Ends every subscription.
    pub(crate) fn end_all(&mut self, reason: Option<&Error>) {
        for (_, wanted) in self.wanted.drain() {
            for listener in wanted.listeners {
                self.routes.remove(wanted.filtered.0.as_filter(), &listener.id);
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
        if let Some(wanted) = self.wanted.get_mut(&subscription) {
            wanted.handle_asked(id);
            self.asked.insert(id, subscription);
            let (filter, group) = wanted.filtered.clone();
            self.ops.push(Op::Subscribe {
                id,
                subscription,
                filter,
                group,
                qos: wanted.qos,
            });
        }
    }

    fn take_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl Wanted {
    /// The platform has it no more.
    fn forget(&mut self) {
        self.granted = None;
        self.listeners
            .iter_mut()
            .for_each(|listener| listener.asked = None);
    }

    const fn is_missing(&self) -> bool {
        self.granted.is_none() || self.unanswered.is_some()
    }

    /// It is asked for on behalf of everyone who has no answer.
    fn handle_asked(&mut self, op: OpId) {
        for listener in &mut self.listeners {
            if listener.asked.is_none() || listener.asked == self.unanswered {
                listener.asked = Some(op);
            }
        }
        self.unanswered = Some(op);
    }
}

fn unsubscribe(id: OpId, subscription: SubscriptionId, (filter, group): &Filtered) -> Op {
    Op::Unsubscribe {
        id,
        subscription,
        filter: filter.clone(),
        group: group.clone(),
    }
}
