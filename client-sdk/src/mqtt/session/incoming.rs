//! What the session does with each packet of the server.

use std::time::Instant;

use bytes::Bytes;
use manywire_mqtt_codec::{self as codec, Ack, Packet, ReasonCode};
use manywire_topics::TopicBuf;

use super::{Accepted, Exchange, Limits, Session, Wire, broken};
use crate::{
    binding::mqtt as binding,
    mqtt::{identifiers::Named, inbound::Arrival},
    qos::QoS,
    transport::{DeliveryId, Event, OpId, Received, TransportError},
};

impl Session {
    pub(super) fn handle_connack(
        &mut self,
        connack: &codec::Connack<'_>,
        now: Instant,
    ) -> Result<(), TransportError> {
        if self.connection.open {
            return Err(broken("a second CONNACK"));
        }
        if connack.reason.is_error() {
            return Err(binding::refused(connack.reason));
        }
        self.connection.open(connack.properties, self.window, now);
        let mut accepted = Accepted {
            resumed: connack.session_present,
            limits: Limits::new(connack.properties),
            ..Accepted::default()
        };
        // Answers that the engine has not collected are still coming.
        accepted
            .held
            .extend(self.events.iter().filter_map(|event| match event {
                Event::Published(id)
                | Event::Weakened { id, .. }
                | Event::Indeterminate(id)
                | Event::Refused { id, .. } => Some(*id),
                _ => None,
            }));
        if connack.session_present {
            self.resume(&mut accepted.held);
        } else {
            self.inbound.handle_session_lost();
            self.identifiers.handle_session_lost();
            for exchange in self.in_flight.release_unless(|_| false) {
                match exchange {
                    Exchange::Publish { id, message, .. } if message.qos == QoS::ExactlyOnce => {
                        accepted.in_doubt.push(id)
                    }
                    Exchange::Received { id } | Exchange::Release { id } => accepted.in_doubt.push(id),
                    // At least once: repeating it is what was asked for.
                    _ => {}
                }
            }
        }
        self.connection.accepted = Some(accepted);
        self.send_unsent();
        Ok(())
    }

    /// Goes on where the last connection ended [MQTT-4.4.0-1], in the order it began [MQTT-4.6.0-1].
    fn resume(&mut self, held: &mut Vec<OpId>) {
        let mut releases = Vec::new();
        for (packet_id, exchange) in self.in_flight.in_order() {
            match exchange {
                Exchange::Publish { id, .. } => {
                    held.push(*id);
                    self.connection.unsent.push_back(packet_id);
                }
                Exchange::Received { id } => {
                    held.push(*id);
                    self.received.push_back((*id, packet_id));
                    self.events.push_back(Event::Received(*id));
                }
                Exchange::Release { id } => {
                    held.push(*id);
                    releases.push(packet_id);
                }
                Exchange::Subscribe(_) | Exchange::Unsubscribe(_) => {}
            }
        }
        for packet_id in releases {
            self.push(&Packet::Pubrel(Ack::new(packet_id)));
        }
    }

    pub(super) fn handle_publish(&mut self, publish: &codec::Publish<'_>) {
        let delivery = match publish.delivery {
            codec::Delivery::AtMostOnce => None,
            codec::Delivery::AtLeastOnce(packet_id) => Some(self.inbound.handle_at_least_once(packet_id)),
            codec::Delivery::ExactlyOnce(packet_id) => match self.inbound.handle_exactly_once(packet_id) {
                Arrival::New(delivery) => Some(delivery),
                arrival => {
                    self.counters.repeated += 1;
                    if arrival == Arrival::Accepted {
                        self.push(&Packet::Pubrec(Ack::new(packet_id)));
                    }
                    return;
                }
            },
        };
        let Some(topic) = self.topic(publish.topic.as_str()) else {
            self.counters.foreign += 1;
            if let Some(delivery) = delivery {
                self.inbound.finish(delivery);
                self.acknowledge();
            }
            return;
        };
        let mut received = Received::new(topic, Bytes::copy_from_slice(publish.payload));
        received.qos = publish.delivery.qos().into();
        received.retain = publish.retain;
        received.duplicate = publish.dup;
        received.delivery = delivery.map(DeliveryId);
        if !publish.properties.is_empty() {
            binding::read_properties(self.dialect, publish.properties, &mut received);
            self.route(publish.properties, &mut received);
        }
        self.events.push_back(Event::Message(received));
    }

    /// Says through which subscriptions a message came. An identifier of a process that had the session before says nothing.
    fn route(&self, properties: codec::Properties<'_>, received: &mut Received) {
        let known = properties
            .subscription_identifiers()
            .filter_map(|identifier| self.identifiers.get(identifier));
        for Named { subscription, asked } in known {
            if received.subscription.is_some() {
                received.also.push(subscription);
            } else {
                received.subscription = Some(subscription);
                received.asked = received.retain.then_some(asked);
            }
        }
    }

