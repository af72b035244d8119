//! What a message, a filter and credentials are in MQTT.
//!
//! Pure functions: whoever has an MQTT client of their own builds the same topics and reads the same answers with them.

use std::fmt::Write as _;

use manywire_mqtt_codec::{self as codec, PropertiesBuf, Property, PropertyScope, Text};
use manywire_topics::{Dialect, FilterBuf, Form, Topic, TopicBuf};

use crate::{
    credentials::Credentials,
    error::{Refusal, RefusalKind},
    message::Message,
    qos::QoS,
    transport::{TransportError, TransportErrorKind},
};

/// The path of MQTT over WebSocket, when the URL names none.
pub const WEBSOCKET_PATH: &str = "/mqtt";

/// The WebSocket subprotocol of MQTT [MQTT-6.0.0-3].
pub const WEBSOCKET_SUBPROTOCOL: &str = "mqtt";

/// Writes the topic name of a topic over what `text` holds.
///
/// # Errors
///
/// The topic cannot be said in MQTT without becoming another one.
pub fn write_topic(topic: &TopicBuf, text: &mut String) -> Result<(), Refusal> {
    text.clear();
    let name = topic.as_topic().display(Form::Mqtt).map_err(not_in_mqtt)?;
    write!(text, "{name}").map_err(|_| Refusal::new(RefusalKind::Topic))
}

/// The topic filter of a filter. `>` becomes `#`, which also matches the level above: what is not asked for is dropped on arrival.
///
/// # Errors
///
/// The filter cannot be said in MQTT.
pub fn filter(filter: &FilterBuf) -> Result<String, Refusal> {
    Ok(filter
        .as_filter()
        .display(Form::Mqtt)
        .map_err(not_in_mqtt)?
        .to_string())
}

/// The topic of a topic name, or `None` when it is none of the platform's.
#[must_use]
pub fn topic(dialect: Dialect, name: &str) -> Option<TopicBuf> {
    Some(Topic::parse(dialect, Form::Mqtt, name).ok()?.to_buf())
}

/// The property block with which 5.0 carries a message, or with another scope a will: its content type and its lifetime.
///
/// # Errors
///
/// The content type is no string of MQTT.
pub fn properties(message: &Message, scope: PropertyScope) -> Result<Vec<u8>, codec::Error> {
    // Rounded up: a message is not to expire before its time.
    let seconds = message.expires_after.map(|lifetime| {
        let seconds = lifetime.as_secs() + u64::from(lifetime.subsec_nanos() > 0);
        Property::MessageExpiryInterval(u32::try_from(seconds).unwrap_or(u32::MAX))
    });
    let content_type = message
        .content_type
        .as_ref()
        .map(|name| Text::new(name.as_str()))
        .transpose()?;
    let properties = seconds.into_iter().chain(content_type.map(Property::ContentType));
    let mut bytes = vec![0; properties.clone().map(|property| property.encoded_len()).sum()];
    let mut block = PropertiesBuf::new(scope, &mut bytes);
    for property in properties {
        block.push(property)?;
    }
    Ok(bytes)
}

/// User name and password: a thing's id and key. A user's token goes alone, as the password.
#[must_use]
pub fn user_name_and_password(credentials: &Credentials) -> (&str, &str) {
    (credentials.id().unwrap_or_default(), credentials.secret())
}

/// What a refusing CONNACK means.
#[must_use]
pub fn refused(reason: codec::ReasonCode) -> TransportError {
    let kind = match reason {
        codec::ReasonCode::UnsupportedProtocolVersion => TransportErrorKind::Unsupported,
        // Of nothing but the credentials has the server seen anything yet; many say this of a wrong password too.
        codec::ReasonCode::NotAuthorized => TransportErrorKind::Refused(RefusalKind::Credentials),
        _ => TransportErrorKind::Refused(kind(reason)),
    };
    TransportError::new(kind).because(words(reason))
}

/// What a DISCONNECT from the server means.
#[must_use]
pub fn disconnected(disconnect: &codec::Disconnect<'_>) -> TransportError {
    let kind = match disconnect.reason {
        codec::ReasonCode::BadUserNameOrPassword | codec::ReasonCode::Banned => {
            TransportErrorKind::Refused(RefusalKind::Credentials)
        }
        _ => TransportErrorKind::Closed,
    };
    TransportError::new(kind).because(words(disconnect.reason))
}

/// What a refusing acknowledgement means.
#[must_use]
pub fn refusal(reason: codec::ReasonCode) -> Refusal {
    Refusal::new(kind(reason)).because(words(reason))
}

const fn kind(reason: codec::ReasonCode) -> RefusalKind {
    use codec::ReasonCode as Code;
    match reason {
        Code::BadUserNameOrPassword
        | Code::BadAuthenticationMethod
        | Code::Banned
        | Code::ClientIdentifierNotValid => RefusalKind::Credentials,
        // 3.1.1 has one code for every filter it does not grant.
        Code::NotAuthorized | Code::UnspecifiedError => RefusalKind::Forbidden,
        Code::TopicNameInvalid | Code::TopicFilterInvalid => RefusalKind::Topic,
        Code::PacketTooLarge => RefusalKind::TooLarge,
        Code::PayloadFormatInvalid => RefusalKind::ContentType,
        Code::ServerUnavailable
        | Code::ServerBusy
        | Code::ServerShuttingDown
        | Code::QuotaExceeded
        | Code::MessageRateTooHigh
        | Code::ConnectionRateExceeded => RefusalKind::Busy,
        Code::QosNotSupported
        | Code::RetainNotSupported
        | Code::SharedSubscriptionsNotSupported
        | Code::SubscriptionIdentifiersNotSupported
        | Code::WildcardSubscriptionsNotSupported => RefusalKind::Unsupported,
        Code::ImplementationSpecificError => RefusalKind::Internal,
        _ => RefusalKind::Other,
    }
}

fn words(reason: codec::ReasonCode) -> String {
    format!("{reason}, 0x{:02X}", reason.byte())
}

fn not_in_mqtt(error: manywire_topics::Error) -> Refusal {
    Refusal::new(RefusalKind::Topic).because(error.rule())
}

impl From<QoS> for codec::QoS {
    fn from(qos: QoS) -> Self {
        match qos {
            QoS::AtMostOnce => Self::AtMostOnce,
            QoS::AtLeastOnce => Self::AtLeastOnce,
            QoS::ExactlyOnce => Self::ExactlyOnce,
        }
    }
}

impl From<codec::QoS> for QoS {
    fn from(qos: codec::QoS) -> Self {
        match qos {
            codec::QoS::AtMostOnce => Self::AtMostOnce,
            codec::QoS::AtLeastOnce => Self::AtLeastOnce,
            codec::QoS::ExactlyOnce => Self::ExactlyOnce,
        }
    }
}
