use super::reason_codes::ReasonCodes;
use super::tail;
use crate::delivery::PacketId;
use crate::error::ErrorKind;
use crate::packet::PacketType;
use crate::policy::Policy;
use crate::property::{Properties, PropertyScope};
use crate::reader::{Fault, Reader};
use crate::reason::ReasonCode;
use crate::version::Version;
use crate::writer::Writer;

/// SUBACK: what became of each subscription of a SUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suback<'a> {
    /// The identifier of the SUBSCRIBE.
    pub packet_id: PacketId,
    /// For each filter the granted QoS or a refusal, see [`ReasonCode::granted_qos`].
    pub reasons: ReasonCodes<'a>,
    /// Empty in 3.1 and 3.1.1.
    pub properties: Properties<'a>,
}

/// UNSUBACK: what became of each filter of an UNSUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsuback<'a> {
    /// The identifier of the UNSUBSCRIBE.
    pub packet_id: PacketId,
    /// One for each filter; none in 3.1 and 3.1.1.
    pub reasons: ReasonCodes<'a>,
    /// Empty in 3.1 and 3.1.1.
    pub properties: Properties<'a>,
}

impl<'a> Suback<'a> {
    pub(crate) fn decode(reader: Reader<'a>, version: Version, policy: &Policy) -> Result<Self, Fault> {
        let decoded = Self::decode_as(reader, version, policy);
        match decoded {
            Err(_) if policy.allow_v3_replies && version == Version::V5 => {
                Self::decode_as(reader, Version::V311, policy).or(decoded)
            }
            decoded => decoded,
        }
    }

    fn decode_as(mut reader: Reader<'a>, version: Version, policy: &Policy) -> Result<Self, Fault> {
        let packet_id = reader.packet_id()?;
        let properties = block(&mut reader, PropertyScope::Suback, version, policy)?;
        let reasons = reasons(reader, PacketType::Suback, version)?;
        Ok(Self {
            packet_id,
            reasons,
            properties,
        })
    }

    pub(crate) fn remaining_len(&self, version: Version) -> Result<usize, ErrorKind> {
        if self.reasons.is_empty() {
            return Err(ErrorKind::EmptyList);
        }
        self.reasons.check(PacketType::Suback, version)?;
        let block = tail::checked_block_len(self.properties, PropertyScope::Suback, version)?;
        Ok(2 + block + self.reasons.len())
    }

    pub(crate) fn write(&self, version: Version, writer: &mut Writer<'_>) {
        writer.packet_id(self.packet_id);
        if version == Version::V5 {
            tail::write_block(self.properties, writer);
        }
        self.reasons.write(writer);
    }
}

impl<'a> Unsuback<'a> {
    pub(crate) fn decode(mut reader: Reader<'a>, version: Version, policy: &Policy) -> Result<Self, Fault> {
        let short = reader.rest().len() == 2;
        let packet_id = reader.packet_id()?;
        if version != Version::V5 || (short && policy.allow_v3_replies) {
            reader.finish()?;
            let reasons = ReasonCodes::from_checked(&[]);
            return Ok(Self {
                packet_id,
                reasons,
                properties: Properties::EMPTY,
            });
        }
        let properties = block(&mut reader, PropertyScope::Unsuback, version, policy)?;
        let reasons = reasons(reader, PacketType::Unsuback, version)?;
        Ok(Self {
            packet_id,
            reasons,
            properties,
        })
    }

    pub(crate) fn remaining_len(&self, version: Version) -> Result<usize, ErrorKind> {
        let block = tail::checked_block_len(self.properties, PropertyScope::Unsuback, version)?;
        match (version, self.reasons.is_empty()) {
            (Version::V5, true) => return Err(ErrorKind::EmptyList),
            (Version::V5, false) => self.reasons.check(PacketType::Unsuback, version)?,
            (_, true) => {}
            (_, false) => return Err(ErrorKind::NotInVersion),
        }
        Ok(2 + block + self.reasons.len())
    }

    pub(crate) fn write(&self, version: Version, writer: &mut Writer<'_>) {
        writer.packet_id(self.packet_id);
        if version == Version::V5 {
            tail::write_block(self.properties, writer);
            self.reasons.write(writer);
        }
    }
}

fn block<'a>(
    reader: &mut Reader<'a>,
    scope: PropertyScope,
    version: Version,
    policy: &Policy,
) -> Result<Properties<'a>, Fault> {
    match version {
        Version::V5 => Ok(tail::properties(reader, scope, policy)?.0),
        _ => Ok(Properties::EMPTY),
    }
}

/// All that is left, each byte a reason code: at least one.
fn reasons<'a>(reader: Reader<'a>, packet: PacketType, version: Version) -> Result<ReasonCodes<'a>, Fault> {
    let bytes = reader.rest();
    if bytes.is_empty() {
        return Err(reader.fault(ErrorKind::EmptyList));
    }
    // [MQTT-3.9.3-2]
    match bytes
        .iter()
        .position(|&byte| ReasonCode::from_wire(byte, packet, version).is_none())
    {
        Some(at) => Err(Fault::new(ErrorKind::InvalidReasonCode, bytes.len() - at)),
        None => Ok(ReasonCodes::from_checked(bytes)),
    }
}
