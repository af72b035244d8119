use alloc::{collections::VecDeque, vec::Vec};
use core::time::Duration;

use super::{Endpoint, serve_blocks::BodyKey, transmission::Purpose};
use crate::{
    block::Block,
    error::Error,
    event::{Event, ExchangeId, Gone, ObserverId},
    message::{Kind, Message, Token},
    option::{OptionNumber, encode_uint},
};

/// Somebody who observes a resource of ours (RFC 7641 §4).
#[derive(Debug)]
pub(super) struct Observer<P> {
    peer: P,
    token: Token,
    key: BodyKey<P>,
    block2: Option<Block>,
    number: u32,
    queue: VecDeque<Message>,
    flight: Flight,
}

/// What became of the notification that was sent last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flight {
    Landed,
    /// Not acknowledged yet.
    Confirming,
    /// Acknowledged, but the rest of its body is not fetched yet.
    Fetching,
}

impl<P> Observer<P> {
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    fn undelivered(&self) -> usize {
        self.queue.len() + usize::from(self.flight != Flight::Landed)
    }

    /// The number of the last notification that is known to have arrived. A registration that is renewed is answered
    /// with it: with a newer one the answer could overtake the notification under way, which would then look old.
    fn landed_number(&self) -> u32 {
        self.number.wrapping_sub(u32::from(self.flight != Flight::Landed)) & 0x00ff_ffff
    }

    fn next_number(&mut self) -> Vec<u8> {
        self.number = (self.number + 1) & 0x00ff_ffff;
        encode_uint(self.number)
    }
}

