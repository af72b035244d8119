use core::fmt;
use core::ops::Range;

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

use crate::decode::decode;
use crate::delivery::{Delivery, PacketId};
use crate::error::{Error, ErrorKind};
use crate::frame::Outcome;
use crate::packet::{
    Ack, Auth, Connack, Connect, Disconnect, Filters, Packet, PacketType, Publish, ReasonCodes, Suback,
    Subscribe, Subscriptions, Unsuback, Unsubscribe,
};
use crate::policy::Policy;
use crate::property::Properties;
use crate::reason::ReasonCode;
use crate::text::TopicName;
use crate::version::Version;

/// A packet that keeps its bytes: one handle to the frame, and where its parts lie in it.
///
/// `B` is whatever holds the frame: a `Vec<u8>`, an `Arc<[u8]>`, a `bytes::Bytes`. Nothing is allocated and nothing
/// copied here; [`packet`](Self::packet) does not check again. To share a payload without a copy, slice the handle by
/// [`payload_range`](Self::payload_range).
///
/// ```
/// use manywire_mqtt_codec::{OwnedPacket, Packet, Policy, Version};
/// let frame = b"\x30\x07\0\x03a/bhi".to_vec();
/// let owned = OwnedPacket::decode(frame, Version::V311, &Policy::STRICT)?.complete().expect("all there");
/// let Packet::Publish(publish) = owned.packet() else { unreachable!() };
/// assert_eq!(publish.topic, "a/b");
/// assert_eq!(owned.payload_range(), Some(7..9));
/// # Ok::<(), manywire_mqtt_codec::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct OwnedPacket<B> {
    frame: B,
    shape: Shape,
}

/// A packet with places in its frame instead of slices.
#[derive(Clone, Copy)]
enum Shape {
    Publish(PublishShape),
    Reasoned(ReasonedShape),
    Listed(ListedShape),
    Connack {
        session_present: bool,
        reason: ReasonCode,
        properties: Span,
    },
    Connect {
        body: Span,
        version: Version,
    },
    Pingreq,
    Pingresp,
}

#[derive(Clone, Copy)]
struct PublishShape {
    topic: Span,
    payload: Span,
    properties: Span,
    delivery: Delivery,
    dup: bool,
    retain: bool,
}

/// PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT and AUTH.
#[derive(Clone, Copy)]
struct ReasonedShape {
    packet_type: PacketType,
    /// Not used by DISCONNECT and AUTH.
    packet_id: PacketId,
    reason: ReasonCode,
    properties: Span,
}

/// SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK.
#[derive(Clone, Copy)]
struct ListedShape {
    packet_type: PacketType,
    packet_id: PacketId,
    list: Span,
    properties: Span,
    version: Version,
    may_be_malformed: bool,
}

/// A place in a frame, which is never longer than 268,435,460 bytes.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// Where `part` lies in `frame`. A part without bytes may lie anywhere.
    fn of(part: &[u8], frame: &[u8]) -> Self {
        if part.is_empty() {
            return Self { start: 0, len: 0 };
        }
        let start = part.as_ptr().addr().wrapping_sub(frame.as_ptr().addr());
        Self {
            start: start as u32,
            len: part.len() as u32,
        }
    }

    const fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }

    fn get(self, frame: &[u8]) -> &[u8] {
        frame.get(self.range()).unwrap_or_default()
    }

    fn properties(self, frame: &[u8]) -> Properties<'_> {
        Properties::from_checked(self.get(frame))
    }
}

impl<B: AsRef<[u8]>> OwnedPacket<B> {
    /// Decodes the one packet that `frame` holds and keeps the frame.
    ///
    /// # Errors
    /// As [`decode`](crate::decode()), and bytes after the packet.
    #[inline(always)]
    pub fn decode(frame: B, version: Version, policy: &Policy) -> Result<Outcome<Self>, Error> {
        let bytes = frame.as_ref();
        let shape = match decode(bytes, version, policy)? {
            Outcome::Complete((packet, len)) if len == bytes.len() => Shape::of(&packet, bytes),
            Outcome::Complete((packet, len)) => {
                let at = u32::try_from(len).unwrap_or(u32::MAX);
                return Err(Error::new(
                    ErrorKind::TrailingBytes,
                    at,
                    Some(packet.packet_type()),
                    version,
                ));
            }
            Outcome::Need(need) => return Ok(Outcome::Need(need)),
        };
        Ok(Outcome::Complete(Self { frame, shape }))
    }

