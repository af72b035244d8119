//! What a server answers by closing the connection.

use super::*;
use crate::engine::suspicion::TRIES;

/// A server that answers what it gets in order, and closes the connection at `poison`. Returns what it was sent.
fn serve(world: &mut World, poison: &str, answers_arrive: bool) -> Vec<String> {
    let mut got = Vec::new();
    loop {
        let sent = world.sent();
        if sent.is_empty() {
            return got;
        }
        for (name, id) in sent {
            got.push(name.clone());
            if name == poison {
                return got;
            }
            if answers_arrive {
                world.engine.handle_event(Event::Published(id));
            }
        }
    }
}

#[test]
fn a_message_that_ends_every_session_is_set_aside_and_the_rest_delivered() {
    for answers_arrive in [true, false] {
        let mut world = World::new();
        let slots = ["a", "b", "poison", "c", "d"].map(|name| (name, world.publish(name, QoS::AtLeastOnce)));
        let mut tried = 0;
        let mut sessions = 0;
        while slots[2].1.outcome().is_none() {
            world.connect(false, &[], &[]);
            // What the server answers right before it closes may be lost; what it answers alone is not.
            let one_at_a_time = world.engine.suspicion.is_careful();
            let got = serve(&mut world, "poison", answers_arrive || one_at_a_time);
            tried += usize::from(got.last().is_some_and(|name| name == "poison"));
            world.lose();
            sessions += 1;
            assert!(sessions < 20, "it ends");
        }
        assert!(tried >= TRIES as usize, "{tried}");
        let error = slots[2].1.outcome().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Other));
        assert!(error.to_string().contains("the connection was closed"), "{error}");
        assert_eq!(&error.message().unwrap().payload[..], b"poison");
        world.connect(false, &[], &[]);
        serve(&mut world, "poison", true);
        for (name, slot) in slots {
            assert_eq!(slot.outcome().unwrap().is_ok(), name != "poison", "{name}");
        }
    }
}

#[test]
fn a_bad_network_is_not_taken_for_a_refusal() {
    let mut world = World::new();
    let slot = world.publish("a", QoS::AtLeastOnce);
    for session in 0..100 {
        world.connect(false, &[], &[]);
        world.publish("quick", QoS::AtMostOnce);
        assert!(names(&world.sent()).contains(&"a"));
        if session % 2 == 0 {
            // Long after it was sent.
            world.now += Duration::from_secs(60);
            world.lose();
        } else {
            // Silence.
            let silence = TransportError::new(TransportErrorKind::TimedOut);
            world.engine.handle_failure(&silence, world.now);
        }
        assert!(slot.outcome().is_none(), "session {session}");
    }
}

#[test]
fn a_filter_that_ends_every_session_is_refused() {
    let mut world = World::new();
    let (inbox, subscribed) = world.subscribe("x");
    for _ in 0..TRIES {
        assert!(subscribed.outcome().is_none());
        world.connect(false, &[], &[]);
        assert!(matches!(&world.ops()[..], [Op::Subscribe { .. }]));
        world.lose();
    }
    let expected = ErrorKind::Refused(RefusalKind::Other);
    assert_eq!(subscribed.outcome().unwrap().unwrap_err().kind(), expected);
    assert_eq!(inbox.end_reason().unwrap().kind(), expected);
}

#[test]
fn what_the_transport_holds_is_given_up_there_too() {
    let mut world = World::online();
    let slot = world.publish("a", QoS::AtLeastOnce);
    let sent = world.sent();
    for _ in 0..TRIES {
        assert!(world.engine.earlier().given_up.is_empty());
        world.lose();
        if slot.outcome().is_none() {
            world.connect(true, &[sent[0].1], &[]);
        }
    }
    assert!(slot.outcome().is_some());
    assert_eq!(world.engine.earlier().given_up, [sent[0].1]);
    world.connect(true, &[], &[]);
    assert!(world.engine.earlier().given_up.is_empty());
}
