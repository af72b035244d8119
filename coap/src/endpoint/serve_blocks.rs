use alloc::vec::Vec;
use core::time::Duration;

use super::{Endpoint, Timer, exchange::Exchange};
use crate::{
    block::Block,
    code::Code,
    error::Error,
    message::Message,
    option::{OptionNumber, encode_uint},
};

/// Which body a block belongs to (RFC 7959 §2.4, §2.5): the peer, and method and options but those of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BodyKey<P> {
    pub(super) peer: P,
    digest: u64,
}

/// A request body of which the first blocks are here.
#[derive(Debug)]
pub(super) struct Reassembly {
    body: Vec<u8>,
}

/// A response body that is fetched block by block.
#[derive(Debug)]
pub(super) struct Body {
    whole: Message,
    /// Whose notification it is.
    pub(super) observer: Option<u64>,
}

impl<P: Copy + Ord> BodyKey<P> {
    pub(super) fn new(peer: P, message: &Message) -> Self {
        let mut digest = FNV_OFFSET;
        let mut mix = |bytes: &[u8]| {
            for byte in bytes {
                digest = (digest ^ u64::from(*byte)).wrapping_mul(FNV_PRIME);
            }
        };
        mix(&[message.code().byte()]);
        for (number, value) in message.options() {
            if !matches!(
                number,
                OptionNumber::OBSERVE
                    | OptionNumber::ETAG
                    | OptionNumber::BLOCK1
                    | OptionNumber::BLOCK2
                    | OptionNumber::SIZE1
                    | OptionNumber::SIZE2
            ) {
                mix(&number.0.to_be_bytes());
                mix(&value.len().to_be_bytes());
                mix(value);
            }
        }
        Self { peer, digest }
    }

    fn all_of(peer: P) -> core::ops::RangeInclusive<Self> {
        Self { peer, digest: 0 }..=Self {
            peer,
            digest: u64::MAX,
        }
    }
}

impl<P: Copy + Ord> Endpoint<P> {
    /// Puts a request's body together from Block1. Gives the request back once it is whole; until then, and when
    /// something is wrong, the block is answered here.
    pub(super) fn reassemble(
        &mut self,
        now: Duration,
        exchange: &mut Exchange<P>,
        mut message: Message,
    ) -> Option<Message> {
        if message.value(OptionNumber::BLOCK1).is_none() {
            return Some(message);
        }
        let Some(block) = message.block(OptionNumber::BLOCK1) else {
            self.refuse(now, exchange, Code::BAD_REQUEST);
            return None;
        };
        let agreed = block.exponent().min(self.parameters.exponent());
        exchange.block1 = Block::new(block.number(), block.more(), agreed);
        match self.take_block(now, exchange, block, &message) {
            Err(code) => {
                let mut response = Message::new(code);
                if code == Code::REQUEST_ENTITY_TOO_LARGE {
                    let most = u32::try_from(self.parameters.max_body).unwrap_or(u32::MAX);
                    response.set_option(OptionNumber::SIZE1, encode_uint(most));
                }
                self.respond_at_once(now, exchange, response);
                None
            }
            Ok(None) => {
                self.refuse(now, exchange, Code::CONTINUE);
                None
            }
            Ok(Some(body)) => {
                message.remove_option(OptionNumber::BLOCK1);
                message.remove_option(OptionNumber::SIZE1);
                message.set_payload(body);
                Some(message)
            }
        }
    }

    /// Adds a block to its body; gives the body with its last one.
    fn take_block(
        &mut self,
        now: Duration,
        exchange: &Exchange<P>,
        block: Block,
        message: &Message,
    ) -> Result<Option<Vec<u8>>, Code> {
        let (key, payload) = (exchange.key, message.payload());
        let max_body = self.parameters.max_body;
        // RFC 7959 §2.2: all blocks but the last are full.
        if (block.more() && payload.len() != block.size()) || payload.len() > block.size() {
            return Err(Code::BAD_REQUEST);
        }
        let announced = message.uint(OptionNumber::SIZE1).map_or(0, |size| size as usize);
        if announced > max_body || block.offset() + payload.len() > max_body {
            self.drop_reassembly(key);
            return Err(Code::REQUEST_ENTITY_TOO_LARGE);
        }
        if block.number() == 0 {
            self.drop_reassembly(key);
            if !block.more() {
                return Ok(Some(payload.to_vec()));
            }
            if self.reassemblies.range(BodyKey::all_of(key.peer)).count()
                >= self.parameters.max_transfers_per_peer
            {
                return Err(Code::TOO_MANY_REQUESTS);
            }
            if self.reassemblies.len() >= self.parameters.max_transfers {
                return Err(Code::SERVICE_UNAVAILABLE);
            }
            self.reassemblies.insert(key, Reassembly { body: Vec::new() });
        }
        // RFC 7959 §2.9.2: blocks that are missing must be sent again from the start.
        let reassembly = self
            .reassemblies
            .get_mut(&key)
            .ok_or(Code::REQUEST_ENTITY_INCOMPLETE)?;
        if reassembly.body.len() != block.offset() {
            self.drop_reassembly(key);
            return Err(Code::REQUEST_ENTITY_INCOMPLETE);
        }
        reassembly.body.extend_from_slice(payload);
        if block.more() {
            self.timers
                .set(Timer::Reassembly(key), now + self.parameters.max_transmit_wait());
            return Ok(None);
        }
        self.timers.clear(Timer::Reassembly(key));
        Ok(self.reassemblies.remove(&key).map(|reassembly| reassembly.body))
    }

