//! The task that serves the socket.

use std::collections::HashMap;
use std::future::pending;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{AbortHandle, Abortable};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use manywire_coap::dtls::Listener;
use manywire_coap::{
    Code, Endpoint, Event, ExchangeId, Message as CoapMessage, ObserverId, OptionNumber, Parameters, PingId,
    Transmit,
};
use manywire_topics::FilterBuf;
use tokio::net::UdpSocket;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::CoapSettings;
use super::random::random;
use super::request::{Outcome, Subscription, error, handle, notification};
use super::wire::{Peer, Wire};
use crate::broker::{Inbox, Lagged, Received};
use crate::hub::Hub;
use crate::identity::{Action, Denied, Thing};
use crate::shutdown::Shutdown;

/// Serves CoAP on the socket until the gateway stops.
pub(crate) async fn serve(
    socket: UdpSocket,
    secure: Option<Listener<SocketAddr>>,
    hub: Arc<Hub>,
    settings: CoapSettings,
    shutdown: Shutdown,
) {
    let mut server = Server::new(Wire::new(socket, secure), hub, &settings);
    let period = settings.keep_alive.max(MIN_KEEP_ALIVE);
    let mut pulse = interval_at(Instant::now() + period, period);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut rights = server.hub.rights_changed();
    loop {
        let timeouts = [server.endpoint.poll_timeout(), server.wire.poll_timeout()];
        let deadline = timeouts
            .into_iter()
            .flatten()
            .min()
            .map(|timeout| server.origin + timeout);
        let timeout = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => pending().await,
            }
        };
        tokio::select! {
            readable = server.wire.socket.readable() => match readable {
                Ok(()) => server.receive(),
                Err(error) => tracing::warn!(%error, "the CoAP socket cannot be read"),
            },
            Some(done) = server.requests.next() => server.conclude(done),
            Some(Ok(arrival)) = server.inboxes.next() => server.forward(arrival),
            Some((observer, denied)) = server.checks.next() => server.checked(observer, denied),
            () = timeout => server.handle_timeout(),
            _ = pulse.tick() => server.ping_observers(),
            Ok(()) = rights.changed() => server.check_rights(),
            () = shutdown.requested() => break,
        }
        server.settle().await;
    }
    server.say_goodbye().await;
}

struct Server {
    wire: Wire,
    hub: Arc<Hub>,
    endpoint: Endpoint<Peer>,
    /// What the endpoint's clock counts from.
    origin: Instant,
    observers: HashMap<ObserverId, Observer>,
    observers_of: HashMap<Peer, usize>,
    requests: FuturesUnordered<BoxFuture<Done>>,
    requests_of: HashMap<Peer, usize>,
    requests_per_peer: usize,
    inboxes: FuturesUnordered<Abortable<BoxFuture<Arrival>>>,
    checks: FuturesUnordered<BoxFuture<(ObserverId, Option<Denied>)>>,
    pings: HashMap<PingId, Peer>,
}

/// Somebody who observes a filter.
struct Observer {
    peer: Peer,
    thing: Thing,
    filter: FilterBuf,
    /// The inbox while nothing is awaited from it.
    inbox: Option<Inbox>,
    awaiting: AbortHandle,
    /// Payload bytes of the notification under way.
    under_way: usize,
}

/// A request that is worked out.
struct Done {
    exchange: ExchangeId,
    peer: Peer,
    token: manywire_coap::Token,
    outcome: Outcome,
}

