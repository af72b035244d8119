//! What PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT and AUTH end in: a reason code and properties, each left out when
//! it says nothing.

use crate::error::ErrorKind;
use crate::packet::PacketType;
use crate::policy::{Policy, Role};
use crate::property::{self, Properties, PropertyScope};
use crate::reader::{Fault, Reader};
use crate::reason::ReasonCode;
use crate::version::Version;
use crate::writer::{Writer, variable_byte_integer_len};

#[derive(Clone, Copy)]
pub(super) struct Tail<'a> {
    pub(super) reason: ReasonCode,
    pub(super) properties: Properties<'a>,
}

impl<'a> Tail<'a> {
    const NOTHING: Self = Self {
        reason: ReasonCode::Success,
        properties: Properties::EMPTY,
    };

    pub(super) fn decode(
        mut reader: Reader<'a>,
        packet_type: PacketType,
        version: Version,
        policy: &Policy,
    ) -> Result<Self, Fault> {
        if version != Version::V5 {
            reader.finish()?;
            return Ok(Self::NOTHING);
        }
        if reader.is_empty() {
            return Ok(Self::NOTHING);
        }
        let reason = reason(&mut reader, packet_type, version, policy)?;
        let properties = match reader.is_empty() {
            true => Properties::EMPTY,
            false => properties(&mut reader, scope(packet_type), policy)?.0,
        };
        reader.finish()?;
        Ok(Self { reason, properties })
    }

    /// The length of the shortest form.
    pub(super) fn encoded_len(self, packet_type: PacketType, version: Version) -> Result<usize, ErrorKind> {
        if version != Version::V5 {
            let sayable = self.reason == ReasonCode::Success && self.properties.is_empty();
            return if sayable {
                Ok(0)
            } else {
                Err(ErrorKind::NotInVersion)
            };
        }
        if !self.reason.is_of(packet_type, version) {
            return Err(ErrorKind::InvalidReasonCode);
        }
        property::check_encoded(self.properties.as_bytes(), scope(packet_type))?;
        Ok(match (self.reason, self.properties.is_empty()) {
            (ReasonCode::Success, true) => 0,
            (_, true) => 1,
            (_, false) => 1 + block_len(self.properties),
        })
    }

    pub(super) fn write(self, writer: &mut Writer<'_>) {
        if self.reason != ReasonCode::Success || !self.properties.is_empty() {
            writer.u8(self.reason.byte());
        }
        if !self.properties.is_empty() {
            write_block(self.properties, writer);
        }
    }
}

const fn scope(packet_type: PacketType) -> PropertyScope {
    match packet_type {
        PacketType::Puback => PropertyScope::Puback,
        PacketType::Pubrec => PropertyScope::Pubrec,
        PacketType::Pubrel => PropertyScope::Pubrel,
        PacketType::Pubcomp => PropertyScope::Pubcomp,
        PacketType::Auth => PropertyScope::Auth,
        _ => PropertyScope::Disconnect,
    }
}

/// A reason code that the packet defines and its sender may send.
pub(super) fn reason(
    reader: &mut Reader<'_>,
    packet_type: PacketType,
    version: Version,
    policy: &Policy,
) -> Result<ReasonCode, Fault> {
    let byte = reader.u8()?;
    let reason = ReasonCode::from_wire(byte, packet_type, version)
        .ok_or_else(|| reader.fault_before(ErrorKind::InvalidReasonCode, 1))?;
    match policy.sender {
        Some(Role::Client) if reason.is_server_only(packet_type) => {
            Err(reader.fault_before(ErrorKind::WrongDirection, 1))
        }
        Some(Role::Server) if reason.is_client_only(packet_type) => {
            Err(reader.fault_before(ErrorKind::WrongDirection, 1))
        }
        _ => Ok(reason),
    }
}

/// A property block behind its length.
#[inline]
pub(super) fn properties<'a>(
    reader: &mut Reader<'a>,
    scope: PropertyScope,
    policy: &Policy,
) -> Result<(Properties<'a>, property::Seen), Fault> {
    let len = reader.variable_byte_integer()?;
    let block = reader.take(len as usize)?;
    let seen =
        property::check(block, scope, policy).map_err(|fault| fault.followed_by(reader.rest().len()))?;
    Ok((Properties::from_checked(block), seen))
}

/// The length of a property block with its length.
pub(super) const fn block_len(properties: Properties<'_>) -> usize {
    let len = properties.as_bytes().len();
    variable_byte_integer_len(len) + len
}

/// The length of a property block with its length in `version`, if it may stand there.
#[inline]
pub(super) fn checked_block_len(
    properties: Properties<'_>,
    scope: PropertyScope,
    version: Version,
) -> Result<usize, ErrorKind> {
    match version {
        Version::V5 => {
            property::check_encoded(properties.as_bytes(), scope)?;
            Ok(block_len(properties))
        }
        _ if properties.is_empty() => Ok(0),
        _ => Err(ErrorKind::NotInVersion),
    }
}

#[inline]
pub(super) fn write_block(properties: Properties<'_>, writer: &mut Writer<'_>) {
    writer.variable_byte_integer(properties.as_bytes().len() as u32);
    writer.bytes(properties.as_bytes());
}
