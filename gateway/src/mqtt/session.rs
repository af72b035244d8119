//! The server's side of a session: what waits for a client, what it has not acknowledged, what it must not hear twice. No I/O, no clock.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::SystemTime;

use manywire_mqtt_codec::{Ack, Delivery as PublishDelivery, Packet, PacketId, QoS, Version};

use super::queued::{Queued, append};
use crate::Message;
use crate::broker::Delivery;
use crate::store::{Kept, RestoredMessage};

/// A client's session. It outlives the connection if the client wants it to.
#[derive(Debug)]
pub(super) struct Session {
    terms: Terms,
    limits: SessionLimits,
    /// Whether a connection is there. Without one, what is at most once is not kept.
    connected: bool,
    /// Messages that wait to be sent: at most once, and the rest. Two queues, so that a full window does not hold back the first.
    at_most_once: VecDeque<Queued>,
    acknowledged: VecDeque<Queued>,
    next_sequence: u64,
    /// Sent and not acknowledged, in the order of sending.
    in_flight: VecDeque<InFlight>,
    /// How many of `in_flight` were sent on this connection; the rest is to be sent again.
    sent_here: usize,
    last_id: PacketId,
    /// QoS 2 messages of the client that it has not released: a repeat of one is not published again.
    unreleased: HashSet<PacketId>,
    /// The bytes held by the queues and by `in_flight`.
    bytes: usize,
}

/// What a session may hold for a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionLimits {
    pub(super) messages: usize,
    pub(super) bytes: usize,
    /// QoS 1 and 2 messages that the client has not acknowledged.
    pub(super) in_flight: usize,
}

/// What a client takes on one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) version: Version,
    /// QoS 1 and 2 messages that it has not acknowledged.
    pub(super) receive_maximum: usize,
    /// Bytes in one packet.
    pub(super) max_packet_size: usize,
}

impl Default for Terms {
    /// 3.1.1, which has no limits to agree on.
    fn default() -> Self {
        Self {
            version: Version::V311,
            receive_maximum: usize::MAX,
            max_packet_size: usize::MAX,
        }
    }
}

#[derive(Debug)]
struct InFlight {
    packet_id: PacketId,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// PUBLISH was sent; PUBACK or PUBREC is to come.
    Published(Queued),
    /// PUBREC came, PUBREL was sent; PUBCOMP is to come. Until then the message stays on disk: many clients take it only at the PUBREL.
    Released { _kept: Option<Kept> },
}

/// What became of a message for this client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queueing {
    /// It waits; so many bytes more are held.
    Queued(usize),
    /// The client is not connected, and the message is at most once.
    Skipped,
    /// There is no room: it is lost for this client.
    Lost,
}

/// What one call sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Transmitted {
    pub(super) messages: u64,
    pub(super) payload_bytes: u64,
    /// Messages that cannot be said in MQTT, that are too large for the client, or that nobody wants any more.
    pub(super) lost: u64,
    /// Bytes that are not held any more.
    pub(super) freed: usize,
    /// Whether more could be sent.
    pub(super) more: bool,
}

impl Session {
    pub(super) fn new(limits: SessionLimits) -> Self {
        Self {
            terms: Terms::default(),
            limits,
            connected: false,
            at_most_once: VecDeque::new(),
            acknowledged: VecDeque::new(),
            next_sequence: 0,
            in_flight: VecDeque::new(),
            sent_here: 0,
            last_id: PacketId::FIRST,
            unreleased: HashSet::new(),
            bytes: 0,
        }
    }

    /// A connection is there: what was not acknowledged on an earlier one is sent again [MQTT-4.4.0-1].
    pub(super) fn handle_connected(&mut self, terms: Terms) {
        self.terms = terms;
        self.connected = true;
        self.sent_here = 0;
    }

    /// The connection is gone. Returns how many bytes are not held any more.
    pub(super) fn handle_disconnected(&mut self) -> usize {
        self.connected = false;
        let dropped = std::mem::take(&mut self.at_most_once);
        let freed = dropped.iter().map(Queued::cost).sum();
        self.bytes -= freed;
        freed
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connected
    }

