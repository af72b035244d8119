//! Shared subscriptions: several clients that take turns with the messages of one filter.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use manywire_mqtt_codec::QoS;
use manywire_topics::FilterBuf;

use super::shared::SharedSession;
use crate::Hub;
use crate::broker::{BrokerError, Delivery, Outlet, RetainedHandling, SubscribeOptions, Subscriber};

/// What a client subscribes to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Selection {
    /// The name under which it shares the filter with others (5.0, section 4.8.2).
    pub(super) share: Option<Box<str>>,
    pub(super) filter: FilterBuf,
}

/// The groups that share a filter.
pub(super) struct Shares {
    hub: Arc<Hub>,
    groups: Mutex<HashMap<Selection, (Arc<Group>, Subscriber)>>,
}

/// Those who share one filter under one name: to the broker, one subscriber.
struct Group {
    hub: Arc<Hub>,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    all: Vec<(SharedSession, SubscribeOptions)>,
    /// Whose turn it is.
    next: usize,
}

impl Shares {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self {
            hub,
            groups: Mutex::default(),
        }
    }

    /// Lets a session take its turns with what is selected, or changes how.
    pub(super) async fn join(
        &self,
        selection: &Selection,
        session: &SharedSession,
        options: SubscribeOptions,
    ) -> Result<(), BrokerError> {
        let Some(subscriber) = self.add(selection, session, options) else {
            return Ok(());
        };
        // The members' own options hold for what each gets; a share gets no retained messages (5.0, section 3.8.4).
        let all = SubscribeOptions {
            qos: QoS::ExactlyOnce,
            retained: RetainedHandling::Skip,
            ..Default::default()
        };
        let filter = selection.filter.clone();
        if let Err(error) = self.hub.broker().subscribe(&subscriber, filter, all).await {
            self.leave(selection, session);
            return Err(error);
        }
        let current = self.lock().get(selection).map(|(_, current)| current.origin());
        if current != Some(subscriber.origin()) {
            // Everybody left meanwhile.
            self.hub.broker().leave(&subscriber);
        }
        Ok(())
    }

    /// Ends a session's turns. Whether it had any. The last one to leave ends the group.
    pub(super) fn leave(&self, selection: &Selection, session: &SharedSession) -> bool {
        let mut groups = self.lock();
        let Entry::Occupied(group) = groups.entry(selection.clone()) else {
            return false;
        };
        let (left, empty) = {
            let mut members = group.get().0.lock();
            let before = members.all.len();
            members.all.retain(|(member, _)| !member.is(session));
            (members.all.len() < before, members.all.is_empty())
        };
        if empty {
            let (_, subscriber) = group.remove();
            self.hub.broker().leave(&subscriber);
        }
        left
    }

    /// Adds or changes a member. The subscriber of a group that is new.
    fn add(
        &self,
        selection: &Selection,
        session: &SharedSession,
        options: SubscribeOptions,
    ) -> Option<Subscriber> {
        let mut groups = self.lock();
        let (group, new) = match groups.entry(selection.clone()) {
            Entry::Occupied(group) => (Arc::clone(&group.get().0), None),
            Entry::Vacant(place) => {
                let group = Arc::new(Group {
                    hub: Arc::clone(&self.hub),
                    members: Mutex::default(),
                });
                let outlet: Arc<dyn Outlet> = Arc::<Group>::clone(&group);
                let subscriber = Subscriber::new(self.hub.origin(), outlet);
                place.insert((Arc::clone(&group), subscriber.clone()));
                (group, Some(subscriber))
            }
        };
        let mut members = group.lock();
        match members.all.iter_mut().find(|(member, _)| member.is(session)) {
            Some((_, known)) => *known = options,
            None => members.all.push((session.clone(), options)),
        }
        new
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Selection, (Arc<Group>, Subscriber)>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet for Group {
    /// Gives the message to the next member that takes it: one that is connected, or else one that comes back.
    fn deliver(&self, delivery: Delivery<'_>) {
        let mut members = self.lock();
        let (count, first) = (members.all.len(), members.next);
        for connected in [true, false] {
            for turn in first..first + count {
                let Some((session, options)) = members.all.get(turn % count) else {
                    continue;
                };
                let subscriptions = &[options];
                if session.offer(
                    Delivery {
                        subscriptions,
                        ..delivery
                    },
                    connected,
                ) {
                    members.next = (turn + 1) % count;
                    return;
                }
            }
        }
        self.hub.metrics().mqtt.lost.add(1);
    }
}

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shares")
            .field("groups", &self.lock().len())
            .finish_non_exhaustive()
    }
}
