//! What is the same on every wire, without input and output: the caller passes the time and what happened, and is told
//! what to do. [`driver`] is the caller.

pub(crate) mod backoff;
pub(crate) mod deliveries;
pub(crate) mod driver;
mod ending;
pub(crate) mod inbox;
mod incoming;
mod lane;
mod numbers;
pub(crate) mod queue;
pub(crate) mod slot;
pub(crate) mod subscriptions;
mod suspicion;
#[cfg(test)]
mod tests;
pub(crate) mod unclaimed;

use std::{collections::VecDeque, sync::Arc, time::Instant};

use crate::{
    engine::{
        backoff::{Backoff, Reconnect},
        deliveries::Deliveries,
        inbox::{Inbox, Serial},
        queue::{Accepted, Queue},
        slot::Slot,
        subscriptions::{Filtered, ListenerId, Subscribed, Subscriptions},
        suspicion::Suspicion,
        unclaimed::Unclaimed,
    },
    error::{Error, ErrorKind},
    events::{ClientEvent, Events},
    message::Message,
    outbox::Outbox,
    qos::QoS,
    trace,
    transport::{Capabilities, Earlier, Op, OpId, TransportError},
};

/// One client's whole state.
#[derive(Debug)]
pub(crate) struct Engine {
    /// What the transport can do, before connecting and in this session.
    offered: Capabilities,
    session: Capabilities,
    link: Link,
    backoff: Backoff,
    suspicion: Suspicion,
    /// Publishes that the transport may still hold, and is to forget.
    given_up: Vec<OpId>,
    queue: Queue,
    subscriptions: Subscriptions,
    deliveries: Deliveries,
    unclaimed: Unclaimed,
    /// Subscribes and unsubscribes on their way to the session.
    control: VecDeque<Op>,
    pub(crate) events: Events,
    /// Filled when the first attempt to connect has succeeded or failed.
    first_attempt: Arc<Slot<Result<(), Error>>>,
    /// Filled with what is undelivered when the client has stopped.
    stopped: Arc<Slot<Vec<Message>>>,
    closing: Option<Closing>,
    ever_online: bool,
}

#[derive(Debug, Clone)]
enum Link {
    Waiting { until: Instant },
    Connecting,
    Online,
    Stopped(Option<Error>),
}

#[derive(Debug, Clone, Copy)]
struct Closing {
    deadline: Instant,
}

/// What the driver is to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Connect; so many attempts failed before.
    Connect { attempt: u32 },
    /// Nothing, until something is asked for or the engine's time comes.
    Wait,
    /// Move operations and events.
    Exchange,
    /// Say goodbye to the session, and then stop.
    Close,
    /// Nothing, ever again.
    Stop,
}

impl Engine {
    pub(crate) fn new(
        offered: Capabilities,
        reconnect: Reconnect,
        outbox: Outbox,
        seed: u64,
        now: Instant,
    ) -> Self {
        Self {
            offered,
            session: offered,
            link: Link::Waiting { until: now },
            backoff: Backoff::new(reconnect, seed),
            suspicion: Suspicion::default(),
            given_up: Vec::new(),
            queue: Queue::new(outbox, now),
            subscriptions: Subscriptions::default(),
            deliveries: Deliveries::default(),
            unclaimed: Unclaimed::default(),
            control: VecDeque::new(),
            events: Events::default(),
            first_attempt: Slot::new(),
            stopped: Slot::new(),
            closing: None,
            ever_online: false,
        }
    }

    /// Accepts a message for delivery. From here on its slot will be filled, whatever happens.
    pub(crate) fn publish(&mut self, message: Message, now: Instant) -> Result<Accepted, Error> {
        if let Some(error) = self.closed() {
            let reason = std::error::Error::source(&error).map(|source| source.to_string().into());
            return Err(Error::with_message(error.kind(), reason, message));
        }
        self.check(&message)?;
        self.queue.accept(message, now)
    }

    /// Fails for a message that the transport cannot carry, before it is accepted.
    fn check(&self, message: &Message) -> Result<(), Error> {
        let can = if matches!(self.link, Link::Online) {
            &self.session
        } else {
            &self.offered
        };
        let unsupported = |what: String| Err(Error::because(ErrorKind::Unsupported, what));
        if message.qos > can.max_qos {
            return unsupported(format!(
                "{} is asked for, {} can be given",
                message.qos, can.max_qos
            ));
        }
        if message.retain && !can.retain {
            return unsupported("retained messages".to_owned());
        }
        if !message.properties.is_empty() && !can.properties {
            return unsupported("properties beside the payload".to_owned());
        }
        if let Some(limit) = can.max_payload
            && message.payload.len() > limit
        {
            let reason = format!("{} bytes, the limit is {limit}", message.payload.len());
            return Err(Error::because(ErrorKind::TooLarge, reason));
        }
        Ok(())
    }

    /// A message could not be put on the disk: it is given back if it is not on its way already.
    pub(crate) fn withdraw(&mut self, id: OpId) -> Option<Message> {
        self.queue.remove_if_queued(id).map(|leaving| leaving.message)
    }

