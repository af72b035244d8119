mod piece;

pub use self::piece::Piece;

use alloc::vec::Vec;
use core::fmt;

use crate::error::Error;
use crate::frame::{Outcome, fixed_header, frame};
use crate::packet::Packet;
use crate::policy::Policy;
use crate::version::Version;

/// Chunks in, packets out: packets are decoded where they lie in the chunk, and only one that is split between chunks
/// is copied.
///
/// It takes up the version of a CONNECT that it decodes. An error ends the stream: it is repeated for ever.
///
/// ```
/// use manywire_mqtt_codec::{Packet, Policy, StreamDecoder, Version};
/// let mut decoder = StreamDecoder::new(Version::V311, Policy::STRICT);
/// let mut seen = 0;
/// for chunk in [&b"\xd0"[..], b"\0\x30\x05\0\x03a", b"/b\xc0\0"] {
///     let mut packets = decoder.feed(chunk);
///     while let Some(packet) = packets.next()? {
///         seen += usize::from(matches!(packet, Packet::Publish(_) | Packet::Pingreq | Packet::Pingresp));
///     }
/// }
/// assert_eq!(seen, 3);
/// # Ok::<(), manywire_mqtt_codec::Error>(())
/// ```
pub struct StreamDecoder {
    version: Version,
    policy: Policy,
    /// The start of a packet that is not all there, or packets that were not asked for.
    tail: Vec<u8>,
    /// How much of `tail` was given out.
    given: usize,
    /// How much of a payload that is taken in pieces is still to come.
    payload_left: usize,
    failed: Option<Error>,
}

impl StreamDecoder {
    /// A decoder at the start of a connection. It allocates nothing before a packet is split.
    pub const fn new(version: Version, policy: Policy) -> Self {
        Self {
            version,
            policy,
            tail: Vec::new(),
            given: 0,
            payload_left: 0,
            failed: None,
        }
    }

    /// The version that packets are decoded by.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Changes the version that packets are decoded by from the next one on.
    pub const fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    /// What is let through.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How many bytes are kept until the rest of their packet comes.
    pub fn buffered(&self) -> usize {
        self.tail.len().saturating_sub(self.given)
    }

    /// Takes a chunk. What is not asked for of its packets is copied when the result is dropped, so nothing is lost.
    #[inline]
    pub const fn feed<'d, 'c>(&'d mut self, chunk: &'c [u8]) -> Packets<'d, 'c> {
        Packets { decoder: self, chunk }
    }
}

impl fmt::Debug for StreamDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamDecoder")
            .field("version", &self.version)
            .field("policy", &self.policy)
            .field("buffered", &self.buffered())
            .field("failed", &self.failed)
            .finish()
    }
}

/// The packets that a chunk completes.
#[derive(Debug)]
#[must_use]
pub struct Packets<'d, 'c> {
    decoder: &'d mut StreamDecoder,
    chunk: &'c [u8],
}

