//! What a message is in CoAP: method, path, query, options, and what an answer's code means.
//!
//! | | request | success |
//! |---|---|---|
//! | publish | POST, the topic as path, Content-Format, payload | 2.01 |
//! | subscribe | GET with Observe 0, the filter as path | 2.05 |
//! | unsubscribe | the same with Observe 1 and the same token | 2.05 |
//!
//! The key is the *first* query, `auth=<key>`: the platform looks nowhere else.

use manywire_coap::{Code, ContentFormat, Message as CoapMessage, OptionNumber};
use manywire_topics::{Dialect, Filter, FilterBuf, Form, TopicBuf};

use crate::{
    credentials::Credentials,
    error::{Refusal, RefusalKind},
    message::{ContentType, Message},
    qos::QoS,
};

/// How one session addresses and authenticates its requests.
#[derive(Clone, Debug)]
pub struct Binding {
    dialect: Dialect,
    prefix: Vec<String>,
    queries: Vec<Query>,
}

/// Keeps the key out of debug output.
#[derive(Clone)]
struct Query(String);

impl Binding {
    /// A binding for requests below `prefix` (the path of the URL, mostly empty) with these credentials.
    ///
    /// # Errors
    /// [`RefusalKind::Credentials`] for a key with `=` in it: the platform cuts the query there, and refuses it.
    pub fn new(dialect: Dialect, prefix: &str, credentials: Option<&Credentials>) -> Result<Self, Refusal> {
        let prefix = prefix
            .split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        let queries = match credentials {
            None => Vec::new(),
            // The callout of FluxMQ takes the id of the client for its name.
            Some(credentials) if dialect == Dialect::FluxMq => {
                let username = credentials.id().map(|id| Query(format!("username={id}")));
                username
                    .into_iter()
                    .chain([Query(format!("password={}", credentials.secret()))])
                    .collect()
            }
            Some(credentials) if credentials.secret().contains('=') => {
                let refusal = Refusal::new(RefusalKind::Credentials);
                return Err(refusal.because("over CoAP the platform takes no key with `=` in it"));
            }
            Some(credentials) => vec![Query(format!("auth={}", credentials.secret()))],
        };
        Ok(Self {
            dialect,
            prefix,
            queries,
        })
    }

    /// Whether the dialect has Observe at all: FluxMQ publishes only.
    #[must_use]
    pub fn can_observe(&self) -> bool {
        self.dialect != Dialect::FluxMq
    }

    /// The request that publishes a message: confirmable unless at most once is enough.
    ///
    /// # Errors
    /// [`RefusalKind::Topic`] if the topic has no path in this dialect.
    pub fn publish(&self, message: &Message) -> Result<CoapMessage, Refusal> {
        let path = message.topic.display(Form::Path).map_err(no_path)?.to_string();
        let mut request = self.address(Code::POST, &path);
        if let Some(format) = message
            .content_type
            .as_ref()
            .and_then(|it| ContentFormat::from_media_type(it.as_str()))
        {
            request = request.with_content_format(format);
        }
        if message.qos == QoS::AtMostOnce {
            request = request.non_confirmable();
        }
        Ok(request.with_payload(message.payload.to_vec()))
    }

    /// The requests to observe a filter, without their Observe option: two where one path cannot say it all (`a/#` is
    /// `a/>` and `a`). With each comes the topic of its messages, if the path names one.
    ///
    /// # Errors
    /// [`RefusalKind::Topic`] if the filter has no path in this dialect, [`RefusalKind::Unsupported`] if the dialect
    /// has no Observe.
    pub fn observe(&self, filter: &FilterBuf) -> Result<Vec<(CoapMessage, Option<TopicBuf>)>, Refusal> {
        if !self.can_observe() {
            return Err(Refusal::new(RefusalKind::Unsupported).because("FluxMQ has no CoAP subscriptions"));
        }
        let filter = filter.as_filter();
        let parts = [Some(filter), filter.also(Form::Path)];
        let request = |part: Filter<'_>| {
            let path = part.display(Form::Path).map_err(no_path)?.to_string();
            let topic = part.as_topic().map(|topic| topic.to_buf());
            Ok((self.address(Code::GET, &path), topic))
        };
        parts.into_iter().flatten().map(request).collect()
    }

    /// One option for each segment. They stay percent-encoded: the platform joins them and decodes the whole.
    fn address(&self, method: Code, path: &str) -> CoapMessage {
        let mut request = CoapMessage::new(method);
        let segments = path.split('/').filter(|part| !part.is_empty());
        for segment in self.prefix.iter().map(String::as_str).chain(segments) {
            request.add_option(OptionNumber::URI_PATH, segment.as_bytes().to_vec());
        }
        for Query(query) in &self.queries {
            request.add_option(OptionNumber::URI_QUERY, query.as_bytes().to_vec());
        }
        request
    }
}

