use super::tail::Tail;
use crate::delivery::PacketId;
use crate::error::ErrorKind;
use crate::packet::PacketType;
use crate::policy::Policy;
use crate::property::Properties;
use crate::reader::{Fault, Reader};
use crate::reason::ReasonCode;
use crate::version::Version;
use crate::writer::Writer;

/// PUBACK, PUBREC, PUBREL and PUBCOMP: which PUBLISH it is about and, in 5.0, what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack<'a> {
    /// The identifier of the PUBLISH.
    pub packet_id: PacketId,
    /// [`ReasonCode::Success`] in 3.1 and 3.1.1.
    pub reason: ReasonCode,
    /// Empty in 3.1 and 3.1.1.
    pub properties: Properties<'a>,
}

impl Ack<'static> {
    /// Success, without properties: the same in every version.
    pub const fn new(packet_id: PacketId) -> Self {
        Self {
            packet_id,
            reason: ReasonCode::Success,
            properties: Properties::EMPTY,
        }
    }
}

impl<'a> Ack<'a> {
    pub(crate) fn decode(
        mut reader: Reader<'a>,
        packet_type: PacketType,
        version: Version,
        policy: &Policy,
    ) -> Result<Self, Fault> {
        let packet_id = reader.packet_id()?;
        let Tail { reason, properties } = Tail::decode(reader, packet_type, version, policy)?;
        Ok(Self {
            packet_id,
            reason,
            properties,
        })
    }

    pub(crate) fn remaining_len(
        &self,
        packet_type: PacketType,
        version: Version,
    ) -> Result<usize, ErrorKind> {
        Ok(2 + self.tail().encoded_len(packet_type, version)?)
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.packet_id(self.packet_id);
        self.tail().write(writer);
    }

    const fn tail(&self) -> Tail<'a> {
        Tail {
            reason: self.reason,
            properties: self.properties,
        }
    }
}