impl Packets<'_, '_> {
    /// The next packet; `None` when the next chunk is wanted.
    ///
    /// What is left of a payload that was being taken in pieces is skipped.
    ///
    /// # Errors
    /// What the version or the policy forbids; the stream cannot go on after it.
    #[inline(always)]
    #[allow(clippy::should_implement_trait)] // the packet borrows the decoder: an iterator cannot lend
    pub fn next(&mut self) -> Result<Option<Packet<'_>>, Error> {
        if let Some(error) = self.decoder.failed {
            return Err(error);
        }
        self.decoder.forget_given();
        if self.decoder.payload_left > 0 {
            self.skip_payload();
        }
        match self.decoder.tail.is_empty() {
            true => self.decode_chunk(),
            false => self.decode_tail(),
        }
    }

    /// The next packet that lies whole in the chunk; the start of one that does not is kept.
    #[inline(always)]
    fn decode_chunk(&mut self) -> Result<Option<Packet<'_>>, Error> {
        let Self { decoder, chunk } = self;
        if chunk.is_empty() {
            return Ok(None);
        }
        let version = decoder.version;
        let frame = match frame(chunk, version, &decoder.policy) {
            Ok(Outcome::Complete(frame)) => frame,
            Ok(Outcome::Need(_)) => {
                decoder.tail.extend_from_slice(chunk);
                *chunk = &[];
                return Ok(None);
            }
            Err(error) => return Err(decoder.fail(error)),
        };
        *chunk = chunk
            .split_at_checked(frame.as_bytes().len())
            .unwrap_or_default()
            .1;
        let follow = |packet| Some(follow(packet, &mut decoder.version));
        match frame.decode_as(version, &decoder.policy, follow) {
            Err(error) => Err(decoder.fail(error)),
            packet => packet,
        }
    }

    /// The packet at the front of the tail, with as much of the chunk as it lacks.
    fn decode_tail(&mut self) -> Result<Option<Packet<'_>>, Error> {
        loop {
            let decoder = &mut *self.decoder;
            let (need, is_known) = match fixed_header(decoder.kept(), decoder.version, &decoder.policy) {
                Ok(Outcome::Complete(header)) => {
                    (header.packet_len().saturating_sub(decoder.buffered()), true)
                }
                Ok(Outcome::Need(need)) => (need.get(), false),
                Err(error) => return Err(decoder.fail(error)),
            };
            if need > 0 && !self.lengthen_tail(need) {
                return Ok(None);
            }
            if is_known {
                break;
            }
        }
        let decoder = &mut *self.decoder;
        let kept = decoder.tail.get(decoder.given..).unwrap_or_default();
        let version = decoder.version;
        let Ok(Outcome::Complete(frame)) = frame(kept, version, &decoder.policy) else {
            return Ok(None);
        };
        decoder.given += frame.as_bytes().len();
        let follow = |packet| Some(follow(packet, &mut decoder.version));
        match frame.decode_as(version, &decoder.policy, follow) {
            Err(error) => {
                decoder.failed = Some(error);
                Err(error)
            }
            packet => packet,
        }
    }

    /// Moves `need` bytes from the chunk to the tail; whether the chunk had as many.
    fn lengthen_tail(&mut self, need: usize) -> bool {
        let (moved, rest) = self.chunk.split_at_checked(need).unwrap_or((self.chunk, &[]));
        self.decoder.tail.extend_from_slice(moved);
        self.chunk = rest;
        moved.len() == need
    }

    /// Drops what is there of a payload that was being taken in pieces.
    #[cold]
    fn skip_payload(&mut self) {
        let Self { decoder, chunk } = self;
        let from_tail = decoder.payload_left.min(decoder.tail.len());
        decoder.tail.drain(..from_tail);
        decoder.payload_left -= from_tail;
        let from_chunk = decoder.payload_left.min(chunk.len());
        *chunk = chunk.split_at_checked(from_chunk).unwrap_or_default().1;
        decoder.payload_left -= from_chunk;
    }
}

impl Drop for Packets<'_, '_> {
    fn drop(&mut self) {
        if self.decoder.failed.is_none() && !self.chunk.is_empty() {
            self.decoder.tail.extend_from_slice(self.chunk);
        }
    }
}

impl StreamDecoder {
    fn kept(&self) -> &[u8] {
        self.tail.get(self.given..).unwrap_or_default()
    }

    #[cold]
    fn fail(&mut self, error: Error) -> Error {
        self.failed = Some(error);
        error
    }

    /// Drops what was given out.
    #[inline]
    fn forget_given(&mut self) {
        if self.given == 0 {
            return;
        }
        if self.given == self.tail.len() {
            self.tail.clear();
        } else {
            self.tail.drain(..self.given);
        }
        self.given = 0;
    }
}

/// Takes up the version of a CONNECT.
#[inline]
fn follow<'a>(packet: Packet<'a>, version: &mut Version) -> Packet<'a> {
    if let Packet::Connect(connect) = &packet {
        *version = connect.version();
    }
    packet
}