/// What an answer that is no success means. The platform invents 4.16 and 4.17 by cutting HTTP's 400 and 401 to a byte.
#[must_use]
pub fn refusal(answer: &CoapMessage) -> Refusal {
    let code = answer.code();
    let words = diagnostic(answer);
    let kind = match (code.class(), code.detail()) {
        // The first generation has one code for whoever may not; a gateway of this family says in words what it is.
        (4, 1) if words == Some("unknown channel") => RefusalKind::UnknownChannel,
        (4, 1) if words == Some("not allowed on the channel") => RefusalKind::Forbidden,
        (4, 1 | 17) => RefusalKind::Credentials,
        (4, 3) => RefusalKind::Forbidden,
        (4, 0 | 16) => RefusalKind::Topic,
        (4, 4) => RefusalKind::UnknownChannel,
        (4, 2 | 5) => RefusalKind::Unsupported,
        (4, 13) => RefusalKind::TooLarge,
        (4, 15) => RefusalKind::ContentType,
        (4, 8 | 29) | (5, 3) => RefusalKind::Busy,
        (5, _) => RefusalKind::Internal,
        _ => RefusalKind::Other,
    };
    match words {
        Some(words) => Refusal::new(kind).because(format!("{code} {words}")),
        None => Refusal::new(kind).because(code.to_string()),
    }
}

/// What a notification says its payload is. The platform says text/plain whatever it is, so that means nothing.
#[must_use]
pub fn content_type(notification: &CoapMessage) -> Option<ContentType> {
    let format = notification
        .content_format()
        .filter(|format| *format != ContentFormat::TEXT)?;
    format.media_type().map(ContentType::new)
}

/// RFC 7252 §5.5.2: an error's payload without Content-Format is a short text for a human.
fn diagnostic(answer: &CoapMessage) -> Option<&str> {
    let text = std::str::from_utf8(answer.payload()).ok()?;
    (!text.is_empty() && text.len() <= 200 && !text.contains(char::is_control)).then_some(text)
}

fn no_path(error: manywire_topics::Error) -> Refusal {
    Refusal::new(RefusalKind::Topic).because(error.rule())
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(dialect: Dialect) -> Binding {
        Binding::new(dialect, "", Some(&Credentials::thing("id", "key"))).unwrap()
    }

    fn texts(message: &CoapMessage, number: OptionNumber) -> Vec<String> {
        message
            .values(number)
            .map(|value| String::from_utf8(value.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn a_publish_is_a_post_with_the_key_first() {
        let topic = TopicBuf::parse(
            Dialect::Channels,
            Form::Path,
            "channels/ch/messages/bedroom/temperature",
        )
        .unwrap();
        let message = Message::new(topic, "21.5").content_type(ContentType::SENML_JSON);
        let request = binding(Dialect::Channels).publish(&message).unwrap();
        assert_eq!(request.code(), Code::POST);
        let path = texts(&request, OptionNumber::URI_PATH);
        assert_eq!(path, ["channels", "ch", "messages", "bedroom", "temperature"]);
        assert_eq!(texts(&request, OptionNumber::URI_QUERY), ["auth=key"]);
        assert_eq!(request.content_format(), Some(ContentFormat::SENML_JSON));
        assert_eq!(request.payload(), b"21.5");
    }

    #[test]
    fn a_key_that_the_platform_would_cut_is_refused_before_it_is_sent() {
        let refusal =
            Binding::new(Dialect::Channels, "", Some(&Credentials::thing("id", "a=b"))).unwrap_err();
        assert_eq!(refusal.kind(), RefusalKind::Credentials);
        assert!(!refusal.to_string().contains("a=b"));
        assert!(!format!("{:?}", binding(Dialect::Channels)).contains("key"));
    }

    #[test]
    fn fluxmq_has_its_own_queries_and_no_observe() {
        let binding = binding(Dialect::FluxMq);
        let topic = TopicBuf::parse(Dialect::FluxMq, Form::Path, "m/d/c/ch/a").unwrap();
        let request = binding.publish(&Message::new(topic.clone(), "x")).unwrap();
        assert_eq!(
            texts(&request, OptionNumber::URI_QUERY),
            ["username=id", "password=key"]
        );
        assert_eq!(
            binding.observe(&FilterBuf::from(&topic)).unwrap_err().kind(),
            RefusalKind::Unsupported
        );
    }

    #[test]
    fn a_filter_that_includes_the_level_above_takes_two_observations() {
        let filter = FilterBuf::parse(Dialect::Channels, Form::Mqtt, "channels/ch/messages/a/#").unwrap();
        let requests = binding(Dialect::Channels).observe(&filter).unwrap();
        let paths: Vec<_> = requests
            .iter()
            .map(|(it, _)| texts(it, OptionNumber::URI_PATH).join("/"))
            .collect();
        assert_eq!(paths, ["channels/ch/messages/a/%3E", "channels/ch/messages/a"]);
        assert!(
            requests[0].1.is_none() && requests[1].1.is_some(),
            "only one of them names its topic"
        );
    }

    #[test]
    fn every_error_class_has_a_meaning_even_those_the_platform_invents() {
        let kind = |byte| refusal(&CoapMessage::new(Code::from_byte(byte))).kind();
        assert_eq!(kind(0x91), RefusalKind::Credentials, "4.17");
        assert_eq!(kind(0x90), RefusalKind::Topic, "4.16");
        assert_eq!(kind(0x8d), RefusalKind::TooLarge, "4.13");
        assert_eq!(kind(0xa3), RefusalKind::Busy, "5.03");
        assert_eq!(kind(0x9e), RefusalKind::Other, "4.30");
        let answer =
            CoapMessage::new(Code::UNAUTHORIZED).with_payload(b"not allowed on the channel".to_vec());
        assert_eq!(refusal(&answer).kind(), RefusalKind::Forbidden);
        let answer = CoapMessage::new(Code::UNAUTHORIZED).with_payload(b"no such key".to_vec());
        assert_eq!(refusal(&answer).reason(), Some("4.01 no such key"));
    }
}
