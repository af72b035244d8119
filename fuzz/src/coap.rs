//! Laws of CoAP.

use std::{collections::VecDeque, time::Duration};

use manywire_coap::{
    Code, ConfirmId, Endpoint, Event, ExchangeId, Message, ObservationId, ObserverId, OptionNumber,
    Parameters, RequestId,
};

/// Whatever is taken as a message says itself again in the same bytes.
pub fn message(bytes: &[u8]) {
    if let Ok(message) = Message::decode(bytes) {
        assert_eq!(message.encode().as_deref(), Ok(bytes));
        let _ = format!("{message:?} {:?}", message.content_format());
    }
}

/// Two endpoints that are both client and server, whatever is done to them and to the datagrams between them: nothing
/// panics, nothing grows without bound, every request ends once, and no datagram is longer than allowed.
pub fn endpoint(bytes: &[u8]) {
    let mut world = World::new();
    let mut rest = bytes.iter().copied();
    for _ in 0..512 {
        let (Some(operation), Some(argument)) = (rest.next(), rest.next()) else {
            break;
        };
        world.operate(operation, argument, &mut rest);
        world.settle();
    }
    world.finish();
}

/// Everything above this is growth: the sum of the limits below, and the 256 non-confirmable messages an endpoint
/// remembers for a Reset.
const MOST: usize = 600;

const LONGEST: usize = 256;

struct World {
    now: Duration,
    sides: [Side; 2],
    wire: VecDeque<(usize, Vec<u8>)>,
}

struct Side {
    endpoint: Endpoint<u8>,
    requests: VecDeque<RequestId>,
    observations: VecDeque<ObservationId>,
    exchanges: VecDeque<ExchangeId>,
    observers: VecDeque<ObserverId>,
    confirms: VecDeque<ConfirmId>,
}

impl Side {
    fn new(seed: u64) -> Self {
        let mut parameters = Parameters::default();
        parameters.serve = true;
        parameters.nstart = 2;
        parameters.max_datagram = LONGEST;
        parameters.block_size = 64;
        parameters.max_body = 2000;
        parameters.max_exchanges = 8;
        parameters.max_duplicates = 16;
        parameters.max_transfers = 4;
        parameters.max_transfers_per_peer = 2;
        parameters.max_notifications = 4;
        parameters.acknowledge_by_hand = seed == 0;
        parameters.observe_without_option = seed == 1;
        parameters.keep_alive = Some(Duration::from_secs(10));
        let mut state = seed;
        let random = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state >> 7
        };
        Self {
            endpoint: Endpoint::new(parameters, Box::new(random)),
            requests: VecDeque::new(),
            observations: VecDeque::new(),
            exchanges: VecDeque::new(),
            observers: VecDeque::new(),
            confirms: VecDeque::new(),
        }
    }

    fn handle(&mut self, event: Event<u8>) {
        match event {
            Event::Response { request, .. } | Event::Failed { request, .. } => {
                let at = self.requests.iter().position(|open| *open == request);
                self.requests.remove(at.expect("a request ends once"));
            }
            Event::Ended { observation, .. } => {
                let at = self.observations.iter().position(|open| *open == observation);
                self.observations.remove(at.expect("an observation ends once"));
            }
            Event::Notification { confirm, .. } => self.confirms.extend(confirm),
            Event::Request { exchange, .. } => self.exchanges.push_back(exchange),
            Event::ObserverGone { observer, .. } => self.observers.retain(|known| *known != observer),
            _ => {}
        }
    }
}

impl World {
    fn new() -> Self {
        Self {
            now: Duration::ZERO,
            sides: [Side::new(0), Side::new(1)],
            wire: VecDeque::new(),
        }
    }

    fn operate(&mut self, operation: u8, argument: u8, rest: &mut impl Iterator<Item = u8>) {
        let at = usize::from(operation >> 7);
        let size = usize::from(argument) * 9;
        match operation & 15 {
            0 => self.pass(Duration::from_millis(u64::from(argument) * u64::from(argument))),
            1 => self.pass(self.next_timeout().saturating_sub(self.now)),
            2 => self.begin(at, argument, size),
            3..=5 => self.deliver(operation & 15, argument),
            6 => self.respond(at, size),
            7 => self.accept(at),
            8 => self.notify(at, argument, size),
            9 => {
                let datagram: Vec<u8> = rest.take(usize::from(argument)).collect();
                self.sides[at]
                    .endpoint
                    .handle_datagram(self.now, argument & 1, &datagram);
            }
            10 => self.give_up(at, argument),
            11 => {
                let _ = self.sides[at].endpoint.ping(self.now, argument & 3);
            }
            _ => self.deliver(3, argument),
        }
    }

    fn begin(&mut self, at: usize, argument: u8, size: usize) {
        let (now, peer, side) = (self.now, 1 - at as u8, &mut self.sides[at]);
        let message = |code| {
            let message = Message::new(code).with_option(OptionNumber::URI_PATH, &[argument & 3]);
            if argument & 8 == 0 {
                message
            } else {
                message.non_confirmable()
            }
        };
        if argument & 16 == 0 {
            let observed = side.endpoint.observe(now, peer, message(Code::GET));
            side.observations.extend(observed.ok());
        } else {
            let request = message(Code::POST).with_payload(vec![argument; size]);
            side.requests
                .extend(side.endpoint.request(now, peer, request).ok());
        }
    }

