//! The test descriptions of the ETSI CoAP plugtests that concern an endpoint: requests, observing, blocks.
//!
//! Not here, because they are about what an application stores: CORE_18 to 23 (locations, Accept, ETag, preconditions),
//! LINK, and DTLS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod network;
mod wire;

use std::time::Duration;

use manywire_coap::{
    Block, Code, ContentFormat, Ended, Event, Failure, Gone, Kind, Message, OptionNumber, Parameters,
};
use network::{Network, serving};
use wire::{Wire, ack, raw, response};

const CLIENT: usize = 0;
const SERVER: usize = 1;
const PEER: u8 = 1;

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// Sends a request to a server that answers with the code; gives the response and every message there was.
fn exchange(request: Message, code: Code, after: Duration) -> (Message, Vec<Message>) {
    let mut network = Network::new(7, [Parameters::default(), serving()]);
    let now = network.now;
    network.endpoints[CLIENT].request(now, SERVER, request).unwrap();
    let (mut response, mut open) = (None, None);
    let answer = |message: Message| Message::new(code).with_payload(message.into_payload());
    network.run(after, |endpoint, now, _, event| match event {
        Event::Request {
            exchange, message, ..
        } if after.is_zero() => {
            endpoint.respond(now, exchange, answer(message)).unwrap();
        }
        Event::Request {
            exchange, message, ..
        } => open = Some((exchange, answer(message))),
        other => panic!("{other:?}"),
    });
    if let Some((exchange, answer)) = open {
        let now = network.now;
        network.endpoints[SERVER].respond(now, exchange, answer).unwrap();
    }
    network.run(seconds(300), |endpoint, now, _, event| match event {
        Event::Request {
            exchange, message, ..
        } => endpoint.respond(now, exchange, answer(message)).unwrap(),
        Event::Response { message, .. } => response = Some(message),
        other => panic!("{other:?}"),
    });
    let messages = network
        .sent
        .iter()
        .map(|(.., datagram)| Message::decode(datagram).unwrap())
        .collect();
    (response.expect("no response"), messages)
}

fn kinds(messages: &[Message]) -> Vec<Kind> {
    messages.iter().map(Message::kind).collect()
}

#[test]
fn td_coap_core_01_to_04_confirmable_methods_are_answered_in_the_acknowledgement() {
    for (method, code) in [
        (Code::GET, Code::CONTENT),
        (Code::DELETE, Code::DELETED),
        (Code::PUT, Code::CHANGED),
        (Code::POST, Code::CREATED),
    ] {
        let (answer, messages) = exchange(
            Message::new(method).with_payload(b"x".to_vec()),
            code,
            Duration::ZERO,
        );
        assert_eq!((answer.code(), answer.payload()), (code, &b"x"[..]));
        assert_eq!(kinds(&messages), [Kind::Confirmable, Kind::Acknowledgement]);
        assert_eq!(
            (messages[0].id(), messages[0].token()),
            (messages[1].id(), messages[1].token())
        );
    }
}

#[test]
fn td_coap_core_05_to_08_non_confirmable_methods_are_answered_non_confirmably() {
    for method in [Code::GET, Code::DELETE, Code::PUT, Code::POST] {
        let (_, messages) = exchange(
            Message::new(method).non_confirmable(),
            Code::CHANGED,
            Duration::ZERO,
        );
        assert_eq!(kinds(&messages), [Kind::NonConfirmable, Kind::NonConfirmable]);
        assert_eq!(messages[0].token(), messages[1].token());
    }
}

#[test]
fn td_coap_core_09_and_11_a_slow_answer_is_separate() {
    let (_, messages) = exchange(Message::new(Code::GET), Code::CONTENT, seconds(3));
    let expected = [
        Kind::Confirmable,
        Kind::Acknowledgement,
        Kind::Confirmable,
        Kind::Acknowledgement,
    ];
    assert_eq!(kinds(&messages), expected, "{messages:?}");
    assert_eq!(
        (messages[1].code(), messages[1].id()),
        (Code::EMPTY, messages[0].id())
    );
    assert_eq!(
        (messages[2].token(), messages[3].id()),
        (messages[0].token(), messages[2].id())
    );
}

