//! What is done with each packet of a client.

use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use manywire_mqtt_codec::{Ack, Delivery, Disconnect, Packet, PacketId, Publish, ReasonCode, Version};
use manywire_topics::{ChannelBuf, Error, Form, Topic, TopicBuf};

use super::connection::{Answer, End, Exchange};
use super::properties;
use super::share::Selection;
use crate::broker::SubscribeOptions;
use crate::identity::Action;
use crate::message::{Message, Protocol};

/// What may have to wait for somebody's answer.
#[derive(Debug)]
pub(super) enum Request {
    Publish(Delivery, Message),
    Subscribe(PacketId, Vec<Result<(Selection, SubscribeOptions), ReasonCode>>),
    Unsubscribe(PacketId, Vec<Option<Selection>>),
    /// The client says goodbye; with its will or without.
    Disconnect {
        with_will: bool,
    },
}

impl Exchange {
    /// Takes one packet in. What may have to wait becomes a request.
    pub(super) fn handle_packet(&mut self, packet: &Packet<'_>) -> Result<(), End> {
        match packet {
            Packet::Publish(publish) => self.handle_publish(publish)?,
            Packet::Puback(ack) => self.turn.settle(|session| session.handle_puback(ack.packet_id))?,
            Packet::Pubrec(ack) if ack.reason.is_error() => {
                self.turn
                    .settle(|session| session.handle_refusal(ack.packet_id))?;
            }
            Packet::Pubrec(ack) => {
                self.turn.settle(|session| session.handle_pubrec(ack.packet_id))?;
                // Also for an identifier nobody knows: 3.1.1 has no other answer, and silence would leave the client waiting.
                self.push(&Packet::Pubrel(Ack::new(ack.packet_id)));
            }
            Packet::Pubrel(ack) => {
                self.turn.release(ack.packet_id)?;
                self.push(&Packet::Pubcomp(Ack::new(ack.packet_id)));
            }
            Packet::Pubcomp(ack) => {
                self.turn.with(|session| session.handle_pubcomp(ack.packet_id))?;
            }
            Packet::Subscribe(subscribe) => self.requests.push_back(self.subscribe_request(subscribe)),
            Packet::Unsubscribe(unsubscribe) => {
                self.requests.push_back(self.unsubscribe_request(unsubscribe))
            }
            Packet::Pingreq => self.push(&Packet::Pingresp),
            Packet::Disconnect(disconnect) => self.handle_disconnect(disconnect)?,
            // [MQTT-3.1.0-2]
            Packet::Connect(_) => return Err(End::OutOfTurn("a second CONNECT")),
            _ => return Err(End::OutOfTurn("a packet that this client may not send")),
        }
        Ok(())
    }

    /// Does what may have to wait, in the order it came.
    pub(super) async fn handle_requests(&mut self) -> Result<(), End> {
        while let Some(request) = self.requests.pop_front() {
            match request {
                Request::Publish(delivery, message) => {
                    let (hub, channel) = (&self.connection.hub, message.topic.channel());
                    match hub.authorize(&self.client.thing, Action::Publish, channel).await {
                        Ok(()) => self.publish(delivery, message)?,
                        Err(denied) => self.refuse(delivery, End::Denied(denied))?,
                    }
                }
                Request::Subscribe(packet_id, filters) => self.subscribe(packet_id, filters).await,
                Request::Unsubscribe(packet_id, filters) => self.unsubscribe(packet_id, &filters),
                Request::Disconnect { with_will } => return Err(End::Goodbye { with_will }),
            }
        }
        Ok(())
    }

    /// Rights may have changed: the thing is found again, and subscriptions it may not have any more end.
    pub(super) async fn check_rights(&mut self) -> Result<(), End> {
        let hub = &self.connection.hub;
        self.client.thing = hub.refresh(&self.client.thing).await.map_err(End::Denied)?;
        let mut revoked: Vec<ChannelBuf> = Vec::new();
        for selection in self.turn.subscriptions()? {
            let channel = selection.filter.channel();
            if hub
                .authorize(&self.client.thing, Action::Subscribe, channel)
                .await
                .is_err()
            {
                revoked.push(channel.to_buf());
                self.end_subscription(&selection);
            }
        }
        if !revoked.is_empty() {
            let keep = |message: &Message| !revoked.contains(&message.topic.channel().to_buf());
            self.turn.settle(|session| session.retain(keep))?;
        }
        Ok(())
    }

    fn handle_publish(&mut self, publish: &Publish<'_>) -> Result<(), End> {
        let delivery = publish.delivery;
        let topic = match self.topic(publish) {
            Err(End::Topic(error)) => return self.refuse(delivery, End::Topic(error)),
            topic => topic?,
        };
        if publish.payload.len() > self.connection.hub.limits().payload {
            return self.refuse(delivery, End::TooLarge);
        }
        if let Delivery::ExactlyOnce(id) = delivery
            && !self.turn.hold(id)?
        {
            // It came before. If that one has not been answered, the answer is still to come.
            if !self.is_unanswered(delivery) {
                self.push(&Packet::Pubrec(Ack::new(id)));
            }
            return Ok(());
        }
        self.check_receive_maximum()?;
        let payload = Bytes::copy_from_slice(publish.payload);
        let mut message = Message::new(topic, payload, self.client.thing.id().clone(), Protocol::Mqtt);
        message.qos = delivery.qos();
        message.retain = publish.retain;
        message.origin = Some(self.turn.subscriber().origin());
        properties::read(publish.properties, &mut message);
        // Most things have rights of their own, and need not wait behind anything.
        if self.requests.is_empty() && self.client.thing.may(Action::Publish, message.topic.channel()) {
            return self.publish(delivery, message);
        }
        self.requests.push_back(Request::Publish(delivery, message));
        Ok(())
    }

