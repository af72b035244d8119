use super::tail::Tail;
use crate::error::ErrorKind;
use crate::packet::PacketType;
use crate::policy::{Policy, Role};
use crate::property::Properties;
use crate::reader::{Fault, Reader};
use crate::reason::ReasonCode;
use crate::version::Version;
use crate::writer::Writer;

/// DISCONNECT: the last packet of a connection; before 5.0 only a client sends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disconnect<'a> {
    /// [`ReasonCode::Success`] is a normal disconnection, and the only one in 3.1 and 3.1.1.
    pub reason: ReasonCode,
    /// Empty in 3.1 and 3.1.1.
    pub properties: Properties<'a>,
}

impl Disconnect<'static> {
    /// Without properties.
    pub const fn new(reason: ReasonCode) -> Self {
        Self {
            reason,
            properties: Properties::EMPTY,
        }
    }
}

impl<'a> Disconnect<'a> {
    pub(crate) fn decode(reader: Reader<'a>, version: Version, policy: &Policy) -> Result<Self, Fault> {
        if version != Version::V5 && policy.sender == Some(Role::Server) {
            return Err(reader.fault(ErrorKind::WrongDirection));
        }
        let Tail { reason, properties } = Tail::decode(reader, PacketType::Disconnect, version, policy)?;
        Ok(Self { reason, properties })
    }

    pub(crate) fn remaining_len(&self, version: Version) -> Result<usize, ErrorKind> {
        self.tail().encoded_len(PacketType::Disconnect, version)
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        self.tail().write(writer);
    }

    const fn tail(&self) -> Tail<'a> {
        Tail {
            reason: self.reason,
            properties: self.properties,
        }
    }
}
