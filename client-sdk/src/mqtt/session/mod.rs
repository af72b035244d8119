//! The client's side of the protocol: operations and packets in, packets and events out. No I/O, no clock.

mod incoming;
mod operations;

use std::{
    collections::VecDeque,
    num::{NonZeroU16, NonZeroU32},
    time::{Duration, Instant},
};

use manywire_mqtt_codec::{
    self as codec, Ack, ConnectFields, Packet, PacketId, Policy, Properties, ReasonCode, Version,
};
use manywire_topics::{Dialect, TopicBuf};

use super::{
    aliases::Aliases,
    identifiers::{Identifiers, Named},
    in_flight::InFlight,
    inbound::{Acknowledgement, Inbound},
    keep_alive::{Due, KeepAlive},
    outgoing::Outgoing,
};
use crate::{
    binding::mqtt as binding,
    message::Message,
    transport::{Capabilities, DeliveryId, Earlier, Event, Op, OpId, TransportError, TransportErrorKind},
};

/// One MQTT session: what outlives connections, and the current connection.
///
/// Every exchange is resumed where the last connection left it when the server kept the session, and given up when it did not; nothing waits
/// for an acknowledgement that cannot come.
#[derive(Debug, Default)]
pub(super) struct Session {
    version: Version,
    dialect: Dialect,
    in_flight: InFlight<Exchange>,
    inbound: Inbound,
    identifiers: Identifiers,
    outgoing: Outgoing,
    events: VecDeque<Event>,
    /// QoS 0 publishes that are not yet handed to the operating system, with the position of their last byte.
    unconfirmed: VecDeque<(u64, OpId)>,
    /// What the engine has to release, in the order the server received it.
    received: VecDeque<(OpId, PacketId)>,
    /// How many publishes may be sent before one is answered; none is no limit.
    window: Option<NonZeroU16>,
    connection: Connection,
    counters: Counters,
    /// The topic of the last message: a device hears the same few topics again and again.
    last_topic: Option<(Box<str>, TopicBuf)>,
    scratch: Scratch,
}

/// Kept for their memory.
#[derive(Debug, Default)]
struct Scratch {
    topic: String,
    properties: Vec<u8>,
}

/// What begins anew with every connection.
#[derive(Debug, Default)]
struct Connection {
    version: Version,
    open: bool,
    accepted: Option<Accepted>,
    keep_alive_interval: Duration,
    keep_alive: Option<KeepAlive>,
    /// The largest packet the server takes, in bytes.
    max_packet_size: usize,
    /// How many more QoS 1 and 2 publishes the server takes before it acknowledges one.
    quota: u16,
    receive_maximum: u16,
    /// What that may grow to.
    granted: u16,
    /// Whether the server takes subscription identifiers; without them it cannot be told what is shared.
    has_identifiers: bool,
    has_shared_subscriptions: bool,
    aliases: Aliases,
    /// Publishes that wait for quota, in order: first those to be sent again, then new ones.
    unsent: VecDeque<PacketId>,
}

/// What holds a packet identifier.
#[derive(Debug)]
enum Exchange {
    Publish {
        id: OpId,
        message: Message,
        wire: Wire,
    },
    /// PUBREC came: the message itself is the server's now, and the engine takes note of that.
    Received {
        id: OpId,
    },
    /// PUBREL was sent, or is about to be.
    Release {
        id: OpId,
    },
    Subscribe(Named),
    Unsubscribe(Named),
}

/// How far a PUBLISH got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    /// Not encoded on any connection.
    Waiting,
    /// Encoded; on the wire when the operating system has taken this position.
    Encoded(u64),
    /// The server may have it.
    Sent,
}

/// What was tolerated. Nothing of it disturbs the session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// Acknowledgements of what was not in flight.
    pub(super) unsolicited: u64,
    /// QoS 2 publishes that were answered as if they were QoS 1.
    pub(super) weakened: u64,
    /// Repeated QoS 2 messages that were not delivered again.
    pub(super) repeated: u64,
    /// Messages on topics that are not the platform's.
    pub(super) foreign: u64,
}

/// What became of earlier sessions when a connection was accepted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) resumed: bool,
    /// Publishes that this session still finishes.
    pub(super) held: Vec<OpId>,
    /// Publishes of which it cannot be known whether they arrived.
    pub(super) in_doubt: Vec<OpId>,
    pub(super) limits: Limits,
}

