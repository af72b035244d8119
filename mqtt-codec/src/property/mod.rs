//! The properties of 5.0: a block that was checked once, read lazily, in wire order.

mod buffer;
mod table;

pub use self::buffer::PropertiesBuf;
pub use self::table::PropertyScope;
pub(crate) use self::table::{Seen, check, check_encoded};

use core::fmt;
use core::num::{NonZeroU16, NonZeroU32};

use crate::delivery::QoS;
use crate::error::Error;
use crate::policy::Policy;
use crate::reader::{Fault, Reader};
use crate::text::{Text, TopicName};
use crate::version::Version;
use table::Wire;

/// One property with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Property<'a> {
    /// 0x01: whether the payload is UTF-8 text.
    PayloadFormatIndicator(bool),
    /// 0x02: in seconds.
    MessageExpiryInterval(u32),
    /// 0x03: a MIME type, by custom.
    ContentType(Text<'a>),
    /// 0x08: where an answer is expected.
    ResponseTopic(TopicName<'a>),
    /// 0x09: what the answer repeats.
    CorrelationData(&'a [u8]),
    /// 0x0B: 1 to 268,435,455. A PUBLISH carries one for each subscription that matched.
    SubscriptionIdentifier(NonZeroU32),
    /// 0x11: in seconds; 0xFFFF_FFFF does not expire.
    SessionExpiryInterval(u32),
    /// 0x12: the identifier a server gave a client that came without.
    AssignedClientIdentifier(Text<'a>),
    /// 0x13: in seconds; replaces the client's own.
    ServerKeepAlive(u16),
    /// 0x15: the name of the method.
    AuthenticationMethod(Text<'a>),
    /// 0x16: what the method says.
    AuthenticationData(&'a [u8]),
    /// 0x17: whether the server may explain refusals.
    RequestProblemInformation(bool),
    /// 0x18: in seconds.
    WillDelayInterval(u32),
    /// 0x19: whether the server is asked for Response Information.
    RequestResponseInformation(bool),
    /// 0x1A: what response topics are made from.
    ResponseInformation(Text<'a>),
    /// 0x1C: another server to use.
    ServerReference(Text<'a>),
    /// 0x1F: for a person to read.
    ReasonString(Text<'a>),
    /// 0x21: how many QoS 1 and 2 messages may be on their way at once.
    ReceiveMaximum(NonZeroU16),
    /// 0x22: the highest Topic Alias that is taken; 0 for none.
    TopicAliasMaximum(u16),
    /// 0x23: the number that stands for the topic.
    TopicAlias(NonZeroU16),
    /// 0x24: QoS 0 or 1; a server that takes QoS 2 leaves it out.
    MaximumQos(QoS),
    /// 0x25: whether the server keeps retained messages.
    RetainAvailable(bool),
    /// 0x26: name and value, as often as wanted, order kept.
    UserProperty(Text<'a>, Text<'a>),
    /// 0x27: in bytes, of the whole packet.
    MaximumPacketSize(NonZeroU32),
    /// 0x28: whether the server takes wildcards.
    WildcardSubscriptionAvailable(bool),
    /// 0x29: whether the server takes subscription identifiers.
    SubscriptionIdentifierAvailable(bool),
    /// 0x2A: whether the server takes shared subscriptions.
    SharedSubscriptionAvailable(bool),
}

impl<'a> Property<'a> {
    /// The identifier on the wire.
    pub const fn id(&self) -> u8 {
        match self {
            Self::PayloadFormatIndicator(_) => 0x01,
            Self::MessageExpiryInterval(_) => 0x02,
            Self::ContentType(_) => 0x03,
            Self::ResponseTopic(_) => 0x08,
            Self::CorrelationData(_) => 0x09,
            Self::SubscriptionIdentifier(_) => 0x0b,
            Self::SessionExpiryInterval(_) => 0x11,
            Self::AssignedClientIdentifier(_) => 0x12,
            Self::ServerKeepAlive(_) => 0x13,
            Self::AuthenticationMethod(_) => 0x15,
            Self::AuthenticationData(_) => 0x16,
            Self::RequestProblemInformation(_) => 0x17,
            Self::WillDelayInterval(_) => 0x18,
            Self::RequestResponseInformation(_) => 0x19,
            Self::ResponseInformation(_) => 0x1a,
            Self::ServerReference(_) => 0x1c,
            Self::ReasonString(_) => 0x1f,
            Self::ReceiveMaximum(_) => 0x21,
            Self::TopicAliasMaximum(_) => 0x22,
            Self::TopicAlias(_) => 0x23,
            Self::MaximumQos(_) => 0x24,
            Self::RetainAvailable(_) => 0x25,
            Self::UserProperty(..) => 0x26,
            Self::MaximumPacketSize(_) => 0x27,
            Self::WildcardSubscriptionAvailable(_) => 0x28,
            Self::SubscriptionIdentifierAvailable(_) => 0x29,
            Self::SharedSubscriptionAvailable(_) => 0x2a,
        }
    }

    /// The name the standard gives it, such as `Topic Alias`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PayloadFormatIndicator(_) => "Payload Format Indicator",
            Self::MessageExpiryInterval(_) => "Message Expiry Interval",
            Self::ContentType(_) => "Content Type",
            Self::ResponseTopic(_) => "Response Topic",
            Self::CorrelationData(_) => "Correlation Data",
            Self::SubscriptionIdentifier(_) => "Subscription Identifier",
            Self::SessionExpiryInterval(_) => "Session Expiry Interval",
            Self::AssignedClientIdentifier(_) => "Assigned Client Identifier",
            Self::ServerKeepAlive(_) => "Server Keep Alive",
            Self::AuthenticationMethod(_) => "Authentication Method",
            Self::AuthenticationData(_) => "Authentication Data",
            Self::RequestProblemInformation(_) => "Request Problem Information",
            Self::WillDelayInterval(_) => "Will Delay Interval",
            Self::RequestResponseInformation(_) => "Request Response Information",
            Self::ResponseInformation(_) => "Response Information",
            Self::ServerReference(_) => "Server Reference",
            Self::ReasonString(_) => "Reason String",
            Self::ReceiveMaximum(_) => "Receive Maximum",
            Self::TopicAliasMaximum(_) => "Topic Alias Maximum",
            Self::TopicAlias(_) => "Topic Alias",
            Self::MaximumQos(_) => "Maximum QoS",
            Self::RetainAvailable(_) => "Retain Available",
            Self::UserProperty(..) => "User Property",
            Self::MaximumPacketSize(_) => "Maximum Packet Size",
            Self::WildcardSubscriptionAvailable(_) => "Wildcard Subscription Available",
            Self::SubscriptionIdentifierAvailable(_) => "Subscription Identifier Available",
            Self::SharedSubscriptionAvailable(_) => "Shared Subscription Available",
        }
    }

    /// The next property of a block that was checked.
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let id = reader.u8().ok()?;
        Self::read_value(id, reader).ok().flatten()
    }

    fn read_value(id: u8, reader: &mut Reader<'a>) -> Result<Option<Self>, Fault> {
        Ok(match table::wire(id) {
            Wire::Flag | Wire::Byte => Self::of_byte(id, reader.u8()?),
            Wire::TwoBytes | Wire::TwoBytesNotZero => Self::of_u16(id, reader.u16()?),
            Wire::FourBytes | Wire::FourBytesNotZero => Self::of_u32(id, reader.u32()?),
            Wire::Variable => {
                NonZeroU32::new(reader.variable_byte_integer()?).map(Self::SubscriptionIdentifier)
            }
            Wire::Text | Wire::Topic | Wire::Binary => Self::of_bytes(id, reader.binary()?),
            Wire::Pair => {
                let name = Text::from_checked(reader.binary()?);
                Some(Self::UserProperty(name, Text::from_checked(reader.binary()?)))
            }
            Wire::Unknown => None,
        })
    }

    fn of_byte(id: u8, byte: u8) -> Option<Self> {
        let flag = byte != 0;
        Some(match id {
            0x01 => Self::PayloadFormatIndicator(flag),
            0x17 => Self::RequestProblemInformation(flag),
            0x19 => Self::RequestResponseInformation(flag),
            0x24 => Self::MaximumQos(QoS::from_bits(byte)?),
            0x25 => Self::RetainAvailable(flag),
            0x28 => Self::WildcardSubscriptionAvailable(flag),
            0x29 => Self::SubscriptionIdentifierAvailable(flag),
            0x2a => Self::SharedSubscriptionAvailable(flag),
            _ => return None,
        })
    }

    fn of_u16(id: u8, value: u16) -> Option<Self> {
        Some(match id {
            0x13 => Self::ServerKeepAlive(value),
            0x21 => Self::ReceiveMaximum(NonZeroU16::new(value)?),
            0x22 => Self::TopicAliasMaximum(value),
            0x23 => Self::TopicAlias(NonZeroU16::new(value)?),
            _ => return None,
        })
    }

    fn of_u32(id: u8, value: u32) -> Option<Self> {
        Some(match id {
            0x02 => Self::MessageExpiryInterval(value),
            0x11 => Self::SessionExpiryInterval(value),
            0x18 => Self::WillDelayInterval(value),
            0x27 => Self::MaximumPacketSize(NonZeroU32::new(value)?),
            _ => return None,
        })
    }

    fn of_bytes(id: u8, bytes: &'a [u8]) -> Option<Self> {
        let text = Text::from_checked(bytes);
        Some(match id {
            0x03 => Self::ContentType(text),
            0x08 => Self::ResponseTopic(TopicName::from_checked(bytes)),
            0x09 => Self::CorrelationData(bytes),
            0x12 => Self::AssignedClientIdentifier(text),
            0x15 => Self::AuthenticationMethod(text),
            0x16 => Self::AuthenticationData(bytes),
            0x1a => Self::ResponseInformation(text),
            0x1c => Self::ServerReference(text),
            0x1f => Self::ReasonString(text),
            _ => return None,
        })
    }
}

/// A property block that obeys the rules of the packet it came from or was built for.
///
/// It is the bytes of the block without its length; looking one up walks them. Empty in 3.1 and 3.1.1.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Properties<'a>(&'a [u8]);

impl<'a> Properties<'a> {
    /// No properties.
    pub const EMPTY: Properties<'static> = Properties(&[]);

    pub(crate) const fn from_checked(block: &'a [u8]) -> Self {
        Self(block)
    }

    /// Checks a block that was kept as bytes, without its length.
    ///
    /// # Errors
    /// What a packet of `scope` may not carry.
    pub fn parse(block: &'a [u8], scope: PropertyScope) -> Result<Self, Error> {
        match check(block, scope, &Policy::STRICT) {
            Ok(_) => Ok(Self(block)),
            Err(fault) => Err(Error::new(fault.kind, 0, None, Version::V5)),
        }
    }

    /// The block as it is on the wire, without its length.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The properties in the order they are sent.
    pub const fn iter(self) -> PropertyIter<'a> {
        PropertyIter(Reader::of_checked(self.0))
    }

    fn find<T>(self, pick: impl Fn(Property<'a>) -> Option<T>) -> Option<T> {
        self.iter().find_map(pick)
    }

    /// The name and value of every User Property, in order.
    pub fn user_properties(self) -> impl Iterator<Item = (Text<'a>, Text<'a>)> {
        self.iter().filter_map(|property| match property {
            Property::UserProperty(name, value) => Some((name, value)),
            _ => None,
        })
    }

    /// Every Subscription Identifier, in order.
    pub fn subscription_identifiers(self) -> impl Iterator<Item = NonZeroU32> {
        self.iter().filter_map(|property| match property {
            Property::SubscriptionIdentifier(id) => Some(id),
            _ => None,
        })
    }
}

macro_rules! getters {
    ($($name:ident: $variant:ident => $type:ty;)*) => {
        impl<'a> Properties<'a> {
            $(
                #[doc = concat!("The value of [`Property::", stringify!($variant), "`], if the block holds one.")]
                pub fn $name(self) -> Option<$type> {
                    self.find(|property| match property {
                        Property::$variant(value) => Some(value),
                        _ => None,
                    })
                }
            )*
        }
    };
}

getters! {
    payload_format_indicator: PayloadFormatIndicator => bool;
    message_expiry_interval: MessageExpiryInterval => u32;
    content_type: ContentType => Text<'a>;
    response_topic: ResponseTopic => TopicName<'a>;
    correlation_data: CorrelationData => &'a [u8];
    session_expiry_interval: SessionExpiryInterval => u32;
    assigned_client_identifier: AssignedClientIdentifier => Text<'a>;
    server_keep_alive: ServerKeepAlive => u16;
    authentication_method: AuthenticationMethod => Text<'a>;
    authentication_data: AuthenticationData => &'a [u8];
    request_problem_information: RequestProblemInformation => bool;
    will_delay_interval: WillDelayInterval => u32;
    request_response_information: RequestResponseInformation => bool;
    response_information: ResponseInformation => Text<'a>;
    server_reference: ServerReference => Text<'a>;
    reason_string: ReasonString => Text<'a>;
    receive_maximum: ReceiveMaximum => NonZeroU16;
    topic_alias_maximum: TopicAliasMaximum => u16;
    topic_alias: TopicAlias => NonZeroU16;
    maximum_qos: MaximumQos => QoS;
    retain_available: RetainAvailable => bool;
    maximum_packet_size: MaximumPacketSize => NonZeroU32;
    wildcard_subscription_available: WildcardSubscriptionAvailable => bool;
    subscription_identifier_available: SubscriptionIdentifierAvailable => bool;
    shared_subscription_available: SharedSubscriptionAvailable => bool;
}

impl fmt::Debug for Properties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for Properties<'a> {
    type Item = Property<'a>;
    type IntoIter = PropertyIter<'a>;

    fn into_iter(self) -> PropertyIter<'a> {
        self.iter()
    }
}

/// The properties of a block, in wire order.
#[derive(Clone)]
pub struct PropertyIter<'a>(Reader<'a>);

impl<'a> Iterator for PropertyIter<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        Property::read(&mut self.0)
    }
}

impl fmt::Debug for PropertyIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
