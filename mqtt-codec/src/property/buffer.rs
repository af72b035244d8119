use core::fmt;

use super::table::{PropertyScope, Seen};
use super::{Properties, Property};
use crate::error::{Error, ErrorKind};
use crate::version::Version;
use crate::writer::{Writer, variable_byte_integer_len};

/// Builds a property block in the caller's bytes; what the block's packet may not carry is refused.
///
/// ```
/// use manywire_mqtt_codec::{PropertiesBuf, Property, PropertyScope, Text};
/// let mut bytes = [0; 64];
/// let mut properties = PropertiesBuf::new(PropertyScope::Publish, &mut bytes);
/// properties.push(Property::MessageExpiryInterval(60))?;
/// properties.push(Property::UserProperty(Text::new("unit")?, Text::new("K")?))?;
/// assert!(properties.push(Property::MessageExpiryInterval(61)).is_err()); // once is enough
/// assert_eq!(properties.properties().message_expiry_interval(), Some(60));
/// # Ok::<(), manywire_mqtt_codec::Error>(())
/// ```
pub struct PropertiesBuf<'b> {
    scope: PropertyScope,
    seen: Seen,
    bytes: &'b mut [u8],
    len: usize,
}

impl<'b> PropertiesBuf<'b> {
    /// An empty block for `scope`, to be written to `bytes`.
    pub const fn new(scope: PropertyScope, bytes: &'b mut [u8]) -> Self {
        Self {
            scope,
            seen: Seen::none(),
            bytes,
            len: 0,
        }
    }

    /// Adds a property behind the others.
    ///
    /// # Errors
    /// The block may not hold it, holds it already, or has no room for it; Authentication Data comes before its
    /// method. The block stays as it was.
    pub fn push(&mut self, property: Property<'_>) -> Result<(), Error> {
        let refuse = |kind| Error::new(kind, 0, None, Version::V5);
        let (seen, _) = self.seen.admit(property.id(), self.scope).map_err(refuse)?;
        if seen.lacks_authentication_method() {
            return Err(refuse(ErrorKind::MissingAuthenticationMethod));
        }
        property.check().map_err(refuse)?;
        let len = property.encoded_len();
        let room = self
            .bytes
            .get_mut(self.len..)
            .and_then(|rest| rest.get_mut(..len));
        property.write(&mut Writer::new(room.ok_or(refuse(ErrorKind::BufferTooShort))?));
        self.len += len;
        self.seen = seen;
        Ok(())
    }

    /// The block so far.
    pub fn properties(&self) -> Properties<'_> {
        Properties::from_checked(self.bytes.get(..self.len).unwrap_or_default())
    }

    /// The block, for as long as the bytes live.
    pub fn finish(self) -> Properties<'b> {
        Properties::from_checked(self.bytes.get(..self.len).unwrap_or_default())
    }
}

impl fmt::Debug for PropertiesBuf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PropertiesBuf")
            .field("scope", &self.scope)
            .field("properties", &self.properties())
            .finish()
    }
}

impl Property<'_> {
    /// How many bytes the property takes in a block, identifier included.
    pub fn encoded_len(&self) -> usize {
        1 + match self {
            Self::PayloadFormatIndicator(_)
            | Self::RequestProblemInformation(_)
            | Self::RequestResponseInformation(_)
            | Self::MaximumQos(_)
            | Self::RetainAvailable(_)
            | Self::WildcardSubscriptionAvailable(_)
            | Self::SubscriptionIdentifierAvailable(_)
            | Self::SharedSubscriptionAvailable(_) => 1,
            Self::ServerKeepAlive(_)
            | Self::ReceiveMaximum(_)
            | Self::TopicAliasMaximum(_)
            | Self::TopicAlias(_) => 2,
            Self::MessageExpiryInterval(_)
            | Self::SessionExpiryInterval(_)
            | Self::WillDelayInterval(_)
            | Self::MaximumPacketSize(_) => 4,
            Self::SubscriptionIdentifier(id) => variable_byte_integer_len(id.get() as usize),
            Self::ContentType(text)
            | Self::AssignedClientIdentifier(text)
            | Self::AuthenticationMethod(text)
            | Self::ResponseInformation(text)
            | Self::ServerReference(text)
            | Self::ReasonString(text) => 2 + text.as_bytes().len(),
            Self::ResponseTopic(topic) => 2 + topic.as_bytes().len(),
            Self::CorrelationData(data) | Self::AuthenticationData(data) => 2 + data.len(),
            Self::UserProperty(name, value) => 4 + name.as_bytes().len() + value.as_bytes().len(),
        }
    }

    /// The rules of values that their types do not keep.
    fn check(&self) -> Result<(), ErrorKind> {
        match self {
            Self::MaximumQos(crate::QoS::ExactlyOnce) => Err(ErrorKind::InvalidQos),
            Self::SubscriptionIdentifier(id) if id.get() > 268_435_455 => {
                Err(ErrorKind::InvalidPropertyValue)
            }
            Self::ResponseTopic(topic) if topic.is_aliased() => Err(ErrorKind::EmptyTopicName),
            Self::CorrelationData(data) | Self::AuthenticationData(data) if data.len() > 65_535 => {
                Err(ErrorKind::FieldTooLong)
            }
            _ => Ok(()),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(self.id());
        match self {
            Self::PayloadFormatIndicator(flag)
            | Self::RequestProblemInformation(flag)
            | Self::RequestResponseInformation(flag)
            | Self::RetainAvailable(flag)
            | Self::WildcardSubscriptionAvailable(flag)
            | Self::SubscriptionIdentifierAvailable(flag)
            | Self::SharedSubscriptionAvailable(flag) => writer.u8(u8::from(*flag)),
            Self::MaximumQos(qos) => writer.u8(qos.bits()),
            Self::ServerKeepAlive(value) | Self::TopicAliasMaximum(value) => writer.u16(*value),
            Self::ReceiveMaximum(value) | Self::TopicAlias(value) => writer.u16(value.get()),
            Self::MessageExpiryInterval(value)
            | Self::SessionExpiryInterval(value)
            | Self::WillDelayInterval(value) => writer.u32(*value),
            Self::MaximumPacketSize(value) => writer.u32(value.get()),
            Self::SubscriptionIdentifier(id) => writer.variable_byte_integer(id.get()),
            Self::ContentType(text)
            | Self::AssignedClientIdentifier(text)
            | Self::AuthenticationMethod(text)
            | Self::ResponseInformation(text)
            | Self::ServerReference(text)
            | Self::ReasonString(text) => writer.field(text.as_bytes()),
            Self::ResponseTopic(topic) => writer.field(topic.as_bytes()),
            Self::CorrelationData(data) | Self::AuthenticationData(data) => writer.field(data),
            Self::UserProperty(name, value) => {
                writer.field(name.as_bytes());
                writer.field(value.as_bytes());
            }
        }
    }
}