/// What the server said it does not take (5.0). By default it takes everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Limits {
    receive_maximum: Option<u16>,
    max_packet_size: Option<u32>,
    max_qos: Option<codec::QoS>,
    no_retain: bool,
    no_wildcards: bool,
    no_shared_subscriptions: bool,
}

impl Limits {
    fn new(properties: Properties<'_>) -> Self {
        Self {
            receive_maximum: properties.receive_maximum().map(NonZeroU16::get),
            max_packet_size: properties.maximum_packet_size().map(NonZeroU32::get),
            max_qos: properties.maximum_qos(),
            no_retain: properties.retain_available() == Some(false),
            no_wildcards: properties.wildcard_subscription_available() == Some(false),
            // Only its identifier tells what is shared.
            no_shared_subscriptions: properties.shared_subscription_available() == Some(false)
                || properties.subscription_identifier_available() == Some(false),
        }
    }

    /// What is left of the capabilities.
    pub(super) fn restrict(self, capabilities: &mut Capabilities) {
        if let Some(most) = self.receive_maximum {
            capabilities.max_in_flight = capabilities.max_in_flight.min(most.into());
        }
        if let Some(most) = self.max_packet_size {
            capabilities.max_payload = Some(most as usize);
        }
        if let Some(most) = self.max_qos {
            capabilities.max_qos = capabilities.max_qos.min(most.into());
        }
        capabilities.retain &= !self.no_retain;
        capabilities.wildcards &= !self.no_wildcards;
        capabilities.shared_subscriptions &= !self.no_shared_subscriptions;
    }
}

impl Session {
    /// A session that has not been connected; which version it speaks is said at every connect. Its subscription identifiers count
    /// from `start`, which is best chosen at random.
    pub(super) fn new(dialect: Dialect, start: u32) -> Self {
        Self {
            dialect,
            identifiers: Identifiers::starting_at(start),
            ..Self::default()
        }
    }

    /// The engine says what it knows of earlier sessions, before a connection is made.
    pub(super) fn handle_earlier(&mut self, earlier: &Earlier) {
        self.window = u16::try_from(earlier.max_in_flight)
            .ok()
            .and_then(NonZeroU16::new);
        if !earlier.given_up.is_empty() {
            let given_up = |id: &OpId| earlier.given_up.contains(id);
            self.in_flight.release_unless(|exchange| match exchange {
                Exchange::Publish { id, .. } | Exchange::Received { id } | Exchange::Release { id } => {
                    !given_up(id)
                }
                Exchange::Subscribe { .. } | Exchange::Unsubscribe { .. } => true,
            });
        }
        for begun in &earlier.begun {
            let id = begun.id;
            let exchange = if begun.received {
                Exchange::Release { id }
            } else {
                Exchange::Publish {
                    id,
                    message: begun.message.clone(),
                    wire: Wire::Sent,
                }
            };
            // At a second attempt to connect it is there already.
            self.in_flight.hold_as(begun.number.into(), exchange);
        }
    }

    /// A connection is there: its first packet is CONNECT [MQTT-3.1.0-1].
    ///
    /// # Errors
    ///
    /// CONNECT cannot be said like this, whatever the server thinks of it.
    pub(super) fn handle_connected(&mut self, connect: &ConnectFields<'_>) -> Result<(), TransportError> {
        self.version = connect.version;
        self.connection = Connection {
            version: self.version,
            keep_alive_interval: Duration::from_secs(connect.keep_alive.into()),
            max_packet_size: Policy::LARGEST_PACKET as usize,
            ..Connection::default()
        };
        self.outgoing
            .push(&Packet::Connect(connect.into()), self.version)
            .map_err(|error| {
                let unsupported = TransportError::new(TransportErrorKind::Unsupported);
                unsupported
                    .because("the settings make no connect packet")
                    .caused_by(error)
            })
    }

