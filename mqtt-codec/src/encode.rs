#[cfg(feature = "alloc")]
use alloc::vec::Vec;

use crate::error::{Error, ErrorKind};
use crate::packet::{Packet, PacketType, Publish};
use crate::version::Version;
use crate::writer::{Writer, variable_byte_integer_len};

/// The longest body that a remaining length can describe.
const LONGEST_BODY: usize = 268_435_455;

impl Packet<'_> {
    /// The length of the encoded packet in bytes, fixed header included.
    ///
    /// A CONNECT is encoded by its own version, whatever `version` says.
    ///
    /// # Errors
    /// What a decoder would refuse, and what `version` has no bytes for.
    #[inline]
    pub fn encoded_len(&self, version: Version) -> Result<usize, Error> {
        Ok(with_fixed_header(self.remaining_len(version)?))
    }

    /// Encodes to the front of `buffer` and says how many bytes that took. Nothing is allocated.
    ///
    /// # Errors
    /// As [`encoded_len`](Self::encoded_len), and a buffer that is too short, which then stays as it was.
    #[inline]
    pub fn encode(&self, version: Version, buffer: &mut [u8]) -> Result<usize, Error> {
        if let Self::Publish(publish) = self {
            return publish.encode(version, buffer);
        }
        let remaining = self.remaining_len(version)?;
        let len = with_fixed_header(remaining);
        let Some(space) = buffer.get_mut(..len) else {
            return Err(refuse(ErrorKind::BufferTooShort, self.packet_type(), version));
        };
        self.write(version, remaining, &mut Writer::new(space));
        Ok(len)
    }

    /// Encodes behind what `buffer` holds, which grows once, and says how many bytes were added.
    ///
    /// # Errors
    /// As [`encoded_len`](Self::encoded_len); the buffer then stays as it was.
    #[cfg(feature = "alloc")]
    pub fn append(&self, version: Version, buffer: &mut Vec<u8>) -> Result<usize, Error> {
        if let Self::Publish(publish) = self {
            return publish.append(version, buffer);
        }
        let len = self.encoded_len(version)?;
        let start = buffer.len();
        buffer.resize(start + len, 0);
        self.encode(version, buffer.get_mut(start..).unwrap_or_default())
    }

    #[inline]
    fn remaining_len(&self, version: Version) -> Result<usize, Error> {
        let packet_type = self.packet_type();
        let len = match self {
            Self::Connect(connect) => connect.remaining_len(),
            Self::Connack(connack) => connack.remaining_len(version),
            Self::Publish(publish) => return publish.remaining_len(version),
            Self::Puback(ack) | Self::Pubrec(ack) | Self::Pubrel(ack) | Self::Pubcomp(ack) => {
                ack.remaining_len(packet_type, version)
            }
            Self::Subscribe(subscribe) => subscribe.remaining_len(version),
            Self::Suback(suback) => suback.remaining_len(version),
            Self::Unsubscribe(unsubscribe) => unsubscribe.remaining_len(version),
            Self::Unsuback(unsuback) => unsuback.remaining_len(version),
            Self::Pingreq | Self::Pingresp => Ok(0),
            Self::Disconnect(disconnect) => disconnect.remaining_len(version),
            Self::Auth(auth) => auth.remaining_len(version),
        };
        match len {
            Ok(len) if len <= LONGEST_BODY => Ok(len),
            Ok(_) => Err(refuse(ErrorKind::PacketTooLarge, packet_type, version)),
            Err(kind) => Err(refuse(kind, packet_type, version)),
        }
    }

    fn write(&self, version: Version, remaining: usize, writer: &mut Writer<'_>) {
        writer.u8(self.packet_type().first_byte());
        writer.variable_byte_integer(remaining as u32);
        match self {
            Self::Connect(connect) => connect.write(writer),
            Self::Connack(connack) => connack.write(version, writer),
            Self::Puback(ack) | Self::Pubrec(ack) | Self::Pubrel(ack) | Self::Pubcomp(ack) => {
                ack.write(writer)
            }
            Self::Subscribe(subscribe) => subscribe.write(version, writer),
            Self::Suback(suback) => suback.write(version, writer),
            Self::Unsubscribe(unsubscribe) => unsubscribe.write(version, writer),
            Self::Unsuback(unsuback) => unsuback.write(version, writer),
            // PUBLISH encodes itself.
            Self::Publish(_) | Self::Pingreq | Self::Pingresp => {}
            Self::Disconnect(disconnect) => disconnect.write(writer),
            Self::Auth(auth) => auth.write(writer),
        }
    }
}

