//! One endpoint, and the other side played by hand.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::time::Duration;

use manywire_coap::{Code, Endpoint, Event, Kind, Message, ObservationId, OptionNumber, Parameters};

pub(crate) struct Wire {
    pub(crate) endpoint: Endpoint<u8>,
    pub(crate) now: Duration,
    pub(crate) observation: Option<ObservationId>,
    /// When the endpoint sent what [`sent`](Self::sent) gave last.
    pub(crate) sent_at: Duration,
}

impl Wire {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Parameters)) -> Self {
        let mut parameters = Parameters::default();
        change(&mut parameters);
        let mut state = 1_u64;
        let random = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 29
        };
        Self {
            endpoint: Endpoint::new(parameters, Box::new(random)),
            now: Duration::from_secs(1),
            observation: None,
            sent_at: Duration::ZERO,
        }
    }

    pub(crate) fn serving() -> Self {
        Self::with(|parameters| parameters.serve = true)
    }

    /// The next message the endpoint sends.
    pub(crate) fn sent(&mut self) -> Message {
        let transmit = self.endpoint.poll_transmit().expect("the endpoint sends nothing");
        Message::decode(&transmit.datagram).unwrap()
    }

    pub(crate) fn silent(&mut self) -> bool {
        self.endpoint.poll_transmit().is_none()
    }

    pub(crate) fn drain(&mut self) {
        while self.endpoint.poll_transmit().is_some() {}
        while self.endpoint.poll_event().is_some() {}
    }

    pub(crate) fn events(&mut self) -> Vec<Event<u8>> {
        std::iter::from_fn(|| self.endpoint.poll_event()).collect()
    }

    pub(crate) fn receive(&mut self, from: u8, message: &Message) {
        self.endpoint
            .handle_datagram(self.now, from, &message.encode().unwrap());
    }

    /// Lets time pass, timer by timer.
    pub(crate) fn pass(&mut self, how_long: Duration) {
        let until = self.now + how_long;
        while let Some(timeout) = self.endpoint.poll_timeout().filter(|timeout| *timeout <= until) {
            self.now = self.now.max(timeout);
            self.endpoint.handle_timeout(self.now);
        }
        self.now = until;
    }

    /// Registers an observation that the server accepts with this sequence number; gives the registration.
    pub(crate) fn observe(&mut self, server: u8, order: u32) -> Message {
        self.observation = Some(
            self.endpoint
                .observe(self.now, server, Message::new(Code::GET))
                .unwrap(),
        );
        let registration = self.sent();
        let accepted = response(&registration, Code::CONTENT).with_uint(OptionNumber::OBSERVE, order);
        self.receive(server, &accepted);
        assert!(matches!(
            self.endpoint.poll_event(),
            Some(Event::Registered { .. })
        ));
        registration
    }
}

/// A message with every field of the header said. Only an endpoint sets them, so it goes over the bytes.
pub(crate) fn raw(kind: Kind, code: Code, id: u16, token: &[u8]) -> Message {
    let kind = match kind {
        Kind::Confirmable => 0,
        Kind::NonConfirmable => 1,
        Kind::Acknowledgement => 2,
        Kind::Reset => 3,
    };
    let mut datagram = vec![0x40 | kind << 4 | token.len() as u8, code.byte()];
    datagram.extend_from_slice(&id.to_be_bytes());
    datagram.extend_from_slice(token);
    Message::decode(&datagram).unwrap()
}

/// An answer in the acknowledgement.
pub(crate) fn response(request: &Message, code: Code) -> Message {
    raw(
        Kind::Acknowledgement,
        code,
        request.id(),
        request.token().as_bytes(),
    )
}

/// An answer in a confirmable message of its own.
pub(crate) fn separate(request: &Message, id: u16, code: Code) -> Message {
    raw(Kind::Confirmable, code, id, request.token().as_bytes())
}

pub(crate) fn ack(message: &Message) -> Message {
    Message::empty(Kind::Acknowledgement, message.id())
}

pub(crate) fn notification(registration: &Message, id: u16, order: u32, payload: &[u8]) -> Message {
    separate(registration, id, Code::CONTENT)
        .with_uint(OptionNumber::OBSERVE, order)
        .with_payload(payload.to_vec())
}
