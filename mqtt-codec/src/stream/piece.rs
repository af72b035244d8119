use super::Packets;
use crate::error::{Error, ErrorKind};
use crate::frame::{FixedHeader, Outcome, fixed_header};
use crate::packet::{Packet, PacketType, Publish};
use crate::reader::Reader;
use crate::version::Version;

/// A packet, or a part of a PUBLISH that is too large to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A whole packet.
    Packet(Packet<'a>),
    /// A PUBLISH without its payload, which follows in pieces.
    Head {
        /// Its `payload` is empty.
        publish: Publish<'a>,
        /// The length of the payload that follows, in bytes.
        payload_len: usize,
    },
    /// The next bytes of the payload, never none.
    Payload {
        /// They lie in the chunk: nothing is copied.
        bytes: &'a [u8],
        /// How many bytes of the payload are still to come.
        left: usize,
    },
}

impl Packets<'_, '_> {
    /// The next packet, or the next piece of a PUBLISH that is larger than `threshold` bytes; `None` when the next
    /// chunk is wanted.
    ///
    /// The payload of such a PUBLISH is never gathered: only what stands before it is copied if it is split.
    ///
    /// ```
    /// use manywire_mqtt_codec::{Piece, Policy, StreamDecoder, Version};
    /// let mut decoder = StreamDecoder::new(Version::V311, Policy::STRICT);
    /// let mut payload = Vec::new();
    /// for chunk in [&b"\x30\x0d\0\x03a/"[..], b"b01", b"234567"] {
    ///     let mut packets = decoder.feed(chunk);
    ///     while let Some(piece) = packets.next_piece(8)? {
    ///         match piece {
    ///             Piece::Head { publish, payload_len } => assert_eq!((publish.topic.as_str(), payload_len), ("a/b", 8)),
    ///             Piece::Payload { bytes, .. } => payload.extend_from_slice(bytes),
    ///             Piece::Packet(_) => {}
    ///         }
    ///     }
    /// }
    /// assert_eq!(payload, b"01234567");
    /// # Ok::<(), manywire_mqtt_codec::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn next_piece(&mut self, threshold: usize) -> Result<Option<Piece<'_>>, Error> {
        if let Some(error) = self.decoder.failed {
            return Err(error);
        }
        self.decoder.forget_given();
        if self.decoder.payload_left > 0 {
            return Ok(self.payload());
        }
        let is_large = |header: FixedHeader| {
            header.packet_type() == PacketType::Publish && header.packet_len() > threshold
        };
        let large = loop {
            let from_chunk = self.decoder.tail.is_empty();
            let bytes = if from_chunk {
                self.chunk
            } else {
                &self.decoder.tail
            };
            match fixed_header(bytes, self.decoder.version, &self.decoder.policy) {
                Ok(Outcome::Complete(header)) if is_large(header) => break Some(header),
                Ok(Outcome::Complete(_)) => break None,
                Ok(Outcome::Need(need)) => {
                    if !self.lengthen_tail(need.get()) {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(self.decoder.fail(error)),
            }
        };
        match large {
            Some(header) => self.head(header),
            None => Ok(self.next()?.map(Piece::Packet)),
        }
    }

    /// What stands before the payload of a large PUBLISH.
    fn head(&mut self, header: FixedHeader) -> Result<Option<Piece<'_>>, Error> {
        let version = self.decoder.version;
        let (from_chunk, len) = loop {
            let from_chunk = self.decoder.tail.is_empty();
            let bytes = if from_chunk {
                self.chunk
            } else {
                &self.decoder.tail
            };
            let len = head_len(bytes, header, version);
            let missing = len.saturating_sub(bytes.len());
            if missing == 0 {
                break (from_chunk, len);
            }
            let lacking = if from_chunk { len } else { missing };
            if !self.lengthen_tail(lacking) {
                return Ok(None);
            }
        };
        let Self { decoder, chunk } = self;
        let bytes = if from_chunk { *chunk } else { &decoder.tail };
        let body = bytes.get(header.header_len()..len).unwrap_or_default();
        let decoded = Publish::decode(
            Reader::new(body, &decoder.policy),
            header.flags(),
            version,
            &decoder.policy,
        );
        let publish = match decoded {
            Ok(publish) => publish,
            Err(fault) => {
                let at = (len as u32).saturating_sub(fault.behind);
                let error = Error::new(fault.kind, at, Some(PacketType::Publish), version);
                decoder.failed = Some(error);
                return Err(error);
            }
        };
        if from_chunk {
            *chunk = chunk.split_at_checked(len).unwrap_or_default().1;
        } else {
            decoder.given = len;
        }
        decoder.payload_left = header.packet_len() - len;
        Ok(Some(Piece::Head {
            publish,
            payload_len: decoder.payload_left,
        }))
    }

    /// As much of the payload as is there.
    fn payload(&mut self) -> Option<Piece<'_>> {
        let Self { decoder, chunk } = self;
        let left = decoder.payload_left;
        let bytes = if decoder.tail.is_empty() {
            let (bytes, rest) = chunk.split_at_checked(left).unwrap_or((chunk, &[]));
            *chunk = rest;
            bytes
        } else {
            let bytes = decoder.tail.get(..left).unwrap_or(&decoder.tail);
            decoder.given = bytes.len();
            bytes
        };
        decoder.payload_left -= bytes.len();
        (!bytes.is_empty()).then_some(Piece::Payload {
            bytes,
            left: decoder.payload_left,
        })
    }
}

/// The length of everything before the payload, or of as much as is needed to know it. Never more than the packet: a
/// field that runs past it is found when the head is decoded.
fn head_len(bytes: &[u8], header: FixedHeader, version: Version) -> usize {
    let mut len = header.header_len() + 2;
    if let Some(&[high, low]) = bytes
        .get(header.header_len()..)
        .and_then(|rest| rest.first_chunk())
    {
        len += usize::from(u16::from_be_bytes([high, low]));
        len += if header.flags() & 0b0110 == 0 { 0 } else { 2 };
        if version == Version::V5 {
            len += block_len(bytes.get(len..).unwrap_or_default());
        }
    }
    len.min(header.packet_len())
}

/// The length of a property block with its length, or of as much as is needed to know it.
fn block_len(bytes: &[u8]) -> usize {
    let mut reader = Reader::of_checked(bytes);
    match reader.variable_byte_integer() {
        Ok(len) => bytes.len() - reader.rest().len() + len as usize,
        Err(fault) if fault.kind == ErrorKind::Truncated => bytes.len() + 1,
        // It is found again when the head is decoded.
        Err(_) => 4,
    }
}
