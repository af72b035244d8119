use core::time::Duration;

use super::{Endpoint, Timer, serve_blocks::BodyKey, transmission::Purpose};
use crate::{
    block::Block,
    code::Code,
    error::Error,
    event::{Event, ExchangeId},
    message::{Kind, Message, Token},
    option::OptionNumber,
};

/// A request we received, until it is responded to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange<P> {
    pub(super) peer: P,
    message_id: u16,
    pub(super) token: Token,
    confirmable: bool,
    acknowledged: bool,
    pub(super) observe: Option<u32>,
    /// The last block of the request's body, which the response confirms.
    pub(super) block1: Option<Block>,
    /// The block of the response that is asked for.
    pub(super) block2: Option<Block>,
    pub(super) key: BodyKey<P>,
    /// The classes of responses that are not wanted, as bits (RFC 7967 §2.1).
    unwanted: u32,
}

impl<P: Copy + Ord> Exchange<P> {
    fn new(peer: P, message: &Message) -> Self {
        Self {
            peer,
            message_id: message.id(),
            token: message.token(),
            confirmable: message.kind() == Kind::Confirmable,
            acknowledged: false,
            observe: message.uint(OptionNumber::OBSERVE),
            block1: None,
            block2: message.block(OptionNumber::BLOCK2),
            key: BodyKey::new(peer, message),
            unwanted: message.uint(OptionNumber::NO_RESPONSE).unwrap_or(0),
        }
    }

    const fn is_unwanted(&self, code: Code) -> bool {
        self.unwanted >> (code.class().saturating_sub(1) & 31) & 1 == 1
    }
}

impl<P: Copy + Ord> Endpoint<P> {
    /// Responds to a request: in its acknowledgement if that is not sent yet, else in a message of its own. A body that
    /// is longer than a block, or than the client asked for, is kept until its blocks are fetched.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Class`] if it is no response, [`Error::TooLarge`].
    pub fn respond(&mut self, now: Duration, exchange: ExchangeId, message: Message) -> Result<(), Error> {
        self.check_response(&message)?;
        let exchange = self.take_exchange(exchange)?;
        self.send_response(now, &exchange, message)
    }

    pub(super) fn check_response(&self, message: &Message) -> Result<(), Error> {
        if !message.code().is_response() {
            return Err(Error::Class);
        }
        let head = message.encoded_head_len()?;
        let least = self.parameters.block_size.min(message.payload().len());
        let room = self
            .parameters
            .max_datagram
            .saturating_sub(head + super::upload::BLOCK_OPTIONS + ETAG_AND_OBSERVE);
        if least > room || message.payload().len() > self.parameters.max_body {
            return Err(Error::TooLarge);
        }
        Ok(())
    }

    pub(super) fn take_exchange(&mut self, exchange: ExchangeId) -> Result<Exchange<P>, Error> {
        let taken = self.exchanges.remove(&exchange.0).ok_or(Error::Unknown)?;
        self.timers.clear(Timer::Acknowledge(exchange.0));
        self.timers.clear(Timer::Abandon(exchange.0));
        Ok(taken)
    }

    pub(super) fn handle_request(&mut self, now: Duration, peer: P, message: Message) {
        let mut exchange = Exchange::new(peer, &message);
        // RFC 7252 §5.4.1
        if message.has_unknown_critical() {
            if exchange.confirmable {
                self.refuse(now, &exchange, Code::BAD_OPTION);
            }
            return;
        }
        if self.exchanges.len() >= self.parameters.max_exchanges {
            return self.refuse(now, &exchange, Code::SERVICE_UNAVAILABLE);
        }
        if exchange.block2.is_some_and(|block| block.number() > 0) {
            if self.serve_block(now, &exchange) {
                return;
            }
            // Not a request to do it again, but for the rest of a response that is not kept any more.
            if message.code() != Code::GET {
                return self.refuse(now, &exchange, Code::REQUEST_ENTITY_INCOMPLETE);
            }
        }
        let Some(message) = self.reassemble(now, &mut exchange, message) else {
            return;
        };
        let id = self.fresh_id();
        if exchange.confirmable {
            self.timers
                .set(Timer::Acknowledge(id), now + self.parameters.acknowledge_after);
        }
        self.timers
            .set(Timer::Abandon(id), now + self.parameters.exchange_lifetime());
        self.exchanges.insert(id, exchange);
        self.events.push_back(Event::Request {
            exchange: ExchangeId(id),
            peer,
            message,
        });
    }

    /// Responds without asking the application.
    pub(super) fn refuse(&mut self, now: Duration, exchange: &Exchange<P>, code: Code) {
        self.respond_at_once(now, exchange, Message::new(code));
    }

    pub(super) fn respond_at_once(&mut self, now: Duration, exchange: &Exchange<P>, mut message: Message) {
        if let Some(block) = exchange.block1 {
            message.set_block(OptionNumber::BLOCK1, Some(block));
        }
        message.set_token(exchange.token);
        if exchange.is_unwanted(message.code()) {
            if exchange.confirmable && !exchange.acknowledged {
                self.reply(
                    exchange.peer,
                    &Message::empty(Kind::Acknowledgement, exchange.message_id),
                );
            }
            return;
        }
        if exchange.confirmable && !exchange.acknowledged {
            message.set_kind(Kind::Acknowledgement);
            message.set_id(exchange.message_id);
            self.reply(exchange.peer, &message);
        } else if exchange.confirmable {
            message.set_kind(Kind::Confirmable);
            // Busy means more peers than the parameters allow: the client will ask again.
            let _ = self.originate(now, exchange.peer, message, Purpose::Response);
        } else {
            message.set_kind(Kind::NonConfirmable);
            let message_id = self.message_id(exchange.peer);
            message.set_id(message_id);
            let datagram = message.encode().unwrap_or_default();
            self.transmit(exchange.peer, datagram);
        }
    }

    pub(super) fn send_response(
        &mut self,
        now: Duration,
        exchange: &Exchange<P>,
        message: Message,
    ) -> Result<(), Error> {
        let message = self.first_block(now, exchange.key, exchange.block2, message, None)?;
        self.respond_at_once(now, exchange, message);
        Ok(())
    }

    /// RFC 7252 §5.2.2: the application is slow; the client need not repeat itself.
    pub(super) fn acknowledge_late(&mut self, id: u64) {
        let Some(exchange) = self.exchanges.get_mut(&id) else {
            return;
        };
        exchange.acknowledged = true;
        let (peer, message_id) = (exchange.peer, exchange.message_id);
        self.reply(peer, &Message::empty(Kind::Acknowledgement, message_id));
    }

    pub(super) fn abandon(&mut self, id: u64) {
        self.exchanges.remove(&id);
    }
}

/// What an ETag of ours and Observe add to a response at most.
const ETAG_AND_OBSERVE: usize = 9 + 5;
