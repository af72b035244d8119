//! Which normative statement a broken rule belongs to: the identifiers of the OASIS standards of 3.1.1 (29 October 2014)
//! and 5.0 (7 March 2019).

use crate::error::ErrorKind;
use crate::packet::PacketType;
use crate::version::Version;

pub(crate) const fn of(
    kind: ErrorKind,
    packet: Option<PacketType>,
    version: Version,
) -> Option<&'static str> {
    let statement = match version {
        Version::V5 => of_v5(kind, packet),
        Version::V31 | Version::V311 => of_v3(kind, packet),
    };
    match (statement, packet) {
        // The server validates that a CONNECT conforms to section 3.1, where nothing says it better.
        (None, Some(PacketType::Connect)) if is_malformed(kind) => Some("MQTT-3.1.4-1"),
        _ => statement,
    }
}

/// Whether it is the packet that is wrong, not a limit or the caller.
const fn is_malformed(kind: ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::PacketTooLarge
            | ErrorKind::WrongDirection
            | ErrorKind::ControlCharacter
            | ErrorKind::FieldTooLong
            | ErrorKind::NotInVersion
            | ErrorKind::BufferTooShort
    )
}

const fn of_v3(kind: ErrorKind, packet: Option<PacketType>) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::InvalidUtf8 => "MQTT-1.5.3-1",
        ErrorKind::NulCharacter => "MQTT-1.5.3-2",
        ErrorKind::InvalidFlags => match flags(packet) {
            Some(statement) => statement,
            None => "MQTT-2.2.2-2",
        },
        ErrorKind::ZeroPacketId => match packet {
            Some(PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp) => {
                "MQTT-2.3.1-6"
            }
            Some(PacketType::Suback | PacketType::Unsuback) => "MQTT-2.3.1-7",
            _ => "MQTT-2.3.1-1",
        },
        ErrorKind::WillQosWithoutWill => "MQTT-3.1.2-13",
        ErrorKind::WillRetainWithoutWill => "MQTT-3.1.2-15",
        ErrorKind::PasswordWithoutUserName => "MQTT-3.1.2-22",
        ErrorKind::InvalidClientIdentifier => "MQTT-3.1.3-8",
        ErrorKind::SessionPresentInRefusal => "MQTT-3.2.2-4",
        ErrorKind::MisplacedMultiLevelWildcard => "MQTT-4.7.1-2",
        ErrorKind::MisplacedSingleLevelWildcard => "MQTT-4.7.1-3",
        ErrorKind::WildcardInTopicName if !is_publish(packet) => "MQTT-4.7.1-1",
        ErrorKind::InvalidQos => match packet {
            Some(PacketType::Connect) => "MQTT-3.1.2-14",
            // The hyphen is the standard's.
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
            Some(PacketType::Suback) => "MQTT-3.8.4-5",
            _ => return None,
        },
        ErrorKind::InvalidReasonCode => match packet {
            Some(PacketType::Connack) => "MQTT-3.2.2-6",
            Some(PacketType::Suback) => "MQTT-3.9.3-2",
            _ => return None,
        },
        _ => return of_both(kind),
    })
}

