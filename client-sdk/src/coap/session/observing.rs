//! Subscriptions: observations, and the operations that wait for them.

use manywire_coap::{Code, ConfirmId, Ended, Failure, Message as CoapMessage, ObservationId};
use manywire_topics::{FilterBuf, TopicBuf};

use super::{CoapSession, refused_here};
use crate::{
    binding::coap as binding,
    error::{Refusal, RefusalKind},
    qos::QoS,
    transport::{DeliveryId, Event, OpId, Received, SubscriptionId, TransportErrorKind},
};

/// What an observation is for. A subscription has one, or two if one path cannot say it all.
pub(super) struct Observed {
    pub(super) subscription: SubscriptionId,
    /// Where its messages were published, if the path says it.
    topic: Option<TopicBuf>,
    qos: QoS,
    established: bool,
}

/// An operation on a subscription, and how many of its observations have still to answer.
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    id: OpId,
    left: usize,
    ending: bool,
}

impl CoapSession {
    pub(super) fn handle_registered(&mut self, observation: ObservationId, message: CoapMessage, gap: bool) {
        let Some(observed) = self.observations.get_mut(&observation) else {
            return;
        };
        let (subscription, qos) = (observed.subscription, observed.qos);
        if !std::mem::replace(&mut observed.established, true)
            && let Some(id) = self.answered(subscription)
        {
            self.events.push_back(Event::Subscribed { id, qos });
        }
        if gap {
            self.events.push_back(Event::Gap(subscription));
        }
        // The platform's own answer is empty; a notification that came before it is not.
        if !message.payload().is_empty() {
            self.handle_notification(observation, message, None);
        }
    }

    pub(super) fn handle_notification(
        &mut self,
        observation: ObservationId,
        message: CoapMessage,
        confirm: Option<ConfirmId>,
    ) {
        let Some(observed) = self.observations.get(&observation) else {
            return confirm
                .into_iter()
                .for_each(|confirm| self.endpoint.confirm(confirm));
        };
        let content_type = binding::content_type(&message);
        let mut received = Received::through(observed.subscription, message.into_payload());
        received.topic.clone_from(&observed.topic);
        received.content_type = content_type;
        match confirm {
            Some(confirm) if observed.qos == QoS::AtLeastOnce => {
                self.last_delivery += 1;
                let delivery = DeliveryId(self.last_delivery);
                self.deliveries.insert(delivery, confirm);
                received.delivery = Some(delivery);
                received.qos = QoS::AtLeastOnce;
            }
            Some(confirm) => self.endpoint.confirm(confirm),
            None => {}
        }
        self.events.push_back(Event::Message(received));
    }

    pub(super) fn handle_ended(&mut self, observation: ObservationId, cause: Ended) {
        let Some(observed) = self.observations.remove(&observation) else {
            return;
        };
        let refusal = match cause {
            Ended::Response(message) if message.code().is_success() => {
                Refusal::new(RefusalKind::Unsupported).because("the platform answered without observing")
            }
            // The platform stops, or was too busy for us: as when any other connection is lost, the engine comes back.
            Ended::Response(message)
                if message.code() == Code::SERVICE_UNAVAILABLE && observed.established && !self.closing =>
            {
                return self.fail(TransportErrorKind::Closed);
            }
            Ended::Response(message) => binding::refusal(&message),
            Ended::Failed(Failure::Timeout) => return self.fail(TransportErrorKind::TimedOut),
            Ended::Failed(failure) => Refusal::new(RefusalKind::Unsupported).because(failure.to_string()),
            _ => Refusal::new(RefusalKind::Other),
        };
        let subscription = observed.subscription;
        match self.waiting.get(&subscription) {
            Some(waiting) if waiting.ending => {
                let ended = self.answered(subscription).map(Event::Unsubscribed);
                self.events.extend(ended);
            }
            Some(waiting) => {
                let id = waiting.id;
                self.waiting.remove(&subscription);
                self.drop_observations(subscription);
                self.events.push_back(Event::Refused { id, refusal });
            }
            None if self.closing => {}
            None => {
                self.drop_observations(subscription);
                self.events.push_back(Event::Ended {
                    subscription,
                    refusal,
                });
            }
        }
    }

    /// One observation less has to answer; gives the operation when it was the last.
    fn answered(&mut self, subscription: SubscriptionId) -> Option<OpId> {
        let waiting = self.waiting.get_mut(&subscription)?;
        waiting.left = waiting.left.saturating_sub(1);
        if waiting.left > 0 {
            return None;
        }
        self.waiting.remove(&subscription).map(|waiting| waiting.id)
    }

    /// Ends what observes for a subscription, without telling the engine.
    fn drop_observations(&mut self, subscription: SubscriptionId) {
        let now = self.now();
        for observation in self.of_subscription(subscription) {
            self.observations.remove(&observation);
            self.endpoint.cancel_observation(now, observation);
        }
    }

    pub(super) fn subscribe(
        &mut self,
        id: OpId,
        subscription: SubscriptionId,
        filter: &FilterBuf,
        qos: QoS,
    ) -> Result<(), Refusal> {
        let requests = self.binding.observe(filter)?;
        self.drop_observations(subscription);
        let waiting = Waiting {
            id,
            left: requests.len(),
            ending: false,
        };
        for (request, topic) in requests {
            let observation = self
                .endpoint
                .observe(self.now(), (), request)
                .map_err(refused_here)?;
            let qos = qos.min(QoS::AtLeastOnce);
            self.observations.insert(
                observation,
                Observed {
                    subscription,
                    topic,
                    qos,
                    established: false,
                },
            );
        }
        self.waiting.insert(subscription, waiting);
        Ok(())
    }

    pub(super) fn unsubscribe(&mut self, id: OpId, subscription: SubscriptionId) {
        let observations = self.of_subscription(subscription);
        if observations.is_empty() {
            return self.events.push_back(Event::Unsubscribed(id));
        }
        self.waiting.insert(
            subscription,
            Waiting {
                id,
                left: observations.len(),
                ending: true,
            },
        );
        let now = self.now();
        for observation in observations {
            self.endpoint.cancel_observation(now, observation);
        }
    }

    fn of_subscription(&self, subscription: SubscriptionId) -> Vec<ObservationId> {
        let wanted = |observed: &Observed| observed.subscription == subscription;
        self.observations
            .iter()
            .filter(|(_, observed)| wanted(observed))
            .map(|(observation, _)| *observation)
            .collect()
    }
}
