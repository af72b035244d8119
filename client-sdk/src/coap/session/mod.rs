//! One session: an endpoint, a socket, and the engine's operations between them.

mod observing;

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use futures_sink::Sink;
use manywire_coap::{
    ConfirmId, Endpoint, Event as CoapEvent, Failure, ObservationId, Parameters, PingId, RequestId, Transmit,
};
use tokio::time::{Instant, Sleep, sleep_until};

use self::observing::{Observed, Waiting};
use super::random::SystemRandom;
use crate::{
    binding::coap::{self as binding, Binding},
    error::{Refusal, RefusalKind},
    message::Message,
    net::{self, Datagrams},
    qos::QoS,
    transport::{DeliveryId, Event, Op, OpId, SubscriptionId, TransportError, TransportErrorKind},
};

/// A connected socket makes the only peer nameless.
type Peer = ();

pub(super) struct CoapSession {
    socket: Datagrams,
    binding: Binding,
    endpoint: Endpoint<Peer>,
    /// What the endpoint's clock counts from.
    origin: Instant,
    alarm: Pin<Box<Sleep>>,
    unsent: Option<Transmit<Peer>>,
    /// Published once everything before them is handed to the operating system.
    sending: Vec<OpId>,
    /// Non-confirmable requests: nobody waits for their answers, they are only kept from being rejected.
    unconfirmed: VecDeque<RequestId>,
    publishes: HashMap<RequestId, OpId>,
    observations: HashMap<ObservationId, Observed>,
    waiting: HashMap<SubscriptionId, Waiting>,
    deliveries: HashMap<DeliveryId, ConfirmId>,
    last_delivery: u64,
    greeting: Option<PingId>,
    events: VecDeque<Event>,
    failure: Option<TransportError>,
    buffer: Box<[u8]>,
    closing: bool,
}

impl CoapSession {
    pub(super) fn new(socket: Datagrams, binding: Binding, parameters: Parameters) -> Self {
        let origin = Instant::now();
        Self {
            socket,
            binding,
            endpoint: Endpoint::new(parameters, Box::new(SystemRandom::default())),
            origin,
            alarm: Box::pin(sleep_until(origin)),
            unsent: None,
            sending: Vec::new(),
            unconfirmed: VecDeque::new(),
            publishes: HashMap::new(),
            observations: HashMap::new(),
            waiting: HashMap::new(),
            deliveries: HashMap::new(),
            last_delivery: 0,
            greeting: None,
            events: VecDeque::new(),
            failure: None,
            buffer: vec![0; LONGEST_DATAGRAM].into_boxed_slice(),
            closing: false,
        }
    }

    /// Waits for a sign of life: UDP would send into the void without a word.
    pub(super) async fn greet(mut self) -> Result<Self, TransportError> {
        self.greeting = self.endpoint.ping(self.now(), ()).ok();
        poll_fn(|context| {
            self.drive(context);
            match self.failure.take() {
                Some(error) => Poll::Ready(Err(error)),
                None if self.greeting.is_none() => Poll::Ready(Ok(())),
                None => Poll::Pending,
            }
        })
        .await?;
        Ok(self)
    }

    fn now(&self) -> std::time::Duration {
        self.origin.elapsed()
    }

    /// Moves everything that can move: datagrams both ways, timers, events.
    fn drive(&mut self, context: &mut Context<'_>) {
        for _ in 0..ROUNDS {
            if !self.round(context) {
                return;
            }
        }
        // There is more to do: after the others have had their turn.
        context.waker().wake_by_ref();
    }

    /// Takes in one datagram, and does what follows from it. Says whether there may be more to do.
    fn round(&mut self, context: &mut Context<'_>) -> bool {
        if self.failure.is_some() {
            return false;
        }
        let received = self.receive(context);
        let now = self.now();
        self.endpoint.handle_timeout(now);
        while let Some(event) = self.endpoint.poll_event() {
            self.handle_event(event);
        }
        self.send(context);
        self.arm(context) || received
    }

    /// Takes in one datagram. Says whether there was one.
    fn receive(&mut self, context: &mut Context<'_>) -> bool {
        match self.socket.poll_receive(context, &mut self.buffer) {
            Poll::Pending => false,
            Poll::Ready(Ok(length)) => {
                let now = self.now();
                self.endpoint
                    .handle_datagram(now, (), self.buffer.get(..length).unwrap_or_default());
                true
            }
            Poll::Ready(Err(error)) => {
                self.failure = Some(net::lost(error));
                false
            }
        }
    }

