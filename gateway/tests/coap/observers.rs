use std::time::Duration;

use manywire_coap::{Code, ContentFormat, Ended, Event, Message, OptionNumber, Parameters};
use manywire_gateway::{Gateway, Registry, Thing};

use crate::device::{CHANNEL, Device, builder, gateway, to_channel};

fn reading(number: usize) -> Message {
    to_channel(Code::POST, "bedroom/temperature").with_payload(number.to_string().into_bytes())
}

#[tokio::test]
async fn notifications_come_in_order_with_the_format_of_the_publisher() {
    let gateway = gateway().await;
    let (mut sender, mut observer) = (Device::new(&gateway).await, Device::new(&gateway).await);
    observer.observe(to_channel(Code::GET, "bedroom/*")).await;
    for number in 0..50 {
        let publish = reading(number).with_content_format(ContentFormat::SENML_JSON);
        assert_eq!(sender.ask(publish).await.code(), Code::CREATED);
    }
    let mut last = None;
    for number in 0..50 {
        let notification = observer.notification().await;
        assert_eq!(notification.payload(), number.to_string().as_bytes());
        assert_eq!(notification.content_format(), Some(ContentFormat::SENML_JSON));
        let order = notification.uint(OptionNumber::OBSERVE).unwrap();
        assert!(last.is_none_or(|last| order == last + 1), "{last:?} then {order}");
        last = Some(order);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn observe_1_ends_a_subscription() {
    let gateway = gateway().await;
    let mut device = Device::new(&gateway).await;
    let observation = device.observe(to_channel(Code::GET, "bedroom/>")).await;
    assert_eq!(gateway.hub().metrics().coap.subscriptions.value(), 1);
    let now = device.now();
    device.endpoint.cancel_observation(now, observation);
    device
        .until(|event| {
            matches!(
                event,
                Event::Ended {
                    cause: Ended::Cancelled,
                    ..
                }
            )
            .then_some(())
        })
        .await;
    assert_eq!(gateway.hub().metrics().coap.subscriptions.value(), 0);
    gateway.stop().await;
}

#[tokio::test]
async fn reset_to_a_notification_ends_a_subscription() {
    let gateway = gateway().await;
    let (mut sender, mut observer) = (Device::new(&gateway).await, Device::new(&gateway).await);
    let observation = observer.observe(to_channel(Code::GET, "")).await;
    sender
        .ask(to_channel(Code::POST, "").with_payload(b"1".to_vec()))
        .await;
    observer.notification().await;
    let now = observer.now();
    observer.endpoint.forget_observation(now, observation);
    sender
        .ask(to_channel(Code::POST, "").with_payload(b"2".to_vec()))
        .await;
    // The observer rejects the notification it does not await; a question of its own comes after that.
    observer.ask(to_channel(Code::POST, "elsewhere")).await;
    while gateway.hub().metrics().coap.subscriptions.value() > 0 {
        observer.ask(to_channel(Code::POST, "elsewhere")).await;
    }
    gateway.stop().await;
}

#[tokio::test]
async fn registering_again_is_the_same_subscription() {
    let gateway = gateway().await;
    let (mut sender, mut observer) = (Device::new(&gateway).await, Device::new(&gateway).await);
    let observation = observer.observe(to_channel(Code::GET, "")).await;
    let now = observer.now();
    observer.endpoint.renew_observation(now, observation);
    let gap = observer
        .until(|event| match event {
            Event::Registered { gap, .. } => Some(gap),
            _ => None,
        })
        .await;
    assert!(!gap, "the gateway still knew it");
    assert_eq!(gateway.hub().metrics().coap.subscriptions.value(), 1);
    for number in 0..3 {
        sender
            .ask(to_channel(Code::POST, "").with_payload(vec![number]))
            .await;
    }
    for number in 0..3 {
        assert_eq!(observer.notification().await.payload(), [number], "once each");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn an_address_that_does_not_answer_is_sent_no_messages() {
    let gateway = gateway().await;
    let mut sender = Device::new(&gateway).await;
    let mut forged = Device::new(&gateway).await;
    forged.deaf = true;
    let now = forged.now();
    forged
        .endpoint
        .observe(now, (), to_channel(Code::GET, ""))
        .unwrap();
    let registration = forged.endpoint.poll_transmit().unwrap().datagram;
    let accepted = Message::decode(&forged.raw(&registration).await).unwrap();
    assert_eq!(accepted.code(), Code::CONTENT);
    let probe = forged.receive().await;
    assert_eq!(
        (probe.len(), probe[0], probe[1]),
        (4, 0x40, 0x00),
        "an empty confirmable message"
    );
    sender
        .ask(to_channel(Code::POST, "").with_payload(vec![b'x'; 1000]))
        .await;
    // The next thing the forged address hears is the probe again, and not the message.
    assert_eq!(forged.receive().await, probe);
    // An answer with the right id proves the address.
    let proof = [0x70, 0x00, probe[2], probe[3]];
    let notification = Message::decode(&forged.raw(&proof).await).unwrap();
    assert_eq!(notification.payload().len(), 1000);
    gateway.stop().await;
}

#[tokio::test]
async fn a_stopping_gateway_says_so() {
    let gateway = gateway().await;
    let mut device = Device::new(&gateway).await;
    device.observe(to_channel(Code::GET, "")).await;
    gateway.stop().await;
    let last = device
        .until(|event| match event {
            Event::Ended {
                cause: Ended::Response(message),
                ..
            } => Some(message),
            _ => None,
        })
        .await;
    assert_eq!(last.code(), Code::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn an_observer_whose_rights_end_is_told() {
    let registry = Registry::new();
    registry
        .add(Thing::new("sensor").uses(CHANNEL).unwrap(), "k3y")
        .unwrap();
    let gateway = Gateway::builder()
        .identity(registry.clone())
        .start()
        .await
        .unwrap();
    let mut device = Device::new(&gateway).await;
    device.observe(to_channel(Code::GET, "")).await;
    registry.remove("sensor");
    let last = device
        .until(|event| match event {
            Event::Ended {
                cause: Ended::Response(message),
                ..
            } => Some(message),
            _ => None,
        })
        .await;
    assert_eq!(last.code(), Code::UNAUTHORIZED);
    gateway.stop().await;
}

#[tokio::test]
async fn an_observer_is_asked_for_a_sign_of_life() {
    let mut settings = manywire_gateway::CoapSettings::default();
    settings.keep_alive = Duration::from_secs(1);
    let gateway = builder().coap_settings(settings).start().await.unwrap();
    let mut device = Device::with(&gateway, Parameters::default()).await;
    device.observe(to_channel(Code::GET, "")).await;
    // Proof of the address first, then the ping of the keep-alive.
    let ping = loop {
        device.deaf = true;
        let datagram = device.receive().await;
        if datagram.len() == 4 && datagram[0] == 0x40 {
            break datagram;
        }
    };
    assert_eq!(ping[1], 0x00);
    gateway.stop().await;
}
