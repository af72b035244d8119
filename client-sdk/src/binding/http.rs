//! HTTP: a message is a POST (WIRE: `POST /channels/<id>/messages[/<subtopic>]`).

use std::fmt;

use manywire_topics::{Dialect, Error as TopicError, Form, Topic};

use crate::{
    credentials::Credentials,
    error::{Refusal, RefusalKind},
    message::{ContentType, Message},
    qos::QoS,
};

/// A request without its body, which is the payload as it is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The path and the query, percent-encoded, with a slash in front.
    pub target: String,
    /// The value of `Content-Type`, without parameters: the platform compares it byte for byte.
    pub content_type: ContentType,
    /// The value of `Authorization`, a secret.
    pub authorization: Option<String>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("target", &self.target)
            .field("content_type", &self.content_type)
            .field("authorization", &self.authorization.as_ref().map(|_| "***"))
            .finish()
    }
}

/// The request that publishes a message.
///
/// A message without a content type is called `application/senml+json`, as in the platform's own documents; the platform
/// refuses a message that has none.
///
/// # Errors
///
/// A topic that a path cannot hold.
pub fn publish(message: &Message, credentials: Option<&Credentials>) -> Result<Request, TopicError> {
    let topic = message.topic.as_topic();
    let dialect = topic.channel().dialect();
    let mut target = path(topic)?;
    if dialect == Dialect::FluxMq {
        target.push_str(match message.qos {
            QoS::AtMostOnce => "?qos=0",
            QoS::AtLeastOnce => "?qos=1",
            QoS::ExactlyOnce => "?qos=2",
        });
        if message.retain {
            target.push_str("&retain=true");
        }
    }
    Ok(Request {
        target,
        content_type: message.content_type.clone().unwrap_or(ContentType::SENML_JSON),
        authorization: credentials.map(|credentials| authorization(dialect, credentials)),
    })
}

/// The path of a topic, with a slash in front.
///
/// # Errors
///
/// A topic that a path cannot hold.
pub fn path(topic: Topic<'_>) -> Result<String, TopicError> {
    Ok(format!("/{}", topic.display(Form::Path)?))
}

/// The value of the header `Authorization`.
#[must_use]
pub fn authorization(dialect: Dialect, credentials: &Credentials) -> String {
    let secret = credentials.secret();
    match (credentials.id(), dialect) {
        (None, _) => format!("Bearer {secret}"),
        (Some(_), Dialect::Channels) => format!("Thing {secret}"),
        (Some(_), Dialect::Domains) => format!("Client {secret}"),
        (Some(id), Dialect::FluxMq) => format!("Basic {}", base64(format!("{id}:{secret}").as_bytes())),
    }
}

/// What an answer means: nothing for an accepted message.
///
/// # Errors
///
/// The refusal. The generations of the platform use the same status for different reasons, so the text of the body is
/// looked at as well: it makes the reason more exact, and never turns a refusal into a success.
pub fn outcome(status: u16, body: &[u8]) -> Result<(), Refusal> {
    if (200..300).contains(&status) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(body);
    let kind = match status {
        400 => bad_request(&text),
        401 => unauthorized(&text),
        403 => RefusalKind::Forbidden,
        404 => RefusalKind::UnknownChannel,
        413 => RefusalKind::TooLarge,
        415 => RefusalKind::ContentType,
        408 | 429 | 503 | 504 => RefusalKind::Busy,
        500 if text.contains("maximum payload") => RefusalKind::TooLarge,
        500..=599 => RefusalKind::Internal,
        _ => RefusalKind::Other,
    };
    let words = text.trim();
    let words: String = words.chars().take(200).collect();
    let reason = if words.is_empty() {
        format!("status {status}")
    } else {
        format!("status {status}: {words}")
    };
    Err(Refusal::new(kind).because(reason))
}

fn bad_request(text: &str) -> RefusalKind {
    const WORDS: [(&str, RefusalKind); 7] = [
        ("malformed", RefusalKind::Topic),
        ("maximum payload", RefusalKind::TooLarge),
        ("empty message", RefusalKind::Empty),
        ("invalid bearer", RefusalKind::Credentials),
        ("authorization over", RefusalKind::Forbidden),
        ("entity not found", RefusalKind::UnknownChannel),
        ("resolve", RefusalKind::UnknownChannel),
    ];
    // The oldest generation says nothing but `{}` to a wrong key.
    let silent = matches!(text.trim(), "{}");
    let known = WORDS
        .iter()
        .find(|(word, _)| text.contains(word))
        .map(|(_, kind)| *kind);
    known.unwrap_or(if silent {
        RefusalKind::Credentials
    } else {
        RefusalKind::Other
    })
}