    fn drop_reassembly(&mut self, key: BodyKey<P>) {
        self.timers.clear(Timer::Reassembly(key));
        self.reassemblies.remove(&key);
    }

    pub(super) fn give_up_reassembly(&mut self, key: BodyKey<P>) {
        self.reassemblies.remove(&key);
    }

    /// Cuts a response down to its first block, or the one asked for, and keeps the rest to be fetched.
    pub(super) fn first_block(
        &mut self,
        now: Duration,
        key: BodyKey<P>,
        wanted: Option<Block>,
        mut message: Message,
        observer: Option<u64>,
    ) -> Result<Message, Error> {
        let exponent = self.block_exponent(wanted);
        let number = wanted.map_or(0, Block::number);
        if number == 0 && message.payload().len() <= Block::bytes(exponent) {
            return Ok(message);
        }
        let of_peer = self.bodies.range(BodyKey::all_of(key.peer)).count();
        let full = of_peer >= self.parameters.max_transfers_per_peer
            || self.bodies.len() >= self.parameters.max_transfers;
        if full && !self.bodies.contains_key(&key) {
            return Err(Error::Busy);
        }
        if message.value(OptionNumber::ETAG).is_none() {
            message.set_option(OptionNumber::ETAG, etag(message.payload()));
        }
        // RFC 7959 §2.6: only the notification itself carries Observe; later blocks answer plain requests.
        let observe = message.value(OptionNumber::OBSERVE).map(<[u8]>::to_vec);
        message.remove_option(OptionNumber::OBSERVE);
        let body = Body {
            whole: message,
            observer,
        };
        let (mut slice, last) = body.slice(number, exponent);
        if let Some(observe) = observe {
            slice.set_option(OptionNumber::OBSERVE, observe);
        }
        if last {
            return Ok(slice);
        }
        self.timers
            .set(Timer::Body(key), now + self.parameters.max_transmit_wait());
        self.bodies.insert(key, body);
        Ok(slice)
    }

    pub(super) fn block_exponent(&self, wanted: Option<Block>) -> u8 {
        wanted
            .map_or(Block::LONGEST, Block::exponent)
            .min(self.parameters.exponent())
    }

    /// Answers the request for a later block of a body that is kept. Says whether it is.
    pub(super) fn serve_block(&mut self, now: Duration, exchange: &Exchange<P>) -> bool {
        let (Some(block), Some(body)) = (exchange.block2, self.bodies.get(&exchange.key)) else {
            return false;
        };
        let (slice, last) = body.slice(block.number(), self.block_exponent(Some(block)));
        let observer = body.observer;
        self.respond_at_once(now, exchange, slice);
        if last {
            self.timers.clear(Timer::Body(exchange.key));
            self.bodies.remove(&exchange.key);
            self.body_fetched(now, exchange.key.peer, observer);
        } else {
            self.timers.set(
                Timer::Body(exchange.key),
                now + self.parameters.max_transmit_wait(),
            );
        }
        true
    }

    pub(super) fn give_up_body(&mut self, now: Duration, key: BodyKey<P>) {
        if let Some(Body {
            observer: Some(observer),
            ..
        }) = self.bodies.remove(&key)
        {
            self.body_abandoned(now, key.peer, observer);
        }
    }
}

impl Body {
    /// A block of the body, and whether it is the last; behind the end it is an error response.
    fn slice(&self, number: u32, exponent: u8) -> (Message, bool) {
        let body = self.whole.payload();
        let size = Block::bytes(exponent);
        let offset = (number as usize).saturating_mul(size);
        let end = body.len().min(offset.saturating_add(size));
        let Some(payload) = body.get(offset..end).filter(|payload| !payload.is_empty()) else {
            return (Message::new(Code::BAD_OPTION), false);
        };
        let mut message = self.whole.without_payload();
        let more = end < body.len();
        message.set_block(OptionNumber::BLOCK2, Block::new(number, more, exponent));
        if number == 0 {
            message.set_option(
                OptionNumber::SIZE2,
                encode_uint(u32::try_from(body.len()).unwrap_or(u32::MAX)),
            );
        }
        message.set_payload(payload.to_vec());
        (message, !more)
    }
}

fn etag(body: &[u8]) -> Vec<u8> {
    let digest = body.iter().fold(FNV_OFFSET, |digest, byte| {
        (digest ^ u64::from(*byte)).wrapping_mul(FNV_PRIME)
    });
    digest.to_be_bytes().to_vec()
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