/// A message for an observer, and the inbox it came from.
struct Arrival {
    observer: ObserverId,
    inbox: Inbox,
    received: Result<Received, Lagged>,
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Server {
    fn new(wire: Wire, hub: Arc<Hub>, settings: &CoapSettings) -> Self {
        let limits = hub.limits();
        let mut parameters = Parameters::default();
        parameters.serve = true;
        parameters.block_size = settings.block_size.clamp(16, 1024);
        parameters.max_datagram -= wire.overhead();
        parameters.max_body = limits.payload;
        parameters.max_exchanges = limits.connections;
        // Each observer has one notification under way at most, so they do not pile up on the way to one peer.
        parameters.nstart = OBSERVATIONS_AT_ONCE;
        Self {
            wire,
            endpoint: Endpoint::new(parameters, Box::new(random())),
            hub,
            origin: Instant::now(),
            observers: HashMap::new(),
            observers_of: HashMap::new(),
            requests: FuturesUnordered::new(),
            requests_of: HashMap::new(),
            requests_per_peer: settings.requests_per_peer.max(1),
            inboxes: FuturesUnordered::new(),
            checks: FuturesUnordered::new(),
            pings: HashMap::new(),
        }
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// Takes in what has arrived, a batch at most.
    fn receive(&mut self) {
        for _ in 0..BATCH {
            let (now, endpoint) = (self.now(), &mut self.endpoint);
            let hear = |peer, message: &[u8]| endpoint.handle_datagram(now, peer, message);
            if !self.wire.receive(now, hear) {
                return;
            }
            self.handle_events();
        }
    }

    fn handle_timeout(&mut self) {
        let (now, endpoint) = (self.now(), &mut self.endpoint);
        let hear = |peer, message: &[u8]| endpoint.handle_datagram(now, peer, message);
        self.wire.handle_timeout(now, hear);
        self.endpoint.handle_timeout(now);
    }

    /// Handles all events, then sends all datagrams.
    async fn settle(&mut self) {
        self.handle_events();
        while let Some(Transmit { peer, datagram }) = self.endpoint.poll_transmit() {
            let now = self.now();
            self.wire.send(now, peer, &datagram).await;
        }
        self.wire.flush().await;
    }

    fn handle_events(&mut self) {
        while let Some(event) = self.endpoint.poll_event() {
            match event {
                Event::Request {
                    exchange,
                    peer,
                    message,
                } => self.begin(exchange, peer, message),
                Event::Notified { observer } => self.delivered(observer),
                Event::Unfetched { observer } => {
                    self.hub.metrics().coap.lost.add(1);
                    self.await_next(observer);
                }
                Event::ObserverGone { observer, .. } => self.forget(observer),
                Event::Pong { ping } => {
                    self.pings.remove(&ping);
                }
                Event::PingLost { ping } => {
                    if let Some(peer) = self.pings.remove(&ping) {
                        self.peer_gone(peer);
                    }
                }
                _ => {}
            }
        }
        while let Some(peer) = self.wire.poll_closed() {
            self.peer_gone(peer);
        }
    }

    fn begin(&mut self, exchange: ExchangeId, peer: Peer, request: CoapMessage) {
        let open = self.requests_of.get(&peer).copied().unwrap_or(0);
        if open >= self.requests_per_peer {
            self.hub.metrics().coap.rejected.add(1);
            return self.respond(exchange, CoapMessage::new(Code::TOO_MANY_REQUESTS));
        }
        let token = request.token();
        let observer = self
            .endpoint
            .observer(peer, token)
            .and_then(|observer| self.observers.get(&observer));
        let renews = observer.map(|observer| observer.filter.clone());
        let work = handle(Arc::clone(&self.hub), request, renews);
        let mut work: BoxFuture<Done> = Box::pin(work.map(move |outcome| Done {
            exchange,
            peer,
            token,
            outcome,
        }));
        // The built-in registry and broker answer at once.
        match work.as_mut().now_or_never() {
            Some(done) => self.answer(done),
            None => {
                *self.requests_of.entry(peer).or_default() += 1;
                self.requests.push(work);
            }
        }
    }

    fn conclude(&mut self, done: Done) {
        decrease(&mut self.requests_of, done.peer);
        self.answer(done);
    }

    fn answer(
        &mut self,
        Done {
            exchange,
            peer,
            token,
            outcome,
        }: Done,
    ) {
        match outcome {
            Outcome::Respond(response) => self.respond(exchange, response),
            Outcome::Deregister => {
                if let Some(observer) = self.endpoint.observer(peer, token) {
                    let now = self.now();
                    self.endpoint.remove_observer(now, observer);
                    self.forget(observer);
                }
                self.respond(exchange, CoapMessage::new(Code::CONTENT));
            }
            Outcome::Observe(subscription) => self.observe(exchange, peer, subscription),
        }
    }

    fn observe(&mut self, exchange: ExchangeId, peer: Peer, subscription: Subscription) {
        let now = self.now();
        let Subscription { thing, filter, inbox } = subscription;
        let full = self.observers_of.get(&peer).copied().unwrap_or(0) >= self.hub.limits().subscriptions;
        if full && inbox.is_some() {
            return self.respond(exchange, error(Code::TOO_MANY_REQUESTS, "too many observations"));
        }
        let accepted = self
            .endpoint
            .accept_observer(now, exchange, CoapMessage::new(Code::CONTENT));
        let Ok(observer) = accepted else {
            return self.respond(exchange, error(Code::SERVICE_UNAVAILABLE, "too many observers"));
        };
        // An observation of the same token that this one replaces is reported as gone: first.
        self.handle_events();
        let Some(inbox) = inbox else {
            if let Some(known) = self.observers.get_mut(&observer) {
                known.thing = thing;
            }
            return;
        };
        if self.observers.contains_key(&observer) {
            self.forget(observer);
        }
        self.hub.metrics().coap.subscriptions.up();
        *self.observers_of.entry(peer).or_default() += 1;
        let awaiting = AbortHandle::new_pair().0;
        let known = Observer {
            peer,
            thing,
            filter,
            inbox: Some(inbox),
            awaiting,
            under_way: 0,
        };
        self.observers.insert(observer, known);
        self.await_next(observer);
    }

    fn respond(&mut self, exchange: ExchangeId, response: CoapMessage) {
        let now = self.now();
        if let Err(error) = self.endpoint.respond(now, exchange, response) {
            tracing::debug!(%error, "a CoAP request cannot be answered");
        }
    }

    /// Lets an observer have its next message, once there is one.
    fn await_next(&mut self, observer: ObserverId) {
        let Some(known) = self.observers.get_mut(&observer) else {
            return;
        };
        let Some(mut inbox) = known.inbox.take() else {
            return;
        };
        if let Some(received) = inbox.try_receive() {
            return self.forward(Arrival {
                observer,
                inbox,
                received,
            });
        }
        let work: BoxFuture<Arrival> = Box::pin(async move {
            let received = inbox.receive().await;
            Arrival {
                observer,
                inbox,
                received,
            }
        });
        let (handle, registration) = AbortHandle::new_pair();
        known.awaiting = handle;
        self.inboxes.push(Abortable::new(work, registration));
    }

    fn forward(
        &mut self,
        Arrival {
            observer,
            inbox,
            received,
        }: Arrival,
    ) {
        let now = self.now();
        let Some(known) = self.observers.get_mut(&observer) else {
            return;
        };
        known.inbox = Some(inbox);
        match received {
            Ok(received) => {
                known.under_way = received.message.payload.len();
                let sent = self
                    .endpoint
                    .notify(now, observer, notification(&received.message));
                // An observer the endpoint has lost is reported as gone right after this.
                if let Err(error) = sent
                    && error != manywire_coap::Error::Unknown
                {
                    tracing::warn!(%error, peer = %known.peer.address, "a message cannot be sent over CoAP");
                    self.hub.metrics().coap.lost.add(1);
                    self.await_next(observer);
                }
            }
            Err(Lagged { lost }) => {
                self.hub.metrics().coap.lost.add(lost);
                self.dismiss(
                    observer,
                    &error(Code::SERVICE_UNAVAILABLE, "too slow: messages were lost"),
                );
            }
        }
    }

    fn delivered(&mut self, observer: ObserverId) {
        if let Some(known) = self.observers.get_mut(&observer) {
            self.hub
                .metrics()
                .coap
                .count_delivered(std::mem::take(&mut known.under_way));
        }
        self.await_next(observer);
    }

    /// Ends an observation from our side, with a word.
    fn dismiss(&mut self, observer: ObserverId, last: &CoapMessage) {
        let now = self.now();
        if let Err(error) = self.endpoint.dismiss(now, observer, last.clone()) {
            tracing::debug!(%error, "an observer cannot be told that it is dismissed");
        }
        self.forget(observer);
    }

    fn forget(&mut self, observer: ObserverId) {
        if let Some(known) = self.observers.remove(&observer) {
            known.awaiting.abort();
            decrease(&mut self.observers_of, known.peer);
            self.hub.metrics().coap.subscriptions.down();
        }
    }

    fn ping_observers(&mut self) {
        let now = self.now();
        for peer in self.observers_of.keys() {
            if let Ok(ping) = self.endpoint.ping(now, *peer) {
                self.pings.insert(ping, *peer);
            }
        }
    }

    fn peer_gone(&mut self, peer: Peer) {
        let now = self.now();
        let gone: Vec<_> = self
            .observers
            .iter()
            .filter(|(_, known)| known.peer == peer)
            .map(|(observer, _)| *observer)
            .collect();
        for observer in gone {
            self.endpoint.remove_observer(now, observer);
            self.forget(observer);
        }
    }

    /// Rights have changed: asks for each observer whether it still may.
    fn check_rights(&mut self) {
        for (observer, known) in &self.observers {
            let (observer, hub) = (*observer, Arc::clone(&self.hub));
            let (thing, filter) = (known.thing.clone(), known.filter.clone());
            self.checks.push(Box::pin(async move {
                let allowed = async {
                    let thing = hub.refresh(&thing).await?;
                    hub.authorize(&thing, Action::Subscribe, filter.as_filter().channel())
                        .await
                };
                (observer, allowed.await.err())
            }));
        }
    }

    fn checked(&mut self, observer: ObserverId, denied: Option<Denied>) {
        match denied {
            // That it cannot be found out is no reason to cut anybody off.
            None | Some(Denied::Unavailable) => {}
            Some(Denied::MissingCredentials | Denied::WrongCredentials) => {
                self.dismiss(observer, &error(Code::UNAUTHORIZED, "the key is no longer valid"));
            }
            Some(_) => self.dismiss(
                observer,
                &error(Code::FORBIDDEN, "no longer allowed on the channel"),
            ),
        }
    }

    /// Tells the observers that the gateway stops; they may find another one.
    async fn say_goodbye(&mut self) {
        let last = error(Code::SERVICE_UNAVAILABLE, "the gateway stops").with_uint(OptionNumber::MAX_AGE, 1);
        let observers: Vec<_> = self.observers.keys().copied().collect();
        for observer in observers {
            self.dismiss(observer, &last);
        }
        self.settle().await;
        let now = self.now();
        self.wire.close(now).await;
    }
}

fn decrease(counts: &mut HashMap<Peer, usize>, peer: Peer) {
    if let Some(count) = counts.get_mut(&peer) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&peer);
        }
    }
}

/// How many datagrams are taken in before anything else has its turn.
const BATCH: usize = 64;

/// How many observations of one peer have a notification under way at once (NSTART towards observers).
const OBSERVATIONS_AT_ONCE: usize = 16;

/// An interval must not be zero.
const MIN_KEEP_ALIVE: Duration = Duration::from_secs(1);