impl Publish<'_> {
    /// The length of the encoded packet in bytes, fixed header and payload included.
    ///
    /// # Errors
    /// As [`Packet::encoded_len`].
    #[inline]
    pub fn encoded_len(&self, version: Version) -> Result<usize, Error> {
        Ok(with_fixed_header(self.remaining_len(version)?))
    }

    /// The length in bytes of everything before the payload.
    ///
    /// # Errors
    /// As [`Packet::encoded_len`].
    #[inline]
    pub fn head_len(&self, version: Version) -> Result<usize, Error> {
        Ok(with_fixed_header(self.remaining_len(version)?) - self.payload.len())
    }

    /// Encodes to the front of `buffer` and says how many bytes that took. Nothing is allocated.
    ///
    /// # Errors
    /// As [`Packet::encode`].
    #[inline]
    pub fn encode(&self, version: Version, buffer: &mut [u8]) -> Result<usize, Error> {
        let remaining = self.remaining_len(version)?;
        let len = with_fixed_header(remaining);
        let Some(space) = buffer.get_mut(..len) else {
            return Err(refuse(ErrorKind::BufferTooShort, PacketType::Publish, version));
        };
        let mut writer = Writer::new(space);
        self.write_head(version, remaining, &mut writer);
        writer.bytes(self.payload);
        Ok(len)
    }

    /// Encodes everything before the payload, whose length it includes: write that after it, from where it is.
    ///
    /// # Errors
    /// As [`Packet::encode`]; the buffer need not have room for the payload.
    #[inline]
    pub fn encode_head(&self, version: Version, buffer: &mut [u8]) -> Result<usize, Error> {
        let remaining = self.remaining_len(version)?;
        let len = with_fixed_header(remaining) - self.payload.len();
        let Some(space) = buffer.get_mut(..len) else {
            return Err(refuse(ErrorKind::BufferTooShort, PacketType::Publish, version));
        };
        self.write_head(version, remaining, &mut Writer::new(space));
        Ok(len)
    }

    /// Encodes behind what `buffer` holds, which grows once, and says how many bytes were added.
    ///
    /// # Errors
    /// As [`Packet::append`].
    #[cfg(feature = "alloc")]
    pub fn append(&self, version: Version, buffer: &mut Vec<u8>) -> Result<usize, Error> {
        let remaining = self.remaining_len(version)?;
        let len = with_fixed_header(remaining);
        buffer.reserve(len);
        let start = buffer.len();
        buffer.resize(start + len - self.payload.len(), 0);
        self.write_head(
            version,
            remaining,
            &mut Writer::new(buffer.get_mut(start..).unwrap_or_default()),
        );
        buffer.extend_from_slice(self.payload);
        Ok(len)
    }

    #[inline]
    fn remaining_len(&self, version: Version) -> Result<usize, Error> {
        match self.variable_header_len(version) {
            Ok(len) if len.saturating_add(self.payload.len()) <= LONGEST_BODY => Ok(len + self.payload.len()),
            Ok(_) => Err(refuse(ErrorKind::PacketTooLarge, PacketType::Publish, version)),
            Err(kind) => Err(refuse(kind, PacketType::Publish, version)),
        }
    }
}

#[inline]
const fn with_fixed_header(remaining: usize) -> usize {
    1 + variable_byte_integer_len(remaining) + remaining
}

#[cold]
const fn refuse(kind: ErrorKind, packet_type: PacketType, version: Version) -> Error {
    Error::new(kind, 0, Some(packet_type), version)
}
