//! What a session reports.

use std::sync::Arc;

use super::{Engine, lane};
use crate::{
    error::{Error, ErrorKind},
    events::ClientEvent,
    transport::{Event, OpId, Received},
};

impl Engine {
    /// Something arrived.
    pub(crate) fn handle_event(&mut self, event: Event) {
        match event {
            Event::Published(id) => {
                self.handle_answer(id);
                if let Some(leaving) = self.queue.remove(id) {
                    leaving.succeed();
                }
            }
            Event::Weakened { id, qos } => {
                self.handle_answer(id);
                if let Some(leaving) = self.queue.remove(id) {
                    leaving.succeed_with(qos);
                }
            }
            Event::Refused { id, refusal } => {
                self.handle_answer(id);
                if self.subscriptions.handle_refused(id, &refusal) {
                    return;
                }
                if let Some(leaving) = self.queue.remove(id) {
                    self.fail(leaving, Error::refused(&refusal));
                }
            }
            Event::Indeterminate(id) => {
                self.handle_answer(id);
                if let Some(leaving) = self.queue.remove(id) {
                    self.give_back(leaving, ErrorKind::Indeterminate, None);
                }
            }
            Event::Received(id) => {
                self.handle_answer(id);
                self.queue.handle_received(id);
            }
            Event::Unsent(id) => self.queue.handle_unsent(id),
            Event::Message(received) => self.handle_message(received),
            Event::Subscribed { id, qos } => {
                self.handle_answer(id);
                self.subscriptions.handle_subscribed(id, qos);
            }
            Event::Unsubscribed(id) => {
                self.handle_answer(id);
                self.subscriptions.handle_unsubscribed(id);
            }
            Event::Gap(_) => self.events.emit(&ClientEvent::Gap),
            Event::Ended {
                subscription,
                refusal,
            } => self.subscriptions.handle_ended(subscription, &refusal),
        }
    }

    /// An operation was answered. That bytes were handed over is no answer.
    fn handle_answer(&mut self, id: OpId) {
        if !lane::is_unanswered(id) {
            self.suspicion.handle_answer(id, self.session.max_in_flight);
        }
    }

    fn handle_message(&mut self, received: Received) {
        let delivery = received.delivery;
        let serial = delivery.map(|_| self.deliveries.next_serial());
        let received = Arc::new(received);
        let (mut takers, overflowed) = self.subscriptions.route(Arc::clone(&received), serial);
        if let Some(serial) = serial
            && takers == 0
            && self.unclaimed.keep(&received, serial)
        {
            takers = 1;
        }
        if let Some(delivery) = delivery {
            self.deliveries.handle_arrival(delivery, takers);
        }
        for listener in overflowed {
            if let Some(filter) = self.subscriptions.filter_of(listener) {
                self.events.emit(&ClientEvent::Overflowed {
                    filter: filter.clone(),
                });
            }
        }
    }
}
