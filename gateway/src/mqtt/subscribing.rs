//! SUBSCRIBE and UNSUBSCRIBE.

use std::num::NonZeroU32;

use manywire_mqtt_codec::{
    PacketId, Properties, ReasonCode, RetainHandling, Suback, Subscribe, Subscription, TopicFilter, Unsuback,
    Unsubscribe, Version,
};
use manywire_topics::{Filter, Form};

use super::connection::Exchange;
use super::incoming::Request;
use super::share::Selection;
use crate::broker::{BrokerError, RetainedHandling, SubscribeOptions};
use crate::identity::{Action, Denied};

impl Exchange {
    pub(super) fn subscribe_request(&self, subscribe: &Subscribe<'_>) -> Request {
        let identifier = subscribe.properties.subscription_identifiers().next();
        let subscriptions = subscribe.subscriptions.iter();
        let selections = subscriptions.map(|subscription| {
            let selection = self
                .selection(subscription.filter)
                .ok_or(ReasonCode::TopicFilterInvalid)?;
            Ok((selection, options(subscription, identifier)))
        });
        Request::Subscribe(subscribe.packet_id, selections.collect())
    }

    pub(super) fn unsubscribe_request(&self, unsubscribe: &Unsubscribe<'_>) -> Request {
        let selections = unsubscribe.filters.iter().map(|filter| self.selection(filter));
        Request::Unsubscribe(unsubscribe.packet_id, selections.collect())
    }

    /// What a filter selects; `None` when that is nothing on the platform.
    fn selection(&self, filter: TopicFilter<'_>) -> Option<Selection> {
        // 3.1.1 knows no shares: there, the filter is one that begins with `$share`.
        let shared = filter.shared().filter(|_| self.client.version == Version::V5);
        let (share, filter) = match shared {
            Some((share, filter)) => (Some(share.as_str().into()), filter),
            None => (None, filter),
        };
        let filter = Filter::parse(self.connection.hub.dialect(), Form::Mqtt, filter.as_str())
            .ok()?
            .to_buf();
        Some(Selection { share, filter })
    }

    pub(super) async fn subscribe(
        &mut self,
        packet_id: PacketId,
        selections: Vec<Result<(Selection, SubscribeOptions), ReasonCode>>,
    ) {
        let mut reasons = Vec::with_capacity(selections.len());
        for selection in selections {
            let granted = match selection {
                Ok((selection, options)) => self.grant(selection, options).await,
                Err(refusal) => Err(refusal),
            };
            reasons.push(match (granted, self.client.version) {
                (Ok(granted), _) => granted,
                (Err(refusal), Version::V5) => refusal,
                // 3.1.1 has one code for everything that is not granted [MQTT-3.9.3-2].
                (Err(_), _) => ReasonCode::UnspecifiedError,
            });
        }
        self.turn.settled().await;
        let suback = Suback {
            packet_id,
            reasons: reasons.as_slice().into(),
            properties: Properties::EMPTY,
        };
        self.push(&suback.into());
    }

    /// Subscribes the session, if the thing may.
    async fn grant(
        &mut self,
        selection: Selection,
        options: SubscribeOptions,
    ) -> Result<ReasonCode, ReasonCode> {
        let (hub, channel) = (&self.connection.hub, selection.filter.channel());
        if let Err(denied) = hub
            .authorize(&self.client.thing, Action::Subscribe, channel)
            .await
        {
            hub.metrics().mqtt.denied.add(1);
            return Err(match denied {
                Denied::Unavailable => ReasonCode::ImplementationSpecificError,
                _ => ReasonCode::NotAuthorized,
            });
        }
        let granted = ReasonCode::granted(options.qos);
        let subscribed = match selection.share {
            Some(_) if self.turn.has_too_many(hub.limits().subscriptions) => {
                Err(BrokerError::TooManySubscriptions)
            }
            _ => {
                self.turn
                    .session()
                    .subscribe(self.sessions.shares(), &selection, options.clone())
                    .await
            }
        };
        match subscribed {
            Ok(()) => {
                if !self.turn.remember(selection.clone(), &options) {
                    // The session ended meanwhile: what came too late ends too.
                    self.end_subscription(&selection);
                }
                Ok(granted)
            }
            Err(BrokerError::TooManySubscriptions) => Err(ReasonCode::QuotaExceeded),
            Err(_) => Err(ReasonCode::ImplementationSpecificError),
        }
    }

    pub(super) fn unsubscribe(&mut self, packet_id: PacketId, selections: &[Option<Selection>]) {
        let ended = selections.iter().map(|selection| match selection {
            None => ReasonCode::TopicFilterInvalid,
            Some(selection) if self.end_subscription(selection) => ReasonCode::Success,
            Some(_) => ReasonCode::NoSubscriptionExisted,
        });
        let mut reasons: Vec<_> = ended.collect();
        if self.client.version != Version::V5 {
            reasons.clear();
        }
        let unsuback = Unsuback {
            packet_id,
            reasons: reasons.as_slice().into(),
            properties: Properties::EMPTY,
        };
        self.push(&unsuback.into());
    }

    /// Ends one subscription. Whether there was one.
    pub(super) fn end_subscription(&self, selection: &Selection) -> bool {
        self.turn.forget(selection);
        match selection.share {
            None => self
                .connection
                .hub
                .broker()
                .unsubscribe(self.turn.subscriber(), &selection.filter),
            Some(_) => self.sessions.shares().leave(selection, self.turn.session()),
        }
    }
}

fn options(subscription: Subscription<'_>, identifier: Option<NonZeroU32>) -> SubscribeOptions {
    SubscribeOptions {
        qos: subscription.qos,
        no_local: subscription.no_local,
        retain_as_published: subscription.retain_as_published,
        retained: match subscription.retain_handling {
            RetainHandling::AtSubscribe => RetainedHandling::Send,
            RetainHandling::AtNewSubscribe => RetainedHandling::SendIfNew,
            RetainHandling::Never => RetainedHandling::Skip,
        },
        identifier,
    }
}
