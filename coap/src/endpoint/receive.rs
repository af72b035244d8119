use core::time::Duration;

use super::{
    Endpoint,
    transmission::{Purpose, Verdict},
};
use crate::{
    code::Code,
    duplicates::Arrival,
    error::Error,
    event::{Event, Failure, PingId},
    message::{Kind, Message},
    option::OptionNumber,
};

/// What became of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reception {
    /// Nobody awaits it.
    Unknown,
    Taken,
    /// The application acknowledges it.
    Held,
}

impl<P: Copy + Ord> Endpoint<P> {
    /// Takes in a datagram that arrived from `peer`.
    pub fn handle_datagram(&mut self, now: Duration, peer: P, datagram: &[u8]) {
        match Message::decode(datagram) {
            Ok(message) => self.handle_message(now, peer, message, datagram),
            // RFC 7252 §3, §4.2: another version is ignored silently, a confirmable message that cannot be processed is
            // rejected with Reset.
            Err(Error::Format) => {
                let header = datagram.first_chunk::<4>();
                if let Some(&[_, _, high, low]) = header.filter(|[first, ..]| first >> 4 & 3 == 0) {
                    self.reset(peer, u16::from_be_bytes([high, low]));
                }
            }
            Err(_) => {}
        }
    }

    fn handle_message(&mut self, now: Duration, peer: P, message: Message, datagram: &[u8]) {
        let (kind, code) = (message.kind(), message.code());
        match kind {
            Kind::Acknowledgement if code == Code::EMPTY => self.acknowledged(now, peer, message.id()),
            Kind::Acknowledgement if code.is_response() => self.piggybacked(now, peer, message),
            Kind::Acknowledgement => {}
            Kind::Reset if code == Code::EMPTY => self.rejected(now, peer, message.id()),
            Kind::Reset => {}
            // RFC 7252 §4.3: an empty confirmable message is a ping, an empty non-confirmable one is noise.
            Kind::Confirmable if code == Code::EMPTY => self.reset(peer, message.id()),
            Kind::NonConfirmable if code == Code::EMPTY => {}
            Kind::Confirmable | Kind::NonConfirmable => {
                match self.duplicates.arrive(now, peer, message.id(), datagram) {
                    Arrival::New => self.handle_new(now, peer, message),
                    Arrival::Again(reply) => {
                        let reply = reply.filter(|_| kind == Kind::Confirmable).map(<[u8]>::to_vec);
                        if let Some(reply) = reply {
                            self.transmit(peer, reply);
                        }
                    }
                }
            }
        }
    }

    fn handle_new(&mut self, now: Duration, peer: P, message: Message) {
        let code = message.code();
        if code.is_request() && self.parameters.serve {
            self.handle_request(now, peer, message);
        } else if code.is_response() {
            self.handle_separate(now, peer, message);
        } else if message.kind() == Kind::Confirmable {
            // RFC 7252 §4.2: reserved code classes, and requests to who is no server.
            self.reply(peer, &Message::empty(Kind::Reset, message.id()));
        }
    }

    /// A response in a message of its own (RFC 7252 §5.2.2), which may come before the acknowledgement of its request.
    fn handle_separate(&mut self, now: Duration, peer: P, message: Message) {
        let (kind, message_id, token) = (message.kind(), message.id(), message.token());
        let observe = message.value(OptionNumber::OBSERVE).is_some();
        let noise = token.as_bytes().is_empty() && !message.code().is_success();
        let accepted = self.handle_response(now, peer, message);
        match kind {
            Kind::Confirmable if accepted == Reception::Held => {}
            Kind::Confirmable if accepted == Reception::Taken => {
                self.reply(peer, &Message::empty(Kind::Acknowledgement, message_id))
            }
            // The platform answers a Reset with a stray confirmable 4.00 without token. Another Reset would be answered
            // with another one; an acknowledgement ends it.
            Kind::Confirmable if noise => {
                self.reply(peer, &Message::empty(Kind::Acknowledgement, message_id))
            }
            Kind::Confirmable => self.reply(peer, &Message::empty(Kind::Reset, message_id)),
            // RFC 7641 §3.6: a notification nobody awaits is rejected, so that the server stops; RFC 7252 §4.3 leaves it
            // to us for other non-confirmable messages.
            _ if accepted == Reception::Unknown && observe => {
                self.reply(peer, &Message::empty(Kind::Reset, message_id))
            }
            _ => {}
        }
    }

    /// An acknowledgement that carries the response (RFC 7252 §5.2.1): id, token and peer must all be right.
    fn piggybacked(&mut self, now: Duration, peer: P, message: Message) {
        let Some(Purpose::Request(request)) = self.purpose_of(peer, message.id()) else {
            return;
        };
        if !self.awaits(request, peer, message.token()) {
            return;
        }
        self.handle_response(now, peer, message);
    }

    fn acknowledged(&mut self, now: Duration, peer: P, message_id: u16) {
        if let Some(purpose) = self.settle(now, peer, message_id) {
            self.prove(now, peer);
            self.answered(now, peer, purpose, Verdict::Acknowledged);
        }
    }

    fn rejected(&mut self, now: Duration, peer: P, message_id: u16) {
        let confirmed = self.settle(now, peer, message_id);
        if confirmed.is_some() {
            self.prove(now, peer);
        }
        if let Some(purpose) = confirmed.or_else(|| self.take_unconfirmed(peer, message_id)) {
            self.answered(now, peer, purpose, Verdict::Reset);
        }
    }

    fn answered(&mut self, now: Duration, peer: P, purpose: Purpose, verdict: Verdict) {
        match (purpose, verdict) {
            (Purpose::Request(request), Verdict::Acknowledged) => self.request_acknowledged(now, request),
            (Purpose::Request(request), Verdict::Reset) => self.request_failed(now, request, Failure::Reset),
            (Purpose::Notification(observer), Verdict::Acknowledged) => {
                self.notification_arrived(now, observer)
            }
            (Purpose::Notification(observer), Verdict::Reset) => self.observer_reset(now, observer),
            (Purpose::Ping(id), _) => self.events.push_back(Event::Pong { ping: PingId(id) }),
            (Purpose::Probe, _) => self.pump_observers_of(now, peer),
            (Purpose::Response | Purpose::KeepAlive, _) => {}
        }
    }

    /// Sends the answer to a confirmable message and keeps it for the message's duplicates.
    pub(super) fn reply(&mut self, peer: P, message: &Message) {
        let datagram = message.encode().unwrap_or_default();
        self.duplicates.answered(peer, message.id(), datagram.clone());
        self.transmit(peer, datagram);
    }

    fn reset(&mut self, peer: P, message_id: u16) {
        let datagram = Message::empty(Kind::Reset, message_id)
            .encode()
            .unwrap_or_default();
        self.transmit(peer, datagram);
    }
}
