use manywire_coap::{Code, Message, OptionNumber};
use manywire_gateway::{Gateway, Thing};

use crate::device::{CHANNEL, Device, OTHER_CHANNEL, gateway, message, to_channel};

/// Requests, and what they are answered with.
fn requests() -> Vec<(&'static str, Message, Code)> {
    let messages = format!("channels/{CHANNEL}/messages");
    let no_key = Message::new(Code::POST)
        .with_option(OptionNumber::URI_PATH, b"channels")
        .with_option(OptionNumber::URI_PATH, CHANNEL.as_bytes())
        .with_option(OptionNumber::URI_PATH, b"messages");
    let key_second = no_key
        .clone()
        .with_option(OptionNumber::URI_QUERY, b"x=1")
        .with_option(OptionNumber::URI_QUERY, b"auth=k3y");
    let observe = |value| to_channel(Code::GET, "").with_uint(OptionNumber::OBSERVE, value);
    vec![
        ("a publish", to_channel(Code::POST, "a/b"), Code::CREATED),
        ("an empty segment", to_channel(Code::POST, "a//b"), Code::CREATED),
        ("no key", no_key.clone(), Code::UNAUTHORIZED),
        ("a key that is not first", key_second, Code::UNAUTHORIZED),
        (
            "a wrong key",
            message(Code::POST, &messages, "wrong"),
            Code::UNAUTHORIZED,
        ),
        (
            "a key with = in it",
            message(Code::POST, &messages, "k=y"),
            Code::UNAUTHORIZED,
        ),
        (
            "another thing's channel",
            message(Code::POST, &messages, "other"),
            Code::UNAUTHORIZED,
        ),
        (
            "a path that is none",
            message(Code::POST, "somewhere/else", "k3y"),
            Code::BAD_REQUEST,
        ),
        (
            "a wildcard inside a level",
            to_channel(Code::POST, "a*b"),
            Code::BAD_REQUEST,
        ),
        (
            "a broken escape",
            to_channel(Code::POST, "a%zz"),
            Code::BAD_REQUEST,
        ),
        ("PUT", to_channel(Code::PUT, ""), Code::METHOD_NOT_ALLOWED),
        ("DELETE", to_channel(Code::DELETE, ""), Code::METHOD_NOT_ALLOWED),
        ("GET without Observe", to_channel(Code::GET, ""), Code::BAD_OPTION),
        ("GET with Observe 2", observe(2), Code::BAD_OPTION),
        ("deregistering what is not there", observe(1), Code::CONTENT),
        (
            "an unknown critical option",
            to_channel(Code::POST, "").with_option(OptionNumber(65_001), b"?"),
            Code::BAD_OPTION,
        ),
    ]
}

#[tokio::test]
async fn every_mistake_has_its_code() {
    let gateway = gateway().await;
    let mut device = Device::new(&gateway).await;
    for (what, request, code) in requests() {
        let response = device.ask(request.with_payload(b"21.5".to_vec())).await;
        assert_eq!(response.code(), code, "{what}");
        let secret = response
            .options()
            .any(|(_, value)| value.windows(3).any(|part| part == b"k3y"));
        assert!(!secret, "{what}: the key comes back");
    }
    let metrics = gateway.hub().metrics().coap.received.value();
    assert_eq!(metrics, 2, "only what was answered with 2.01 is published");
    gateway.stop().await;
}