#[test]
fn td_coap_core_10_and_12_any_token_comes_back_even_none() {
    for token in [&[][..], &[1], &[1, 2, 3, 4, 5, 6, 7, 8]] {
        let mut wire = Wire::serving();
        wire.receive(PEER, &raw(Kind::Confirmable, Code::GET, 9, token));
        let Some(Event::Request { exchange, .. }) = wire.endpoint.poll_event() else {
            panic!()
        };
        wire.endpoint
            .respond(wire.now, exchange, Message::new(Code::CONTENT))
            .unwrap();
        assert_eq!(wire.sent().token().as_bytes(), token);
    }
}

#[test]
fn td_coap_core_13_and_14_path_and_query_keep_their_segments() {
    let request = [b"seg1", b"seg2", b"seg3"]
        .iter()
        .fold(Message::new(Code::GET), |request, segment| {
            request
                .with_option(OptionNumber::URI_PATH, *segment)
                .with_option(OptionNumber::URI_QUERY, *segment)
        });
    let mut network = Network::new(7, [Parameters::default(), serving()]);
    let now = network.now;
    network.endpoints[CLIENT]
        .request(now, SERVER, request.clone())
        .unwrap();
    let mut seen = None;
    network.run(seconds(1), |_, _, _, event| match event {
        Event::Request { message, .. } => seen = Some(message),
        other => panic!("{other:?}"),
    });
    let seen = seen.unwrap();
    for number in [OptionNumber::URI_PATH, OptionNumber::URI_QUERY] {
        assert!(seen.values(number).eq(request.values(number)));
    }
}

#[test]
fn td_coap_core_15_an_answer_lost_in_its_acknowledgement_is_sent_again_from_memory() {
    let mut wire = Wire::serving();
    let request = raw(Kind::Confirmable, Code::GET, 9, &[1]);
    wire.receive(PEER, &request);
    let Some(Event::Request { exchange, .. }) = wire.endpoint.poll_event() else {
        panic!()
    };
    wire.endpoint
        .respond(wire.now, exchange, Message::new(Code::CONTENT))
        .unwrap();
    let first = wire.sent();
    wire.receive(PEER, &request);
    assert_eq!(wire.sent(), first);
    assert!(
        wire.endpoint.poll_event().is_none(),
        "the application is asked once"
    );
}

#[test]
fn td_coap_core_16_a_separate_answer_is_repeated_until_it_is_acknowledged() {
    let mut wire = Wire::serving();
    wire.receive(PEER, &raw(Kind::Confirmable, Code::GET, 9, &[1]));
    let Some(Event::Request { exchange, .. }) = wire.endpoint.poll_event() else {
        panic!()
    };
    wire.pass(seconds(2));
    assert_eq!(wire.sent(), Message::empty(Kind::Acknowledgement, 9));
    wire.endpoint
        .respond(wire.now, exchange, Message::new(Code::CONTENT))
        .unwrap();
    let answer = wire.sent();
    wire.pass(seconds(4));
    assert_eq!(wire.sent(), answer);
    wire.receive(PEER, &ack(&answer));
    wire.pass(seconds(100));
    assert!(wire.silent());
}

#[test]
fn td_coap_core_17_a_slow_answer_to_a_non_confirmable_request_needs_no_acknowledgement() {
    let (_, messages) = exchange(
        Message::new(Code::GET).non_confirmable(),
        Code::CONTENT,
        seconds(3),
    );
    assert_eq!(kinds(&messages), [Kind::NonConfirmable, Kind::NonConfirmable]);
}

#[test]
fn retransmission_doubles_from_a_random_start_and_ends_after_four() {
    let mut wire = Wire::new();
    let start = wire.now;
    wire.endpoint
        .request(start, PEER, Message::new(Code::GET))
        .unwrap();
    let request = wire.sent();
    let mut times = Vec::new();
    while let Some(timeout) = wire.endpoint.poll_timeout() {
        wire.pass(timeout - wire.now);
        if let Some(transmit) = wire.endpoint.poll_transmit() {
            assert_eq!(transmit.datagram, request.encode().unwrap());
            times.push((wire.now - start).as_secs_f64());
        }
    }
    assert_eq!(times.len(), 4);
    assert!((2.0..=3.0).contains(&times[0]), "{times:?}");
    for (index, time) in times.iter().enumerate() {
        assert!(
            (time / times[0] - ((2 << index) - 1) as f64).abs() < 1e-6,
            "{times:?}"
        );
    }
    assert!(
        ((wire.now - start).as_secs_f64() / times[0] - 31.0).abs() < 1e-6,
        "given up after the fifth wait"
    );
    assert!(matches!(
        wire.endpoint.poll_event(),
        Some(Event::Failed {
            failure: Failure::Timeout,
            ..
        })
    ));
}