    /// Whom to call when something was written to the outbox.
    pub(crate) fn notify_with(&mut self, notify: Box<dyn Fn() + Send + Sync>) {
        self.queue.notify_with(notify);
    }

    /// Adds a subscriber.
    pub(crate) fn subscribe(
        &mut self,
        filtered: Filtered,
        wildcards: bool,
        qos: QoS,
        inbox: Arc<Inbox>,
    ) -> Result<(ListenerId, Arc<Slot<Subscribed>>), Error> {
        if let Some(error) = self.closed() {
            return Err(error);
        }
        let can = if matches!(self.link, Link::Online) {
            &self.session
        } else {
            &self.offered
        };
        if !can.subscribe {
            return Err(Error::because(ErrorKind::Unsupported, "it can only publish"));
        }
        if wildcards && !can.wildcards {
            return Err(Error::because(ErrorKind::Unsupported, "wildcards in a filter"));
        }
        if filtered.1.is_some() && !can.shared_subscriptions {
            return Err(Error::because(ErrorKind::Unsupported, "shared subscriptions"));
        }
        let retained = can.retain;
        self.unclaimed.claim(filtered.0.as_filter(), &inbox);
        Ok(self.subscriptions.subscribe(filtered, qos, retained, inbox))
    }

    /// Removes a subscriber; what it had not taken counts as not wanted.
    pub(crate) fn unsubscribe(&mut self, filtered: &Filtered, id: ListenerId, untaken: Vec<Serial>) {
        self.subscriptions.unsubscribe(filtered, id);
        untaken
            .into_iter()
            .for_each(|serial| self.deliveries.handle_acknowledgement(serial));
    }

    /// The application has the message.
    pub(crate) fn acknowledge(&mut self, serial: Serial) {
        self.deliveries.handle_acknowledgement(serial);
    }

    /// Accepts nothing more, delivers what was accepted until the deadline, then stops.
    pub(crate) fn close(&mut self, deadline: Instant) -> Arc<Slot<Vec<Message>>> {
        let sooner = self
            .closing
            .map_or(deadline, |closing| closing.deadline.min(deadline));
        self.closing = Some(Closing { deadline: sooner });
        self.queue.wake_all_waiters();
        Arc::clone(&self.stopped)
    }

    /// Queues a task for room in the outbox.
    pub(crate) fn wait_for_room(&mut self, ticket: Option<u64>, waker: &std::task::Waker) -> u64 {
        self.queue.wait_for_room(ticket, waker)
    }

    /// A task no longer waits for room.
    pub(crate) fn stop_waiting(&mut self, ticket: u64) {
        self.queue.stop_waiting(ticket);
    }

    /// How many accepted messages are not done.
    pub(crate) fn unfinished(&self) -> usize {
        self.queue.len()
    }

    /// Whether there is a session.
    pub(crate) fn is_online(&self) -> bool {
        matches!(self.link, Link::Online)
    }

    /// What can be done now.
    pub(crate) fn capabilities(&self) -> Capabilities {
        if self.is_online() {
            self.session
        } else {
            self.offered
        }
    }

    /// Filled after the first attempt to connect.
    pub(crate) fn first_attempt(&self) -> Arc<Slot<Result<(), Error>>> {
        Arc::clone(&self.first_attempt)
    }

    /// What to do now.
    pub(crate) fn poll_step(&mut self, now: Instant) -> Step {
        if let Some(closing) = self.closing {
            let done = self.queue.len() == 0;
            match self.link {
                Link::Stopped(_) => return Step::Stop,
                Link::Online if done && !self.has_ops() => return Step::Close,
                Link::Online if now >= closing.deadline => return Step::Close,
                Link::Online => return Step::Exchange,
                _ if done || now >= closing.deadline => {
                    self.stop(None);
                    return Step::Stop;
                }
                _ => {}
            }
        }
        match self.link {
            Link::Waiting { until } if until <= now => {
                self.link = Link::Connecting;
                Step::Connect {
                    attempt: self.backoff.attempts(),
                }
            }
            Link::Waiting { .. } | Link::Connecting => Step::Wait,
            Link::Online => Step::Exchange,
            Link::Stopped(_) => Step::Stop,
        }
    }