impl<P: Copy + Ord> Endpoint<P> {
    /// Responds to a GET with Observe 0 with success and notes its sender as an observer: the same one as before if it
    /// registers again with the same token for the same resource.
    ///
    /// Before the first notification goes to an address that never answered anything, an empty confirmable message asks
    /// it for a sign of life: whoever forged it receives four bytes, not a stream (RFC 7252 §11.3).
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Class`] if the request did not ask for it, [`Error::Busy`]: the exchange is then
    /// still to be responded to.
    pub fn accept_observer(
        &mut self,
        now: Duration,
        exchange: ExchangeId,
        mut message: Message,
    ) -> Result<ObserverId, Error> {
        let asked = self.exchanges.get(&exchange.0).ok_or(Error::Unknown)?;
        if asked.observe != Some(0) || !message.code().is_success() {
            return Err(Error::Class);
        }
        self.check_response(&message)?;
        let (peer, token, key, block2) = (asked.peer, asked.token, asked.key, asked.block2);
        self.meet(now, peer)?;
        let known = self.observer_tokens.get(&(peer, token)).copied();
        let same = known.filter(|id| self.observers.get(id).is_some_and(|observer| observer.key == key));
        let id = if let Some(id) = same {
            id
        } else {
            if self.observers.len() >= self.parameters.max_exchanges {
                return Err(Error::Busy);
            }
            if let Some(old) = known {
                self.lose_observer(now, old, Gone::Replaced);
            }
            let id = self.fresh_id();
            // RFC 7641 §4.4: any start will do. Half of the numbers are left before the wrap.
            let number = self.random.next() as u32 & 0x007f_ffff;
            let flight = Flight::Landed;
            self.observers.insert(
                id,
                Observer {
                    peer,
                    token,
                    key,
                    block2,
                    number,
                    queue: VecDeque::new(),
                    flight,
                },
            );
            self.observer_tokens.insert((peer, token), id);
            id
        };
        if let Some(observer) = self.observers.get_mut(&id) {
            message.set_option(OptionNumber::OBSERVE, encode_uint(observer.landed_number()));
        }
        let exchange = self.take_exchange(exchange)?;
        self.send_response(now, &exchange, message)?;
        self.probe(now, peer);
        Ok(ObserverId(id))
    }

    /// Queues a notification, confirmable unless made otherwise. One is under way to an observer at a time; when it has
    /// arrived, [`Event::Notified`] is reported and the next one goes. A body longer than a block counts as arrived when
    /// it is fetched.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Class`], [`Error::TooLarge`], [`Error::Busy`] if too many wait already.
    pub fn notify(&mut self, now: Duration, observer: ObserverId, message: Message) -> Result<(), Error> {
        self.check_response(&message)?;
        let most = self.parameters.max_notifications;
        let known = self.observers.get_mut(&observer.0).ok_or(Error::Unknown)?;
        if known.queue.len() >= most {
            return Err(Error::Busy);
        }
        known.queue.push_back(message);
        self.pump(now, observer.0);
        Ok(())
    }

    /// The observer that registered with this token.
    #[must_use]
    pub fn observer(&self, peer: P, token: Token) -> Option<ObserverId> {
        self.observer_tokens.get(&(peer, token)).copied().map(ObserverId)
    }

    /// Forgets an observer and what is queued for it. What is under way to it is not repeated.
    pub fn remove_observer(&mut self, now: Duration, observer: ObserverId) {
        self.take_observer(now, observer.0);
    }

    /// Ends an observation from this side with a last, confirmable error (RFC 7641 §4.2). What is queued is dropped.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Class`] if the message is a success, [`Error::TooLarge`].
    pub fn dismiss(
        &mut self,
        now: Duration,
        observer: ObserverId,
        mut message: Message,
    ) -> Result<(), Error> {
        self.check_response(&message)?;
        if message.code().is_success() || message.payload().len() > self.parameters.block_size {
            return Err(Error::Class);
        }
        let gone = self.take_observer(now, observer.0).ok_or(Error::Unknown)?;
        message.set_token(gone.token);
        message.set_kind(Kind::Confirmable);
        self.originate(now, gone.peer, message, Purpose::Response)
    }

    pub(super) fn notification_arrived(&mut self, now: Duration, id: u64) {
        let Some(observer) = self.observers.get_mut(&id) else {
            return;
        };
        if self
            .bodies
            .get(&observer.key)
            .is_some_and(|body| body.observer == Some(id))
        {
            observer.flight = Flight::Fetching;
            return;
        }
        observer.flight = Flight::Landed;
        self.events.push_back(Event::Notified {
            observer: ObserverId(id),
        });
        self.pump(now, id);
    }

    pub(super) fn notification_lost(&mut self, now: Duration, id: u64) {
        self.lose_observer(now, id, Gone::Timeout);
    }

    pub(super) fn observer_reset(&mut self, now: Duration, id: u64) {
        self.lose_observer(now, id, Gone::Reset);
    }

    pub(super) fn probe_lost(&mut self, now: Duration, peer: P) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.probing = false;
        }
        for id in self.observers_of(peer) {
            self.lose_observer(now, id, Gone::Timeout);
        }
    }

    pub(super) fn pump_observers_of(&mut self, now: Duration, peer: P) {
        for id in self.observers_of(peer) {
            self.pump(now, id);
        }
    }

    /// The last block of a kept body was fetched.
    pub(super) fn body_fetched(&mut self, now: Duration, peer: P, observer: Option<u64>) {
        if let Some(known) = observer.and_then(|id| self.observers.get_mut(&id)) {
            // Blocks that are fetched before the acknowledgement comes do not replace it.
            if known.flight == Flight::Fetching {
                known.flight = Flight::Landed;
                self.events.extend(observer.map(|id| Event::Notified {
                    observer: ObserverId(id),
                }));
            }
        }
        self.pump_observers_of(now, peer);
    }

    pub(super) fn body_abandoned(&mut self, now: Duration, peer: P, id: u64) {
        if let Some(known) = self
            .observers
            .get_mut(&id)
            .filter(|known| known.flight == Flight::Fetching)
        {
            known.flight = Flight::Landed;
            self.events.push_back(Event::Unfetched {
                observer: ObserverId(id),
            });
        }
        self.pump_observers_of(now, peer);
    }

    /// Sends what is queued for an observer, as far as it may go now.
    fn pump(&mut self, now: Duration, id: u64) {
        while let Some(observer) = self.observers.get(&id) {
            let Some(message) = observer.queue.front() else {
                return;
            };
            let (peer, key, block2) = (observer.peer, observer.key, observer.block2);
            if observer.flight != Flight::Landed {
                return;
            }
            if !self.is_proven(peer) {
                return self.probe(now, peer);
            }
            // Bodies are told apart by what a block is asked for with, so one is under way per peer and resource.
            let long = message.payload().len() > Block::bytes(self.block_exponent(block2));
            if long && self.bodies.get(&key).is_some_and(|body| body.observer.is_some()) {
                return;
            }
            self.send_notification(now, id);
        }
    }

    fn send_notification(&mut self, now: Duration, id: u64) {
        let Some(observer) = self.observers.get_mut(&id) else {
            return;
        };
        let Some(mut message) = observer.queue.pop_front() else {
            return;
        };
        let (peer, token, key, block2) = (observer.peer, observer.token, observer.key, observer.block2);
        let confirmable = message.kind() != Kind::NonConfirmable;
        message.set_option(OptionNumber::OBSERVE, observer.next_number());
        observer.flight = if confirmable {
            Flight::Confirming
        } else {
            Flight::Landed
        };
        // Only the size of the blocks was negotiated; a notification starts at its first.
        let block2 = block2.and_then(|block| Block::new(0, false, block.exponent()));
        let Ok(mut message) = self.first_block(now, key, block2, message, Some(id)) else {
            return self.lose_observer(now, id, Gone::Timeout);
        };
        message.set_token(token);
        message.set_kind(if confirmable {
            Kind::Confirmable
        } else {
            Kind::NonConfirmable
        });
        if self
            .originate(now, peer, message, Purpose::Notification(id))
            .is_err()
        {
            return self.lose_observer(now, id, Gone::Timeout);
        }
        if !confirmable {
            self.events.push_back(Event::Notified {
                observer: ObserverId(id),
            });
        }
    }

    /// Asks an address that never answered for a sign of life.
    fn probe(&mut self, now: Duration, peer: P) {
        let Some(known) = self.peers.get_mut(&peer) else {
            return;
        };
        if known.proven || core::mem::replace(&mut known.probing, true) {
            return;
        }
        // The peer is known, so there is room for it.
        let _ = self.originate(now, peer, Message::empty(Kind::Confirmable, 0), Purpose::Probe);
    }

    fn observers_of(&self, peer: P) -> Vec<u64> {
        let from = (peer, Token::default());
        self.observer_tokens
            .range(from..)
            .take_while(|((other, _), _)| *other == peer)
            .map(|(_, id)| *id)
            .collect()
    }

    fn lose_observer(&mut self, now: Duration, id: u64, reason: Gone) {
        if let Some(observer) = self.take_observer(now, id) {
            let undelivered = observer.undelivered();
            self.events.push_back(Event::ObserverGone {
                observer: ObserverId(id),
                reason,
                undelivered,
            });
        }
    }

    fn take_observer(&mut self, now: Duration, id: u64) -> Option<Observer<P>> {
        let observer = self.observers.remove(&id)?;
        self.observer_tokens.remove(&(observer.peer, observer.token));
        self.forget_waiting(observer.peer, Purpose::Notification(id));
        let under_way = self
            .sending
            .range((observer.peer, 0)..=(observer.peer, u16::MAX))
            .find(|(_, sending)| sending.is_for(Purpose::Notification(id)))
            .map(|((_, message_id), _)| *message_id);
        if let Some(message_id) = under_way {
            self.settle(now, observer.peer, message_id);
        }
        if self
            .bodies
            .get(&observer.key)
            .is_some_and(|body| body.observer == Some(id))
        {
            self.timers.clear(super::Timer::Body(observer.key));
            self.bodies.remove(&observer.key);
        }
        Some(observer)
    }
}
