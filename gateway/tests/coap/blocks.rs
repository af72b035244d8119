use manywire_coap::{Code, Event, OptionNumber, Parameters};
use manywire_gateway::Limits;

use crate::device::{Device, builder, gateway, to_channel};

fn body(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index * 7 + index / 251) as u8).collect()
}

#[tokio::test]
async fn what_does_not_fit_a_datagram_goes_through_in_blocks_both_ways() {
    let gateway = gateway().await;
    let (mut sender, mut observer) = (Device::new(&gateway).await, Device::new(&gateway).await);
    observer.observe(to_channel(Code::GET, "")).await;
    for size in [1024, 1025, 5000, 65_536] {
        let response = sender
            .ask(to_channel(Code::POST, "").with_payload(body(size)))
            .await;
        assert_eq!(response.code(), Code::CREATED);
        assert_eq!(
            observer.notification().await.payload(),
            body(size),
            "{size} bytes"
        );
    }
    assert_eq!(gateway.hub().metrics().coap.received.value(), 4);
    gateway.stop().await;
}

#[tokio::test]
async fn bodies_of_several_messages_do_not_mix() {
    let gateway = gateway().await;
    let mut parameters = Parameters::default();
    parameters.nstart = 8;
    let mut sender = Device::with(&gateway, parameters).await;
    let mut observer = Device::new(&gateway).await;
    observer.observe(to_channel(Code::GET, "")).await;
    let now = sender.now();
    for number in 0..5_u8 {
        sender
            .endpoint
            .request(
                now,
                (),
                to_channel(Code::POST, "").with_payload(vec![number; 3000]),
            )
            .unwrap();
    }
    let mut answered = 0;
    sender
        .until(|event| {
            answered += usize::from(matches!(event, Event::Response { .. }));
            (answered == 5).then_some(())
        })
        .await;
    let mut got: Vec<Vec<u8>> = Vec::new();
    for _ in 0..5 {
        got.push(observer.notification().await.into_payload());
    }
    assert_eq!(
        got,
        (0..5_u8).map(|number| vec![number; 3000]).collect::<Vec<_>>()
    );
    gateway.stop().await;
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_before_it_is_sent_whole() {
    let mut limits = Limits::default();
    limits.payload = 4096;
    let gateway = builder().limits(limits).start().await.unwrap();
    let mut device = Device::new(&gateway).await;
    let response = device
        .ask(to_channel(Code::POST, "").with_payload(body(10_000)))
        .await;
    assert_eq!(response.code(), Code::REQUEST_ENTITY_TOO_LARGE);
    assert_eq!(
        response.uint(OptionNumber::SIZE1),
        Some(4096),
        "and the limit is said"
    );
    assert_eq!(device.heard.len(), 1, "at the first block");
    let response = device
        .ask(to_channel(Code::POST, "").with_payload(body(4096)))
        .await;
    assert_eq!(response.code(), Code::CREATED);
    gateway.stop().await;
}

#[tokio::test]
async fn a_client_with_small_blocks_is_served_in_small_blocks() {
    let gateway = gateway().await;
    let mut parameters = Parameters::default();
    parameters.block_size = 64;
    let mut device = Device::with(&gateway, parameters).await;
    let request = to_channel(Code::GET, "").with_option(OptionNumber::BLOCK2, &[2]);
    device.observe(request).await;
    device
        .ask(to_channel(Code::POST, "").with_payload(body(1000)))
        .await;
    assert_eq!(device.notification().await.payload(), body(1000));
    assert!(device.heard.iter().all(|datagram| datagram.len() < 140));
    gateway.stop().await;
}
