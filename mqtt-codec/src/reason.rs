use core::fmt;

use crate::packet::PacketType;
use crate::version::Version;

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        /// Why something was done or refused: the reason codes of 5.0, and for CONNACK and SUBACK their counterparts
        /// in 3.1 and 3.1.1.
        ///
        /// 0x00 has other names in other packets: Normal disconnection, Granted QoS 0.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum ReasonCode {
            $(#[doc = $text] $(#[$doc])* $name = $value,)*
        }

        impl ReasonCode {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code of a byte; `None` if no packet of 5.0 defines it.
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($value => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The name the standard gives it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

reason_codes! {
    #[default] Success = 0x00, "Success";
    GrantedQos1 = 0x01, "Granted QoS 1";
    GrantedQos2 = 0x02, "Granted QoS 2";
    DisconnectWithWill = 0x04, "Disconnect with Will Message";
    NoMatchingSubscribers = 0x10, "No matching subscribers";
    NoSubscriptionExisted = 0x11, "No subscription existed";
    ContinueAuthentication = 0x18, "Continue authentication";
    ReAuthenticate = 0x19, "Re-authenticate";
    UnspecifiedError = 0x80, "Unspecified error";
    MalformedPacket = 0x81, "Malformed Packet";
    ProtocolError = 0x82, "Protocol Error";
    ImplementationSpecificError = 0x83, "Implementation specific error";
    UnsupportedProtocolVersion = 0x84, "Unsupported Protocol Version";
    ClientIdentifierNotValid = 0x85, "Client Identifier not valid";
    BadUserNameOrPassword = 0x86, "Bad User Name or Password";
    NotAuthorized = 0x87, "Not authorized";
    ServerUnavailable = 0x88, "Server unavailable";
    ServerBusy = 0x89, "Server busy";
    Banned = 0x8a, "Banned";
    ServerShuttingDown = 0x8b, "Server shutting down";
    BadAuthenticationMethod = 0x8c, "Bad authentication method";
    KeepAliveTimeout = 0x8d, "Keep Alive timeout";
    SessionTakenOver = 0x8e, "Session taken over";
    TopicFilterInvalid = 0x8f, "Topic Filter invalid";
    TopicNameInvalid = 0x90, "Topic Name invalid";
    PacketIdentifierInUse = 0x91, "Packet Identifier in use";
    PacketIdentifierNotFound = 0x92, "Packet Identifier not found";
    ReceiveMaximumExceeded = 0x93, "Receive Maximum exceeded";
    TopicAliasInvalid = 0x94, "Topic Alias invalid";
    PacketTooLarge = 0x95, "Packet too large";
    MessageRateTooHigh = 0x96, "Message rate too high";
    QuotaExceeded = 0x97, "Quota exceeded";
    AdministrativeAction = 0x98, "Administrative action";
    PayloadFormatInvalid = 0x99, "Payload format invalid";
    RetainNotSupported = 0x9a, "Retain not supported";
    QosNotSupported = 0x9b, "QoS not supported";
    UseAnotherServer = 0x9c, "Use another server";
    ServerMoved = 0x9d, "Server moved";
    SharedSubscriptionsNotSupported = 0x9e, "Shared Subscriptions not supported";
    ConnectionRateExceeded = 0x9f, "Connection rate exceeded";
    MaximumConnectTime = 0xa0, "Maximum connect time";
    SubscriptionIdentifiersNotSupported = 0xa1, "Subscription Identifiers not supported";
    WildcardSubscriptionsNotSupported = 0xa2, "Wildcard Subscriptions not supported";
}

impl ReasonCode {
    /// The byte of 5.0.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// Whether it refuses: 0x80 and above.
    pub const fn is_error(self) -> bool {
        self.byte() >= 0x80
    }

    /// The code with which a SUBACK grants a quality of service.
    pub const fn granted(qos: crate::QoS) -> Self {
        match qos {
            crate::QoS::AtMostOnce => Self::Success,
            crate::QoS::AtLeastOnce => Self::GrantedQos1,
            crate::QoS::ExactlyOnce => Self::GrantedQos2,
        }
    }

    /// The quality of service that a SUBACK grants with it; `None` if it refuses.
    pub const fn granted_qos(self) -> Option<crate::QoS> {
        crate::QoS::from_bits(self.byte())
    }

    /// The CONNACK return code of 3.1 and 3.1.1; `None` for a code they have no byte for.
    pub const fn return_code(self) -> Option<u8> {
        match self {
            Self::Success => Some(0),
            Self::UnsupportedProtocolVersion => Some(1),
            Self::ClientIdentifierNotValid => Some(2),
            Self::ServerUnavailable => Some(3),
            Self::BadUserNameOrPassword => Some(4),
            Self::NotAuthorized => Some(5),
            _ => None,
        }
    }

    /// The code of a CONNACK return code of 3.1 and 3.1.1; `None` above 5.
    pub const fn from_return_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Success),
            1 => Some(Self::UnsupportedProtocolVersion),
            2 => Some(Self::ClientIdentifierNotValid),
            3 => Some(Self::ServerUnavailable),
            4 => Some(Self::BadUserNameOrPassword),
            5 => Some(Self::NotAuthorized),
            _ => None,
        }
    }

    /// The byte this code is in a packet of a version; `None` if the packet does not define it there.
    pub(crate) const fn to_wire(self, packet: PacketType, version: Version) -> Option<u8> {
        if self.is_of(packet, version) {
            match (packet, version) {
                (PacketType::Connack, Version::V31 | Version::V311) => self.return_code(),
                _ => Some(self.byte()),
            }
        } else {
            None
        }
    }

    /// The code of a byte in a packet of a version; `None` if the packet does not define it there.
    pub(crate) const fn from_wire(byte: u8, packet: PacketType, version: Version) -> Option<Self> {
        let code = match (packet, version) {
            (PacketType::Connack, Version::V31 | Version::V311) => Self::from_return_code(byte),
            _ => Self::from_byte(byte),
        };
        match code {
            Some(code) if code.is_of(packet, version) => Some(code),
            _ => None,
        }
    }

    /// Whether a packet of a version defines the code: the tables of 3.2.2.2, 3.4.2.1 and so on.
    pub const fn is_of(self, packet: PacketType, version: Version) -> bool {
        let byte = self.byte();
        if !matches!(version, Version::V5) {
            return match packet {
                PacketType::Connack => self.return_code().is_some(),
                PacketType::Suback => matches!(byte, 0..=2 | 0x80),
                _ => byte == 0,
            };
        }
        match packet {
            PacketType::Connack => {
                matches!(byte, 0 | 0x80..=0x8a | 0x8c | 0x90 | 0x95 | 0x97 | 0x99..=0x9d | 0x9f)
            }
            PacketType::Puback | PacketType::Pubrec => {
                matches!(byte, 0 | 0x10 | 0x80 | 0x83 | 0x87 | 0x90 | 0x91 | 0x97 | 0x99)
            }
            PacketType::Pubrel | PacketType::Pubcomp => matches!(byte, 0 | 0x92),
            PacketType::Suback => {
                matches!(
                    byte,
                    0..=2 | 0x80 | 0x83 | 0x87 | 0x8f | 0x91 | 0x97 | 0x9e | 0xa1 | 0xa2
                )
            }
            PacketType::Unsuback => matches!(byte, 0 | 0x11 | 0x80 | 0x83 | 0x87 | 0x8f | 0x91),
            PacketType::Disconnect => matches!(
                byte,
                0 | 4 | 0x80..=0x83 | 0x87 | 0x89 | 0x8b | 0x8d..=0x90 | 0x93..=0xa2
            ),
            PacketType::Auth => matches!(byte, 0 | 0x18 | 0x19),
            _ => byte == 0,
        }
    }

    /// Whether only a client may send the code in this packet.
    pub(crate) const fn is_client_only(self, packet: PacketType) -> bool {
        match packet {
            PacketType::Disconnect => matches!(self, Self::DisconnectWithWill),
            PacketType::Auth => matches!(self, Self::ReAuthenticate),
            _ => false,
        }
    }

    /// Whether only a server may send the code in this packet.
    pub(crate) const fn is_server_only(self, packet: PacketType) -> bool {
        match packet {
            PacketType::Disconnect => matches!(
                self.byte(),
                0x87 | 0x89 | 0x8b | 0x8d..=0x8f | 0x9a..=0xa2
            ),
            PacketType::Auth => matches!(self, Self::Success),
            _ => false,
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
