//! What the session does with each operation of the engine.

use std::num::NonZeroU16;

use manywire_mqtt_codec::{
    self as codec, Packet, PacketId, Properties, PropertyScope, Subscription, TopicFilter, Version,
};

use super::{Connection, Exchange, Session, Wire};
use crate::{
    binding::mqtt as binding,
    error::{Refusal, RefusalKind},
    message::Message,
    mqtt::outgoing::Outgoing,
    qos::QoS,
    transport::{Event, OpId},
};

impl Session {
    pub(super) fn publish(&mut self, id: OpId, message: Message, number: Option<NonZeroU16>) {
        if message.qos == QoS::AtMostOnce {
            let pushed = encode(
                &mut self.outgoing,
                &mut self.text,
                &self.connection,
                &message,
                codec::Delivery::AtMostOnce,
                false,
            );
            if pushed.is_ok() {
                self.unconfirmed.push_back((self.outgoing.end(), id));
            }
            return self.refuse_unless(id, pushed);
        }
        let exchange = Exchange::Publish {
            id,
            message,
            wire: Wire::Waiting,
        };
        let held = match number {
            Some(number) => self.in_flight.hold_as(number.into(), exchange),
            None => self.in_flight.hold(exchange).ok(),
        };
        match held {
            Some(packet_id) => {
                self.connection.unsent.push_back(packet_id);
                self.send_unsent();
            }
            None => self.refuse_unless(id, Err(no_identifier())),
        }
    }

    /// The engine has taken note that the server has the message.
    pub(super) fn release(&mut self, id: OpId) {
        let Some(at) = self.received.iter().position(|(received, _)| *received == id) else {
            return;
        };
        if let Some((_, packet_id)) = self.received.remove(at) {
            if let Some(exchange) = self.in_flight.get_mut(packet_id) {
                *exchange = Exchange::Release { id };
            }
            self.push(&Packet::Pubrel(self.answer(packet_id, true)));
        }
    }

    /// Sends what waits, as far as the server's quota goes.
    pub(super) fn send_unsent(&mut self) {
        while self.connection.quota > 0
            && let Some(packet_id) = self.connection.unsent.pop_front()
        {
            let Some(Exchange::Publish { id, message, wire }) = self.in_flight.get_mut(packet_id) else {
                continue;
            };
            let delivery = codec::Delivery::new(message.qos.into(), packet_id);
            // [MQTT-3.3.1-1]
            let dup = *wire == Wire::Sent;
            match encode(
                &mut self.outgoing,
                &mut self.text,
                &self.connection,
                message,
                delivery,
                dup,
            ) {
                Ok(()) => {
                    if !dup {
                        *wire = Wire::Encoded(self.outgoing.end());
                    }
                    self.connection.quota -= 1;
                }
                Err(refusal) => {
                    self.events.push_back(Event::Refused { id: *id, refusal });
                    self.in_flight.release(packet_id);
                }
            }
        }
    }

    pub(super) fn subscribe(&mut self, id: OpId, filter: &str, qos: QoS) -> Result<(), Refusal> {
        let packet_id = self
            .in_flight
            .hold(Exchange::Subscribe { id })
            .map_err(|_| no_identifier())?;
        let asked = TopicFilter::new(filter).and_then(|filter| {
            let subscriptions = [Subscription::new(filter, qos.into())];
            let packet = codec::Subscribe {
                packet_id,
                subscriptions: (&subscriptions).into(),
                properties: Properties::EMPTY,
            };
            self.outgoing.push(&packet.into(), self.version)
        });
        self.release_unless(packet_id, asked)
    }

    pub(super) fn unsubscribe(&mut self, id: OpId, filter: &str) -> Result<(), Refusal> {
        let packet_id = self
            .in_flight
            .hold(Exchange::Unsubscribe { id })
            .map_err(|_| no_identifier())?;
        let asked = TopicFilter::new(filter).and_then(|filter| {
            let filters = [filter];
            let packet = codec::Unsubscribe {
                packet_id,
                filters: (&filters).into(),
                properties: Properties::EMPTY,
            };
            self.outgoing.push(&packet.into(), self.version)
        });
        self.release_unless(packet_id, asked)
    }

    fn release_unless(
        &mut self,
        packet_id: PacketId,
        asked: Result<(), codec::Error>,
    ) -> Result<(), Refusal> {
        asked.map_err(|error| {
            self.in_flight.release(packet_id);
            unencodable(error)
        })
    }

    pub(super) fn refuse_unless(&mut self, id: OpId, outcome: Result<(), Refusal>) {
        if let Err(refusal) = outcome {
            self.events.push_back(Event::Refused { id, refusal });
        }
    }
}

/// Appends a PUBLISH, unless it is too large or cannot be said in MQTT.
fn encode(
    outgoing: &mut Outgoing,
    text: &mut String,
    connection: &Connection,
    message: &Message,
    delivery: codec::Delivery,
    dup: bool,
) -> Result<(), Refusal> {
    binding::write_topic(&message.topic, text)?;
    let block = match connection.version {
        Version::V5 => binding::properties(message, PropertyScope::Publish).map_err(unencodable)?,
        _ => Vec::new(),
    };
    let packet = Packet::Publish(codec::Publish {
        dup,
        retain: message.retain,
        delivery,
        topic: codec::TopicName::new(text).map_err(unencodable)?,
        properties: Properties::parse(&block, PropertyScope::Publish).map_err(unencodable)?,
        payload: &message.payload,
    });
    if packet.encoded_len(connection.version).map_err(unencodable)? > connection.max_packet_size {
        return Err(Refusal::new(RefusalKind::TooLarge));
    }
    outgoing.push(&packet, connection.version).map_err(unencodable)
}

fn no_identifier() -> Refusal {
    Refusal::new(RefusalKind::Busy).because("all packet identifiers are in use")
}

fn unencodable(error: codec::Error) -> Refusal {
    let kind = match error.kind() {
        codec::ErrorKind::PacketTooLarge | codec::ErrorKind::FieldTooLong => RefusalKind::TooLarge,
        _ => RefusalKind::Topic,
    };
    Refusal::new(kind).because(error.to_string())
}
