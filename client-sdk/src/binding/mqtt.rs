//! What a message, a filter and credentials are in MQTT.
//!
//! Pure functions: whoever has an MQTT client of their own builds the same topics and reads the same answers with them.

use std::{fmt::Write as _, num::NonZeroU16, time::Duration};

use bytes::Bytes;
use manywire_mqtt_codec::{self as codec, PropertiesBuf, Property, PropertyScope, Text, TopicName};
use manywire_topics::{Dialect, FilterBuf, Form, Topic, TopicBuf};

use crate::{
    credentials::Credentials,
    error::{Refusal, RefusalKind},
    message::{ContentType, Message},
    properties::Properties,
    qos::QoS,
    transport::{Received, TransportError, TransportErrorKind},
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

/// The filter of a shared subscription, `$share/<group>/<filter>` (5.0, §4.8.2).
///
/// # Errors
///
/// The group is empty or holds `/`, `+` or `#` [MQTT-4.8.2-2]; the filter cannot be said in MQTT.
pub fn shared_filter(group: &str, shared: &FilterBuf) -> Result<String, Refusal> {
    if group.is_empty() || group.contains(['/', '+', '#', '\0']) {
        return Err(Refusal::new(RefusalKind::Topic)
            .because("the name of a group is not empty and has no `/`, `+`, `#`"));
    }
    Ok(format!("$share/{group}/{}", filter(shared)?))
}

/// The topic of a topic name, or `None` when it is none of the platform's.
#[must_use]
pub fn topic(dialect: Dialect, name: &str) -> Option<TopicBuf> {
    Some(Topic::parse(dialect, Form::Mqtt, name).ok()?.to_buf())
}

/// The properties with which 5.0 carries a message, or with another scope a will, in these bytes: content type, lifetime and
/// what the application added. `alias` is the number that stands for the topic.
///
/// # Errors
///
/// A text that is no string of MQTT, correlation data above 65,535 bytes, and a response topic that MQTT cannot say.
pub fn write_properties<'b>(
    message: &Message,
    scope: PropertyScope,
    alias: Option<NonZeroU16>,
    bytes: &'b mut Vec<u8>,
) -> Result<codec::Properties<'b>, Refusal> {
    bytes.clear();
    let properties = &message.properties;
    let mut response_topic = String::new();
    if let Some(topic) = properties.response_topic() {
        write_topic(topic, &mut response_topic)?;
    }
    let content_type = message.content_type.as_ref().map(|name| text(name.as_str()));
    let response_topic = match response_topic.as_str() {
        "" => None,
        name => Some(TopicName::new(name).map_err(unencodable)?),
    };
    let correlation_data = properties.correlation_data();
    let user = properties
        .user_properties()
        .map(|(name, value)| Ok(Property::UserProperty(text(name)?, text(value)?)))
        .collect::<Result<Vec<_>, Refusal>>()?;
    let all = alias
        .map(Property::TopicAlias)
        .into_iter()
        .chain(
            message
                .expires_after
                .map(|lifetime| Property::MessageExpiryInterval(seconds(lifetime))),
        )
        .chain(content_type.transpose()?.map(Property::ContentType))
        .chain(response_topic.map(Property::ResponseTopic))
        .chain(correlation_data.map(|data| Property::CorrelationData(data)))
        .chain(user);
    bytes.resize(all.clone().map(|property| property.encoded_len()).sum(), 0);
    let mut block = PropertiesBuf::new(scope, bytes);
    for property in all {
        block.push(property).map_err(unencodable)?;
    }
    Ok(block.finish())
}

/// Takes over what the properties of a PUBLISH say of its message.
pub fn read_properties(dialect: Dialect, properties: codec::Properties<'_>, received: &mut Received) {
    let mut beside = Properties::new();
    for property in properties {
        match property {
            Property::ContentType(name) => {
                received.content_type = Some(ContentType::new(name.as_str().to_owned()));
            }
            Property::MessageExpiryInterval(seconds) => {
                received.expires_after = Some(Duration::from_secs(seconds.into()));
            }
            Property::ResponseTopic(name) => {
                if let Some(topic) = topic(dialect, name.as_str()) {
                    beside = beside.with_response_topic(topic);
                }
            }
            Property::CorrelationData(data) => {
                beside = beside.with_correlation_data(Bytes::copy_from_slice(data));
            }
            Property::UserProperty(name, value) => {
                beside = beside.with_user_property(name.as_str(), value.as_str());
            }
            _ => {}
        }
    }
    received.properties = beside;
}

/// Rounded up: a message is not to expire before its time.
fn seconds(lifetime: Duration) -> u32 {
    let seconds = lifetime.as_secs() + u64::from(lifetime.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

fn text(text: &str) -> Result<Text<'_>, Refusal> {
    Text::new(text).map_err(unencodable)
}

/// What cannot be said in MQTT.
#[must_use]
pub fn unencodable(error: codec::Error) -> Refusal {
    let kind = match error.kind() {
        codec::ErrorKind::PacketTooLarge | codec::ErrorKind::FieldTooLong => RefusalKind::TooLarge,
        _ => RefusalKind::Topic,
    };
    Refusal::new(kind).because(error.to_string())
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
