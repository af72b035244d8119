//! Which normative statement a broken rule belongs to.

use crate::error::ErrorKind;
use crate::packet::PacketType;
use crate::version::Version;

pub(crate) const fn of(
    kind: ErrorKind,
    packet: Option<PacketType>,
    version: Version,
) -> Option<&'static str> {
    match version {
        Version::V5 => of_v5(kind, packet),
        Version::V31 | Version::V311 => of_v3(kind, packet),
    }
}

const fn of_v3(kind: ErrorKind, packet: Option<PacketType>) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::InvalidUtf8 => "MQTT-1.5.3-1",
        ErrorKind::NulCharacter => "MQTT-1.5.3-2",
        ErrorKind::InvalidFlags => "MQTT-2.2.2-2",
        ErrorKind::ZeroPacketId => "MQTT-2.3.1-1",
        ErrorKind::InvalidProtocolName => "MQTT-3.1.2-1",
        ErrorKind::UnsupportedProtocolLevel => "MQTT-3.1.2-2",
        ErrorKind::ReservedConnectFlag => "MQTT-3.1.2-3",
        ErrorKind::WillFlagsWithoutWill => "MQTT-3.1.2-11",
        ErrorKind::PasswordWithoutUserName => "MQTT-3.1.2-22",
        ErrorKind::InvalidClientIdentifier => "MQTT-3.1.3-8",
        ErrorKind::SessionPresentInRefusal => "MQTT-3.2.2-4",
        ErrorKind::DupAtMostOnce => "MQTT-3.3.1-2",
        ErrorKind::EmptyTopicName | ErrorKind::EmptyTopicFilter => "MQTT-4.7.3-1",
        ErrorKind::WildcardInTopicName => "MQTT-3.3.2-2",
        ErrorKind::MisplacedWildcard => "MQTT-4.7.1-2",
        ErrorKind::InvalidQos => match packet {
            Some(PacketType::Connect) => "MQTT-3.1.2-14",
            Some(PacketType::Subscribe) => "MQTT-3-8.3-4",
            _ => "MQTT-3.3.1-4",
        },
        ErrorKind::ReservedBits => match packet {
            Some(PacketType::Subscribe) => "MQTT-3-8.3-4",
            _ => return None,
        },
        ErrorKind::EmptyList => match packet {
            Some(PacketType::Subscribe) => "MQTT-3.8.3-3",
            Some(PacketType::Unsubscribe) => "MQTT-3.10.3-2",
            _ => return None,
        },
        ErrorKind::InvalidReasonCode => match packet {
            Some(PacketType::Suback) => "MQTT-3.9.3-2",
            _ => return None,
        },
        _ => return None,
    })
}

const fn of_v5(kind: ErrorKind, packet: Option<PacketType>) -> Option<&'static str> {
    let _ = packet;
    of_v3(kind, packet)
}