const fn of_v5(kind: ErrorKind, packet: Option<PacketType>) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::InvalidUtf8 => "MQTT-1.5.4-1",
        ErrorKind::NulCharacter => "MQTT-1.5.4-2",
        ErrorKind::InvalidVariableByteInteger => "MQTT-1.5.5-1",
        ErrorKind::InvalidFlags => match flags(packet) {
            Some(statement) => statement,
            None => "MQTT-2.1.3-1",
        },
        ErrorKind::ZeroPacketId => match packet {
            Some(PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp) => {
                "MQTT-2.2.1-5"
            }
            Some(PacketType::Suback | PacketType::Unsuback) => "MQTT-2.2.1-6",
            _ => "MQTT-2.2.1-3",
        },
        ErrorKind::WillQosWithoutWill => "MQTT-3.1.2-11",
        ErrorKind::WillRetainWithoutWill => "MQTT-3.1.2-13",
        ErrorKind::SessionPresentInRefusal => "MQTT-3.2.2-6",
        ErrorKind::WildcardInTopicName if !is_publish(packet) => "MQTT-4.7.0-1",
        ErrorKind::MisplacedMultiLevelWildcard => "MQTT-4.7.1-1",
        ErrorKind::MisplacedSingleLevelWildcard => "MQTT-4.7.1-2",
        ErrorKind::WildcardInResponseTopic => "MQTT-3.3.2-14",
        ErrorKind::ZeroTopicAlias => "MQTT-3.3.2-8",
        ErrorKind::SubscriptionIdentifierFromClient => "MQTT-3.3.4-6",
        ErrorKind::SessionExpiryIntervalFromServer => "MQTT-3.14.2-2",
        ErrorKind::NoLocalOnShared => "MQTT-3.8.3-4",
        ErrorKind::EmptyShareName => "MQTT-4.8.2-1",
        ErrorKind::InvalidSharedSubscription => "MQTT-4.8.2-2",
        ErrorKind::InvalidQos => match packet {
            Some(PacketType::Connect) => "MQTT-3.1.2-12",
            Some(PacketType::Publish) => "MQTT-3.3.1-4",
            _ => return None,
        },
        ErrorKind::ReservedBits => match packet {
            Some(PacketType::Connack) => "MQTT-3.2.2-1",
            Some(PacketType::Subscribe) => "MQTT-3.8.3-5",
            _ => return None,
        },
        ErrorKind::EmptyList => match packet {
            Some(PacketType::Subscribe) => "MQTT-3.8.3-2",
            Some(PacketType::Unsubscribe) => "MQTT-3.10.3-2",
            Some(PacketType::Suback) => "MQTT-3.8.4-6",
            _ => return None,
        },
        ErrorKind::InvalidReasonCode => return reason_code(packet),
        ErrorKind::MissingAuthenticationMethod => match packet {
            Some(PacketType::Auth) => "MQTT-4.12.0-5",
            _ => return None,
        },
        _ => return of_both(kind),
    })
}

/// Statements that have the same identifier in both standards.
const fn of_both(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::InvalidProtocolName => "MQTT-3.1.2-1",
        ErrorKind::UnsupportedProtocolLevel => "MQTT-3.1.2-2",
        ErrorKind::ReservedConnectFlag => "MQTT-3.1.2-3",
        ErrorKind::DupAtMostOnce => "MQTT-3.3.1-2",
        ErrorKind::WildcardInTopicName => "MQTT-3.3.2-2",
        ErrorKind::EmptyTopicName | ErrorKind::EmptyTopicFilter => "MQTT-4.7.3-1",
        _ => return None,
    })
}

const fn flags(packet: Option<PacketType>) -> Option<&'static str> {
    Some(match packet {
        Some(PacketType::Pubrel) => "MQTT-3.6.1-1",
        Some(PacketType::Subscribe) => "MQTT-3.8.1-1",
        Some(PacketType::Unsubscribe) => "MQTT-3.10.1-1",
        Some(PacketType::Disconnect) => "MQTT-3.14.1-1",
        Some(PacketType::Auth) => "MQTT-3.15.1-1",
        _ => return None,
    })
}

const fn reason_code(packet: Option<PacketType>) -> Option<&'static str> {
    Some(match packet {
        Some(PacketType::Connack) => "MQTT-3.2.2-8",
        Some(PacketType::Puback) => "MQTT-3.4.2-1",
        Some(PacketType::Pubrec) => "MQTT-3.5.2-1",
        Some(PacketType::Pubrel) => "MQTT-3.6.2-1",
        Some(PacketType::Pubcomp) => "MQTT-3.7.2-1",
        Some(PacketType::Suback) => "MQTT-3.9.3-2",
        Some(PacketType::Unsuback) => "MQTT-3.11.3-2",
        Some(PacketType::Disconnect) => "MQTT-3.14.2-1",
        Some(PacketType::Auth) => "MQTT-3.15.2-1",
        _ => return None,
    })
}

const fn is_publish(packet: Option<PacketType>) -> bool {
    matches!(packet, Some(PacketType::Publish))
}
