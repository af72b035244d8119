use super::tail::Tail;
use crate::error::ErrorKind;
use crate::packet::PacketType;
use crate::policy::Policy;
use crate::property::{self, Properties, PropertyScope};
use crate::reader::{Fault, Reader};
use crate::reason::ReasonCode;
use crate::version::Version;
use crate::writer::Writer;

/// AUTH: one step of an enhanced authentication. 5.0 only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Auth<'a> {
    /// Success (from a server), Continue authentication, Re-authenticate (from a client).
    pub reason: ReasonCode,
    /// They hold the Authentication Method, unless the packet is the short form of Success.
    pub properties: Properties<'a>,
}

impl<'a> Auth<'a> {
    pub(crate) fn decode(reader: Reader<'a>, version: Version, policy: &Policy) -> Result<Self, Fault> {
        let Tail { reason, properties } = Tail::decode(reader, PacketType::Auth, version, policy)?;
        let auth = Self { reason, properties };
        // 3.15.2.2.2: a protocol error to omit the method; 3.15.2.1: unless all is omitted.
        match reader.is_empty() || auth.has_method() {
            true => Ok(auth),
            false => Err(reader.fault(ErrorKind::MissingAuthenticationMethod)),
        }
    }

    pub(crate) fn remaining_len(&self, version: Version) -> Result<usize, ErrorKind> {
        if version != Version::V5 {
            return Err(ErrorKind::NotInVersion);
        }
        let len = self.tail().encoded_len(PacketType::Auth, version)?;
        match len == 0 || self.has_method() {
            true => Ok(len),
            false => Err(ErrorKind::MissingAuthenticationMethod),
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        self.tail().write(writer);
    }

    fn has_method(&self) -> bool {
        property::check_encoded(self.properties.as_bytes(), PropertyScope::Auth)
            .is_ok_and(|seen| seen.has_authentication_method())
    }

    const fn tail(&self) -> Tail<'a> {
        Tail {
            reason: self.reason,
            properties: self.properties,
        }
    }
}