    /// A message for the client. `room` is how many bytes all sessions together may still take; `keep` puts on disk what must not be lost.
    pub(super) fn handle_delivery(
        &mut self,
        delivery: Delivery<'_>,
        room: usize,
        keep: impl FnOnce(&Delivery<'_>) -> Option<Kept>,
    ) -> Queueing {
        let qos = delivery.qos();
        if qos == QoS::AtMostOnce && !self.connected {
            return Queueing::Skipped;
        }
        let cost = delivery.message.cost();
        // What was retained comes all at once: only its bytes count, or nobody could subscribe to many topics.
        let full = self.queued() >= self.limits.messages && !delivery.retained;
        if full || self.bytes + cost > self.limits.bytes || cost > room {
            return Queueing::Lost;
        }
        self.bytes += cost;
        self.next_sequence += 1;
        let queued = Queued {
            sequence: self.next_sequence,
            message: Arc::clone(delivery.message),
            qos,
            retain: delivery.retain_flag(),
            identifiers: delivery.identifiers().collect(),
            kept: if qos == QoS::AtMostOnce {
                None
            } else {
                keep(&delivery)
            },
        };
        match qos {
            QoS::AtMostOnce => self.at_most_once.push_back(queued),
            _ => self.acknowledged.push_back(queued),
        }
        Queueing::Queued(cost)
    }

    /// What waited for the client before the gateway was started again. Returns how many bytes are held for it.
    pub(super) fn handle_restored(
        &mut self,
        messages: Vec<RestoredMessage>,
        unreleased: Vec<PacketId>,
    ) -> usize {
        self.unreleased.extend(unreleased);
        let before = self.bytes;
        for RestoredMessage {
            message,
            qos,
            retain,
            identifiers,
            kept,
        } in messages
        {
            self.bytes += message.cost();
            self.next_sequence += 1;
            self.acknowledged.push_back(Queued {
                sequence: self.next_sequence,
                message,
                qos,
                retain,
                identifiers,
                kept: Some(kept),
            });
        }
        self.bytes - before
    }

    /// Whether [`poll_transmit`](Self::poll_transmit) would send something.
    fn has_transmit(&self) -> bool {
        self.may_send_again() || !self.at_most_once.is_empty() || self.next_acknowledged().is_some()
    }

    /// Appends what may be sent, until `output` holds `budget` bytes.
    pub(super) fn poll_transmit(
        &mut self,
        output: &mut Vec<u8>,
        budget: usize,
        now: SystemTime,
    ) -> Transmitted {
        let mut transmitted = Transmitted::default();
        let mut text = String::new();
        while output.len() < budget {
            if self.may_send_again() {
                transmitted.freed += self.send_again(output, now, &mut text);
                continue;
            }
            let Some(queued) = self.pop() else { break };
            let at_most_once = queued.qos == QoS::AtMostOnce;
            let delivery = match at_most_once {
                true => PublishDelivery::AtMostOnce,
                false => PublishDelivery::new(queued.qos, self.free_id()),
            };
            let sent = queued.write(self.terms, delivery, false, now, &mut text, output);
            if sent {
                transmitted.messages += 1;
                transmitted.payload_bytes += queued.message.payload.len() as u64;
            } else {
                transmitted.lost += 1;
            }
            match delivery.packet_id().filter(|_| sent) {
                Some(packet_id) => {
                    self.in_flight.push_back(InFlight {
                        packet_id,
                        phase: Phase::Published(queued),
                    });
                    self.sent_here += 1;
                }
                None => {
                    self.bytes -= queued.cost();
                    transmitted.freed += queued.cost();
                }
            }
        }
        self.give_memory_back();
        transmitted.more = self.has_transmit();
        transmitted
    }

    /// Whether an earlier connection left something unacknowledged, and the client takes more.
    fn may_send_again(&self) -> bool {
        self.sent_here < self.in_flight.len().min(self.terms.receive_maximum)
    }

    /// Sends the next of what an earlier connection left unacknowledged. What this client does not take any more is done with; returns how
    /// many bytes are not held for it then.
    fn send_again(&mut self, output: &mut Vec<u8>, now: SystemTime, text: &mut String) -> usize {
        let Some(again) = self.in_flight.get(self.sent_here) else {
            return 0;
        };
        match &again.phase {
            Phase::Released { .. } => append(
                &Packet::Pubrel(Ack::new(again.packet_id)),
                self.terms.version,
                output,
            ),
            Phase::Published(queued) => {
                let delivery = PublishDelivery::new(queued.qos, again.packet_id);
                if !queued.write(self.terms, delivery, true, now, text, output) {
                    return self.finish(self.sent_here);
                }
            }
        }
        self.sent_here += 1;
        0
    }

    /// PUBACK. Returns how many bytes are not held any more; an acknowledgement of what is not in flight is of no consequence.
    pub(super) fn handle_puback(&mut self, packet_id: PacketId) -> usize {
        match self.find(packet_id) {
            Some((at, Phase::Published(queued))) if queued.qos == QoS::AtLeastOnce => self.finish(at),
            _ => 0,
        }
    }

    /// PUBREC: from now on only PUBREL is sent. Returns how many bytes are not held any more.
    pub(super) fn handle_pubrec(&mut self, packet_id: PacketId) -> usize {
        match self.find(packet_id) {
            Some((at, Phase::Published(queued))) if queued.qos == QoS::ExactlyOnce => {
                let cost = queued.cost();
                self.bytes -= cost;
                // PUBRELs are sent again in the order of the PUBRECs [MQTT-4.6.0-4].
                let kept = match self.remove(at) {
                    Some(Phase::Published(queued)) => queued.kept,
                    _ => None,
                };
                self.in_flight.insert(
                    self.sent_here,
                    InFlight {
                        packet_id,
                        phase: Phase::Released { _kept: kept },
                    },
                );
                self.sent_here += 1;
                cost
            }
            _ => 0,
        }
    }

    /// PUBREC with an error (5.0): the client does not want the message, and there will be no PUBCOMP. Returns how many bytes are not held
    /// any more.
    pub(super) fn handle_refusal(&mut self, packet_id: PacketId) -> usize {
        match self.find(packet_id) {
            Some((at, Phase::Published(_))) => self.finish(at),
            _ => 0,
        }
    }

    /// PUBCOMP. Whether it was awaited.
    pub(super) fn handle_pubcomp(&mut self, packet_id: PacketId) -> bool {
        match self.find(packet_id) {
            Some((at, Phase::Released { .. })) => {
                self.remove(at);
                true
            }
            _ => false,
        }
    }

    /// A QoS 2 PUBLISH of the client. False when it is a repeat: then only PUBREC is sent again.
    pub(super) fn handle_exactly_once(&mut self, packet_id: PacketId) -> bool {
        self.unreleased.insert(packet_id)
    }

    /// PUBREL, or a QoS 2 PUBLISH that was refused: the identifier is free. Whether it was not before.
    pub(super) fn handle_release(&mut self, packet_id: PacketId) -> bool {
        self.unreleased.remove(&packet_id)
    }

    /// The QoS 2 messages of the client that it has not released.
    pub(super) fn unreleased(&self) -> &HashSet<PacketId> {
        &self.unreleased
    }

    /// Forgets waiting messages that are not to be sent. Returns how many bytes are not held any more.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Message) -> bool) -> usize {
        let mut freed = 0;
        for queue in [&mut self.at_most_once, &mut self.acknowledged] {
            queue.retain(|queued| {
                let keep = keep(&queued.message);
                freed += if keep { 0 } else { queued.cost() };
                keep
            });
        }
        self.bytes -= freed;
        freed
    }

