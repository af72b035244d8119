//! Acknowledging received messages: in the order they arrived (MQTT 3.1.1 §4.6), whatever order the application uses,
//! or where the transport has no such rule, each as soon as the application is done with it.

use std::collections::VecDeque;

use crate::{engine::inbox::Serial, transport::DeliveryId};

/// The deliveries of the current session that are not acknowledged yet, in arrival order.
#[derive(Debug)]
pub(crate) struct Deliveries {
    /// The serial of the first one. Serials of earlier sessions are smaller, and so recognised as stale.
    first: u64,
    pending: VecDeque<Pending>,
    in_order: bool,
    /// Those that may be acknowledged out of turn.
    done: VecDeque<DeliveryId>,
}

#[derive(Debug)]
struct Pending {
    /// `None` once it is acknowledged.
    delivery: Option<DeliveryId>,
    /// How many subscribers still hold it.
    holders: usize,
}

impl Deliveries {
    /// A message arrived and goes to this many subscribers. Acknowledged at once, in its turn, when there is none.
    pub(crate) fn handle_arrival(&mut self, delivery: DeliveryId, holders: usize) {
        let delivery = Some(delivery);
        self.pending.push_back(Pending { delivery, holders });
        self.handle_done(self.pending.len() - 1);
    }

    /// The serial that the next arrival gets.
    pub(crate) fn next_serial(&self) -> Serial {
        Serial(self.first + self.pending.len() as u64)
    }

    /// A subscriber is done with it.
    pub(crate) fn handle_acknowledgement(&mut self, serial: Serial) {
        let index = serial
            .0
            .checked_sub(self.first)
            .and_then(|index| usize::try_from(index).ok());
        if let Some(pending) = index.and_then(|index| self.pending.get_mut(index)) {
            pending.holders = pending.holders.saturating_sub(1);
        }
        index.into_iter().for_each(|index| self.handle_done(index));
    }

    /// Whether an acknowledgement may be sent.
    pub(crate) fn can_acknowledge(&self) -> bool {
        !self.done.is_empty() || self.pending.front().is_some_and(|pending| pending.holders == 0)
    }

    /// The next acknowledgement that may be sent.
    pub(crate) fn poll_acknowledge(&mut self) -> Option<DeliveryId> {
        if let Some(delivery) = self.done.pop_front() {
            return Some(delivery);
        }
        if self.pending.front()?.holders > 0 {
            return None;
        }
        self.first += 1;
        self.pending.pop_front().and_then(|pending| pending.delivery)
    }

    /// A session starts, with or without the rule of arrival order.
    pub(crate) fn handle_session_start(&mut self, in_order: bool) {
        self.in_order = in_order;
    }

    /// The session ended: what was not acknowledged will be delivered again, or never.
    pub(crate) fn handle_session_end(&mut self) {
        self.first += self.pending.len() as u64;
        self.pending.clear();
        self.done.clear();
    }

    /// Without the rule of arrival order, takes out what nobody holds any more.
    fn handle_done(&mut self, index: usize) {
        if self.in_order {
            return;
        }
        if let Some(pending) = self.pending.get_mut(index).filter(|pending| pending.holders == 0) {
            self.done.extend(pending.delivery.take());
        }
        while self
            .pending
            .front()
            .is_some_and(|pending| pending.delivery.is_none())
        {
            self.pending.pop_front();
            self.first += 1;
        }
    }
}

impl Default for Deliveries {
    fn default() -> Self {
        Self {
            first: 0,
            pending: VecDeque::new(),
            in_order: true,
            done: VecDeque::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrive(deliveries: &mut Deliveries, id: u64, holders: usize) -> Serial {
        let serial = deliveries.next_serial();
        deliveries.handle_arrival(DeliveryId(id), holders);
        serial
    }

    #[test]
    fn acknowledgements_leave_in_arrival_order() {
        let mut deliveries = Deliveries::default();
        let serials: Vec<Serial> = (0..3).map(|id| arrive(&mut deliveries, id, 1)).collect();
        deliveries.handle_acknowledgement(serials[2]);
        deliveries.handle_acknowledgement(serials[1]);
        assert_eq!(deliveries.poll_acknowledge(), None);
        deliveries.handle_acknowledgement(serials[0]);
        let sent: Vec<u64> = std::iter::from_fn(|| deliveries.poll_acknowledge())
            .map(|id| id.0)
            .collect();
        assert_eq!(sent, [0, 1, 2]);
    }

    #[test]
    fn without_the_rule_one_that_is_held_does_not_hold_up_the_others() {
        let mut deliveries = Deliveries::default();
        deliveries.handle_session_start(false);
        let serials: Vec<Serial> = (0..3).map(|id| arrive(&mut deliveries, id, 1)).collect();
        deliveries.handle_acknowledgement(serials[2]);
        deliveries.handle_acknowledgement(serials[0]);
        let sent: Vec<u64> = std::iter::from_fn(|| deliveries.poll_acknowledge())
            .map(|id| id.0)
            .collect();
        assert_eq!(sent, [2, 0]);
        assert!(!deliveries.can_acknowledge());
        deliveries.handle_acknowledgement(serials[1]);
        assert_eq!(deliveries.poll_acknowledge(), Some(DeliveryId(1)));
        let later = arrive(&mut deliveries, 3, 1);
        deliveries.handle_acknowledgement(later);
        assert_eq!(deliveries.poll_acknowledge(), Some(DeliveryId(3)));
    }

    #[test]
    fn all_holders_must_be_done() {
        let mut deliveries = Deliveries::default();
        let serial = arrive(&mut deliveries, 9, 2);
        deliveries.handle_acknowledgement(serial);
        assert_eq!(deliveries.poll_acknowledge(), None);
        deliveries.handle_acknowledgement(serial);
        assert_eq!(deliveries.poll_acknowledge(), Some(DeliveryId(9)));
    }

    #[test]
    fn acknowledgements_of_an_earlier_session_are_ignored() {
        let mut deliveries = Deliveries::default();
        let stale = arrive(&mut deliveries, 1, 1);
        deliveries.handle_session_end();
        arrive(&mut deliveries, 1, 1);
        deliveries.handle_acknowledgement(stale);
        assert_eq!(deliveries.poll_acknowledge(), None);
    }
}
