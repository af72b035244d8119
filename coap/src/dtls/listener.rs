use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};
use core::{fmt, time::Duration};

use super::{Association, Output};
use crate::timers::Timers;

/// The associations of a server, one for each peer.
///
/// `A` is the address of a peer. After every call the caller handles what [`poll`](Self::poll) gives, and calls
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) has come.
///
/// A peer that begins anew from the same address (it lost its state, RFC 6347 §4.2.8) has its old association until the
/// new handshake is done: whoever forges the address can end nothing. The new one is another [`SecurePeer`], so that
/// nothing of the old one, an exchange or a notification, ever reaches it.
pub struct Listener<A> {
    accept: Box<dyn Fn() -> Box<dyn Association> + Send>,
    limits: Limits,
    last: u64,
    handshakes: BTreeMap<A, Handshake>,
    /// Handshakes whose peer has sent one datagram only, the oldest first: its address may be forged.
    unproven: VecDeque<(A, u64)>,
    established: BTreeMap<A, Established>,
    timers: Timers<Timer<A>>,
    events: VecDeque<ListenerEvent<A>>,
}

/// How many associations a [`Listener`] keeps, and how long.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Handshakes under way at once. When there are as many, the oldest of those that have not proven their address
    /// makes room, or a new one is ignored.
    pub handshakes: usize,
    /// Associations at once. When there are as many, the one that was not heard of for longest makes room.
    pub associations: usize,
    /// How long after the last datagram from its peer an association is forgotten.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshakes: 1024,
            associations: 20_000,
            idle: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// One association of one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecurePeer<A> {
    /// Where it is.
    pub address: A,
    /// Which of the associations that were ever made with this listener, from 1.
    pub association: u64,
}

/// What a [`Listener`] has to tell.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListenerEvent<A> {
    /// A datagram to send.
    Transmit {
        /// To where.
        address: A,
        /// What.
        datagram: Vec<u8>,
    },
    /// A message came.
    Received {
        /// From whom.
        peer: SecurePeer<A>,
        /// What.
        message: Vec<u8>,
    },
    /// An association is over.
    Closed {
        /// With whom.
        peer: SecurePeer<A>,
    },
}

struct Handshake {
    association: Box<dyn Association>,
    serial: u64,
    proven: bool,
}

struct Established {
    association: Box<dyn Association>,
    serial: u64,
    heard: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer<A> {
    Handshake(A),
    Established(A),
    Idle(A),
}

impl<A: Copy + Ord> Listener<A> {
    /// A listener without peers; `accept` makes an association that awaits its first datagram.
    pub fn new(limits: Limits, accept: impl Fn() -> Box<dyn Association> + Send + 'static) -> Self {
        Self {
            accept: Box::new(accept),
            limits,
            last: 0,
            handshakes: BTreeMap::new(),
            unproven: VecDeque::new(),
            established: BTreeMap::new(),
            timers: Timers::new(),
            events: VecDeque::new(),
        }
    }

    /// The next thing that happened.
    pub fn poll(&mut self) -> Option<ListenerEvent<A>> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, if nothing happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timers.next()
    }

    /// How many associations there are, and how many handshakes are under way.
    #[must_use]
    pub fn len(&self) -> (usize, usize) {
        (self.established.len(), self.handshakes.len())
    }

