//! What arrived and is not acknowledged yet: order of acknowledgements, and exactly-once by packet identifier.

use std::collections::{HashMap, VecDeque};

use manywire_mqtt_codec::PacketId;

/// Names one delivery to the application until it is acknowledged. Never reused within a session.
pub(super) type DeliveryId = u64;

/// What to do with an arriving QoS 2 PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Hand it to the application under this name.
    New(DeliveryId),
    /// The application has it and has not said it is done: say nothing yet.
    Waiting,
    /// It was accepted before; the PUBREC was lost.
    Accepted,
}

/// An acknowledgement that may leave now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acknowledgement {
    Puback(PacketId),
    Pubrec(PacketId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// With the application, which has not said it is done.
    Delivered,
    /// Accepted; PUBREC may have been sent; waiting for PUBREL.
    Accepted,
}

#[derive(Debug)]
struct Pending {
    id: DeliveryId,
    acknowledgement: Acknowledgement,
    done: bool,
}

/// Inbound QoS 1 and 2 messages between arrival and acknowledgement.
///
/// Acknowledgements leave in arrival order [MQTT-4.6.0-2], whatever order the application finishes in.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    next: DeliveryId,
    /// Owed on the current connection, in arrival order.
    pending: VecDeque<Pending>,
    /// Identifiers of QoS 2 messages that were not released. They outlive the connection: this is what makes a repeat a repeat.
    exactly_once: HashMap<PacketId, Phase>,
}

impl Inbound {
    /// A QoS 1 PUBLISH came.
    pub(super) fn handle_at_least_once(&mut self, packet_id: PacketId) -> DeliveryId {
        self.owe(Acknowledgement::Puback(packet_id))
    }

    /// A QoS 2 PUBLISH came, perhaps again.
    pub(super) fn handle_exactly_once(&mut self, packet_id: PacketId) -> Arrival {
        match self.exactly_once.get(&packet_id) {
            Some(Phase::Delivered) => Arrival::Waiting,
            Some(Phase::Accepted) => Arrival::Accepted,
            None => {
                let id = self.owe(Acknowledgement::Pubrec(packet_id));
                self.exactly_once.insert(packet_id, Phase::Delivered);
                Arrival::New(id)
            }
        }
    }

    /// A PUBREL came: the identifier is free. Whether it was known is of no consequence for the answer [MQTT-4.3.3-2].
    pub(super) fn handle_release(&mut self, packet_id: PacketId) -> bool {
        self.exactly_once.remove(&packet_id).is_some()
    }

    /// The application is done with a delivery. False when it was not owed: acknowledged before, or its connection is gone.
    pub(super) fn finish(&mut self, id: DeliveryId) -> bool {
        if let Ok(at) = self.pending.binary_search_by_key(&id, |pending| pending.id)
            && let Some(pending) = self.pending.get_mut(at)
        {
            return !std::mem::replace(&mut pending.done, true);
        }
        false
    }

    /// The next acknowledgement that may leave, if the oldest delivery is done.
    pub(super) fn poll_acknowledgement(&mut self) -> Option<Acknowledgement> {
        let _ready = self.pending.front().filter(|pending| pending.done)?;
        let pending = self.pending.pop_front()?;
        if let Acknowledgement::Pubrec(packet_id) = pending.acknowledgement {
            self.exactly_once
                .entry(packet_id)
                .and_modify(|phase| *phase = Phase::Accepted);
        }
        Some(pending.acknowledgement)
    }

    /// The connection is gone, and what was owed on it is not owed any more: the server repeats what it has no answer to. A repeated QoS 1
    /// message is delivered again; a repeated QoS 2 message was handed over already, and is answered at once.
    pub(super) fn handle_disconnected(&mut self) {
        self.pending.clear();
        for phase in self.exactly_once.values_mut() {
            *phase = Phase::Accepted;
        }
    }

    /// The server forgot the session, and with it the meaning of every identifier.
    pub(super) fn handle_session_lost(&mut self) {
        self.pending.clear();
        self.exactly_once.clear();
    }

    fn owe(&mut self, acknowledgement: Acknowledgement) -> DeliveryId {
        let id = self.next;
        self.next += 1;
        self.pending.push_back(Pending {
            id,
            acknowledgement,
            done: false,
        });
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: u16) -> PacketId {
        PacketId::new(value).unwrap()
    }

    fn new(arrival: Arrival) -> DeliveryId {
        match arrival {
            Arrival::New(delivery) => delivery,
            other => panic!("expected a new delivery, got {other:?}"),
        }
    }

    #[test]
    fn acknowledgements_leave_in_arrival_order() {
        let mut inbound = Inbound::default();
        let first = inbound.handle_at_least_once(id(7));
        let second = new(inbound.handle_exactly_once(id(3)));
        let third = inbound.handle_at_least_once(id(9));
        assert!(inbound.finish(third));
        assert!(inbound.finish(second));
        assert_eq!(inbound.poll_acknowledgement(), None);
        assert!(inbound.finish(first));
        assert!(!inbound.finish(first), "once is enough");
        let left: Vec<_> = std::iter::from_fn(|| inbound.poll_acknowledgement()).collect();
        assert_eq!(
            left,
            [
                Acknowledgement::Puback(id(7)),
                Acknowledgement::Pubrec(id(3)),
                Acknowledgement::Puback(id(9))
            ]
        );
    }

    // R7: the same QoS 2 message sent twice is one message.
    #[test]
    fn a_repeated_exactly_once_message_is_delivered_once() {
        let mut inbound = Inbound::default();
        let delivery = new(inbound.handle_exactly_once(id(5)));
        assert_eq!(inbound.handle_exactly_once(id(5)), Arrival::Waiting);
        inbound.finish(delivery);
        assert_eq!(
            inbound.poll_acknowledgement(),
            Some(Acknowledgement::Pubrec(id(5)))
        );
        assert_eq!(inbound.handle_exactly_once(id(5)), Arrival::Accepted);
        assert!(inbound.handle_release(id(5)));
        assert!(!inbound.handle_release(id(5)));
        assert_ne!(
            inbound.handle_exactly_once(id(5)),
            Arrival::Accepted,
            "a released identifier names a new message"
        );
    }

    #[test]
    fn exactly_once_survives_the_connection_whenever_the_application_finishes() {
        for finish_before_the_loss in [true, false] {
            let mut inbound = Inbound::default();
            let delivery = new(inbound.handle_exactly_once(id(5)));
            if finish_before_the_loss {
                assert!(inbound.finish(delivery));
            }
            inbound.handle_disconnected();
            assert!(!inbound.finish(delivery), "nothing is owed for it any more");
            assert_eq!(inbound.handle_exactly_once(id(5)), Arrival::Accepted);
        }
    }

    #[test]
    fn an_acknowledgement_of_a_lost_connection_is_not_sent_on_the_next() {
        let mut inbound = Inbound::default();
        let delivery = inbound.handle_at_least_once(id(1));
        inbound.handle_disconnected();
        assert!(!inbound.finish(delivery));
        let again = inbound.handle_at_least_once(id(1));
        assert!(inbound.finish(again));
        assert_eq!(
            inbound.poll_acknowledgement(),
            Some(Acknowledgement::Puback(id(1)))
        );
        assert_eq!(inbound.poll_acknowledgement(), None);
    }

    #[test]
    fn a_lost_session_forgets_identifiers() {
        let mut inbound = Inbound::default();
        let old = new(inbound.handle_exactly_once(id(5)));
        inbound.handle_session_lost();
        assert_ne!(new(inbound.handle_exactly_once(id(5))), old);
    }
}