    /// When to ask again, if nothing happens before.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let retry = match self.link {
            Link::Waiting { until } => Some(until),
            _ => None,
        };
        let deadline = self.closing.map(|closing| closing.deadline);
        [
            retry,
            deadline,
            self.queue.poll_timeout(),
            self.unclaimed.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for given_up in self.unclaimed.handle_timeout(now) {
            self.deliveries.handle_acknowledgement(given_up);
        }
        for expired in self.queue.remove_expired(now) {
            self.give_back(expired, ErrorKind::Expired, None);
        }
    }

    /// The next operation for the session: acknowledgements first, then subscriptions, then messages, so that a full
    /// window holds nothing else back.
    pub(crate) fn poll_op(&mut self, now: Instant) -> Option<Op> {
        if let Some(delivery) = self.deliveries.poll_acknowledge() {
            return Some(Op::Acknowledge(delivery));
        }
        if let Some(id) = self.queue.poll_release() {
            return Some(Op::Release(id));
        }
        if self.control.is_empty() {
            self.control.extend(self.subscriptions.poll_ops());
        }
        let careful = self.suspicion.is_careful();
        let alone = !self.suspicion.is_asking() && !self.queue.has_acknowledged();
        if (!careful || alone)
            && let Some(op) = self.control.pop_front()
        {
            match &op {
                Op::Subscribe { id, subscription, .. } => {
                    self.suspicion.handle_asked(*id, Some(*subscription), now)
                }
                Op::Unsubscribe { id, .. } => self.suspicion.handle_asked(*id, None, now),
                _ => {}
            }
            return Some(op);
        }
        let window = self.suspicion.window(self.session.max_in_flight);
        let next = self.queue.poll_send(window, careful);
        while let Some((leaving, error)) = self.queue.poll_unmarkable() {
            self.fail(leaving, error);
        }
        let (id, message, number) = next?;
        if message.qos == QoS::AtMostOnce {
            self.suspicion.handle_unanswerable();
        } else {
            self.suspicion.handle_sent(now);
        }
        Some(Op::Publish { id, message, number })
    }

    /// What the transport is to know when it connects.
    pub(crate) fn earlier(&self) -> Earlier {
        Earlier {
            max_in_flight: self.suspicion.window(self.offered.max_in_flight),
            given_up: self.given_up.clone(),
            begun: self.queue.begun(),
        }
    }

    /// A session began.
    pub(crate) fn handle_connected(
        &mut self,
        capabilities: Capabilities,
        resumed: bool,
        held: &[OpId],
        in_doubt: &[OpId],
        now: Instant,
    ) {
        self.link = Link::Online;
        self.session = capabilities;
        self.deliveries
            .handle_session_start(capabilities.acknowledge_in_order);
        self.backoff.handle_connected(now);
        self.suspicion.handle_session_start(now);
        self.given_up.clear();
        for id in in_doubt {
            if let Some(leaving) = self.queue.remove(*id) {
                self.give_back(leaving, ErrorKind::Indeterminate, None);
            }
        }
        for lost in self.queue.handle_session_start(held, resumed) {
            self.give_back(lost, ErrorKind::Indeterminate, None);
        }
        for unfit in self.queue.remove_unfit(&capabilities) {
            let kind = match capabilities.max_payload {
                Some(limit) if unfit.message.payload.len() > limit => ErrorKind::TooLarge,
                _ => ErrorKind::Unsupported,
            };
            self.give_back(
                unfit,
                kind,
                Some("the platform allows less than was expected".into()),
            );
        }
        self.subscriptions.handle_session_start(resumed);
        if resumed && !self.ever_online {
            self.unclaimed.handle_resumed(now);
        }
        self.first_attempt.fill(Ok(()));
        trace::debug!(resumed = %resumed, unfinished = %self.queue.len(), "connected");
        self.events.emit(&ClientEvent::Connected { resumed });
        if self.ever_online && !resumed {
            self.events.emit(&ClientEvent::Gap);
        }
        self.ever_online = true;
    }

    /// An attempt to connect failed, or the session ended.
    pub(crate) fn handle_failure(&mut self, error: &TransportError, now: Instant) {
        if self.is_online() {
            let (in_flight, alone) = (self.queue.in_flight(), self.queue.alone_in_flight());
            let culprit = self.suspicion.handle_session_end(error, in_flight, alone, now);
            self.handle_session_end();
            if let Some(culprit) = culprit {
                self.give_up(culprit, error);
            }
        }
        let failure = Error::connection(error.clone());
        trace::debug!(error = %error, attempts = %self.backoff.attempts(), "not connected");
        self.first_attempt.fill(Err(failure.clone()));
        if !error.is_retryable() {
            self.events.emit(&ClientEvent::Disconnected {
                error: failure.clone(),
                retry_in: None,
            });
            self.stop(Some(failure));
            return;
        }
        let delay = self.backoff.handle_failure(now);
        self.link = Link::Waiting { until: now + delay };
        self.events.emit(&ClientEvent::Disconnected {
            error: failure,
            retry_in: Some(delay),
        });
    }

    /// The session was closed on purpose.
    pub(crate) fn handle_closed(&mut self) {
        self.stop(None);
        self.handle_session_end();
    }

    fn handle_session_end(&mut self) {
        self.control.clear();
        self.subscriptions.handle_session_end();
        self.deliveries.handle_session_end();
        self.unclaimed.handle_session_end();
        for leaving in self.queue.handle_session_end() {
            self.give_back(leaving, ErrorKind::Indeterminate, None);
        }
        self.session = self.offered;
    }

    fn has_ops(&self) -> bool {
        !self.control.is_empty() || self.subscriptions.has_ops() || self.deliveries.can_acknowledge()
    }
}