    /// The connection is gone. What was surely not sent is forgotten: the engine submits it again.
    pub(super) fn handle_disconnected(&mut self) {
        let taken = self.outgoing.taken();
        self.outgoing.discard();
        self.unconfirmed.clear();
        self.received.clear();
        self.inbound.handle_disconnected();
        self.in_flight.release_unless(|exchange| match exchange {
            Exchange::Publish { wire, .. } => {
                if let Wire::Encoded(end) = *wire {
                    *wire = if end <= taken { Wire::Sent } else { Wire::Waiting };
                }
                *wire == Wire::Sent
            }
            Exchange::Received { .. } | Exchange::Release { .. } => true,
            // Whether the server saw it is not known, so it is asked again.
            Exchange::Subscribe(_) | Exchange::Unsubscribe(_) => false,
        });
        self.events.retain_mut(|event| match event {
            Event::Subscribed { .. } | Event::Unsubscribed(_) | Event::Received(_) => false,
            Event::Message(received) => {
                received.delivery = None;
                true
            }
            _ => true,
        });
        self.connection = Connection::default();
    }

    /// Takes an operation in. What it leads to comes out as packets and events.
    pub(super) fn handle_op(&mut self, op: Op) {
        match op {
            Op::Publish { id, message, number } => self.publish(id, message, number),
            Op::Release(id) => self.release(id),
            Op::Subscribe {
                id,
                subscription,
                filter,
                group,
                qos,
            } => {
                let named = Named {
                    subscription,
                    asked: id,
                };
                let asked = self.subscribe(named, &filter, group.as_deref(), qos);
                self.refuse_unless(id, asked);
            }
            Op::Unsubscribe {
                id,
                subscription,
                filter,
                group,
            } => {
                let named = Named {
                    subscription,
                    asked: id,
                };
                let asked = self.unsubscribe(named, &filter, group.as_deref());
                self.refuse_unless(id, asked);
            }
            Op::Acknowledge(DeliveryId(delivery)) => {
                self.inbound.finish(delivery);
                self.acknowledge();
            }
        }
    }

    /// Takes one packet in.
    ///
    /// # Errors
    ///
    /// The server refused the connection, ended it, or broke the protocol: the connection is of no more use.
    pub(super) fn handle_packet(&mut self, packet: &Packet<'_>, now: Instant) -> Result<(), TransportError> {
        if let Some(keep_alive) = &mut self.connection.keep_alive {
            keep_alive.handle_received(now);
        }
        if let Packet::Connack(connack) = packet {
            return self.handle_connack(connack, now);
        }
        if !self.connection.open {
            return Err(broken("a packet before CONNACK"));
        }
        match packet {
            Packet::Publish(publish) => self.handle_publish(publish),
            Packet::Puback(ack) => self.handle_puback(ack),
            Packet::Pubrec(ack) => self.handle_pubrec(ack),
            Packet::Pubrel(ack) => {
                let known = self.inbound.handle_release(ack.packet_id);
                // Also for an identifier we do not know: the server only wants to be rid of it. [MQTT-4.3.3-2]
                self.push(&Packet::Pubcomp(self.answer(ack.packet_id, known)));
            }
            Packet::Pubcomp(ack) => self.handle_pubcomp(ack),
            Packet::Suback(suback) => self.handle_suback(suback),
            Packet::Unsuback(unsuback) => self.handle_unsuback(unsuback),
            Packet::Pingresp => {}
            Packet::Disconnect(disconnect) => return Err(binding::disconnected(disconnect)),
            _ => return Err(broken("a packet that only a client sends")),
        }
        Ok(())
    }

