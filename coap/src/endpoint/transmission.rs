use alloc::{collections::VecDeque, vec::Vec};
use core::time::Duration;

use super::{Endpoint, Timer};
use crate::{
    error::Error,
    event::{Event, Failure, PingId, Transmit},
    message::{Kind, Message},
};

/// What is known of a peer that confirmable messages are sent to.
#[derive(Debug)]
pub(super) struct Peer {
    next_message_id: u16,
    /// Confirmable messages that are not acknowledged yet: at most NSTART.
    outstanding: usize,
    waiting: VecDeque<(Message, Purpose)>,
    /// Whether it ever answered with an id that only it could know: its address is not forged.
    pub(super) proven: bool,
    pub(super) probing: bool,
    pub(super) last_sent: Duration,
    last_used: Duration,
}

/// A confirmable message under way.
#[derive(Debug)]
pub(super) struct Sending {
    datagram: Vec<u8>,
    timeout: Duration,
    retransmissions: u32,
    purpose: Purpose,
}

/// Whom to tell what became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Request(u64),
    Response,
    Notification(u64),
    Ping(u64),
    KeepAlive,
    /// An empty confirmable message whose answer proves the peer's address before notifications go there.
    Probe,
}

impl Peer {
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

impl Sending {
    pub(super) fn is_for(&self, purpose: Purpose) -> bool {
        self.purpose == purpose
    }
}

/// What the peer said to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Acknowledged,
    Reset,
}

impl<P: Copy + Ord> Endpoint<P> {
    /// Sends an empty confirmable message, which every CoAP endpoint answers with Reset, and the platform with an empty
    /// acknowledgement (RFC 7252 §4.3): [`Event::Pong`] or [`Event::PingLost`] tells.
    ///
    /// # Errors
    /// [`Error::Busy`] if the peer is new and too many are in use.
    pub fn ping(&mut self, now: Duration, peer: P) -> Result<PingId, Error> {
        let id = self.fresh_id();
        self.originate(now, peer, Message::empty(Kind::Confirmable, 0), Purpose::Ping(id))?;
        Ok(PingId(id))
    }

    /// Sends a message of this endpoint's own: confirmable ones within NSTART, the others at once.
    pub(super) fn originate(
        &mut self,
        now: Duration,
        peer: P,
        mut message: Message,
        purpose: Purpose,
    ) -> Result<(), Error> {
        self.originate_lent(now, peer, &mut message, purpose)
    }

    /// The same with a message that the caller keeps: it is copied only if it has to wait.
    pub(super) fn originate_lent(
        &mut self,
        now: Duration,
        peer: P,
        message: &mut Message,
        purpose: Purpose,
    ) -> Result<(), Error> {
        self.meet(now, peer)?;
        if message.kind() == Kind::Confirmable {
            let nstart = self.parameters.nstart.max(1);
            if let Some(known) = self.peers.get_mut(&peer) {
                if known.outstanding >= nstart {
                    // Requests and notifications are counted where they are begun; nothing else bounds the rest.
                    let counted = matches!(purpose, Purpose::Request(_) | Purpose::Notification(_));
                    if !counted && known.waiting.len() >= WAITING {
                        return Err(Error::Busy);
                    }
                    known.waiting.push_back((message.clone(), purpose));
                    return Ok(());
                }
                known.outstanding += 1;
            }
            self.start(now, peer, message, purpose);
        } else {
            self.send_unconfirmed(now, peer, message, purpose);
        }
        Ok(())
    }

    /// Queues an acknowledgement, a reset or a duplicate: nothing will answer it.
    pub(super) fn transmit(&mut self, peer: P, datagram: Vec<u8>) {
        self.transmits.push_back(Transmit { peer, datagram });
    }

    /// The message id that follows, different from those still in use with the peer.
    pub(super) fn message_id(&mut self, peer: P) -> u16 {
        loop {
            let counter = match self.peers.get_mut(&peer) {
                Some(known) => &mut known.next_message_id,
                None => &mut self.stray_message_id,
            };
            *counter = counter.wrapping_add(1);
            let message_id = *counter;
            // Fewer than 65,536 messages can be outstanding, so the loop ends.
            if !self.sending.contains_key(&(peer, message_id)) {
                return message_id;
            }
        }
    }

    /// A confirmable message of ours was acknowledged or rejected. Says what it was for.
    pub(super) fn settle(&mut self, now: Duration, peer: P, message_id: u16) -> Option<Purpose> {
        let sending = self.sending.remove(&(peer, message_id))?;
        self.timers.clear(Timer::Retransmit(peer, message_id));
        if let Some(known) = self.peers.get_mut(&peer) {
            known.last_used = now;
            known.outstanding = known.outstanding.saturating_sub(1);
        }
        self.start_waiting(now, peer);
        Some(sending.purpose)
    }

    pub(super) fn purpose_of(&self, peer: P, message_id: u16) -> Option<Purpose> {
        self.sending
            .get(&(peer, message_id))
            .map(|sending| sending.purpose)
    }

