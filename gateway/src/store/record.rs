//! A message as it is kept on disk.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use manywire_mqtt_codec::QoS;
use manywire_topics::{Dialect, Error, Form, TopicBuf};

use crate::ContentType;
use crate::message::{Message, Protocol};

impl Message {
    /// The topic as a path: the key of a retained message.
    ///
    /// # Errors
    /// The topic has no such form.
    pub(crate) fn topic_key(&self) -> Result<Vec<u8>, Error> {
        Ok(self.topic.display(Form::Path)?.to_string().into_bytes())
    }

    /// The message for the disk.
    ///
    /// # Errors
    /// The topic has no form as a path.
    pub(crate) fn to_record(&self) -> Result<Vec<u8>, Error> {
        let topic = self.topic_key()?;
        let content_type = self.content_type.as_ref().map_or("", ContentType::as_str);
        let created = self
            .created
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let mut record = Vec::with_capacity(64 + topic.len() + self.payload.len() + self.properties.len());
        record.push(FORMAT);
        record.push(self.qos.bits() | u8::from(self.retain) << 2);
        record.push(protocol_number(self.protocol));
        record.extend(
            u64::try_from(created.as_nanos())
                .unwrap_or(u64::MAX)
                .to_be_bytes(),
        );
        let expiry = self.expiry.map_or(u64::MAX, |expiry| {
            u64::try_from(expiry.as_millis()).unwrap_or(u64::MAX)
        });
        record.extend(expiry.to_be_bytes());
        for part in [
            &topic[..],
            self.publisher.as_bytes(),
            content_type.as_bytes(),
            &self.properties,
        ] {
            // A part is at most as long as a packet, which fits.
            record.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            record.extend(part);
        }
        record.extend(&self.payload);
        Ok(record)
    }

    /// The message from the disk; `None` if it is of another format or broken.
    pub(crate) fn from_record(record: Vec<u8>, dialect: Dialect) -> Option<Self> {
        let mut rest = Bytes::from(record);
        let [format, flags, protocol] = take(&mut rest)?;
        let created = Duration::from_nanos(u64::from_be_bytes(take(&mut rest)?));
        let expiry = u64::from_be_bytes(take(&mut rest)?);
        let [topic, publisher, content_type, properties] = [
            part(&mut rest)?,
            part(&mut rest)?,
            part(&mut rest)?,
            part(&mut rest)?,
        ];
        let topic = TopicBuf::parse(dialect, Form::Path, std::str::from_utf8(&topic).ok()?).ok()?;
        let content_type = std::str::from_utf8(&content_type).ok()?;
        let publisher: Arc<str> = std::str::from_utf8(&publisher).ok()?.into();
        let mut message = Self::new(topic, rest, publisher, protocol_of(protocol)?);
        message.qos = QoS::from_bits(flags & 3)?;
        message.retain = flags & 4 != 0;
        message.content_type = (!content_type.is_empty()).then(|| ContentType::parse(content_type));
        message.created = SystemTime::UNIX_EPOCH.checked_add(created)?;
        message.expiry = (expiry != u64::MAX).then(|| Duration::from_millis(expiry));
        message.properties = properties;
        (format == FORMAT).then_some(message)
    }
}

fn take<const N: usize>(rest: &mut Bytes) -> Option<[u8; N]> {
    let taken = *rest.first_chunk()?;
    *rest = rest.slice(N..);
    Some(taken)
}

fn part(rest: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(u32::from_be_bytes(take(rest)?)).ok()?;
    (length <= rest.len()).then(|| rest.split_to(length))
}

fn protocol_number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Http => 0,
        Protocol::WebSocket => 1,
        Protocol::Mqtt => 2,
        Protocol::Coap => 3,
    }
}

fn protocol_of(number: u8) -> Option<Protocol> {
    Protocol::ALL
        .into_iter()
        .find(|protocol| protocol_number(*protocol) == number)
}

/// The version of the format.
const FORMAT: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let topic = TopicBuf::parse(Dialect::Channels, Form::Mqtt, "channels/c/messages/a/b").unwrap();
        let mut message = Message::new(topic, "payload".into(), "thing".into(), Protocol::Coap);
        message.qos = QoS::ExactlyOnce;
        message.retain = true;
        message.content_type = Some(ContentType::SenmlCbor);
        message.expiry = Some(Duration::from_secs(9));
        message.properties = Bytes::from_static(b"\x26\0\x01a\0\x01b");
        message
    }

    #[test]
    fn a_message_is_the_same_after_the_disk() {
        let message = message();
        let read = Message::from_record(message.to_record().unwrap(), Dialect::Channels).unwrap();
        assert_eq!(format!("{read:?}"), format!("{message:?}"));
    }

    #[test]
    fn a_broken_record_is_no_message() {
        let record = message().to_record().unwrap();
        let payload = 7;
        for length in 0..record.len() - payload {
            assert!(
                Message::from_record(record[..length].to_vec(), Dialect::Channels).is_none(),
                "{length}"
            );
        }
        let mut other_format = record;
        other_format[0] = 2;
        assert!(Message::from_record(other_format, Dialect::Channels).is_none());
    }
}