    /// Time has passed.
    ///
    /// # Errors
    ///
    /// The server does not answer any more.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Result<(), TransportError> {
        let Some(keep_alive) = &mut self.connection.keep_alive else {
            return Ok(());
        };
        match keep_alive.handle_timeout(now) {
            Due::Nothing => {}
            Due::Ping => self.push(&Packet::Pingreq),
            Due::Lost => {
                return Err(TransportError::new(TransportErrorKind::TimedOut).because("no answer to PINGREQ"));
            }
        }
        Ok(())
    }

    /// The operating system took `count` bytes of [`poll_transmit`](Self::poll_transmit).
    pub(super) fn handle_sent(&mut self, count: usize, now: Instant) {
        self.outgoing.advance(count);
        if let Some(keep_alive) = &mut self.connection.keep_alive {
            keep_alive.handle_sent(now);
        }
        let taken = self.outgoing.taken();
        while let Some(&(_, id)) = self.unconfirmed.front().filter(|(end, _)| *end <= taken) {
            self.unconfirmed.pop_front();
            self.events.push_back(Event::Published(id));
        }
    }

    /// Says goodbye, so that the server does not publish the will [MQTT-3.1.2-10].
    pub(super) fn handle_close(&mut self) {
        if std::mem::take(&mut self.connection.open) {
            self.push(&Packet::Disconnect(codec::Disconnect::default()));
        }
    }

    /// The bytes to be sent.
    pub(super) fn poll_transmit(&self) -> &[u8] {
        self.outgoing.waiting()
    }

    pub(super) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(super) fn has_event(&self) -> bool {
        !self.events.is_empty()
    }

    /// Once, when the server has accepted the connection.
    pub(super) fn poll_accepted(&mut self) -> Option<Accepted> {
        self.connection.accepted.take()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.connection
            .keep_alive
            .as_ref()
            .and_then(KeepAlive::poll_timeout)
    }

    #[cfg(test)]
    pub(super) fn limit(&mut self, receive_maximum: u16, max_packet_size: usize) {
        self.connection.receive_maximum = receive_maximum;
        self.connection.granted = receive_maximum;
        self.connection.quota = receive_maximum;
        self.connection.max_packet_size = max_packet_size;
    }

    pub(super) fn counters(&self) -> Counters {
        self.counters
    }

    /// Sends the acknowledgements that are due.
    fn acknowledge(&mut self) {
        while let Some(acknowledgement) = self.inbound.poll_acknowledgement() {
            self.push(&match acknowledgement {
                Acknowledgement::Puback(packet_id) => Packet::Puback(Ack::new(packet_id)),
                Acknowledgement::Pubrec(packet_id) => Packet::Pubrec(Ack::new(packet_id)),
            });
        }
    }

    /// PUBREL or PUBCOMP; 5.0 has a word for an identifier that is not known.
    fn answer(&self, packet_id: PacketId, known: bool) -> Ack<'static> {
        let reason = match self.version {
            Version::V5 if !known => ReasonCode::PacketIdentifierNotFound,
            _ => ReasonCode::Success,
        };
        Ack {
            reason,
            ..Ack::new(packet_id)
        }
    }

    /// Appends a packet without text, which every version can encode.
    fn push(&mut self, packet: &Packet<'_>) {
        let pushed = self.outgoing.push(packet, self.version);
        debug_assert!(pushed.is_ok(), "{packet:?}: {pushed:?}");
    }
}

impl Connection {
    /// The server answered a publish, and takes one more: two more while it is found out which one it does not.
    fn handle_answered(&mut self) {
        let before = self.receive_maximum;
        self.receive_maximum = before.saturating_mul(2).min(self.granted);
        let more = (self.receive_maximum - before).saturating_add(1);
        self.quota = self.receive_maximum.min(self.quota.saturating_add(more));
    }

    /// CONNACK came. What its properties do not say is unlimited, except topic aliases.
    fn open(&mut self, properties: Properties<'_>, window: Option<NonZeroU16>, now: Instant) {
        self.open = true;
        self.aliases = Aliases::new(properties.topic_alias_maximum().unwrap_or(0));
        self.has_identifiers =
            self.version == Version::V5 && properties.subscription_identifier_available() != Some(false);
        self.has_shared_subscriptions =
            self.has_identifiers && properties.shared_subscription_available() != Some(false);
        self.granted = properties.receive_maximum().map_or(u16::MAX, NonZeroU16::get);
        self.receive_maximum = window.map_or(self.granted, |window| window.get().min(self.granted));
        self.quota = self.receive_maximum;
        if let Some(size) = properties.maximum_packet_size() {
            self.max_packet_size = size.get() as usize;
        }
        // [MQTT-3.2.2-21]
        if let Some(seconds) = properties.server_keep_alive() {
            self.keep_alive_interval = Duration::from_secs(seconds.into());
        }
        let interval = self.keep_alive_interval;
        self.keep_alive = Some(KeepAlive::new(interval, interval.min(PING_TIMEOUT), now));
    }
}

fn broken(what: &'static str) -> TransportError {
    TransportError::new(TransportErrorKind::Protocol).because(what)
}

/// How long the answer to a ping may take; less when the keep-alive interval is less.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