    /// The bytes held for the client.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn queued(&self) -> usize {
        self.at_most_once.len() + self.acknowledged.len()
    }

    /// The first message with acknowledgement, if the window has room for it.
    fn next_acknowledged(&self) -> Option<&Queued> {
        self.acknowledged
            .front()
            .filter(|_| self.in_flight.len() < self.limits.in_flight.min(self.terms.receive_maximum))
    }

    /// The message to send next: the one that came first of those that may be sent.
    fn pop(&mut self) -> Option<Queued> {
        match (self.at_most_once.front(), self.next_acknowledged()) {
            (Some(first), Some(second)) if second.sequence < first.sequence => self.acknowledged.pop_front(),
            (Some(_), _) => self.at_most_once.pop_front(),
            (None, Some(_)) => self.acknowledged.pop_front(),
            (None, None) => None,
        }
    }

    /// An identifier that is not in flight; there is one, for the window is smaller than their number.
    fn free_id(&mut self) -> PacketId {
        loop {
            let id = self.last_id;
            self.last_id = id.next();
            if self.in_flight.iter().all(|in_flight| in_flight.packet_id != id) {
                return id;
            }
        }
    }

    /// Acknowledgements come in the order of sending, so the first is nearly always the right one.
    fn find(&self, packet_id: PacketId) -> Option<(usize, &Phase)> {
        let mut in_flight = self.in_flight.iter().enumerate();
        in_flight
            .find(|(_, in_flight)| in_flight.packet_id == packet_id)
            .map(|(at, in_flight)| (at, &in_flight.phase))
    }

    fn finish(&mut self, at: usize) -> usize {
        let freed = match self.in_flight.get(at).map(|in_flight| &in_flight.phase) {
            Some(Phase::Published(queued)) => queued.cost(),
            _ => 0,
        };
        self.remove(at);
        self.bytes -= freed;
        freed
    }

    fn remove(&mut self, at: usize) -> Option<Phase> {
        let removed = self.in_flight.remove(at);
        if at < self.sent_here {
            self.sent_here -= 1;
        }
        removed.map(|removed| removed.phase)
    }

    /// A burst must not cost an idle connection its memory.
    fn give_memory_back(&mut self) {
        for queue in [&mut self.at_most_once, &mut self.acknowledged] {
            if queue.is_empty() && queue.capacity() > KEPT {
                *queue = VecDeque::new();
            }
        }
    }
}

/// Places in a queue that an idle session keeps.
const KEPT: usize = 16;
