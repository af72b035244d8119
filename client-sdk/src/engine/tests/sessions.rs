//! What survives lost connections, and how a client ends.

use super::*;

#[test]
fn r1_nothing_accepted_is_lost_when_the_session_is() {
    let mut world = World::online();
    let slots: Vec<_> = ["a", "b", "c", "d", "e"]
        .map(|name| world.publish(name, QoS::AtLeastOnce))
        .into();
    let (_inbox, subscribed) = world.subscribe("x");
    assert_eq!(names(&world.sent()), ["a", "b", "c"]);
    world.lose();
    world.connect(false, &[], &[]);
    let ops = world.ops();
    assert!(matches!(&ops[0], Op::Subscribe { .. }), "{ops:?}");
    let Op::Subscribe { id, .. } = ops[0] else {
        panic!()
    };
    world.engine.handle_event(Event::Subscribed {
        id,
        qos: QoS::AtLeastOnce,
    });
    assert_eq!(subscribed.outcome().unwrap().unwrap(), QoS::AtLeastOnce);
    let mut sent: Vec<_> = ops.into_iter().filter_map(publish_of).collect();
    assert_eq!(names(&sent), ["a", "b", "c"]);
    while !sent.is_empty() {
        sent.drain(..)
            .for_each(|(_, id)| world.engine.handle_event(Event::Published(id)));
        sent = world.sent();
    }
    let attempts: Vec<u32> = slots
        .iter()
        .map(|slot| slot.outcome().unwrap().unwrap().attempts())
        .collect();
    assert_eq!(attempts, [2, 2, 2, 1, 1]);
}

#[test]
fn r4_attempts_to_connect_are_spread_out() {
    let mut world = World::new();
    let start = world.now;
    let mut attempts = 0;
    while world.now < start + Duration::from_secs(60) {
        match world.engine.poll_step(world.now) {
            Step::Connect { .. } => {
                attempts += 1;
                world.lose();
            }
            _ => world.pass_time(),
        }
    }
    assert!((5..20).contains(&attempts), "{attempts} attempts in a minute");
}

#[test]
fn r4_a_peer_that_accepts_and_drops_is_not_stormed() {
    let mut world = World::new();
    let start = world.now;
    let mut sessions = 0;
    while world.now < start + Duration::from_secs(60) {
        world.connect(true, &[], &[]);
        sessions += 1;
        world.lose();
    }
    assert!(sessions < 20, "{sessions} sessions in a minute");
}

#[test]
fn r9_the_window_does_not_wedge_over_a_lost_session() {
    let mut world = World::online();
    for name in ["a", "b", "c", "d"] {
        world.publish(name, QoS::AtLeastOnce);
    }
    let sent = world.sent();
    world.engine.handle_event(Event::Published(sent[1].1));
    world.lose();
    world.connect(false, &[], &[]);
    assert_eq!(names(&world.sent()), ["a", "c", "d"]);
}

#[test]
fn what_the_transport_holds_is_not_submitted_again() {
    let mut world = World::online();
    let slots: Vec<_> = ["a", "b", "c"]
        .map(|name| world.publish(name, QoS::ExactlyOnce))
        .into();
    let sent = world.sent();
    world.lose();
    world.connect(true, &[sent[0].1], &[sent[1].1]);
    assert_eq!(
        kind(&slots[1]),
        Some(ErrorKind::Indeterminate),
        "in doubt is never a silent repeat"
    );
    assert_eq!(names(&world.sent()), ["c"]);
    world.engine.handle_event(Event::Published(sent[0].1));
    assert!(slots[0].outcome().unwrap().is_ok());
}

#[test]
fn what_was_sent_at_most_once_is_not_repeated() {
    let mut world = World::online();
    let sent = world.publish("sent", QoS::AtMostOnce);
    world.sent();
    let waiting = world.publish("waiting", QoS::AtMostOnce);
    world.lose();
    assert_eq!(kind(&sent), Some(ErrorKind::Indeterminate));
    world.connect(false, &[], &[]);
    assert_eq!(names(&world.sent()), ["waiting"]);
    assert!(waiting.outcome().is_none());
}

