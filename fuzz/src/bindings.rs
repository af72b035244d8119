//! Laws of the bindings: what the client asks for over HTTP and CoAP, and what it makes of the answers.

use manywire::binding::{coap, http};
use manywire::{ContentType, Credentials, Dialect, Message, TopicBuf};
use manywire_coap::{Message as CoapMessage, OptionNumber};
use manywire_topics::{Channel, Form, Topic};

const DIALECTS: [Dialect; 3] = [Dialect::Channels, Dialect::Domains, Dialect::FluxMq];

/// A request names the topic it was made for, holds no byte that HTTP would take as its own, and whatever the platform
/// answers is a success or a refusal.
pub fn http(bytes: &[u8]) {
    let Some((&[dialect, high, low], rest)) = bytes.split_first_chunk::<3>() else {
        return;
    };
    let answer = http::outcome(u16::from_be_bytes([high, low]), rest);
    assert_eq!(
        answer.is_ok(),
        (200..300).contains(&u16::from_be_bytes([high, low]))
    );
    let Some(topic) = topic(dialect, rest) else { return };
    let Ok(request) = http::publish(&Message::new(topic.clone(), "x"), Some(&credentials())) else {
        return;
    };
    assert!(
        request.target.bytes().all(|byte| byte.is_ascii_graphic()),
        "{:?}",
        request.target
    );
    assert!(
        !request.target.contains('#') && request.target.starts_with('/'),
        "{:?}",
        request.target
    );
    let path = request.target.split('?').next().unwrap_or_default();
    let again = Topic::parse(topic.channel().dialect(), Form::Path, path);
    assert_eq!(again.map(|topic| topic.to_buf()), Ok(topic));
}

/// A request names the topic it was made for, with the key first; an answer of any bytes is understood or refused.
pub fn coap(bytes: &[u8]) {
    if let Ok(answer) = CoapMessage::decode(bytes) {
        let _ = (coap::refusal(&answer), coap::content_type(&answer));
    }
    let Some((&dialect, rest)) = bytes.split_first() else {
        return;
    };
    let Some(topic) = topic(dialect, rest) else { return };
    let Ok(binding) = coap::Binding::new(topic.channel().dialect(), "", Some(&credentials())) else {
        return;
    };
    let message = Message::new(topic.clone(), rest.to_vec()).content_type(ContentType::SENML_CBOR);
    let Ok(request) = binding.publish(&message) else {
        return;
    };
    assert_eq!(request.payload(), rest);
    let segments: Vec<String> = request
        .options()
        .filter(|(number, _)| *number == OptionNumber::URI_PATH)
        .map(|(_, segment)| String::from_utf8(segment.to_vec()).expect("a path is text"))
        .collect();
    let path = segments.join("/");
    let again = Topic::parse(topic.channel().dialect(), Form::Path, &path);
    assert_eq!(again.map(|topic| topic.to_buf()), Ok(topic));
}

fn credentials() -> Credentials {
    Credentials::thing("id", "key")
}

/// The topic that a text names in one of the dialects, if it names one.
fn topic(dialect: u8, text: &[u8]) -> Option<TopicBuf> {
    let dialect = DIALECTS[usize::from(dialect) % DIALECTS.len()];
    let domain = dialect.has_domains().then_some("d");
    let channel = Channel::new(dialect, domain, "c").ok()?;
    Some(
        Topic::new(channel, std::str::from_utf8(text).ok()?)
            .ok()?
            .to_buf(),
    )
}
