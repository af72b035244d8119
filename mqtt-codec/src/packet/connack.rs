use super::tail;
use crate::error::ErrorKind;
use crate::packet::PacketType;
use crate::policy::Policy;
use crate::property::{Properties, PropertyScope};
use crate::reader::{Fault, Reader};
use crate::reason::ReasonCode;
use crate::version::Version;
use crate::writer::Writer;

/// CONNACK: the server's answer to CONNECT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connack<'a> {
    /// Whether the server goes on with a session it had; not in 3.1.
    pub session_present: bool,
    /// The return codes 1 to 5 of 3.1 and 3.1.1 are the reason codes of the same meaning, see
    /// [`ReasonCode::return_code`].
    pub reason: ReasonCode,
    /// Empty in 3.1 and 3.1.1.
    pub properties: Properties<'a>,
}

impl<'a> Connack<'a> {
    pub(crate) fn decode(mut reader: Reader<'a>, version: Version, policy: &Policy) -> Result<Self, Fault> {
        let short = reader.rest().len() == 2;
        let flags = reader.u8()?;
        let session_present = match (flags, version) {
            // 3.1: reserved, not used.
            (_, Version::V31) => false,
            (0 | 1, _) => flags == 1,
            // [MQTT-3.2.2-1]
            _ => return Err(reader.fault_before(ErrorKind::ReservedBits, 1)),
        };
        let as_version = if short && policy.allow_v3_replies {
            Version::V311
        } else {
            version
        };
        let reason = tail::reason(&mut reader, PacketType::Connack, as_version, policy)?;
        // [MQTT-3.2.2-4], in 5.0 [MQTT-3.2.2-6]
        if session_present && reason != ReasonCode::Success {
            return Err(reader.fault_before(ErrorKind::SessionPresentInRefusal, 2));
        }
        let properties = match as_version {
            Version::V5 => tail::properties(&mut reader, PropertyScope::Connack, policy)?.0,
            _ => Properties::EMPTY,
        };
        reader.finish()?;
        Ok(Self {
            session_present,
            reason,
            properties,
        })
    }

    pub(crate) fn remaining_len(&self, version: Version) -> Result<usize, ErrorKind> {
        if self.reason.to_wire(PacketType::Connack, version).is_none() {
            return Err(match version {
                Version::V5 => ErrorKind::InvalidReasonCode,
                _ => ErrorKind::NotInVersion,
            });
        }
        if self.session_present && self.reason != ReasonCode::Success {
            return Err(ErrorKind::SessionPresentInRefusal);
        }
        if self.session_present && version == Version::V31 {
            return Err(ErrorKind::NotInVersion);
        }
        Ok(2 + tail::checked_block_len(self.properties, PropertyScope::Connack, version)?)
    }

    pub(crate) fn write(&self, version: Version, writer: &mut Writer<'_>) {
        writer.u8(u8::from(self.session_present));
        writer.u8(self
            .reason
            .to_wire(PacketType::Connack, version)
            .unwrap_or_default());
        if version == Version::V5 {
            tail::write_block(self.properties, writer);
        }
    }
}
