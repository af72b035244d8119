mod download;
mod exchange;
mod notify;
mod observe;
mod receive;
mod request;
mod serve_blocks;
mod transmission;
mod upload;

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
};
use core::{fmt, time::Duration};

use crate::{
    duplicates::Duplicates,
    event::{Event, Transmit},
    message::Token,
    parameters::Parameters,
    random::Random,
    timers::Timers,
};

use self::{
    exchange::Exchange,
    notify::Observer,
    request::Pending,
    serve_blocks::{Body, BodyKey, Reassembly},
    transmission::{Peer, Purpose, Sending},
};

/// One CoAP endpoint: a client, a server, or both, on one socket.
///
/// `P` is the address of a peer. After every call the caller sends what [`poll_transmit`](Self::poll_transmit) gives,
/// handles what [`poll_event`](Self::poll_event) gives, and calls [`handle_timeout`](Self::handle_timeout) when
/// [`poll_timeout`](Self::poll_timeout) has come. State is bounded by the [`Parameters`].
pub struct Endpoint<P> {
    parameters: Parameters,
    random: Box<dyn Random + Send>,
    last_id: u64,
    stray_message_id: u16,
    timers: Timers<Timer<P>>,
    transmits: VecDeque<Transmit<P>>,
    events: VecDeque<Event<P>>,
    peers: BTreeMap<P, Peer>,
    sending: BTreeMap<(P, u16), Sending>,
    unconfirmed: VecDeque<(P, u16, Purpose)>,
    duplicates: Duplicates<P>,
    requests: BTreeMap<u64, Pending<P>>,
    tokens: BTreeMap<(P, Token), u64>,
    unacknowledged: BTreeMap<u64, (P, u16)>,
    exchanges: BTreeMap<u64, Exchange<P>>,
    observers: BTreeMap<u64, Observer<P>>,
    observer_tokens: BTreeMap<(P, Token), u64>,
    reassemblies: BTreeMap<BodyKey<P>, Reassembly>,
    bodies: BTreeMap<BodyKey<P>, Body>,
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer<P> {
    /// Repeat a confirmable message, or give it up.
    Retransmit(P, u16),
    /// Acknowledge a request whose response is not there yet.
    Acknowledge(u64),
    /// Give up an exchange the application never responded to.
    Abandon(u64),
    /// Give up waiting for a response.
    Response(u64),
    /// Register an observation anew.
    Reregister(u64),
    /// Say something to a peer that is being observed.
    KeepAlive(P),
    /// Give up a body that comes in blocks.
    Reassembly(BodyKey<P>),
    /// Forget a body that is fetched in blocks.
    Body(BodyKey<P>),
}

impl<P: Copy + Ord> Endpoint<P> {
    /// An endpoint that has not met anybody.
    #[must_use]
    pub fn new(parameters: Parameters, mut random: Box<dyn Random + Send>) -> Self {
        let duplicates = Duplicates::new(parameters.max_duplicates, parameters.exchange_lifetime());
        let stray_message_id = random.next() as u16;
        Self {
            parameters,
            random,
            last_id: 0,
            stray_message_id,
            timers: Timers::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            peers: BTreeMap::new(),
            sending: BTreeMap::new(),
            unconfirmed: VecDeque::new(),
            duplicates,
            requests: BTreeMap::new(),
            tokens: BTreeMap::new(),
            unacknowledged: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            observers: BTreeMap::new(),
            observer_tokens: BTreeMap::new(),
            reassemblies: BTreeMap::new(),
            bodies: BTreeMap::new(),
        }
    }

    /// The parameters it was made with.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The next datagram to send. Cost: none but the move.
    pub fn poll_transmit(&mut self) -> Option<Transmit<P>> {
        self.transmits.pop_front()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event<P>> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, if nothing happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timers.next()
    }

    /// Does what is due at `now`. Calling it early or often does no harm.
    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Retransmit(peer, message_id) => self.retransmit(now, peer, message_id),
                Timer::Acknowledge(exchange) => self.acknowledge_late(exchange),
                Timer::Abandon(exchange) => self.abandon(exchange),
                Timer::Response(request) => self.response_timed_out(now, request),
                Timer::Reregister(observation) => self.reregister(now, observation),
                Timer::KeepAlive(peer) => self.keep_alive(now, peer),
                Timer::Reassembly(key) => self.give_up_reassembly(key),
                Timer::Body(key) => self.give_up_body(now, key),
            }
        }
    }

    /// How many things are remembered: for tests of bounded growth and for metrics.
    #[must_use]
    pub fn footprint(&self) -> usize {
        self.peers.values().map(|peer| 1 + peer.waiting()).sum::<usize>()
            + self.sending.len()
            + self.unconfirmed.len()
            + self.duplicates.len()
            + self.requests.len()
            + self.unacknowledged.len()
            + self.exchanges.len()
            + self
                .observers
                .values()
                .map(|observer| 1 + observer.waiting())
                .sum::<usize>()
            + self.reassemblies.len()
            + self.bodies.len()
    }

    fn fresh_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A random duration between the two.
    fn jitter(&mut self, from: Duration, to: Duration) -> Duration {
        let fraction = (self.random.next() >> 11) as f64 / (1_u64 << 53) as f64;
        from + to.saturating_sub(from).mul_f64(fraction)
    }
}

impl<P> fmt::Debug for Endpoint<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("requests", &self.requests.len())
            .field("exchanges", &self.exchanges.len())
            .field("observers", &self.observers.len())
            .finish_non_exhaustive()
    }
}
