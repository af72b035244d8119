use core::num::NonZeroUsize;

use crate::error::{Error, ErrorKind};
use crate::packet::PacketType;
use crate::policy::{Policy, Role};
use crate::version::Version;

/// What came of bytes that may not be all there yet. Missing bytes are not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome<T> {
    /// It is all there.
    Complete(T),
    /// This many bytes are missing: the whole rest of the packet once its length is known, before that the fewest that
    /// bring the decoder further.
    Need(NonZeroUsize),
}

impl<T> Outcome<T> {
    /// The value, if it is complete.
    pub fn complete(self) -> Option<T> {
        match self {
            Self::Complete(value) => Some(value),
            Self::Need(_) => None,
        }
    }

    /// The number of bytes that are missing; 0 if it is complete.
    pub const fn missing(&self) -> usize {
        match self {
            Self::Complete(_) => 0,
            Self::Need(missing) => missing.get(),
        }
    }
}

/// A fixed header: type, flags and remaining length, checked before any byte of the body is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedHeader {
    packet_type: PacketType,
    flags: u8,
    len: u8,
    remaining_length: u32,
}

impl FixedHeader {
    /// The packet type.
    pub const fn packet_type(self) -> PacketType {
        self.packet_type
    }

    /// The lower four bits of the first byte.
    pub const fn flags(self) -> u8 {
        self.flags
    }

    /// The length of the fixed header itself: 2 to 5 bytes.
    pub const fn header_len(self) -> usize {
        self.len as usize
    }

    /// The length of what follows the fixed header, in bytes.
    pub const fn remaining_length(self) -> usize {
        self.remaining_length as usize
    }

    /// The length of the whole packet, in bytes.
    pub const fn packet_len(self) -> usize {
        self.header_len() + self.remaining_length()
    }
}

/// One whole packet whose fixed header is checked and whose body is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    header: FixedHeader,
    bytes: &'a [u8],
    body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The fixed header.
    pub const fn header(self) -> FixedHeader {
        self.header
    }

    /// The packet type.
    pub const fn packet_type(self) -> PacketType {
        self.header.packet_type
    }

    /// The packet's bytes, fixed header included.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// What follows the fixed header.
    pub const fn body(self) -> &'a [u8] {
        self.body
    }
}

/// Reads the fixed header at the front of `bytes`: two to five bytes, and no more are looked at.
///
/// # Errors
/// A reserved packet type, flags or a length that are not allowed, a packet above the policy's size, a packet that the
/// policy's sender may not send.
#[inline(always)]
pub fn fixed_header(bytes: &[u8], version: Version, policy: &Policy) -> Result<Outcome<FixedHeader>, Error> {
    let Some((&first, rest)) = bytes.split_first() else {
        return Ok(Outcome::Need(NonZeroUsize::MIN.saturating_add(1)));
    };
    let Some(packet_type) = packet_type(first, version) else {
        return Err(Error::new(ErrorKind::ReservedPacketType, 0, None, version));
    };
    if let Err(kind) = check_first(first, packet_type, version, policy) {
        return Err(Error::new(kind, 0, Some(packet_type), version));
    }
    let (len, remaining_length) = match rest.first() {
        Some(&byte) if byte < 0x80 => (2, u32::from(byte)),
        _ => match long_remaining_length(rest, version, policy) {
            Ok(Outcome::Complete(length)) => length,
            Ok(Outcome::Need(need)) => return Ok(Outcome::Need(need)),
            Err(kind) => return Err(Error::new(kind, 1, Some(packet_type), version)),
        },
    };
    if remaining_length.saturating_add(u32::from(len)) > policy.max_packet_size {
        return Err(Error::new(
            ErrorKind::PacketTooLarge,
            1,
            Some(packet_type),
            version,
        ));
    }
    Ok(Outcome::Complete(FixedHeader {
        packet_type,
        flags: first & 0x0f,
        len,
        remaining_length,
    }))
}

/// Splits the first packet off `bytes` without looking into it.
///
/// Nothing is allocated and nothing copied, whatever length the fixed header claims.
///
/// # Errors
/// As [`fixed_header`].
#[inline(always)]
pub fn frame<'a>(bytes: &'a [u8], version: Version, policy: &Policy) -> Result<Outcome<Frame<'a>>, Error> {
    let header = match fixed_header(bytes, version, policy)? {
        Outcome::Complete(header) => header,
        Outcome::Need(need) => return Ok(Outcome::Need(need)),
    };
    let len = header.packet_len();
    if let Some((bytes, _)) = bytes.split_at_checked(len)
        && let Some((_, body)) = bytes.split_at_checked(header.header_len())
    {
        return Ok(Outcome::Complete(Frame { header, bytes, body }));
    }
    Ok(Outcome::Need(
        NonZeroUsize::new(len.saturating_sub(bytes.len())).unwrap_or(NonZeroUsize::MIN),
    ))
}

#[inline(always)]
fn packet_type(first: u8, version: Version) -> Option<PacketType> {
    match PacketType::from_bits(first >> 4)? {
        // Type 15 is reserved before 5.0.
        PacketType::Auth if version != Version::V5 => None,
        packet_type => Some(packet_type),
    }
}

#[inline(always)]
fn check_first(
    first: u8,
    packet_type: PacketType,
    version: Version,
    policy: &Policy,
) -> Result<(), ErrorKind> {
    let flags = first & 0x0f;
    if packet_type == PacketType::Publish {
        // [MQTT-3.3.1-4] not both QoS bits.
        if flags & 0b0110 == 0b0110 {
            return Err(ErrorKind::InvalidQos);
        }
        // [MQTT-3.3.1-2] DUP is 0 for QoS 0. 3.1 does not say so.
        if flags & 0b1110 == 0b1000 && version != Version::V31 && !policy.allow_dup_at_most_once {
            return Err(ErrorKind::DupAtMostOnce);
        }
    } else {
        // [MQTT-2.2.2-1], [MQTT-2.2.2-2], in 5.0 [MQTT-2.1.3-1]. 3.1 uses only the QoS of those that have QoS 1.
        let expected = packet_type.flags();
        let used = match version {
            Version::V31 if expected == 0 => 0,
            Version::V31 => 0b0110,
            _ => 0b1111,
        };
        if flags & used != expected {
            return Err(ErrorKind::InvalidFlags);
        }
    }
    match policy.sender {
        Some(Role::Client) if packet_type.is_server_only() => Err(ErrorKind::WrongDirection),
        Some(Role::Server) if packet_type.is_client_only() => Err(ErrorKind::WrongDirection),
        _ => Ok(()),
    }
}

/// A remaining length after the first byte, and the length of the fixed header with it.
fn long_remaining_length(
    bytes: &[u8],
    version: Version,
    policy: &Policy,
) -> Result<Outcome<(u8, u32)>, ErrorKind> {
    let mut value = 0;
    let mut bytes = bytes.iter();
    for (len, shift) in [(2, 0), (3, 7), (4, 14), (5, 21)] {
        let Some(&byte) = bytes.next() else {
            return Ok(Outcome::Need(NonZeroUsize::MIN));
        };
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            // [MQTT-1.5.5-1] the shortest form.
            let long = byte == 0 && shift > 0;
            if long && (version == Version::V5 || !policy.allow_long_lengths) {
                return Err(ErrorKind::InvalidVariableByteInteger);
            }
            return Ok(Outcome::Complete((len, value)));
        }
    }
    Err(ErrorKind::InvalidVariableByteInteger)
}