    /// A datagram came.
    pub fn handle_datagram(&mut self, now: Duration, address: A, datagram: &[u8]) {
        let is_hello = is_client_hello(datagram);
        // Beside an established association a datagram may be of either: the keys tell.
        if let Some(handshake) = self.handshakes.get_mut(&address) {
            let outcome = handshake.association.handle_datagram(now, datagram);
            self.proceed(now, address, outcome.is_ok());
        } else if is_hello {
            return self.begin(now, address, datagram);
        }
        if let Some(known) = self.established.get_mut(&address).filter(|_| !is_hello) {
            let outcome = known.association.handle_datagram(now, datagram);
            self.exchange(now, address, outcome.is_ok());
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Handshake(address) => {
                    if let Some(handshake) = self.handshakes.get_mut(&address) {
                        let outcome = handshake.association.handle_timeout(now);
                        self.proceed(now, address, outcome.is_ok());
                    }
                }
                Timer::Established(address) => {
                    if let Some(known) = self.established.get_mut(&address) {
                        let outcome = known.association.handle_timeout(now);
                        self.exchange(now, address, outcome.is_ok());
                    }
                }
                Timer::Idle(address) => self.check_idle(now, address),
            }
        }
    }

    /// Sends a message in an association; one that is over is as a network that loses it.
    pub fn send(&mut self, now: Duration, peer: SecurePeer<A>, message: &[u8]) {
        if let Some(known) = self.established.get_mut(&peer.address)
            && known.serial == peer.association
        {
            let outcome = known.association.send(message);
            self.exchange(now, peer.address, outcome.is_ok());
        }
    }

    /// Says good-bye to all peers.
    pub fn close(&mut self, now: Duration) {
        let addresses: Vec<A> = self.established.keys().copied().collect();
        for address in addresses {
            self.end(now, address);
        }
    }

    fn begin(&mut self, now: Duration, address: A, datagram: &[u8]) {
        if self.handshakes.len() >= self.limits.handshakes.max(1) && !self.make_room() {
            return;
        }
        self.last += 1;
        let mut association = (self.accept)();
        let outcome = association.handle_datagram(now, datagram);
        let handshake = Handshake {
            association,
            serial: self.last,
            proven: false,
        };
        self.handshakes.insert(address, handshake);
        self.unproven.push_back((address, self.last));
        self.proceed(now, address, outcome.is_ok());
    }

    /// Ends the oldest handshake whose peer has not proven its address.
    fn make_room(&mut self) -> bool {
        while let Some((address, serial)) = self.unproven.pop_front() {
            let is_unproven = |handshake: &Handshake| handshake.serial == serial && !handshake.proven;
            if self.handshakes.get(&address).is_some_and(is_unproven) {
                self.drop_handshake(address);
                return true;
            }
        }
        false
    }

    fn drop_handshake(&mut self, address: A) -> Option<Handshake> {
        self.timers.clear(Timer::Handshake(address));
        self.handshakes.remove(&address)
    }

    /// Takes what comes out of a handshake.
    fn proceed(&mut self, now: Duration, address: A, mut is_alive: bool) {
        loop {
            let Some(handshake) = self.handshakes.get_mut(&address) else {
                return;
            };
            match handshake.association.poll() {
                Ok(Some(Output::Transmit(datagram))) => {
                    handshake.proven |= is_server_hello(&datagram);
                    self.events
                        .push_back(ListenerEvent::Transmit { address, datagram });
                }
                Ok(Some(Output::Connected)) => return self.establish(now, address),
                Ok(Some(Output::Closed)) | Err(_) => {
                    is_alive = false;
                    break;
                }
                // Nobody is heard before it has proven who it is.
                Ok(Some(Output::Received(_))) => {}
                Ok(None) => break,
            }
        }
        if !is_alive {
            self.drop_handshake(address);
        } else if let Some(handshake) = self.handshakes.get(&address) {
            let deadline = handshake.association.poll_timeout();
            self.timers
                .set(Timer::Handshake(address), deadline.unwrap_or(now + HANDSHAKE));
        }
    }

    fn establish(&mut self, now: Duration, address: A) {
        let Some(handshake) = self.drop_handshake(address) else {
            return;
        };
        if self.established.contains_key(&address) {
            self.forget(address);
        } else if self.established.len() >= self.limits.associations.max(1) {
            let oldest = self
                .established
                .iter()
                .min_by_key(|(_, known)| known.heard)
                .map(|(address, _)| *address);
            oldest.into_iter().for_each(|oldest| self.end(now, oldest));
        }
        let established = Established {
            association: handshake.association,
            serial: handshake.serial,
            heard: now,
        };
        self.established.insert(address, established);
        self.timers.set(Timer::Idle(address), now + self.limits.idle);
        self.exchange(now, address, true);
    }

    /// Takes what comes out of an association.
    fn exchange(&mut self, now: Duration, address: A, mut is_alive: bool) {
        loop {
            let Some(known) = self.established.get_mut(&address) else {
                return;
            };
            let peer = SecurePeer {
                address,
                association: known.serial,
            };
            match known.association.poll() {
                Ok(Some(Output::Transmit(datagram))) => {
                    self.events
                        .push_back(ListenerEvent::Transmit { address, datagram });
                }
                Ok(Some(Output::Received(message))) => {
                    known.heard = now;
                    self.events.push_back(ListenerEvent::Received { peer, message });
                }
                Ok(Some(Output::Closed)) | Err(_) => is_alive = false,
                Ok(Some(Output::Connected)) => {}
                Ok(None) => break,
            }
        }
        if !is_alive {
            return self.forget(address);
        }
        match self
            .established
            .get(&address)
            .and_then(|known| known.association.poll_timeout())
        {
            Some(deadline) => self.timers.set(Timer::Established(address), deadline.max(now)),
            None => self.timers.clear(Timer::Established(address)),
        }
    }

    fn check_idle(&mut self, now: Duration, address: A) {
        let Some(known) = self.established.get(&address) else {
            return;
        };
        let until = known.heard + self.limits.idle;
        if until > now {
            self.timers.set(Timer::Idle(address), until);
        } else {
            self.end(now, address);
        }
    }

    /// Says good-bye to one peer.
    fn end(&mut self, now: Duration, address: A) {
        if let Some(known) = self.established.get_mut(&address) {
            known.association.close();
            self.exchange(now, address, true);
        }
        self.forget(address);
    }

    fn forget(&mut self, address: A) {
        self.timers.clear(Timer::Established(address));
        self.timers.clear(Timer::Idle(address));
        if let Some(known) = self.established.remove(&address) {
            let peer = SecurePeer {
                address,
                association: known.serial,
            };
            self.events.push_back(ListenerEvent::Closed { peer });
        }
    }
}