fn unauthorized(text: &str) -> RefusalKind {
    const WORDS: [(&str, RefusalKind); 4] = [
        ("unknown channel", RefusalKind::UnknownChannel),
        ("not allowed", RefusalKind::Forbidden),
        ("authorization over", RefusalKind::Forbidden),
        ("malformed topic", RefusalKind::Topic),
    ];
    let known = WORDS
        .iter()
        .find(|(word, _)| text.contains(word))
        .map(|(_, kind)| *kind);
    known.unwrap_or(RefusalKind::Credentials)
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = ALPHABET
                .get((group >> shift & 63) as usize)
                .copied()
                .unwrap_or(b'=');
            text.push(if index <= chunk.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use manywire_topics::{ChannelBuf, TopicBuf};

    use super::*;

    fn message(dialect: Dialect, domain: Option<&str>, subtopic: &str) -> Message {
        let channel = ChannelBuf::new(dialect, domain, "30315311-56ba-484d-b500-c1e08305511f").unwrap();
        Message::new(TopicBuf::new(channel.as_channel(), subtopic).unwrap(), "{}")
    }

    #[test]
    fn each_generation_has_its_path_and_its_authorization() {
        let thing = Credentials::thing("id", "secret");
        for (dialect, domain, target, authorization) in [
            (
                Dialect::Channels,
                None,
                "/channels/30315311-56ba-484d-b500-c1e08305511f/messages/a/b",
                "Thing secret",
            ),
            (
                Dialect::Domains,
                Some("30315311-56ba-484d-b500-c1e083055120"),
                "/m/30315311-56ba-484d-b500-c1e083055120/c/30315311-56ba-484d-b500-c1e08305511f/a/b",
                "Client secret",
            ),
            (
                Dialect::FluxMq,
                Some("30315311-56ba-484d-b500-c1e083055120"),
                "/m/30315311-56ba-484d-b500-c1e083055120/c/30315311-56ba-484d-b500-c1e08305511f/a/b?qos=1",
                "Basic aWQ6c2VjcmV0",
            ),
        ] {
            let request = publish(&message(dialect, domain, "a/b"), Some(&thing)).unwrap();
            assert_eq!(request.target, target);
            assert_eq!(request.authorization.as_deref(), Some(authorization));
            assert!(!format!("{request:?}").contains("ecret"), "{request:?}");
        }
    }

    #[test]
    fn the_content_type_has_no_parameters() {
        let plain = message(Dialect::Channels, None, "");
        assert_eq!(
            publish(&plain, None).unwrap().content_type,
            ContentType::SENML_JSON
        );
        let json = plain.content_type(ContentType::JSON);
        assert_eq!(
            publish(&json, None).unwrap().content_type.as_str(),
            "application/json"
        );
    }

    #[test]
    fn answers_of_every_generation_are_told_apart() {
        for (status, body, kind) in [
            (401, r#"{"error":"wrong credentials"}"#, RefusalKind::Credentials),
            (401, r#"{"error":"unknown channel"}"#, RefusalKind::UnknownChannel),
            (
                401,
                r#"{"error":"not allowed on the channel"}"#,
                RefusalKind::Forbidden,
            ),
            (400, "{}", RefusalKind::Credentials),
            (
                400,
                r#"{"error":"malformed subtopic","message":"failed to parse subtopic"}"#,
                RefusalKind::Topic,
            ),
            (400, r#"{"message":"empty message"}"#, RefusalKind::Empty),
            (415, "", RefusalKind::ContentType),
            (413, "", RefusalKind::TooLarge),
            (503, "", RefusalKind::Busy),
            (500, "", RefusalKind::Internal),
            (301, "", RefusalKind::Other),
        ] {
            assert_eq!(
                outcome(status, body.as_bytes()).unwrap_err().kind(),
                kind,
                "{status} {body}"
            );
        }
        assert_eq!(outcome(202, b""), Ok(()));
        assert_eq!(outcome(200, b"{\"status\":\"ok\"}"), Ok(()));
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        // RFC 4648 §10.
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