    fn send(&mut self, context: &mut Context<'_>) {
        while let Some(transmit) = self.unsent.take().or_else(|| self.endpoint.poll_transmit()) {
            match self.socket.poll_send(context, &transmit.datagram) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    self.failure = Some(net::lost(error));
                    return;
                }
                Poll::Pending => {
                    self.unsent = Some(transmit);
                    return;
                }
            }
        }
        self.events.extend(self.sending.drain(..).map(Event::Published));
    }

    /// Sets the alarm for the next deadline and says whether that is over already. An alarm that is set earlier stays:
    /// it wakes for nothing now and then, which is cheaper than setting it for each message.
    fn arm(&mut self, context: &mut Context<'_>) -> bool {
        let Some(deadline) = self.endpoint.poll_timeout().map(|timeout| self.origin + timeout) else {
            return false;
        };
        if self.alarm.is_elapsed() || deadline < self.alarm.deadline() {
            self.alarm.as_mut().reset(deadline);
        }
        self.alarm.as_mut().poll(context).is_ready()
    }

    fn handle_event(&mut self, event: CoapEvent<Peer>) {
        match event {
            CoapEvent::Response { request, message } => {
                if let Some(id) = self.publishes.remove(&request) {
                    let answer = if message.code().is_success() {
                        Event::Published(id)
                    } else {
                        Event::Refused {
                            id,
                            refusal: binding::refusal(&message),
                        }
                    };
                    self.events.push_back(answer);
                }
            }
            CoapEvent::Failed { request, failure } => {
                if let Some(id) = self.publishes.remove(&request) {
                    self.handle_failed_publish(id, failure);
                }
            }
            CoapEvent::Registered {
                observation,
                message,
                gap,
            } => self.handle_registered(observation, message, gap),
            CoapEvent::Notification {
                observation,
                message,
                confirm,
            } => {
                self.handle_notification(observation, message, confirm);
            }
            CoapEvent::Gap { observation } => {
                let subscription = self
                    .observations
                    .get(&observation)
                    .map(|observed| observed.subscription);
                self.events.extend(subscription.map(Event::Gap));
            }
            CoapEvent::Ended { observation, cause } => self.handle_ended(observation, cause),
            CoapEvent::Stale { .. } | CoapEvent::PingLost { .. } => self.fail(TransportErrorKind::TimedOut),
            CoapEvent::Pong { .. } => self.greeting = None,
            _ => {}
        }
    }

    fn handle_failed_publish(&mut self, id: OpId, failure: Failure) {
        let refusal = match failure {
            // The engine connects again and submits it anew: at least once.
            Failure::Timeout => return self.fail(TransportErrorKind::TimedOut),
            Failure::Reset => Refusal::new(RefusalKind::Unsupported),
            Failure::Blocks => Refusal::new(RefusalKind::Busy),
            // The answer is here but cannot be understood: what it says of the message is not known.
            _ => return self.events.push_back(Event::Indeterminate(id)),
        };
        self.events.push_back(Event::Refused {
            id,
            refusal: refusal.because(failure.to_string()),
        });
    }

    fn fail(&mut self, kind: TransportErrorKind) {
        self.failure.get_or_insert(TransportError::new(kind));
    }

    fn publish(&mut self, id: OpId, mut message: Message) -> Result<(), Refusal> {
        let whole = message.payload.len() <= self.endpoint.parameters().block_size;
        let unconfirmed = message.qos == QoS::AtMostOnce && whole;
        if !unconfirmed {
            // A body in blocks is worth nothing with one of them missing.
            message.qos = QoS::AtLeastOnce;
        }
        let request = self.binding.publish(&message)?;
        let request = self
            .endpoint
            .request(self.now(), (), request)
            .map_err(refused_here)?;
        if unconfirmed {
            self.sending.push(id);
            self.unconfirmed.push_back(request);
            if self.unconfirmed.len() > UNCONFIRMED {
                let now = self.now();
                self.unconfirmed
                    .pop_front()
                    .into_iter()
                    .for_each(|oldest| self.endpoint.cancel(now, oldest));
            }
        } else {
            self.publishes.insert(request, id);
        }
        Ok(())
    }
}

impl Stream for CoapSession {
    type Item = Result<Event, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        for _ in 0..ROUNDS {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            if let Some(error) = self.failure.take() {
                return Poll::Ready(Some(Err(error)));
            }
            if !self.round(context) && self.events.is_empty() && self.failure.is_none() {
                return Poll::Pending;
            }
        }
        // There is more to do: after the others have had their turn.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Sink<Op> for CoapSession {
    type Error = TransportError;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        if self.unsent.is_some() {
            self.drive(context);
        }
        if self.unsent.is_some() && self.failure.is_none() {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    }

    fn start_send(mut self: Pin<&mut Self>, op: Op) -> Result<(), TransportError> {
        let (id, outcome) = match op {
            Op::Publish { id, message, .. } => (id, self.publish(id, message)),
            Op::Subscribe {
                id,
                subscription,
                filter,
                qos,
                ..
            } => (id, self.subscribe(id, subscription, &filter, qos)),
            Op::Unsubscribe { id, subscription, .. } => {
                self.unsubscribe(id, subscription);
                (id, Ok(()))
            }
            Op::Release(_) => return Ok(()),
            Op::Acknowledge(delivery) => {
                if let Some(confirm) = self.deliveries.remove(&delivery) {
                    self.endpoint.confirm(confirm);
                }
                return Ok(());
            }
        };
        if let Err(refusal) = outcome {
            self.events.push_back(Event::Refused { id, refusal });
        }
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.send(context);
        let _ = self.arm(context);
        if !self.events.is_empty() {
            // The stream has something to yield that did not come from the socket.
            context.waker().wake_by_ref();
        }
        if self.unsent.is_some() && self.failure.is_none() {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    }

    /// Ends the observations, so that the platform does not send into the void.
    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        if !self.closing {
            self.closing = true;
            let now = self.now();
            let observations: Vec<_> = self.observations.keys().copied().collect();
            for observation in observations {
                self.endpoint.cancel_observation(now, observation);
            }
        }
        self.drive(context);
        ready!(self.as_mut().poll_flush(context))?;
        if self.observations.is_empty() || self.failure.is_some() {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }
}

fn refused_here(error: manywire_coap::Error) -> Refusal {
    let kind = match error {
        manywire_coap::Error::TooLarge => RefusalKind::TooLarge,
        manywire_coap::Error::Busy => RefusalKind::Busy,
        _ => RefusalKind::Other,
    };
    Refusal::new(kind).because(error.to_string())
}

/// As long as UDP allows, so that nothing is cut.
const LONGEST_DATAGRAM: usize = 65_535;

/// How many non-confirmable requests may be unanswered; older ones are forgotten.
const UNCONFIRMED: usize = 256;

/// How many datagrams are taken in before the others have their turn.
const ROUNDS: usize = 64;