#[test]
fn what_the_session_says_it_has_not_sent_goes_to_the_next_one_in_its_place() {
    let mut world = World::online();
    world.publish("a", QoS::AtMostOnce);
    let b = world.publish("b", QoS::AtMostOnce);
    world.publish("c", QoS::AtMostOnce);
    let sent = world.sent();
    for index in [2, 1] {
        world.engine.handle_event(Event::Unsent(sent[index].1));
    }
    world.lose();
    world.connect(false, &[], &[]);
    let sent = world.sent();
    assert_eq!(names(&sent), ["b", "c"]);
    world.engine.handle_event(Event::Published(sent[0].1));
    assert_eq!(b.outcome().unwrap().unwrap().attempts(), 1);
}

#[test]
fn refused_credentials_end_the_retrying_and_tell_everyone() {
    let mut world = World::new();
    let pending = world.publish("a", QoS::AtLeastOnce);
    let (inbox, subscribed) = world.subscribe("x");
    assert!(matches!(world.engine.poll_step(world.now), Step::Connect { .. }));
    let refused = TransportErrorKind::Refused(RefusalKind::Credentials);
    world
        .engine
        .handle_failure(&TransportError::new(refused), world.now);
    assert_eq!(
        world.engine.poll_step(world.now + Duration::from_secs(3600)),
        Step::Stop
    );
    let expected = ErrorKind::Refused(RefusalKind::Credentials);
    assert_eq!(kind(&pending), Some(expected));
    assert_eq!(subscribed.outcome().unwrap().unwrap_err().kind(), expected);
    assert_eq!(inbox.end_reason().unwrap().kind(), expected);
    let message = world.message("late", QoS::AtLeastOnce);
    let error = world.engine.publish(message, world.now).unwrap_err();
    assert_eq!((error.kind(), error.message().is_some()), (expected, true));
}

#[test]
fn closing_waits_for_answers_and_then_says_goodbye() {
    let mut world = World::online();
    let pending = world.publish("a", QoS::AtLeastOnce);
    let sent = world.sent();
    let stopped = world.engine.close(world.now + Duration::from_secs(5));
    assert_eq!(world.engine.poll_step(world.now), Step::Exchange);
    world.engine.handle_event(Event::Published(sent[0].1));
    assert_eq!(world.engine.poll_step(world.now), Step::Close);
    world.engine.handle_closed();
    assert!(pending.outcome().unwrap().is_ok());
    assert_eq!(stopped.outcome(), Some(Vec::new()));
}

#[test]
fn closing_says_what_is_undelivered() {
    let mut world = World::online();
    let under_way = world.publish("a", QoS::AtLeastOnce);
    world.sent();
    for name in ["b", "c", "d"] {
        world.publish(name, QoS::AtLeastOnce);
    }
    world.sent();
    let waiting = world.publish("e", QoS::AtLeastOnce);
    let stopped = world.engine.close(world.now + Duration::from_secs(5));
    world.now += Duration::from_secs(5);
    assert_eq!(world.engine.poll_step(world.now), Step::Close);
    world.engine.handle_closed();
    assert_eq!(stopped.outcome().unwrap().len(), 5);
    assert_eq!(kind(&under_way), Some(ErrorKind::Indeterminate));
    let error = waiting.outcome().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!(&error.message().unwrap().payload[..], b"e");
}

#[test]
fn a_resumed_session_is_not_subscribed_again_unless_that_was_unconfirmed() {
    let mut world = World::online();
    let (_a, _) = world.subscribe("a");
    let ops = world.ops();
    let Op::Subscribe { id, .. } = ops[0] else {
        panic!("{ops:?}")
    };
    world.engine.handle_event(Event::Subscribed {
        id,
        qos: QoS::AtLeastOnce,
    });
    let (_b, _) = world.subscribe("b");
    assert_eq!(world.ops().len(), 1);
    world.lose();
    world.connect(true, &[], &[]);
    let again = world.ops();
    assert!(
        matches!(&again[..], [Op::Subscribe { filter, .. }] if filter.as_filter().subtopic().to_string().ends_with('b')),
        "{again:?}"
    );
    world.lose();
    world.connect(false, &[], &[]);
    assert_eq!(world.ops().len(), 2);
}