/// A server with one observer of a resource, proven to be where it says.
fn observed() -> (Wire, Message, manywire_coap::ObserverId) {
    let mut wire = Wire::serving();
    let registration = raw(Kind::Confirmable, Code::GET, 9, &[1, 2]).with_uint(OptionNumber::OBSERVE, 0);
    wire.receive(PEER, &registration);
    let Some(Event::Request { exchange, .. }) = wire.endpoint.poll_event() else {
        panic!()
    };
    let observer = wire
        .endpoint
        .accept_observer(wire.now, exchange, Message::new(Code::CONTENT))
        .unwrap();
    let accepted = wire.sent();
    assert_eq!(
        (accepted.code(), accepted.token()),
        (Code::CONTENT, registration.token())
    );
    assert!(accepted.uint(OptionNumber::OBSERVE).is_some());
    let probe = wire.sent();
    assert_eq!((probe.kind(), probe.code()), (Kind::Confirmable, Code::EMPTY));
    wire.receive(PEER, &Message::empty(Kind::Reset, probe.id()));
    (wire, registration, observer)
}

#[test]
fn td_coap_obs_01_and_02_notifications_are_numbered_confirmable_or_not() {
    let (mut wire, registration, observer) = observed();
    let mut last = None;
    for confirmable in [true, false, true] {
        let message = Message::new(Code::CONTENT).with_payload(b"x".to_vec());
        let message = if confirmable {
            message
        } else {
            message.non_confirmable()
        };
        wire.endpoint.notify(wire.now, observer, message).unwrap();
        let notification = wire.sent();
        assert_eq!(notification.kind() == Kind::Confirmable, confirmable);
        assert_eq!(notification.token(), registration.token());
        let order = notification.uint(OptionNumber::OBSERVE);
        assert!(order > last, "{order:?} after {last:?}");
        last = order;
        if confirmable {
            wire.receive(PEER, &ack(&notification));
        }
        assert!(matches!(wire.endpoint.poll_event(), Some(Event::Notified { .. })));
    }
}

#[test]
fn td_coap_obs_03_and_06_reset_ends_an_observation_of_either_kind() {
    for confirmable in [true, false] {
        let (mut wire, _, observer) = observed();
        let message = Message::new(Code::CONTENT);
        let message = if confirmable {
            message
        } else {
            message.non_confirmable()
        };
        wire.endpoint.notify(wire.now, observer, message.clone()).unwrap();
        let notification = wire.sent();
        wire.receive(PEER, &Message::empty(Kind::Reset, notification.id()));
        let events = wire.events();
        assert!(
            events.iter().any(|event| matches!(
                event,
                Event::ObserverGone {
                    reason: Gone::Reset,
                    ..
                }
            )),
            "{events:?}"
        );
        assert!(wire.endpoint.notify(wire.now, observer, message).is_err());
    }
}

#[test]
fn td_coap_obs_04_a_client_notices_that_its_server_is_gone() {
    let mut wire = Wire::new();
    wire.observe(PEER, 1);
    let latest = wire.now + seconds(60 + 15 + 93);
    while !wire
        .events()
        .iter()
        .any(|event| matches!(event, Event::Stale { .. }))
    {
        assert!(wire.now < latest, "it does not notice");
        wire.pass(seconds(1));
    }
    wire.drain();
    wire.pass(seconds(15));
    let again = wire.sent();
    assert_eq!(again.uint(OptionNumber::OBSERVE), Some(0), "and asks again");
    let accepted = response(&again, Code::CONTENT).with_uint(OptionNumber::OBSERVE, 1);
    wire.receive(PEER, &accepted);
    let events = wire.events();
    assert!(
        matches!(events[..], [Event::Registered { gap: true, .. }]),
        "{events:?}"
    );
}

#[test]
fn td_coap_obs_05_a_server_notices_that_its_client_is_gone() {
    let (mut wire, _, observer) = observed();
    for _ in 0..3 {
        wire.endpoint
            .notify(wire.now, observer, Message::new(Code::CONTENT))
            .unwrap();
    }
    wire.pass(seconds(94));
    let events = wire.events();
    assert!(
        matches!(
            events[..],
            [Event::ObserverGone {
                reason: Gone::Timeout,
                undelivered: 3,
                ..
            }]
        ),
        "{events:?}"
    );
    wire.drain();
    wire.pass(seconds(1000));
    assert!(wire.silent());
}

