//! What is accepted, what is not, and what becomes too old.

use super::*;

#[test]
fn what_is_published_before_the_first_connection_is_sent_in_order() {
    let mut world = World::new();
    let slots: Vec<_> = ["a", "b"]
        .map(|name| world.publish(name, QoS::AtLeastOnce))
        .into();
    world.connect(false, &[], &[]);
    let sent = world.sent();
    assert_eq!(names(&sent), ["a", "b"]);
    world.engine.handle_event(Event::Published(sent[1].1));
    world.engine.handle_event(Event::Published(sent[0].1));
    for slot in slots {
        let receipt = slot.outcome().unwrap().unwrap();
        assert_eq!((receipt.guarantee(), receipt.attempts()), (QoS::AtLeastOnce, 1));
    }
    assert_eq!(world.engine.unfinished(), 0);
}

#[test]
fn r8_what_is_too_large_is_refused_before_it_is_accepted() {
    let mut world = World::online();
    let mut message = world.message("a", QoS::AtLeastOnce);
    message.payload = vec![0; 101].into();
    let error = world.engine.publish(message, world.now).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(world.engine.unfinished(), 0);
}

#[test]
fn r8_what_a_new_session_cannot_carry_is_set_aside_and_the_rest_goes_on() {
    let mut world = World::new();
    let mut message = world.message("large", QoS::AtLeastOnce);
    message.payload = vec![0; 50].into();
    let large = world.engine.publish(message, world.now).unwrap().slot;
    let small = world.publish("small", QoS::AtLeastOnce);
    assert!(matches!(world.engine.poll_step(world.now), Step::Connect { .. }));
    let narrow = Capabilities {
        max_payload: Some(10),
        ..everything()
    };
    world.engine.handle_connected(narrow, false, &[], &[], world.now);
    let error = large.outcome().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(error.message().unwrap().payload.len(), 50);
    assert_eq!(names(&world.sent()), ["small"]);
    assert!(small.outcome().is_none());
}

#[test]
fn a_full_outbox_gives_the_message_back_and_has_room_again_after_an_answer() {
    let mut world = World::with(Outbox::memory().max_messages(2));
    world.connect(false, &[], &[]);
    world.publish("a", QoS::AtLeastOnce);
    world.publish("b", QoS::AtLeastOnce);
    let message = world.message("c", QoS::AtLeastOnce);
    let error = world.engine.publish(message, world.now).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QueueFull);
    let message = error.message().unwrap().clone();
    let sent = world.sent();
    world.engine.handle_event(Event::Published(sent[1].1));
    assert!(world.engine.publish(message, world.now).is_ok());
}

#[test]
fn an_outbox_is_bounded_in_bytes() {
    let mut world = World::with(Outbox::memory().max_bytes(10));
    world.publish("12345678", QoS::AtLeastOnce);
    let message = world.message("abc", QoS::AtLeastOnce);
    assert_eq!(
        world.engine.publish(message, world.now).unwrap_err().kind(),
        ErrorKind::QueueFull
    );
    let never = world.message("12345678901", QoS::AtLeastOnce);
    assert_eq!(
        world.engine.publish(never, world.now).unwrap_err().kind(),
        ErrorKind::TooLarge
    );
}

#[test]
fn what_waited_too_long_expires_and_what_is_under_way_does_not() {
    let mut world = World::online();
    let lifetime = Duration::from_secs(10);
    let mut slots = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let mut message = world.message(name, QoS::AtLeastOnce);
        message.expires_after = Some(lifetime);
        slots.push(world.engine.publish(message, world.now).unwrap().slot);
    }
    world.sent();
    assert_eq!(world.engine.poll_timeout(), Some(world.now + lifetime));
    world.engine.handle_timeout(world.now + lifetime);
    assert_eq!(
        slots.iter().map(|slot| kind(slot)).collect::<Vec<_>>(),
        [None, None, None, Some(ErrorKind::Expired)]
    );
    assert_eq!(world.engine.poll_timeout(), None);
}