#[tokio::test]
async fn nonsense_is_rejected_and_disturbs_nobody() {
    let gateway = gateway().await;
    let mut device = Device::new(&gateway).await;
    for (what, datagram) in [
        ("a marker without payload", &[0x40, 0x02, 0x12, 0x34, 0xff][..]),
        ("an Empty message with a token", &[0x41, 0x00, 0x12, 0x34, 0x01]),
        (
            "an Empty message with a payload",
            &[0x40, 0x00, 0x12, 0x34, 0xff, 0x01],
        ),
        (
            "a token of nine bytes",
            &[0x49, 0x02, 0x12, 0x34, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        ),
        ("a reserved code class", &[0x40, 0x21, 0x12, 0x34]),
        ("a response nobody awaits", &[0x40, 0x45, 0x12, 0x34]),
        ("a ping", &[0x40, 0x00, 0x12, 0x34]),
    ] {
        assert_eq!(
            device.raw(datagram).await,
            [0x70, 0x00, 0x12, 0x34],
            "{what} is answered with Reset"
        );
    }
    // What must be ignored silently: another version, too short, an acknowledgement of nothing, an empty NON.
    for datagram in [
        &[0x80, 0x02, 1, 2][..],
        &[0x40],
        &[],
        &[0x60, 0x00, 1, 2],
        &[0x50, 0x00, 1, 2],
    ] {
        device.raw_silently(datagram).await;
    }
    assert_eq!(device.ask(to_channel(Code::POST, "")).await.code(), Code::CREATED);
    assert_eq!(device.heard.len(), 1, "and nothing else was answered");
    gateway.stop().await;
}

#[tokio::test]
async fn a_repeated_request_is_published_once_and_answered_twice() {
    let gateway = gateway().await;
    let mut device = Device::new(&gateway).await;
    let now = device.now();
    device
        .endpoint
        .request(now, (), to_channel(Code::POST, "").with_payload(b"1".to_vec()))
        .unwrap();
    let datagram = device.endpoint.poll_transmit().unwrap().datagram;
    let first = device.raw(&datagram).await;
    let second = device.raw(&datagram).await;
    assert_eq!(first, second);
    assert_eq!(gateway.hub().metrics().coap.received.value(), 1);
    gateway.stop().await;
}

#[tokio::test]
async fn an_unknown_channel_is_told_from_a_forbidden_one() {
    let gateway = gateway().await;
    let mut device = Device::new(&gateway).await;
    let nowhere = "channels/00000000-0000-4000-8000-000000000000/messages";
    let unknown = device.ask(message(Code::POST, nowhere, "k3y")).await;
    let other = format!("channels/{OTHER_CHANNEL}/messages");
    let forbidden = device.ask(message(Code::POST, &other, "k3y")).await;
    // The first generation has one code for both; the words for a human differ.
    assert_eq!(
        (unknown.code(), unknown.payload()),
        (Code::UNAUTHORIZED, &b"unknown channel"[..])
    );
    assert_eq!(
        (forbidden.code(), forbidden.payload()),
        (Code::UNAUTHORIZED, &b"not allowed on the channel"[..])
    );
    gateway.stop().await;
}

#[tokio::test]
async fn fluxmq_publishes_with_a_name_and_a_password_and_has_no_observe() {
    let thing = Thing::new("sensor").uses(&format!("d0/{CHANNEL}")).unwrap();
    let builder = Gateway::builder()
        .dialect(manywire_topics::Dialect::FluxMq)
        .thing(thing, "k3y");
    let gateway = builder.start().await.unwrap();
    let mut device = Device::new(&gateway).await;
    let request = |method| {
        ["m", "d0", "c", CHANNEL, "a"]
            .iter()
            .fold(Message::new(method), |request, segment| {
                request.with_option(OptionNumber::URI_PATH, segment.as_bytes())
            })
            .with_option(OptionNumber::URI_QUERY, b"username=sensor")
            .with_option(OptionNumber::URI_QUERY, b"password=k3y")
    };
    let published = device.ask(request(Code::POST)).await;
    assert_eq!(
        (published.code(), published.payload()),
        (Code::CHANGED, &b"ok"[..])
    );
    let observed = device
        .ask(request(Code::GET).with_uint(OptionNumber::OBSERVE, 0))
        .await;
    assert_eq!(observed.code(), Code::BAD_OPTION);
    gateway.stop().await;
}