    /// Delivers the oldest datagram; also keeps it, loses it, or breaks it.
    fn deliver(&mut self, how: u8, argument: u8) {
        let Some((to, mut datagram)) = self.wire.pop_front() else {
            return;
        };
        match how {
            4 => return self.wire.push_back((to, datagram)),
            5 if argument & 3 == 0 => return,
            5 if argument & 3 == 1 => self.wire.push_back((to, datagram.clone())),
            5 => {
                let length = datagram.len();
                datagram[usize::from(argument) % length] ^= argument;
            }
            _ => {}
        }
        self.sides[to]
            .endpoint
            .handle_datagram(self.now, 1 - to as u8, &datagram);
    }

    fn respond(&mut self, at: usize, size: usize) {
        let side = &mut self.sides[at];
        if let Some(exchange) = side.exchanges.pop_front() {
            let response = Message::new(Code::CONTENT).with_payload(vec![7; size]);
            let _ = side.endpoint.respond(self.now, exchange, response);
        }
    }

    fn accept(&mut self, at: usize) {
        let side = &mut self.sides[at];
        let Some(exchange) = side.exchanges.pop_front() else {
            return;
        };
        match side
            .endpoint
            .accept_observer(self.now, exchange, Message::new(Code::CONTENT))
        {
            Ok(observer) if !side.observers.contains(&observer) => side.observers.push_back(observer),
            Ok(_) => {}
            Err(_) => {
                let _ = side
                    .endpoint
                    .respond(self.now, exchange, Message::new(Code::BAD_OPTION));
            }
        }
    }

    fn notify(&mut self, at: usize, argument: u8, size: usize) {
        let side = &mut self.sides[at];
        for observer in &side.observers {
            let message = Message::new(Code::CONTENT)
                .with_uint(OptionNumber::MAX_AGE, u32::from(argument))
                .with_payload(vec![argument; size]);
            let message = if argument & 1 == 0 {
                message
            } else {
                message.non_confirmable()
            };
            let _ = side.endpoint.notify(self.now, *observer, message);
        }
    }

    fn give_up(&mut self, at: usize, argument: u8) {
        let (now, side) = (self.now, &mut self.sides[at]);
        match argument & 7 {
            0 => side
                .requests
                .pop_front()
                .into_iter()
                .for_each(|request| side.endpoint.cancel(now, request)),
            1 => {
                for observation in &side.observations {
                    side.endpoint.cancel_observation(now, *observation);
                }
            }
            2 => {
                let forgotten = side.observations.pop_front();
                forgotten
                    .into_iter()
                    .for_each(|it| side.endpoint.forget_observation(now, it));
            }
            3 => side
                .observations
                .iter()
                .for_each(|it| side.endpoint.renew_observation(now, *it)),
            4 => side
                .observers
                .pop_front()
                .into_iter()
                .for_each(|it| side.endpoint.remove_observer(now, it)),
            5 => {
                let dismissed = side.observers.pop_front();
                dismissed.into_iter().for_each(|it| {
                    let _ = side.endpoint.dismiss(now, it, Message::new(Code::NOT_FOUND));
                });
            }
            _ => side
                .confirms
                .drain(..)
                .for_each(|confirm| side.endpoint.confirm(confirm)),
        }
    }

    fn next_timeout(&self) -> Duration {
        self.sides
            .iter()
            .filter_map(|side| side.endpoint.poll_timeout())
            .min()
            .unwrap_or(self.now)
    }

    fn pass(&mut self, how_long: Duration) {
        self.now += how_long;
        for side in &mut self.sides {
            side.endpoint.handle_timeout(self.now);
        }
    }

    fn settle(&mut self) {
        for (at, side) in self.sides.iter_mut().enumerate() {
            while let Some(event) = side.endpoint.poll_event() {
                side.handle(event);
            }
            while let Some(transmit) = side.endpoint.poll_transmit() {
                assert!(
                    transmit.datagram.len() <= LONGEST,
                    "a datagram of {} bytes",
                    transmit.datagram.len()
                );
                assert!(
                    Message::decode(&transmit.datagram).is_ok(),
                    "what is sent can be read"
                );
                if usize::from(transmit.peer) == 1 - at && self.wire.len() < 64 {
                    self.wire.push_back((1 - at, transmit.datagram));
                }
            }
            let footprint = side.endpoint.footprint();
            assert!(footprint <= MOST, "{footprint} things are remembered");
        }
    }

    /// With the network gone, every request comes to an end.
    fn finish(&mut self) {
        for at in 0..2 {
            for observation in std::mem::take(&mut self.sides[at].observations) {
                self.sides[at].endpoint.forget_observation(self.now, observation);
            }
        }
        for _ in 0..10_000 {
            if self
                .sides
                .iter()
                .all(|side| side.endpoint.poll_timeout().is_none())
            {
                break;
            }
            self.pass(self.next_timeout().saturating_sub(self.now));
            self.settle();
        }
        for side in &self.sides {
            assert!(
                side.requests.is_empty(),
                "requests without an end: {:?}",
                side.endpoint
            );
        }
    }
}