    /// The packet, which borrows the frame. It was checked when it was decoded and is not checked again.
    #[inline]
    pub fn packet(&self) -> Packet<'_> {
        self.shape.packet(self.frame.as_ref())
    }

    /// The frame.
    pub const fn frame(&self) -> &B {
        &self.frame
    }

    /// Gives the frame back.
    pub fn into_frame(self) -> B {
        self.frame
    }

    /// Where a PUBLISH has its topic name in the frame.
    pub const fn topic_range(&self) -> Option<Range<usize>> {
        match &self.shape {
            Shape::Publish(publish) => Some(publish.topic.range()),
            _ => None,
        }
    }

    /// Where a PUBLISH has its payload in the frame.
    pub const fn payload_range(&self) -> Option<Range<usize>> {
        match &self.shape {
            Shape::Publish(publish) => Some(publish.payload.range()),
            _ => None,
        }
    }
}

impl<B: AsRef<[u8]>> fmt::Debug for OwnedPacket<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnedPacket").field(&self.packet()).finish()
    }
}

impl<B: AsRef<[u8]>> PartialEq for OwnedPacket<B> {
    fn eq(&self, other: &Self) -> bool {
        self.packet() == other.packet()
    }
}

impl<B: AsRef<[u8]>> Eq for OwnedPacket<B> {}

#[cfg(feature = "alloc")]
impl Packet<'_> {
    /// Copies the packet into a frame of its own, by encoding it: one allocation.
    ///
    /// # Errors
    /// As [`encoded_len`](Self::encoded_len).
    pub fn to_owned(&self, version: Version) -> Result<OwnedPacket<Vec<u8>>, Error> {
        let mut frame = Vec::new();
        self.append(version, &mut frame)?;
        // What was encoded decodes, a bridge's CONNECT only if asked for.
        let policy = Policy::STRICT.allow_bridge_level();
        match OwnedPacket::decode(frame, version, &policy)? {
            Outcome::Complete(owned) => Ok(owned),
            Outcome::Need(_) => Err(Error::new(
                ErrorKind::Truncated,
                0,
                Some(self.packet_type()),
                version,
            )),
        }
    }
}

impl Shape {
    #[inline(always)]
    fn of(packet: &Packet<'_>, frame: &[u8]) -> Self {
        let packet_type = packet.packet_type();
        match packet {
            Packet::Publish(publish) => Self::Publish(PublishShape::of(publish, frame)),
            Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
                let properties = Span::of(ack.properties.as_bytes(), frame);
                Self::Reasoned(ReasonedShape {
                    packet_type,
                    packet_id: ack.packet_id,
                    reason: ack.reason,
                    properties,
                })
            }
            other => Self::of_other(other, frame),
        }
    }

    fn of_other(packet: &Packet<'_>, frame: &[u8]) -> Self {
        let reasoned = |reason, properties: Properties<'_>| {
            let properties = Span::of(properties.as_bytes(), frame);
            let (packet_type, packet_id) = (packet.packet_type(), PacketId::FIRST);
            Self::Reasoned(ReasonedShape {
                packet_type,
                packet_id,
                reason,
                properties,
            })
        };
        match packet {
            Packet::Connect(connect) => Self::Connect {
                body: Span::of(connect.body(), frame),
                version: connect.version(),
            },
            Packet::Connack(connack) => Self::Connack {
                session_present: connack.session_present,
                reason: connack.reason,
                properties: Span::of(connack.properties.as_bytes(), frame),
            },
            Packet::Disconnect(disconnect) => reasoned(disconnect.reason, disconnect.properties),
            Packet::Auth(auth) => reasoned(auth.reason, auth.properties),
            Packet::Pingreq => Self::Pingreq,
            Packet::Pingresp => Self::Pingresp,
            listed => ListedShape::of(listed, frame).map_or(Self::Pingresp, Self::Listed),
        }
    }

    #[inline]
    fn packet(self, frame: &[u8]) -> Packet<'_> {
        match self {
            Self::Publish(publish) => Packet::Publish(publish.publish(frame)),
            Self::Reasoned(reasoned) => reasoned.packet(frame),
            Self::Listed(listed) => listed.packet(frame),
            Self::Connack {
                session_present,
                reason,
                properties,
            } => Packet::Connack(Connack {
                session_present,
                reason,
                properties: properties.properties(frame),
            }),
            Self::Connect { body, version } => {
                Packet::Connect(Connect::from_checked(body.get(frame), version))
            }
            Self::Pingreq => Packet::Pingreq,
            Self::Pingresp => Packet::Pingresp,
        }
    }
}

