//! What the client of the crate `coap` 0.29 does wrong on a real network, each measured with it, and never done here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod wire;

use std::time::Duration;

use manywire_coap::{Block, Code, Ended, Event, Failure, Kind, Message, OptionNumber, Parameters};
use wire::{Wire, ack, notification, response};

const SERVER: u8 = 1;
const STRANGER: u8 = 2;

fn get() -> Message {
    Message::new(Code::GET)
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[test]
fn overlapping_requests_each_get_their_own_answer() {
    let mut wire = Wire::with(|parameters| parameters.nstart = 2);
    let first = wire.endpoint.request(wire.now, SERVER, get()).unwrap();
    let second = wire.endpoint.request(wire.now, SERVER, get()).unwrap();
    let (one, two) = (wire.sent(), wire.sent());
    assert_ne!(one.token(), two.token());
    assert_eq!(one.token().as_bytes().len(), 8);
    wire.receive(
        SERVER,
        &response(&two, Code::CONTENT).with_payload(b"two".to_vec()),
    );
    wire.receive(
        SERVER,
        &response(&one, Code::CONTENT).with_payload(b"one".to_vec()),
    );
    for (request, payload) in [(second, b"two"), (first, b"one")] {
        let Some(Event::Response {
            request: answered,
            message,
        }) = wire.endpoint.poll_event()
        else {
            panic!()
        };
        assert_eq!((answered, message.payload()), (request, &payload[..]));
    }
}

#[test]
fn a_late_duplicate_acknowledgement_is_not_the_next_answer() {
    let mut wire = Wire::new();
    wire.endpoint.request(wire.now, SERVER, get()).unwrap();
    let first = wire.sent();
    let answer = response(&first, Code::CONTENT).with_payload(b"old".to_vec());
    wire.receive(SERVER, &answer);
    assert!(matches!(wire.endpoint.poll_event(), Some(Event::Response { .. })));
    wire.endpoint.request(wire.now, SERVER, get()).unwrap();
    let second = wire.sent();
    wire.receive(SERVER, &answer);
    assert!(
        wire.endpoint.poll_event().is_none(),
        "the duplicate answers nothing"
    );
    wire.receive(
        SERVER,
        &response(&second, Code::CONTENT).with_payload(b"new".to_vec()),
    );
    let Some(Event::Response { message, .. }) = wire.endpoint.poll_event() else {
        panic!()
    };
    assert_eq!(message.payload(), b"new");
}

#[test]
fn an_answer_from_another_address_is_none() {
    let mut wire = Wire::new();
    wire.endpoint.request(wire.now, SERVER, get()).unwrap();
    let request = wire.sent();
    wire.receive(STRANGER, &response(&request, Code::CONTENT));
    assert!(wire.endpoint.poll_event().is_none());
    wire.receive(SERVER, &response(&request, Code::CONTENT));
    assert!(matches!(wire.endpoint.poll_event(), Some(Event::Response { .. })));
}

#[test]
fn an_empty_acknowledgement_ends_retransmission_and_the_answer_may_take_its_time() {
    let mut wire = Wire::new();
    wire.endpoint.request(wire.now, SERVER, get()).unwrap();
    let request = wire.sent();
    wire.receive(SERVER, &ack(&request));
    wire.pass(seconds(7));
    assert!(wire.silent(), "acknowledged, so not repeated");
    let separate = wire::separate(&request, 77, Code::CONTENT);
    wire.receive(SERVER, &separate);
    assert!(matches!(wire.endpoint.poll_event(), Some(Event::Response { .. })));
    let confirmation = wire.sent();
    assert_eq!(
        (confirmation.kind(), confirmation.id()),
        (Kind::Acknowledgement, 77)
    );
}

#[test]
fn reset_ends_a_request_at_once() {
    let mut wire = Wire::new();
    wire.endpoint.request(wire.now, SERVER, get()).unwrap();
    let request = wire.sent();
    wire.receive(SERVER, &Message::empty(Kind::Reset, request.id()));
    let Some(Event::Failed { failure, .. }) = wire.endpoint.poll_event() else {
        panic!()
    };
    assert_eq!(failure, Failure::Reset);
    wire.pass(seconds(100));
    assert!(wire.silent());
}

#[test]
fn a_repeated_notification_is_delivered_once_and_acknowledged_twice() {
    let mut wire = Wire::new();
    let registration = wire.observe(SERVER, 1);
    let notification = notification(&registration, 500, 2, b"x");
    for _ in 0..2 {
        wire.receive(SERVER, &notification);
        assert_eq!(wire.sent().kind(), Kind::Acknowledgement);
    }
    assert!(matches!(
        wire.endpoint.poll_event(),
        Some(Event::Notification { .. })
    ));
    assert!(wire.endpoint.poll_event().is_none());
}

#[test]
fn a_notification_nobody_awaits_is_rejected() {
    let mut wire = Wire::new();
    let registration = wire.observe(SERVER, 1);
    wire.endpoint
        .forget_observation(wire.now, wire.observation.unwrap());
    wire.receive(SERVER, &notification(&registration, 500, 2, b"x"));
    let reset = wire.sent();
    assert_eq!((reset.kind(), reset.id()), (Kind::Reset, 500));
    assert!(wire.endpoint.poll_event().is_none());
}

#[test]
fn notifications_that_were_overtaken_are_dropped() {
    let mut wire = Wire::new();
    let registration = wire.observe(SERVER, 4);
    let mut got = Vec::new();
    for (id, order) in [(1, 5), (2, 7), (3, 6), (4, 8)] {
        wire.receive(SERVER, &notification(&registration, id, order, &[order as u8]));
        while let Some(Event::Notification { message, .. }) = wire.endpoint.poll_event() {
            got.push(message.payload()[0]);
        }
    }
    assert_eq!(got, [5, 7, 8]);
    // RFC 7641 §3.4: after 128 s the number says nothing any more.
    wire.pass(seconds(129));
    wire.drain();
    wire.receive(SERVER, &notification(&registration, 5, 6, &[66]));
    let events = wire.events();
    assert!(
        events.iter().any(|event| matches!(event,
            Event::Notification { message, .. } | Event::Registered { message, .. } if message.payload() == [66])),
        "{events:?}"
    );
}

#[test]
fn an_observation_that_outlived_its_max_age_is_registered_anew_with_the_same_token() {
    let mut wire = Wire::new();
    let registration = wire.observe(SERVER, 1);
    let short_lived = notification(&registration, 500, 2, b"x").with_uint(OptionNumber::MAX_AGE, 1);
    wire.receive(SERVER, &short_lived);
    wire.drain();
    wire.pass(seconds(1 + 4));
    assert!(wire.silent(), "not before 5 s have passed");
    wire.pass(seconds(11));
    let again = wire.sent();
    assert_eq!((again.code(), again.token()), (Code::GET, registration.token()));
    assert_eq!(again.uint(OptionNumber::OBSERVE), Some(0));
}

#[test]
fn an_observation_ends_with_an_error_or_an_answer_without_observe() {
    for end in [Code::NOT_FOUND, Code::CONTENT] {
        let mut wire = Wire::new();
        let registration = wire.observe(SERVER, 1);
        wire.receive(SERVER, &wire::separate(&registration, 9, end));
        let Some(Event::Ended {
            cause: Ended::Response(message),
            ..
        }) = wire.endpoint.poll_event()
        else {
            panic!()
        };
        assert_eq!(message.code(), end);
        assert_eq!(wire.sent().kind(), Kind::Acknowledgement);
        wire.pass(seconds(1000));
        assert!(wire.silent(), "and is not registered anew");
    }
}

#[test]
fn the_size_of_blocks_is_negotiated_and_lost_blocks_are_sent_again() {
    let mut wire = Wire::new();
    wire.endpoint
        .request(
            wire.now,
            SERVER,
            Message::new(Code::POST).with_payload(vec![7; 2000]),
        )
        .unwrap();
    let first = wire.sent();
    assert_eq!(first.payload().len(), 1024);
    // 4.13 with a smaller size: RFC 7959 §2.9.3.
    let smaller = Block::new(0, true, 2).unwrap().encode();
    wire.receive(
        SERVER,
        &response(&first, Code::REQUEST_ENTITY_TOO_LARGE).with_option(OptionNumber::BLOCK1, &smaller),
    );
    let mut block = wire.sent();
    assert_eq!(
        (block.payload().len(), block.uint(OptionNumber::BLOCK1)),
        (64, Some(8 | 2))
    );
    // 4.08 in the middle: from the start, RFC 7959 §2.9.2.
    wire.receive(SERVER, &response(&block, Code::REQUEST_ENTITY_INCOMPLETE));
    block = wire.sent();
    let mut body = Vec::new();
    loop {
        body.extend_from_slice(block.payload());
        let value = block.value(OptionNumber::BLOCK1).unwrap().to_vec();
        let more = Block::decode(&value).unwrap().more();
        let code = if more { Code::CONTINUE } else { Code::CHANGED };
        wire.receive(
            SERVER,
            &response(&block, code).with_option(OptionNumber::BLOCK1, &value),
        );
        if !more {
            break;
        }
        block = wire.sent();
    }
    assert_eq!(body, vec![7; 2000]);
    assert!(matches!(wire.endpoint.poll_event(), Some(Event::Response { .. })));
}

#[test]
fn an_idle_endpoint_does_not_wake() {
    let mut wire = Wire::new();
    wire.endpoint.request(wire.now, SERVER, get()).unwrap();
    let request = wire.sent();
    wire.receive(SERVER, &response(&request, Code::CONTENT));
    assert_eq!(wire.endpoint.poll_timeout(), None);
}

#[test]
fn one_confirmable_message_is_under_way_to_a_server_unless_asked_otherwise() {
    let mut wire = Wire::new();
    for _ in 0..3 {
        wire.endpoint.request(wire.now, SERVER, get()).unwrap();
    }
    let first = wire.sent();
    assert!(wire.silent(), "NSTART is 1");
    wire.receive(SERVER, &ack(&first));
    wire.sent();
    assert!(wire.silent());
    assert_eq!(Parameters::default().nstart, 1);
}