    /// [MQTT-3.3.4-9] is the client's to keep, and its breach an error (3.3.4): 0x93.
    fn check_receive_maximum(&self) -> Result<(), End> {
        if self.client.version != Version::V5 {
            return Ok(());
        }
        let unreleased = self.turn.with(|session| session.unreleased().len())?;
        let waiting = |(delivery, _): &&(Delivery, Answer)| matches!(delivery, Delivery::AtLeastOnce(_));
        let unanswered = self.unanswered.iter().filter(waiting).count();
        if unreleased + unanswered > usize::from(RECEIVE_MAXIMUM) {
            return Err(End::Reason(ReasonCode::ReceiveMaximumExceeded));
        }
        Ok(())
    }

    /// Hands a message to the broker. A broker that answers at once is not waited for.
    fn publish(&mut self, delivery: Delivery, message: Message) -> Result<(), End> {
        let acceptance = self.connection.hub.publish(message);
        self.unanswered.push_back((delivery, Answer::Broker(acceptance)));
        self.poll_answers(&mut Context::from_waker(Waker::noop()))
    }

    /// Does not take a message. 5.0 can say so; before, and for a message that has no answer, only the end of the connection can.
    fn refuse(&mut self, delivery: Delivery, end: End) -> Result<(), End> {
        if self.client.version != Version::V5 || delivery == Delivery::AtMostOnce {
            if let Delivery::ExactlyOnce(id) = delivery {
                self.turn.release(id)?;
            }
            return Err(end);
        }
        end.count(&self.connection.hub);
        self.unanswered
            .push_back((delivery, Answer::Refused(end.refusal())));
        self.poll_answers(&mut Context::from_waker(Waker::noop()))
    }

    fn is_unanswered(&self, delivery: Delivery) -> bool {
        let waiting =
            |request: &Request| matches!(request, Request::Publish(waiting, _) if *waiting == delivery);
        self.unanswered
            .iter()
            .any(|(unanswered, _)| *unanswered == delivery)
            || self.requests.iter().any(waiting)
    }

    fn handle_disconnect(&mut self, disconnect: &Disconnect<'_>) -> Result<(), End> {
        if let Some(seconds) = disconnect.properties.session_expiry_interval() {
            // [MQTT-3.14.2-2] says it of the client; 3.14.2.2.2 what follows.
            if !self.client.lasts && seconds > 0 {
                return Err(End::OutOfTurn("a session that was to end is to last"));
            }
            self.client.expiry = Some(Duration::from_secs(seconds.into()));
        }
        let with_will = disconnect.reason != ReasonCode::Success;
        self.requests.push_back(Request::Disconnect { with_will });
        Ok(())
    }

    /// The topic of a PUBLISH: by its name, or by the alias that stands for it.
    fn topic(&mut self, publish: &Publish<'_>) -> Result<TopicBuf, End> {
        let alias = publish.properties.topic_alias();
        let slot = match alias.map(|alias| usize::from(alias.get())) {
            None => None,
            Some(alias @ 1..=ALIASES) => Some(alias - 1),
            // [MQTT-3.3.2-9]
            Some(_) => return Err(End::Reason(ReasonCode::TopicAliasInvalid)),
        };
        let Some(slot) = slot else {
            return self.named_topic(publish.topic.as_str()).map_err(End::Topic);
        };
        if self.aliases.len() <= slot {
            self.aliases.resize(slot + 1, None);
        }
        let named = match publish.topic.is_aliased() {
            true => None,
            false => Some(self.named_topic(publish.topic.as_str()).map_err(End::Topic)?),
        };
        let known = self.aliases.get_mut(slot);
        let topic = known.and_then(|known| {
            if named.is_some() {
                *known = named;
            }
            known.clone()
        });
        // [MQTT-3.3.2-12] does not say it of an alias that nothing stands for; 3.3.4 calls it a protocol error.
        topic.ok_or(End::OutOfTurn("a topic alias that stands for nothing"))
    }

    fn named_topic(&mut self, name: &str) -> Result<TopicBuf, Error> {
        if let Some((last, topic)) = &self.last_topic
            && **last == *name
        {
            return Ok(topic.clone());
        }
        let topic = Topic::parse(self.connection.hub.dialect(), Form::Mqtt, name)?.to_buf();
        self.last_topic = Some((name.into(), topic.clone()));
        Ok(topic)
    }
}

/// The QoS 1 and 2 messages of one client that may be unanswered at once (5.0).
pub(super) const RECEIVE_MAXIMUM: u16 = 1_000;

/// Topics that a client may give a number (5.0).
pub(super) const TOPIC_ALIASES: u16 = 16;

const ALIASES: usize = TOPIC_ALIASES as usize;