impl<A> fmt::Debug for Listener<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("handshakes", &self.handshakes.len())
            .field("established", &self.established.len())
            .finish_non_exhaustive()
    }
}

/// The type of the handshake message in the first record (RFC 6347 §4.1: type, version, epoch, sequence number, length),
/// if it is one in clear.
fn handshake_type(datagram: &[u8]) -> Option<u8> {
    const HANDSHAKE: u8 = 22;
    let is_clear = datagram.first() == Some(&HANDSHAKE) && datagram.get(3..5) == Some(&[0, 0]);
    datagram.get(RECORD_HEADER).copied().filter(|_| is_clear)
}

fn is_client_hello(datagram: &[u8]) -> bool {
    handshake_type(datagram) == Some(1)
}

/// A ServerHello comes after the cookie has come back: the address is not forged. One with the random number of RFC 8446
/// §4.1.3 is a HelloRetryRequest, which brings the cookie.
fn is_server_hello(datagram: &[u8]) -> bool {
    let random = datagram
        .get(RECORD_HEADER + HANDSHAKE_HEADER + 2..)
        .unwrap_or_default();
    handshake_type(datagram) == Some(2) && !random.starts_with(&HELLO_RETRY_REQUEST)
}

const RECORD_HEADER: usize = 13;

const HANDSHAKE_HEADER: usize = 12;

/// The first half of SHA-256 of "HelloRetryRequest".
const HELLO_RETRY_REQUEST: [u8; 16] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
];

/// How long a handshake may take of which nothing is to be done.
const HANDSHAKE: Duration = Duration::from_secs(40);