impl PublishShape {
    #[inline(always)]
    fn of(publish: &Publish<'_>, frame: &[u8]) -> Self {
        Self {
            topic: Span::of(publish.topic.as_bytes(), frame),
            payload: Span::of(publish.payload, frame),
            properties: Span::of(publish.properties.as_bytes(), frame),
            delivery: publish.delivery,
            dup: publish.dup,
            retain: publish.retain,
        }
    }

    #[inline]
    fn publish(self, frame: &[u8]) -> Publish<'_> {
        Publish {
            topic: TopicName::from_checked(self.topic.get(frame)),
            payload: self.payload.get(frame),
            properties: self.properties.properties(frame),
            delivery: self.delivery,
            dup: self.dup,
            retain: self.retain,
        }
    }
}

impl ReasonedShape {
    fn packet(self, frame: &[u8]) -> Packet<'_> {
        let Self {
            packet_id, reason, ..
        } = self;
        let properties = self.properties.properties(frame);
        let ack = Ack {
            packet_id,
            reason,
            properties,
        };
        match self.packet_type {
            PacketType::Puback => Packet::Puback(ack),
            PacketType::Pubrec => Packet::Pubrec(ack),
            PacketType::Pubrel => Packet::Pubrel(ack),
            PacketType::Pubcomp => Packet::Pubcomp(ack),
            PacketType::Auth => Packet::Auth(Auth { reason, properties }),
            _ => Packet::Disconnect(Disconnect { reason, properties }),
        }
    }
}

impl ListedShape {
    fn of(packet: &Packet<'_>, frame: &[u8]) -> Option<Self> {
        let (packet_id, list, properties) = match packet {
            Packet::Subscribe(subscribe) => (
                subscribe.packet_id,
                subscribe.subscriptions.wire(),
                subscribe.properties,
            ),
            Packet::Suback(suback) => (
                suback.packet_id,
                (suback.reasons.wire(), Version::V5, false),
                suback.properties,
            ),
            Packet::Unsubscribe(unsubscribe) => (
                unsubscribe.packet_id,
                unsubscribe.filters.wire(),
                unsubscribe.properties,
            ),
            Packet::Unsuback(unsuback) => (
                unsuback.packet_id,
                (unsuback.reasons.wire(), Version::V5, false),
                unsuback.properties,
            ),
            _ => return None,
        };
        let (list, version, may_be_malformed) = list;
        let (list, properties) = (Span::of(list, frame), Span::of(properties.as_bytes(), frame));
        Some(Self {
            packet_type: packet.packet_type(),
            packet_id,
            list,
            properties,
            version,
            may_be_malformed,
        })
    }

    fn packet(self, frame: &[u8]) -> Packet<'_> {
        let Self {
            packet_id,
            version,
            may_be_malformed,
            ..
        } = self;
        let list = self.list.get(frame);
        let properties = self.properties.properties(frame);
        match self.packet_type {
            PacketType::Subscribe => {
                let subscriptions = Subscriptions::from_checked(list, version, may_be_malformed);
                Packet::Subscribe(Subscribe {
                    packet_id,
                    subscriptions,
                    properties,
                })
            }
            PacketType::Unsubscribe => {
                let filters = Filters::from_checked(list, version, may_be_malformed);
                Packet::Unsubscribe(Unsubscribe {
                    packet_id,
                    filters,
                    properties,
                })
            }
            PacketType::Suback => {
                let reasons = ReasonCodes::from_checked(list);
                Packet::Suback(Suback {
                    packet_id,
                    reasons,
                    properties,
                })
            }
            _ => {
                let reasons = ReasonCodes::from_checked(list);
                Packet::Unsuback(Unsuback {
                    packet_id,
                    reasons,
                    properties,
                })
            }
        }
    }
}