#[test]
fn td_coap_obs_07_and_08_an_error_ends_an_observation_from_the_servers_side() {
    let (mut wire, registration, observer) = observed();
    wire.endpoint
        .dismiss(wire.now, observer, Message::new(Code::NOT_FOUND))
        .unwrap();
    let last = wire.sent();
    assert_eq!(
        (last.code(), last.token()),
        (Code::NOT_FOUND, registration.token())
    );
    assert_eq!(last.value(OptionNumber::OBSERVE), None);
    assert!(
        wire.endpoint
            .notify(wire.now, observer, Message::new(Code::CONTENT))
            .is_err()
    );
}

#[test]
fn td_coap_obs_09_the_content_format_may_change() {
    let (mut wire, _, observer) = observed();
    for format in [ContentFormat::SENML_JSON, ContentFormat::SENML_CBOR] {
        let message = Message::new(Code::CONTENT).with_content_format(format);
        wire.endpoint.notify(wire.now, observer, message).unwrap();
        let notification = wire.sent();
        assert_eq!(notification.content_format(), Some(format));
        wire.receive(PEER, &ack(&notification));
    }
}

#[test]
fn td_coap_obs_10_observe_1_with_the_same_token_deregisters() {
    let mut wire = Wire::new();
    let registration = wire.observe(PEER, 1);
    wire.endpoint
        .cancel_observation(wire.now, wire.observation.unwrap());
    let cancellation = wire.sent();
    assert_eq!(
        (cancellation.token(), cancellation.uint(OptionNumber::OBSERVE)),
        (registration.token(), Some(1))
    );
    // What was on its way is acknowledged and dropped.
    wire.receive(PEER, &wire::notification(&registration, 70, 2, b"late"));
    assert_eq!(wire.sent().kind(), Kind::Acknowledgement);
    wire.receive(PEER, &response(&cancellation, Code::CONTENT));
    let events = wire.events();
    assert!(
        matches!(
            events[..],
            [Event::Ended {
                cause: Ended::Cancelled,
                ..
            }]
        ),
        "{events:?}"
    );
}

#[test]
fn td_coap_block_01_and_02_a_large_answer_comes_in_blocks_of_the_size_asked_for() {
    for (asked, longest) in [(None, 1024), (Some(2), 64)] {
        let request = match asked {
            Some(exponent) => {
                let block = Block::new(0, false, exponent).unwrap();
                Message::new(Code::GET).with_option(OptionNumber::BLOCK2, &block.encode())
            }
            None => Message::new(Code::GET),
        };
        let body: Vec<u8> = (0..3000_u32).map(|index| index as u8).collect();
        let mut network = Network::new(7, [Parameters::default(), serving()]);
        let now = network.now;
        network.endpoints[CLIENT].request(now, SERVER, request).unwrap();
        let mut got = None;
        network.run(seconds(60), |endpoint, now, _, event| match event {
            Event::Request { exchange, .. } => {
                endpoint
                    .respond(
                        now,
                        exchange,
                        Message::new(Code::CONTENT).with_payload(body.clone()),
                    )
                    .unwrap();
            }
            Event::Response { message, .. } => got = Some(message.into_payload()),
            other => panic!("{other:?}"),
        });
        assert_eq!(got.as_deref(), Some(&body[..]));
        let payloads = network
            .sent
            .iter()
            .map(|(.., datagram)| Message::decode(datagram).unwrap().payload().len());
        assert_eq!(payloads.max(), Some(longest));
    }
}

#[test]
fn td_coap_block_03_to_06_a_large_request_goes_in_blocks_and_so_does_its_answer() {
    for method in [Code::PUT, Code::POST] {
        let body: Vec<u8> = (0..2500_u32).map(|index| (index / 3) as u8).collect();
        let request = Message::new(method).with_payload(body.clone());
        let (answer, messages) = exchange(request, Code::CHANGED, Duration::ZERO);
        assert_eq!(answer.payload(), body);
        let continued = messages
            .iter()
            .filter(|message| message.code() == Code::CONTINUE)
            .count();
        assert_eq!(continued, 2, "three blocks there");
        let fetched = messages
            .iter()
            .filter(|message| message.value(OptionNumber::BLOCK2).is_some())
            .count();
        assert_eq!(fetched, 1 + 2 * 2, "three blocks back");
    }
}
