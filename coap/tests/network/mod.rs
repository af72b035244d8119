//! A network under virtual time: two endpoints, and what may happen to datagrams between them.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::{collections::BTreeMap, time::Duration};

use manywire_coap::{Endpoint, Event, Parameters};

/// The address of an endpoint: its index.
pub(crate) type Peer = usize;

/// What happens to datagrams, in parts per hundred.
#[derive(Clone, Copy, Default)]
pub(crate) struct Weather {
    pub(crate) loss: u64,
    pub(crate) duplication: u64,
    /// Each datagram takes from 10 ms to this much more, at random: above 0 they overtake each other.
    pub(crate) jitter: Duration,
}

pub(crate) struct Network {
    pub(crate) now: Duration,
    pub(crate) weather: Weather,
    pub(crate) endpoints: Vec<Endpoint<Peer>>,
    /// Every datagram that was sent: when, from whom, to whom, what.
    pub(crate) sent: Vec<(Duration, Peer, Peer, Vec<u8>)>,
    /// Endpoints that hear and say nothing.
    pub(crate) silent: Vec<Peer>,
    wire: BTreeMap<(Duration, u64), (Peer, Peer, Vec<u8>)>,
    serial: u64,
    dice: u64,
}

pub(crate) fn random(seed: u64) -> impl FnMut() -> u64 + Send + 'static {
    let mut state = seed;
    move || {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

pub(crate) fn serving() -> Parameters {
    let mut parameters = Parameters::default();
    parameters.serve = true;
    parameters
}

impl Network {
    pub(crate) fn new(seed: u64, parameters: impl IntoIterator<Item = Parameters>) -> Self {
        let endpoints = parameters
            .into_iter()
            .zip(1..)
            .map(|(parameters, n)| Endpoint::new(parameters, Box::new(random(seed ^ (n << 32)))))
            .collect();
        Self {
            now: Duration::from_secs(1000),
            weather: Weather::default(),
            endpoints,
            sent: Vec::new(),
            silent: Vec::new(),
            wire: BTreeMap::new(),
            serial: 0,
            dice: seed,
        }
    }

    /// Moves time to the next thing that happens, at most to `until`, lets it happen, and hands every event to the
    /// application. Says whether anything happened.
    pub(crate) fn step(
        &mut self,
        until: Duration,
        application: &mut impl FnMut(&mut Endpoint<Peer>, Duration, Peer, Event<Peer>),
    ) -> bool {
        self.flush(application);
        let arrival = self.wire.first_key_value().map(|((at, _), _)| *at);
        let timeout = self.endpoints.iter().filter_map(Endpoint::poll_timeout).min();
        let Some(next) = arrival
            .into_iter()
            .chain(timeout)
            .min()
            .filter(|next| *next <= until)
        else {
            self.now = until;
            return false;
        };
        self.now = self.now.max(next);
        while let Some(entry) = self.wire.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let (from, to, datagram) = entry.remove();
            if !self.silent.contains(&to) {
                self.endpoints[to].handle_datagram(self.now, from, &datagram);
            }
            self.flush(application);
        }
        for endpoint in &mut self.endpoints {
            endpoint.handle_timeout(self.now);
        }
        self.flush(application);
        true
    }

    pub(crate) fn run(
        &mut self,
        how_long: Duration,
        mut application: impl FnMut(&mut Endpoint<Peer>, Duration, Peer, Event<Peer>),
    ) {
        let until = self.now + how_long;
        while self.step(until, &mut application) {}
    }

    fn flush(&mut self, application: &mut impl FnMut(&mut Endpoint<Peer>, Duration, Peer, Event<Peer>)) {
        for index in 0..self.endpoints.len() {
            while let Some(event) = self.endpoints[index].poll_event() {
                application(&mut self.endpoints[index], self.now, index, event);
            }
            while let Some(transmit) = self.endpoints[index].poll_transmit() {
                self.send(index, transmit.peer, transmit.datagram);
            }
        }
    }

    fn send(&mut self, from: Peer, to: Peer, datagram: Vec<u8>) {
        assert!(datagram.len() <= 1280, "a datagram of {} bytes", datagram.len());
        self.sent.push((self.now, from, to, datagram.clone()));
        if self.silent.contains(&from) || to >= self.endpoints.len() {
            return;
        }
        let copies = 1 + u64::from(self.roll(100) < self.weather.duplication);
        for _ in 0..copies {
            if self.roll(100) < self.weather.loss {
                continue;
            }
            let jitter = self.roll(self.weather.jitter.as_micros() as u64 + 1);
            let at = self.now + Duration::from_millis(10) + Duration::from_micros(jitter);
            self.serial += 1;
            self.wire.insert((at, self.serial), (from, to, datagram.clone()));
        }
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides.max(1)
    }
}
