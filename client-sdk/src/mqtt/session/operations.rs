//! What the session does with each operation of the engine.

use std::num::{NonZeroU16, NonZeroU32};

use manywire_mqtt_codec::{
    self as codec, Packet, PacketId, Properties, PropertiesBuf, Property, PropertyScope, Subscription,
    TopicFilter, Version,
};
use manywire_topics::FilterBuf;

use super::{Connection, Exchange, Scratch, Session, Wire};
use crate::{
    binding::mqtt::{self as binding, unencodable},
    error::{Refusal, RefusalKind},
    message::Message,
    mqtt::{aliases::Naming, identifiers::Named, outgoing::Outgoing},
    qos::QoS,
    transport::{Event, OpId},
};

impl Session {
    pub(super) fn publish(&mut self, id: OpId, message: Message, number: Option<NonZeroU16>) {
        if message.qos == QoS::AtMostOnce {
            let pushed = encode(
                &mut self.outgoing,
                &mut self.scratch,
                &mut self.connection,
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
                &mut self.scratch,
                &mut self.connection,
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

    pub(super) fn subscribe(
        &mut self,
        named: Named,
        filter: &FilterBuf,
        group: Option<&str>,
        qos: QoS,
    ) -> Result<(), Refusal> {
        let filter = self.filter(filter, group)?;
        let packet_id = self
            .in_flight
            .hold(Exchange::Subscribe(named))
            .map_err(|_| no_identifier())?;
        let identifier = self
            .connection
            .has_identifiers
            .then(|| self.identifiers.name(named));
        let asked = self.push_subscribe(packet_id, &filter, qos, identifier);
        self.release_unless(packet_id, asked)
    }

    fn push_subscribe(
        &mut self,
        packet_id: PacketId,
        filter: &str,
        qos: QoS,
        identifier: Option<NonZeroU32>,
    ) -> Result<(), codec::Error> {
        let mut bytes = [0; 8];
        let mut properties = PropertiesBuf::new(PropertyScope::Subscribe, &mut bytes);
        if let Some(identifier) = identifier {
            properties.push(Property::SubscriptionIdentifier(identifier))?;
        }
        let subscriptions = [Subscription::new(TopicFilter::new(filter)?, qos.into())];
        let packet = codec::Subscribe {
            packet_id,
            subscriptions: (&subscriptions).into(),
            properties: properties.finish(),
        };
        self.outgoing.push(&packet.into(), self.version)
    }

    pub(super) fn unsubscribe(
        &mut self,
        named: Named,
        filter: &FilterBuf,
        group: Option<&str>,
    ) -> Result<(), Refusal> {
        let filter = self.filter(filter, group)?;
        let packet_id = self
            .in_flight
            .hold(Exchange::Unsubscribe(named))
            .map_err(|_| no_identifier())?;
        let asked = TopicFilter::new(&filter).and_then(|filter| {
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

    fn filter(&self, filter: &FilterBuf, group: Option<&str>) -> Result<String, Refusal> {
        match group {
            None => binding::filter(filter),
            Some(group) if self.connection.has_shared_subscriptions => binding::shared_filter(group, filter),
            Some(_) => {
                Err(Refusal::new(RefusalKind::Unsupported).because("the server has no shared subscriptions"))
            }
        }
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
    scratch: &mut Scratch,
    connection: &mut Connection,
    message: &Message,
    delivery: codec::Delivery,
    dup: bool,
) -> Result<(), Refusal> {
    // What is sent again says its topic in full, whatever the server remembers.
    let naming = if dup {
        Naming::Plain
    } else {
        connection.aliases.name(&message.topic)
    };
    match push(outgoing, scratch, connection, message, delivery, dup, naming) {
        // Three bytes may decide.
        Err(refusal)
            if refusal.kind() == RefusalKind::TooLarge && matches!(naming, Naming::Introduced(_)) =>
        {
            push(
                outgoing,
                scratch,
                connection,
                message,
                delivery,
                dup,
                Naming::Plain,
            )
        }
        Ok(()) => {
            connection.aliases.learn(&message.topic, naming);
            Ok(())
        }
        refused => refused,
    }
}

fn push(
    outgoing: &mut Outgoing,
    scratch: &mut Scratch,
    connection: &Connection,
    message: &Message,
    delivery: codec::Delivery,
    dup: bool,
    naming: Naming,
) -> Result<(), Refusal> {
    let topic = match naming {
        Naming::Known(_) => codec::TopicName::ALIASED,
        _ => {
            binding::write_topic(&message.topic, &mut scratch.topic)?;
            codec::TopicName::new(&scratch.topic).map_err(unencodable)?
        }
    };
    let properties = match connection.version {
        Version::V5 => binding::write_properties(
            message,
            PropertyScope::Publish,
            naming.alias(),
            &mut scratch.properties,
        )?,
        _ => Properties::EMPTY,
    };
    let packet = Packet::Publish(codec::Publish {
        dup,
        retain: message.retain,
        delivery,
        topic,
        properties,
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
