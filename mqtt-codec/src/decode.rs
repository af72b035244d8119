use crate::delivery::PacketId;
use crate::error::{Error, ErrorKind};
use crate::frame::{Frame, Outcome, frame};
use crate::packet::{
    Ack, Auth, Connack, Connect, Disconnect, Packet, PacketType, Publish, Suback, Subscribe, Unsuback,
    Unsubscribe,
};
use crate::policy::Policy;
use crate::reader::{Fault, Reader};
use crate::version::Version;

/// Decodes the packet at the front of `bytes` and says how many bytes it took.
///
/// Nothing is allocated; the packet borrows `bytes`.
///
/// # Errors
/// What the version or the policy forbids. A packet that is not all there is not an error, a field that runs past its
/// packet is one.
#[inline(always)]
pub fn decode<'a>(
    bytes: &'a [u8],
    version: Version,
    policy: &Policy,
) -> Result<Outcome<(Packet<'a>, usize)>, Error> {
    match frame(bytes, version, policy)? {
        Outcome::Complete(frame) => {
            let len = frame.as_bytes().len();
            frame.decode_as(version, policy, |packet| Outcome::Complete((packet, len)))
        }
        Outcome::Need(need) => Ok(Outcome::Need(need)),
    }
}

impl<'a> Frame<'a> {
    /// Decodes the packet.
    ///
    /// # Errors
    /// What the version or the policy forbids.
    #[inline]
    pub fn decode(self, version: Version, policy: &Policy) -> Result<Packet<'a>, Error> {
        self.decode_as(version, policy, |packet| packet)
    }

    /// Decodes the packet into what `wrap` makes of it. A packet is written once, where it is wanted: moving 64 bytes
    /// that were just written costs as much as decoding them.
    #[inline(always)]
    pub(crate) fn decode_as<T>(
        self,
        version: Version,
        policy: &Policy,
        wrap: impl FnOnce(Packet<'a>) -> T,
    ) -> Result<T, Error> {
        let reader = Reader::new(self.body(), policy);
        if self.packet_type() == PacketType::Publish {
            return match Publish::decode(reader, self.header().flags(), version, policy) {
                Ok(publish) => Ok(wrap(Packet::Publish(publish))),
                Err(fault) => Err(self.place(fault, version)),
            };
        }
        if let Some(packet) = self.short_ack() {
            return Ok(wrap(packet));
        }
        match decode_other(self.packet_type(), reader, version, policy) {
            Ok(packet) => Ok(wrap(packet)),
            Err(fault) => Err(self.place(fault, version)),
        }
    }

    /// An acknowledgement in the form that is the same in every version: an identifier and nothing else.
    #[inline(always)]
    fn short_ack(self) -> Option<Packet<'a>> {
        let [high, low] = *<&[u8; 2]>::try_from(self.body()).ok()?;
        let ack = Ack::new(PacketId::new(u16::from_be_bytes([high, low]))?);
        match self.packet_type() {
            PacketType::Puback => Some(Packet::Puback(ack)),
            PacketType::Pubrec => Some(Packet::Pubrec(ack)),
            PacketType::Pubrel => Some(Packet::Pubrel(ack)),
            PacketType::Pubcomp => Some(Packet::Pubcomp(ack)),
            _ => None,
        }
    }

    #[cold]
    fn place(self, fault: Fault, version: Version) -> Error {
        let len = u32::try_from(self.as_bytes().len()).unwrap_or(u32::MAX);
        Error::new(
            fault.kind,
            len.saturating_sub(fault.behind),
            Some(self.packet_type()),
            version,
        )
    }
}

fn decode_other<'a>(
    packet_type: PacketType,
    reader: Reader<'a>,
    version: Version,
    policy: &Policy,
) -> Result<Packet<'a>, Fault> {
    let ack = || Ack::decode(reader, packet_type, version, policy);
    Ok(match packet_type {
        PacketType::Connect => Packet::Connect(Connect::decode(reader, policy)?),
        PacketType::Connack => Packet::Connack(Connack::decode(reader, version, policy)?),
        PacketType::Puback => Packet::Puback(ack()?),
        PacketType::Pubrec => Packet::Pubrec(ack()?),
        PacketType::Pubrel => Packet::Pubrel(ack()?),
        PacketType::Pubcomp => Packet::Pubcomp(ack()?),
        PacketType::Subscribe => Packet::Subscribe(Subscribe::decode(reader, version, policy)?),
        PacketType::Suback => Packet::Suback(Suback::decode(reader, version, policy)?),
        PacketType::Unsubscribe => Packet::Unsubscribe(Unsubscribe::decode(reader, version, policy)?),
        PacketType::Unsuback => Packet::Unsuback(Unsuback::decode(reader, version, policy)?),
        PacketType::Pingreq => reader.finish().map(|()| Packet::Pingreq)?,
        PacketType::Pingresp => reader.finish().map(|()| Packet::Pingresp)?,
        PacketType::Disconnect => Packet::Disconnect(Disconnect::decode(reader, version, policy)?),
        PacketType::Auth => Packet::Auth(Auth::decode(reader, version, policy)?),
        // Decoded by the caller.
        PacketType::Publish => return Err(reader.fault(ErrorKind::ReservedPacketType)),
    })
}
