//! What is done with each packet of a client.

use std::task::{Context, Waker};

use bytes::Bytes;
use manywire_mqtt_codec::{
    Ack, Delivery, Packet, PacketId, Properties, Publish, QoS, ReasonCode, Suback, Subscribe, Unsuback,
    Unsubscribe,
};
use manywire_topics::{ChannelBuf, Error, Filter, FilterBuf, Form, Topic, TopicBuf};

use super::connection::{End, Exchange};
use crate::broker::SubscribeOptions;
use crate::identity::Action;
use crate::message::{Message, Protocol};

/// What may have to wait for somebody's answer.
#[derive(Debug)]
pub(super) enum Request {
    Publish(Delivery, Message),
    Subscribe(PacketId, Vec<(Result<FilterBuf, Error>, QoS)>),
    Unsubscribe(PacketId, Vec<Result<FilterBuf, Error>>),
    Disconnect,
}

impl Exchange {
    /// Takes one packet in. What may have to wait becomes a request.
    pub(super) fn handle_packet(&mut self, packet: &Packet<'_>) -> Result<(), End> {
        match packet {
            Packet::Publish(publish) => self.handle_publish(publish)?,
            Packet::Puback(ack) => self.turn.settle(|session| session.handle_puback(ack.packet_id))?,
            Packet::Pubrec(ack) => {
                self.turn.settle(|session| session.handle_pubrec(ack.packet_id))?;
                // Also for an identifier nobody knows: 3.1.1 has no other answer, and silence would leave the client waiting.
                self.push(&Packet::Pubrel(Ack::new(ack.packet_id)));
            }
            Packet::Pubrel(ack) => {
                self.turn.with(|session| session.handle_release(ack.packet_id))?;
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
            Packet::Disconnect(_) => self.requests.push_back(Request::Disconnect),
            // [MQTT-3.1.0-2]
            Packet::Connect(_) => return Err(End::OutOfTurn("a second CONNECT")),
            _ => return Err(End::OutOfTurn("a packet that a client does not send")),
        }
        Ok(())
    }

    /// Does what may have to wait, in the order it came.
    pub(super) async fn handle_requests(&mut self) -> Result<(), End> {
        while let Some(request) = self.requests.pop_front() {
            match request {
                Request::Publish(delivery, message) => {
                    let channel = message.topic.channel();
                    let allowed = self
                        .connection
                        .hub
                        .authorize(&self.client.thing, Action::Publish, channel)
                        .await;
                    allowed.map_err(End::Denied)?;
                    self.publish(delivery, message)?;
                }
                Request::Subscribe(packet_id, filters) => self.subscribe(packet_id, filters).await?,
                Request::Unsubscribe(packet_id, filters) => self.unsubscribe(packet_id, &filters),
                Request::Disconnect => return Err(End::Goodbye),
            }
        }
        Ok(())
    }

    /// Rights may have changed: the thing is found again, and subscriptions it may not have any more end.
    pub(super) async fn check_rights(&mut self) -> Result<(), End> {
        let hub = &self.connection.hub;
        self.client.thing = hub.refresh(&self.client.thing).await.map_err(End::Denied)?;
        let mut revoked: Vec<ChannelBuf> = Vec::new();
        for filter in self.turn.subscriptions()? {
            let channel = filter.channel();
            if hub
                .authorize(&self.client.thing, Action::Subscribe, channel)
                .await
                .is_err()
            {
                revoked.push(channel.to_buf());
                hub.broker().unsubscribe(self.turn.subscriber(), &filter);
                self.turn.forget(&filter);
            }
        }
        if !revoked.is_empty() {
            let keep = |message: &Message| !revoked.contains(&message.topic.channel().to_buf());
            self.turn.settle(|session| session.retain(keep))?;
        }
        Ok(())
    }

    fn handle_publish(&mut self, publish: &Publish<'_>) -> Result<(), End> {
        if publish.payload.len() > self.connection.hub.limits().payload {
            return Err(End::TooLarge);
        }
        let topic = self.topic(publish.topic.as_str()).map_err(End::Topic)?;
        if let Delivery::ExactlyOnce(id) = publish.delivery
            && !self.turn.with(|session| session.handle_exactly_once(id))?
        {
            // It came before. If that one has not been answered, the answer is still to come.
            if !self.is_unanswered(publish.delivery) {
                self.push(&Packet::Pubrec(Ack::new(id)));
            }
            return Ok(());
        }
        let payload = Bytes::copy_from_slice(publish.payload);
        let mut message = Message::new(topic, payload, self.client.thing.id().clone(), Protocol::Mqtt);
        message.qos = publish.delivery.qos();
        message.retain = publish.retain;
        message.origin = Some(self.turn.subscriber().origin());
        // Most things have rights of their own, and need not wait behind anything.
        if self.requests.is_empty() && self.client.thing.may(Action::Publish, message.topic.channel()) {
            return self.publish(publish.delivery, message);
        }
        self.requests
            .push_back(Request::Publish(publish.delivery, message));
        Ok(())
    }

    /// Hands a message to the broker. A broker that answers at once is not waited for.
    fn publish(&mut self, delivery: Delivery, message: Message) -> Result<(), End> {
        let acceptance = self.connection.hub.publish(message);
        self.unanswered.push_back((delivery, acceptance));
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

    fn subscribe_request(&self, subscribe: &Subscribe<'_>) -> Request {
        let dialect = self.connection.hub.dialect();
        let filters = subscribe.subscriptions.iter().map(|subscription| {
            let filter = Filter::parse(dialect, Form::Mqtt, subscription.filter.as_str());
            (filter.map(|filter| filter.to_buf()), subscription.qos)
        });
        Request::Subscribe(subscribe.packet_id, filters.collect())
    }

    fn unsubscribe_request(&self, unsubscribe: &Unsubscribe<'_>) -> Request {
        let dialect = self.connection.hub.dialect();
        let filters = unsubscribe
            .filters
            .iter()
            .map(|filter| Filter::parse(dialect, Form::Mqtt, filter.as_str()).map(|filter| filter.to_buf()));
        Request::Unsubscribe(unsubscribe.packet_id, filters.collect())
    }

    async fn subscribe(
        &mut self,
        packet_id: PacketId,
        filters: Vec<(Result<FilterBuf, Error>, QoS)>,
    ) -> Result<(), End> {
        let mut reasons = Vec::with_capacity(filters.len());
        for (filter, qos) in filters {
            // 3.1.1 has one code for everything that is not granted [MQTT-3.9.3-2].
            reasons.push(match filter {
                Ok(filter) if self.grant(&filter, qos).await => ReasonCode::granted(qos),
                _ => ReasonCode::UnspecifiedError,
            });
        }
        let suback = Suback {
            packet_id,
            reasons: reasons.as_slice().into(),
            properties: Properties::EMPTY,
        };
        self.push(&suback.into());
        Ok(())
    }

    /// Subscribes the session to a filter, if the thing may.
    async fn grant(&mut self, filter: &FilterBuf, qos: QoS) -> bool {
        let hub = &self.connection.hub;
        if hub
            .authorize(&self.client.thing, Action::Subscribe, filter.channel())
            .await
            .is_err()
        {
            hub.metrics().mqtt.denied.add(1);
            return false;
        }
        let options = SubscribeOptions {
            qos,
            ..SubscribeOptions::default()
        };
        let subscribed = hub
            .broker()
            .subscribe(self.turn.subscriber(), filter.clone(), options)
            .await;
        if subscribed.is_ok() {
            self.turn.remember(filter.clone());
        }
        subscribed.is_ok()
    }

    fn unsubscribe(&mut self, packet_id: PacketId, filters: &[Result<FilterBuf, Error>]) {
        for filter in filters.iter().flatten() {
            self.connection
                .hub
                .broker()
                .unsubscribe(self.turn.subscriber(), filter);
            self.turn.forget(filter);
        }
        let unsuback = Unsuback {
            packet_id,
            reasons: (&[]).into(),
            properties: Properties::EMPTY,
        };
        self.push(&unsuback.into());
    }

    fn topic(&mut self, name: &str) -> Result<TopicBuf, Error> {
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
