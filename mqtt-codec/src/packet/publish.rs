use super::tail;
use crate::delivery::{Delivery, QoS};
use crate::error::ErrorKind;
use crate::packet::PacketType;
use crate::policy::Policy;
use crate::property::{self, Properties, PropertyScope};
use crate::reader::{Fault, Reader};
use crate::text::TopicName;
use crate::version::Version;
use crate::writer::Writer;

/// PUBLISH: a message on a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish<'a> {
    /// Where the message goes; [`TopicName::ALIASED`] beside a Topic Alias.
    pub topic: TopicName<'a>,
    /// The message.
    pub payload: &'a [u8],
    /// Empty in 3.1 and 3.1.1.
    pub properties: Properties<'a>,
    /// The quality of service and the packet identifier.
    pub delivery: Delivery,
    /// Whether this may be sent again; not with QoS 0.
    pub dup: bool,
    /// Towards a server: to be kept for later subscribers. From a server: it was kept.
    pub retain: bool,
}

impl<'a> Publish<'a> {
    /// A message with QoS 0, not retained, without properties.
    pub const fn new(topic: TopicName<'a>, payload: &'a [u8]) -> Self {
        Self {
            topic,
            payload,
            properties: Properties::EMPTY,
            delivery: Delivery::AtMostOnce,
            dup: false,
            retain: false,
        }
    }

    #[inline(always)]
    pub(crate) fn decode(
        mut reader: Reader<'a>,
        flags: u8,
        version: Version,
        policy: &Policy,
    ) -> Result<Self, Fault> {
        let start = reader;
        let (topic, named) = topic(&mut reader, version)?;
        // The fixed header was checked: the bits are not 3.
        let qos = QoS::from_bits(flags >> 1 & 3).unwrap_or_default();
        let delivery = match qos {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            // [MQTT-2.2.1-2] an identifier goes with QoS 1 and 2 only.
            qos => Delivery::new(qos, reader.packet_id()?),
        };
        let mut properties = Properties::EMPTY;
        if version == Version::V5 {
            let seen;
            (properties, seen) = tail::properties(&mut reader, PropertyScope::Publish, policy)?;
            // 3.3.2.1: an empty topic name needs a Topic Alias.
            if !named && !seen.has_topic_alias() {
                return Err(start.fault(ErrorKind::EmptyTopicName));
            }
        }
        let payload = reader.rest();
        Ok(Self {
            topic,
            payload,
            properties,
            delivery,
            dup: flags & 0b1000 != 0,
            retain: flags & 1 != 0,
        })
    }

    /// The first byte of the fixed header.
    const fn first_byte(&self) -> u8 {
        (PacketType::Publish as u8) << 4
            | (self.dup as u8) << 3
            | self.delivery.qos().bits() << 1
            | self.retain as u8
    }

    /// The length of what stands between the fixed header and the payload.
    #[inline]
    pub(crate) fn variable_header_len(&self, version: Version) -> Result<usize, ErrorKind> {
        // [MQTT-3.3.1-2]
        if self.dup && self.delivery == Delivery::AtMostOnce && version != Version::V31 {
            return Err(ErrorKind::DupAtMostOnce);
        }
        let id = match self.delivery {
            Delivery::AtMostOnce => 0,
            _ => 2,
        };
        let topic = 2 + self.topic.as_bytes().len();
        if version != Version::V5 {
            if self.topic.is_aliased() {
                return Err(ErrorKind::EmptyTopicName);
            }
            return match self.properties.is_empty() {
                true => Ok(topic + id),
                false => Err(ErrorKind::NotInVersion),
            };
        }
        let seen = property::check_encoded(self.properties.as_bytes(), PropertyScope::Publish)?;
        if self.topic.is_aliased() && !seen.has_topic_alias() {
            return Err(ErrorKind::EmptyTopicName);
        }
        Ok(topic + id + tail::block_len(self.properties))
    }

    #[inline]
    pub(crate) fn write_head(&self, version: Version, remaining: usize, writer: &mut Writer<'_>) {
        writer.u8(self.first_byte());
        writer.variable_byte_integer(remaining as u32);
        writer.field(self.topic.as_bytes());
        if let Some(id) = self.delivery.packet_id() {
            writer.packet_id(id);
        }
        if version == Version::V5 {
            tail::write_block(self.properties, writer);
        }
    }
}

/// The topic, and whether it has a name: in 5.0 an alias can stand for one.
#[inline]
fn topic<'a>(reader: &mut Reader<'a>, version: Version) -> Result<(TopicName<'a>, bool), Fault> {
    if version == Version::V5 && reader.rest().first_chunk() == Some(&[0, 0]) {
        reader.take(2)?;
        return Ok((TopicName::ALIASED, false));
    }
    Ok((reader.topic_name()?, true))
}
