use core::time::Duration;

use super::{Endpoint, request::Pending};
use crate::{
    block::Block,
    code::Code,
    error::Error,
    event::Failure,
    message::Message,
    option::{OptionNumber, encode_uint},
};

/// How far the payload of a request has got in blocks (RFC 7959 §2.5).
#[derive(Debug)]
pub(super) struct Upload {
    offset: usize,
    exponent: u8,
    /// The end of the block under way.
    end: usize,
    restarts: u8,
    /// Whether the first block was sent: until then the request waits for the peer's other upload to end.
    started: bool,
}

impl Upload {
    /// The request with the block that is due.
    pub(super) fn request(&mut self, whole: &Message) -> Message {
        self.started = true;
        let body = whole.payload();
        let size = Block::bytes(self.exponent);
        self.end = body.len().min(self.offset + size);
        let number = u32::try_from(self.offset / size).unwrap_or(u32::MAX);
        let mut message = whole.without_payload();
        message.set_block(
            OptionNumber::BLOCK1,
            Block::new(number, self.end < body.len(), self.exponent),
        );
        if self.offset == 0 {
            message.set_option(
                OptionNumber::SIZE1,
                encode_uint(u32::try_from(body.len()).unwrap_or(u32::MAX)),
            );
        }
        message.set_payload(body.get(self.offset..self.end).unwrap_or_default().to_vec());
        message
    }

    fn restart(&mut self, exponent: u8) {
        self.restarts += 1;
        self.offset = 0;
        self.exponent = exponent;
    }

    /// The offset, exactly at a block's border: a size that only ever shrinks keeps it there.
    fn advance(&mut self, agreed: u8) {
        self.offset = self.end;
        self.exponent = self.exponent.min(agreed);
    }
}

impl<P: Copy + Ord> Endpoint<P> {
    /// Whether, and how, a request has to travel in blocks.
    pub(super) fn plan_upload(&self, message: &Message) -> Result<Option<Upload>, Error> {
        let body = message.payload().len();
        let head = message.encoded_head_len()?;
        let longest = self.parameters.max_datagram;
        if body <= self.parameters.block_size && head + body <= longest {
            return Ok(None);
        }
        let room = longest.checked_sub(head + BLOCK_OPTIONS).ok_or(Error::TooLarge)?;
        let exponent = Block::exponent_of(room.min(self.parameters.block_size));
        let countable = body.div_ceil(Block::bytes(exponent)) < 1 << 20;
        if room < Block::bytes(0) || body > self.parameters.max_body || !countable {
            return Err(Error::TooLarge);
        }
        Ok(Some(Upload {
            offset: 0,
            exponent,
            end: 0,
            restarts: 0,
            started: false,
        }))
    }

    /// RFC 7959 §2.5: a server tells uploads apart by peer and options alone, so one at a time goes to a peer.
    pub(super) fn must_wait_for_upload(&self, id: u64) -> bool {
        let Some(pending) = self.requests.get(&id) else {
            return false;
        };
        let busy = |other: &Pending<P>| {
            other.peer == pending.peer && other.upload.as_ref().is_some_and(|upload| upload.started)
        };
        pending.upload.is_some()
            && self
                .requests
                .iter()
                .any(|(other_id, other)| *other_id != id && busy(other))
    }

    pub(super) fn start_waiting_upload(&mut self, now: Duration, peer: P) {
        let waiting = |pending: &Pending<P>| {
            pending.peer == peer && pending.upload.as_ref().is_some_and(|upload| !upload.started)
        };
        let next = self
            .requests
            .iter()
            .find(|(_, pending)| waiting(pending))
            .map(|(id, _)| *id);
        if let Some(id) = next.filter(|id| !self.must_wait_for_upload(*id)) {
            self.next_round(now, id);
        }
    }

    /// A block was answered.
    pub(super) fn uploaded(&mut self, now: Duration, id: u64, message: Message) {
        let Some(pending) = self.requests.get_mut(&id) else {
            return;
        };
        let body = pending.message.payload().len();
        let Some(upload) = &mut pending.upload else { return };
        let agreed = message
            .block(OptionNumber::BLOCK1)
            .map_or(upload.exponent, Block::exponent);
        let last = upload.end >= body;
        match message.code() {
            Code::CONTINUE if !last => upload.advance(agreed),
            // RFC 7959 §2.9.3: too large, but smaller blocks would do.
            Code::REQUEST_ENTITY_TOO_LARGE if agreed < upload.exponent && upload.restarts < RESTARTS => {
                upload.restart(agreed);
            }
            // RFC 7959 §2.9.2: the server lost the earlier blocks.
            Code::REQUEST_ENTITY_INCOMPLETE if upload.restarts < RESTARTS => upload.restart(upload.exponent),
            Code::CONTINUE => return self.request_failed(now, id, Failure::Blocks),
            // Success before the last block: the server took one block for the whole.
            code if code.is_success() && !last => return self.request_failed(now, id, Failure::Blocks),
            _ => {
                // The response may come in blocks too. Until those are fetched the next upload waits, because the
                // server tells the two responses apart no better than the two bodies.
                return self.received_whole_or_first(now, id, message);
            }
        }
        self.next_round(now, id);
    }

    /// A request that went out whole was found too large, with the size of blocks that would do.
    pub(super) fn retry_in_blocks(&mut self, id: u64, message: &Message) -> bool {
        let Some(pending) = self.requests.get_mut(&id) else {
            return false;
        };
        let wanted = message.block(OptionNumber::BLOCK1).map(Block::exponent);
        let Some(exponent) =
            wanted.filter(|exponent| Block::bytes(*exponent) < pending.message.payload().len())
        else {
            return false;
        };
        if message.code() != Code::REQUEST_ENTITY_TOO_LARGE || pending.upload.is_some() {
            return false;
        }
        pending.upload = Some(Upload {
            offset: 0,
            exponent,
            end: 0,
            restarts: 1,
            started: false,
        });
        true
    }
}

/// What Block1, Block2 and Size1 add to a message at most, and the payload marker.
pub(super) const BLOCK_OPTIONS: usize = 5 + 5 + 6 + 1;

/// How often a transfer is begun again.
const RESTARTS: u8 = 2;
