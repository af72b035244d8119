use alloc::vec::Vec;
use core::time::Duration;

use super::Endpoint;
use crate::{
    block::Block,
    code::Code,
    event::{Event, Failure, ObservationId},
    message::Message,
    option::OptionNumber,
};

/// How much of a response that comes in blocks is there (RFC 7959 §2.4).
#[derive(Debug)]
pub(super) struct Download {
    /// The first block's message: code and options of the whole.
    first: Message,
    body: Vec<u8>,
    exponent: u8,
    restarts: u8,
}

impl Download {
    /// The request for the block that is due: the same options, no payload, no registration.
    pub(super) fn request(&self, whole: &Message) -> Message {
        let mut message = whole.without_payload();
        message.remove_option(OptionNumber::OBSERVE);
        message.remove_option(OptionNumber::SIZE1);
        let number = u32::try_from(self.body.len() / Block::bytes(self.exponent)).unwrap_or(u32::MAX);
        message.set_block(OptionNumber::BLOCK2, Block::new(number, false, self.exponent));
        message
    }
}

impl<P: Copy + Ord> Endpoint<P> {
    /// The response to a request that went out whole, or to its last block: all of it, or its first block.
    pub(super) fn received_whole_or_first(&mut self, now: Duration, id: u64, message: Message) {
        if self.retry_in_blocks(id, &message) {
            if !self.must_wait_for_upload(id) {
                self.next_round(now, id);
            }
            return;
        }
        match message.block(OptionNumber::BLOCK2) {
            Some(block) if block.more() => self.begin_download(now, id, block, message),
            _ => self.complete(now, id, message),
        }
    }

    /// Goes on to fetch the blocks behind the first.
    pub(super) fn begin_download(&mut self, now: Duration, id: u64, block: Block, message: Message) {
        let (first, body) = message.into_parts();
        if block.number() != 0 || body.len() != block.size() {
            return self.download_failed(now, id, Failure::Blocks);
        }
        if let Some(pending) = self.requests.get_mut(&id) {
            let restarts = pending.download.as_ref().map_or(0, |download| download.restarts);
            pending.download = Some(Download {
                first,
                body,
                exponent: block.exponent(),
                restarts,
            });
        }
        self.next_round(now, id);
    }

    /// A block came.
    pub(super) fn downloaded(&mut self, now: Duration, id: u64, message: Message) {
        let max_body = self.parameters.max_body;
        let Some(pending) = self.requests.get_mut(&id) else {
            return;
        };
        let Some(download) = &mut pending.download else {
            return;
        };
        let block = message
            .block(OptionNumber::BLOCK2)
            .filter(|_| message.code() == download.first.code());
        let Some(block) = block.filter(|block| block.number() > 0 || block.more()) else {
            return self.received_instead_of_block(now, id, message);
        };
        if block.number() == 0 && download.body.is_empty() {
            return self.begin_download(now, id, block, message);
        }
        let same = message.value(OptionNumber::ETAG) == download.first.value(OptionNumber::ETAG);
        let full = message.payload().len() == block.size();
        if !same || block.offset() != download.body.len() || (block.more() && !full) {
            return self.restart_download(now, id);
        }
        if download.body.len() + message.payload().len() > max_body {
            return self.download_failed(now, id, Failure::TooLarge);
        }
        download.body.extend_from_slice(message.payload());
        download.exponent = download.exponent.min(block.exponent());
        if block.more() {
            return self.next_round(now, id);
        }
        if let Some(mut download) = pending.download.take() {
            download.first.set_payload(download.body);
            self.downloaded_whole(now, id, download.first);
        }
    }

    /// The answer to the request for a block is no further block: an error, or the whole, grown small meanwhile.
    fn received_instead_of_block(&mut self, now: Duration, id: u64, message: Message) {
        let Some(pending) = self.requests.get_mut(&id) else {
            return;
        };
        let Some(download) = &pending.download else { return };
        let code = message.code();
        if code == download.first.code() {
            pending.download = None;
            self.downloaded_whole(now, id, message);
        } else if code.is_success() || code == Code::REQUEST_ENTITY_INCOMPLETE {
            self.restart_download(now, id);
        } else if pending.observation.is_some() {
            self.download_failed(now, id, Failure::Blocks);
        } else {
            self.complete(now, id, message);
        }
    }

    fn downloaded_whole(&mut self, now: Duration, id: u64, message: Message) {
        if self
            .requests
            .get(&id)
            .is_some_and(|pending| pending.observation.is_some())
        {
            self.notification_whole(id, message);
        } else {
            self.complete(now, id, message);
        }
    }

    /// The blocks are not of one body: asks again from the first on.
    fn restart_download(&mut self, now: Duration, id: u64) {
        let Some(download) = self
            .requests
            .get_mut(&id)
            .and_then(|pending| pending.download.as_mut())
        else {
            return;
        };
        if download.restarts >= RESTARTS {
            return self.download_failed(now, id, Failure::Blocks);
        }
        download.restarts += 1;
        download.body.clear();
        self.next_round(now, id);
    }

    /// Ends a request; an observation loses this one notification only.
    pub(super) fn download_failed(&mut self, now: Duration, id: u64, failure: Failure) {
        let Some(pending) = self.requests.get_mut(&id) else {
            return;
        };
        if pending.observation.is_none() {
            return self.request_failed(now, id, failure);
        }
        pending.download = None;
        self.end_round(now, id);
        self.events.push_back(Event::Gap {
            observation: ObservationId(id),
        });
    }
}

/// How often a transfer is begun again.
const RESTARTS: u8 = 2;