    /// Takes messages of a purpose out of the peer's queue.
    pub(super) fn forget_waiting(&mut self, peer: P, purpose: Purpose) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.waiting.retain(|(_, other)| *other != purpose);
        }
    }

    /// Finds a non-confirmable message that a Reset rejects.
    pub(super) fn take_unconfirmed(&mut self, peer: P, message_id: u16) -> Option<Purpose> {
        let at = self
            .unconfirmed
            .iter()
            .position(|(to, id, _)| *to == peer && *id == message_id)?;
        self.unconfirmed.remove(at).map(|(_, _, purpose)| purpose)
    }

    pub(super) fn prove(&mut self, now: Duration, peer: P) {
        let Some(known) = self.peers.get_mut(&peer) else {
            return;
        };
        known.probing = false;
        if !core::mem::replace(&mut known.proven, true) {
            self.pump_observers_of(now, peer);
        }
    }

    pub(super) fn is_proven(&self, peer: P) -> bool {
        self.peers.get(&peer).is_some_and(|known| known.proven)
    }

    /// RFC 7252 §4.2: repeats with doubled timeout until MAX_RETRANSMIT, then gives up.
    pub(super) fn retransmit(&mut self, now: Duration, peer: P, message_id: u16) {
        let max_retransmit = self.parameters.max_retransmit;
        let Some(sending) = self.sending.get_mut(&(peer, message_id)) else {
            return;
        };
        if sending.retransmissions >= max_retransmit {
            if let Some(purpose) = self.settle(now, peer, message_id) {
                self.given_up(now, peer, purpose);
            }
            return;
        }
        sending.retransmissions += 1;
        sending.timeout *= 2;
        let datagram = sending.datagram.clone();
        self.timers
            .set(Timer::Retransmit(peer, message_id), now + sending.timeout);
        self.said_something(now, peer);
        self.transmit(peer, datagram);
    }

    /// Makes an entry for the peer, forgetting the longest idle one if there are too many.
    pub(super) fn meet(&mut self, now: Duration, peer: P) -> Result<(), Error> {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.last_used = now;
            return Ok(());
        }
        if self.peers.len() >= self.parameters.max_exchanges {
            let idle = |known: &Peer| known.outstanding == 0 && known.waiting.is_empty();
            let oldest = self
                .peers
                .iter()
                .filter(|(peer, known)| idle(known) && !self.is_observing_or_observed(**peer))
                .min_by_key(|(_, known)| known.last_used)
                .map(|(peer, _)| *peer)
                .ok_or(Error::Busy)?;
            self.peers.remove(&oldest);
            self.timers.clear(Timer::KeepAlive(oldest));
        }
        let next_message_id = self.random.next() as u16;
        self.peers.insert(
            peer,
            Peer {
                next_message_id,
                outstanding: 0,
                waiting: VecDeque::new(),
                proven: false,
                probing: false,
                last_sent: now,
                last_used: now,
            },
        );
        Ok(())
    }

    fn start_waiting(&mut self, now: Duration, peer: P) {
        let nstart = self.parameters.nstart.max(1);
        while let Some(known) = self.peers.get_mut(&peer) {
            if known.outstanding >= nstart {
                break;
            }
            let Some((mut message, purpose)) = known.waiting.pop_front() else {
                break;
            };
            known.outstanding += 1;
            self.start(now, peer, &mut message, purpose);
        }
    }

    /// The first transmission of a confirmable message.
    fn start(&mut self, now: Duration, peer: P, message: &mut Message, purpose: Purpose) {
        let message_id = self.message_id(peer);
        message.set_id(message_id);
        let datagram = message.encode().unwrap_or_default();
        let least = self.parameters.ack_timeout;
        let timeout = self.jitter(least, least.mul_f64(self.parameters.ack_random_factor.max(1.0)));
        self.timers
            .set(Timer::Retransmit(peer, message_id), now + timeout);
        self.transmit(peer, datagram.clone());
        self.sending.insert(
            (peer, message_id),
            Sending {
                datagram,
                timeout,
                retransmissions: 0,
                purpose,
            },
        );
        self.said_something(now, peer);
        if let Purpose::Request(request) = purpose {
            self.request_started(request, message_id);
        }
    }

    fn send_unconfirmed(&mut self, now: Duration, peer: P, message: &mut Message, purpose: Purpose) {
        let message_id = self.message_id(peer);
        message.set_id(message_id);
        let datagram = message.encode().unwrap_or_default();
        self.transmit(peer, datagram);
        if self.unconfirmed.len() >= UNCONFIRMED {
            self.unconfirmed.pop_front();
        }
        self.unconfirmed.push_back((peer, message_id, purpose));
        self.said_something(now, peer);
        if let Purpose::Request(request) = purpose {
            let deadline = now + self.parameters.response_timeout;
            self.timers.set(Timer::Response(request), deadline);
        }
    }

    fn said_something(&mut self, now: Duration, peer: P) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.last_sent = now;
        }
    }

    fn given_up(&mut self, now: Duration, peer: P, purpose: Purpose) {
        match purpose {
            Purpose::Request(request) => self.request_failed(now, request, Failure::Timeout),
            Purpose::Response => {}
            Purpose::Notification(observer) => self.notification_lost(now, observer),
            Purpose::Ping(id) => self.events.push_back(Event::PingLost { ping: PingId(id) }),
            Purpose::KeepAlive => self.peer_lost(now, peer),
            Purpose::Probe => self.probe_lost(now, peer),
        }
    }
}

/// How many messages wait for NSTART towards one peer before no further response or ping is taken.
const WAITING: usize = 64;

/// How many non-confirmable messages are remembered for a Reset that may come.
const UNCONFIRMED: usize = 256;