    pub(super) fn handle_puback(&mut self, ack: &Ack<'_>) {
        match self.in_flight.get_mut(ack.packet_id) {
            Some(Exchange::Publish { id, message, .. }) if message.qos == QoS::AtLeastOnce => {
                let id = *id;
                self.finish(ack, id);
            }
            // RabbitMQ to QoS 2 in 3.1.1: not what MQTT says, and a clear answer. There is nothing more to come.
            Some(Exchange::Publish {
                id,
                wire: Wire::Encoded(_) | Wire::Sent,
                ..
            }) => {
                let id = *id;
                self.counters.weakened += 1;
                self.finish_with(ack, id, |id| Event::Weakened {
                    id,
                    qos: QoS::AtLeastOnce,
                });
            }
            // A duplicate, or one for an exchange of long ago: nothing depends on it.
            _ => self.counters.unsolicited += 1,
        }
    }

    pub(super) fn handle_pubrec(&mut self, ack: &Ack<'_>) {
        let known = match self.in_flight.get_mut(ack.packet_id) {
            Some(Exchange::Publish { id, message, .. }) if message.qos == QoS::ExactlyOnce => {
                let id = *id;
                if ack.reason.is_error() {
                    return self.finish(ack, id);
                }
                self.in_flight.renew(ack.packet_id, Exchange::Received { id });
                self.received.push_back((id, ack.packet_id));
                return self.events.push_back(Event::Received(id));
            }
            // Said again before the engine has taken note of it.
            Some(Exchange::Received { .. }) => return self.counters.unsolicited += 1,
            exchange => {
                self.counters.unsolicited += 1;
                matches!(exchange, Some(Exchange::Release { .. }))
            }
        };
        // Also for an identifier we do not know: a PUBREL lets the server end the exchange, silence would not.
        if known || !ack.reason.is_error() {
            self.push(&Packet::Pubrel(self.answer(ack.packet_id, known)));
        }
    }

    pub(super) fn handle_pubcomp(&mut self, ack: &Ack<'_>) {
        match self.in_flight.get_mut(ack.packet_id) {
            Some(Exchange::Release { id }) => {
                let id = *id;
                // Whatever it says: the server had the message with its PUBREC, and a PUBCOMP that was lost makes it forget the identifier.
                self.finish(&Ack::new(ack.packet_id), id);
            }
            _ => self.counters.unsolicited += 1,
        }
    }

    /// The last acknowledgement of a publish came.
    fn finish(&mut self, ack: &Ack<'_>, id: OpId) {
        self.finish_with(ack, id, Event::Published);
    }

    fn finish_with(&mut self, ack: &Ack<'_>, id: OpId, event: impl Fn(OpId) -> Event) {
        self.in_flight.release(ack.packet_id);
        if !self.connection.unsent.is_empty() {
            self.connection
                .unsent
                .retain(|packet_id| *packet_id != ack.packet_id);
        }
        self.connection.handle_answered();
        self.events.push_back(if ack.reason.is_error() {
            Event::Refused {
                id,
                refusal: binding::refusal(ack.reason),
            }
        } else {
            event(id)
        });
        self.send_unsent();
    }

    pub(super) fn handle_suback(&mut self, suback: &codec::Suback<'_>) {
        let Some(Exchange::Subscribe(named)) = self.in_flight.get_mut(suback.packet_id) else {
            self.counters.unsolicited += 1;
            return;
        };
        let named = *named;
        let id = named.asked;
        self.in_flight.release(suback.packet_id);
        let reason = suback
            .reasons
            .iter()
            .next()
            .unwrap_or(ReasonCode::UnspecifiedError);
        self.events.push_back(match reason.granted_qos() {
            Some(qos) => {
                self.identifiers.handle_granted(named);
                Event::Subscribed { id, qos: qos.into() }
            }
            None => {
                self.identifiers.handle_refused(named);
                Event::Refused {
                    id,
                    refusal: binding::refusal(reason),
                }
            }
        });
    }

    pub(super) fn handle_unsuback(&mut self, unsuback: &codec::Unsuback<'_>) {
        let Some(Exchange::Unsubscribe(named)) = self.in_flight.get_mut(unsuback.packet_id) else {
            self.counters.unsolicited += 1;
            return;
        };
        let Named {
            subscription,
            asked: id,
        } = *named;
        self.in_flight.release(unsuback.packet_id);
        // 3.1.1 has no reasons here.
        self.events.push_back(match unsuback.reasons.iter().next() {
            Some(reason) if reason.is_error() => Event::Refused {
                id,
                refusal: binding::refusal(reason),
            },
            _ => {
                self.identifiers.handle_unsubscribed(subscription);
                Event::Unsubscribed(id)
            }
        });
    }

    fn topic(&mut self, text: &str) -> Option<TopicBuf> {
        if let Some((last, topic)) = &self.last_topic
            && **last == *text
        {
            return Some(topic.clone());
        }
        let topic = binding::topic(self.dialect, text)?;
        self.last_topic = Some((text.into(), topic.clone()));
        Some(topic)
    }
}
