use core::fmt;

use thiserror::Error as ThisError;

use crate::packet::PacketType;
use crate::reason::ReasonCode;
use crate::statement;
use crate::version::Version;

/// What is wrong with a packet, where, and in which packet: eight bytes, no strings.
///
/// From these follow the normative statement that was broken ([`statement`](Self::statement)) and what to answer
/// ([`reason_code`](Self::reason_code) in 5.0, [`connack_code`](Self::connack_code) in 3.1 and 3.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Error {
    at: u32,
    kind: ErrorKind,
    packet: Option<PacketType>,
    version: Version,
}

/// The rule that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ThisError)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Packet type 0, or 15 before 5.0.
    #[error("packet type is reserved")]
    ReservedPacketType,
    /// Flags of the fixed header that this packet type may not have.
    #[error("flags of the fixed header are not those of the packet type")]
    InvalidFlags,
    /// A PUBLISH, a will or a subscription with QoS 3, or a Maximum QoS above 1.
    #[error("quality of service is not one")]
    InvalidQos,
    /// A PUBLISH with DUP and QoS 0.
    #[error("dup is set on qos 0")]
    DupAtMostOnce,
    /// A variable byte integer of five bytes, or with more bytes than it needs.
    #[error("variable byte integer is not the shortest of at most four bytes")]
    InvalidVariableByteInteger,
    /// The packet is larger than the policy or the protocol allows.
    #[error("packet is too large")]
    PacketTooLarge,
    /// A packet, property or reason code that the other side may not send.
    #[error("sender may not send this")]
    WrongDirection,
    /// A field runs past the end of the packet or of its block.
    #[error("field runs past its end")]
    Truncated,
    /// Bytes are left after the last field.
    #[error("bytes after the last field")]
    TrailingBytes,
    /// Not well-formed UTF-8.
    #[error("string is not utf-8")]
    InvalidUtf8,
    /// A string with U+0000.
    #[error("string holds u+0000")]
    NulCharacter,
    /// A string with a control character, refused by policy.
    #[error("string holds a control character")]
    ControlCharacter,
    /// A string or binary field of more than 65,535 bytes.
    #[error("field is longer than 65535 bytes")]
    FieldTooLong,
    /// A topic name without characters (in 5.0: and without Topic Alias).
    #[error("topic name is empty")]
    EmptyTopicName,
    /// A topic name with `+` or `#`.
    #[error("topic name holds a wildcard")]
    WildcardInTopicName,
    /// A topic filter without characters.
    #[error("topic filter is empty")]
    EmptyTopicFilter,
    /// A topic filter whose `#` is not a level of its own, or not the last one.
    #[error("# is not the whole last level of the filter")]
    MisplacedMultiLevelWildcard,
    /// A topic filter whose `+` is not a level of its own.
    #[error("+ is not a whole level of the filter")]
    MisplacedSingleLevelWildcard,
    /// `$share/` without a share name.
    #[error("shared subscription has no share name")]
    EmptyShareName,
    /// A share name with a wildcard, or not followed by `/` and a filter.
    #[error("shared subscription is not $share/name/filter")]
    InvalidSharedSubscription,
    /// No Local on a shared subscription.
    #[error("no local on a shared subscription")]
    NoLocalOnShared,
    /// A packet identifier of zero.
    #[error("packet identifier is zero")]
    ZeroPacketId,
    /// A protocol name that is not the one of a version.
    #[error("protocol name is unknown")]
    InvalidProtocolName,
    /// A protocol level that is not 3, 4 or 5, or not that of the protocol name.
    #[error("protocol level is not supported")]
    UnsupportedProtocolLevel,
    /// Bit 0 of the connect flags is set.
    #[error("reserved connect flag is set")]
    ReservedConnectFlag,
    /// Will QoS without a will.
    #[error("will qos without a will")]
    WillQosWithoutWill,
    /// Will Retain without a will.
    #[error("will retain without a will")]
    WillRetainWithoutWill,
    /// A password without a user name, before 5.0.
    #[error("password without a user name")]
    PasswordWithoutUserName,
    /// An empty client identifier that wants a persistent session (3.1.1), or a length other than 1 to 23 (3.1).
    #[error("client identifier is not allowed")]
    InvalidClientIdentifier,
    /// Reserved bits of the acknowledge flags or the subscription options.
    #[error("reserved bits are set")]
    ReservedBits,
    /// Session Present beside a refusal.
    #[error("session present in a refusal")]
    SessionPresentInRefusal,
    /// Retain Handling 3.
    #[error("retain handling is 3")]
    InvalidRetainHandling,
    /// A SUBSCRIBE, UNSUBSCRIBE, SUBACK or UNSUBACK without an entry.
    #[error("list is empty")]
    EmptyList,
    /// A reason code or return code that this packet does not define.
    #[error("reason code is not one of this packet")]
    InvalidReasonCode,
    /// A property identifier that is not defined.
    #[error("property is unknown")]
    UnknownProperty,
    /// A property that this packet may not carry.
    #[error("property is not one of this packet")]
    MisplacedProperty,
    /// A property that may appear once appears again.
    #[error("property appears twice")]
    DuplicateProperty,
    /// A property value outside its range.
    #[error("property value is out of range")]
    InvalidPropertyValue,
    /// A Response Topic with `+` or `#`.
    #[error("response topic holds a wildcard")]
    WildcardInResponseTopic,
    /// A Subscription Identifier in a PUBLISH from a client.
    #[error("subscription identifier from a client")]
    SubscriptionIdentifierFromClient,
    /// A Session Expiry Interval in a DISCONNECT from a server.
    #[error("session expiry interval from a server")]
    SessionExpiryIntervalFromServer,
    /// A Topic Alias of zero.
    #[error("topic alias is zero")]
    ZeroTopicAlias,
    /// Authentication Data without Authentication Method, or AUTH without the latter.
    #[error("authentication method is missing")]
    MissingAuthenticationMethod,
    /// Encoding: something that the version asked for has no bytes for.
    #[error("version has no bytes for this")]
    NotInVersion,
    /// Encoding: the buffer is shorter than the packet.
    #[error("buffer is too short")]
    BufferTooShort,
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind, at: u32, packet: Option<PacketType>, version: Version) -> Self {
        Self {
            at,
            kind,
            packet,
            version,
        }
    }

    /// An error outside any packet.
    pub(crate) fn bare((kind, at): (ErrorKind, usize)) -> Self {
        Self::new(kind, u32::try_from(at).unwrap_or(u32::MAX), None, Version::V5)
    }

    /// The rule that was broken.
    pub const fn kind(self) -> ErrorKind {
        self.kind
    }

    /// Where: an offset in bytes from the start of the packet, or of the string for the constructors of strings.
    /// Zero for a fault found while encoding.
    pub const fn at(self) -> usize {
        self.at as usize
    }

    /// The packet it is in; `None` outside of a packet and for a reserved packet type.
    pub const fn packet(self) -> Option<PacketType> {
        self.packet
    }

    /// The version by whose rules the packet was judged.
    pub const fn version(self) -> Version {
        self.version
    }

    /// The identifier of the normative statement that was broken, such as `MQTT-3.3.2-2`: of 5.0 or of 3.1.1, by the
    /// packet's version; for 3.1, which has none, that of 3.1.1; outside a packet that of 5.0. `None` where the standard says it in plain prose only, and for faults of the caller.
    pub const fn statement(self) -> Option<&'static str> {
        statement::of(self.kind, self.packet, self.version)
    }

    /// What a 5.0 CONNACK or DISCONNECT says about it.
    pub const fn reason_code(self) -> ReasonCode {
        match self.kind {
            ErrorKind::PacketTooLarge => ReasonCode::PacketTooLarge,
            ErrorKind::WildcardInTopicName | ErrorKind::WildcardInResponseTopic => {
                ReasonCode::TopicNameInvalid
            }
            ErrorKind::EmptyTopicFilter
            | ErrorKind::MisplacedMultiLevelWildcard
            | ErrorKind::MisplacedSingleLevelWildcard
            | ErrorKind::EmptyShareName
            | ErrorKind::InvalidSharedSubscription => ReasonCode::TopicFilterInvalid,
            ErrorKind::InvalidProtocolName | ErrorKind::UnsupportedProtocolLevel => {
                ReasonCode::UnsupportedProtocolVersion
            }
            ErrorKind::InvalidClientIdentifier => ReasonCode::ClientIdentifierNotValid,
            ErrorKind::ZeroTopicAlias => ReasonCode::TopicAliasInvalid,
            ErrorKind::EmptyTopicName
            | ErrorKind::WrongDirection
            | ErrorKind::SubscriptionIdentifierFromClient
            | ErrorKind::SessionExpiryIntervalFromServer
            | ErrorKind::NoLocalOnShared
            | ErrorKind::InvalidRetainHandling
            | ErrorKind::EmptyList
            | ErrorKind::ZeroPacketId
            | ErrorKind::DuplicateProperty
            | ErrorKind::InvalidPropertyValue
            | ErrorKind::MissingAuthenticationMethod => ReasonCode::ProtocolError,
            ErrorKind::BufferTooShort | ErrorKind::NotInVersion => ReasonCode::ImplementationSpecificError,
            _ => ReasonCode::MalformedPacket,
        }
    }

    /// The CONNACK return code of 3.1 and 3.1.1 that answers it; `None` where the connection is closed without one.
    pub const fn connack_code(self) -> Option<u8> {
        match self.kind {
            // [MQTT-3.1.2-2]
            ErrorKind::UnsupportedProtocolLevel => Some(1),
            // [MQTT-3.1.3-8]
            ErrorKind::InvalidClientIdentifier => Some(2),
            _ => None,
        }
    }
}

impl core::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(packet) = self.packet {
            write!(f, "{packet}: ")?;
        }
        write!(f, "{} at byte {}", self.kind, self.at)?;
        match self.statement() {
            Some(statement) => write!(f, " [{statement}]"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("at", &self.at)
            .field("packet", &self.packet)
            .field("version", &self.version)
            .finish()
    }
}
