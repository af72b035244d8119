//! What the answers of a session change.

use super::*;

#[test]
fn r2_an_outcome_belongs_to_its_message_alone() {
    let mut world = World::online();
    let first = world.publish("a", QoS::AtLeastOnce);
    let second = world.publish("b", QoS::AtLeastOnce);
    let sent = world.sent();
    let refusal = Refusal::new(RefusalKind::Forbidden).because("0x87");
    world.engine.handle_event(Event::Refused {
        id: sent[0].1,
        refusal,
    });
    assert_eq!(kind(&first), Some(ErrorKind::Refused(RefusalKind::Forbidden)));
    assert!(second.outcome().is_none());
}

#[test]
fn r11_duplicate_and_unsolicited_answers_change_nothing() {
    let mut world = World::online();
    let first = world.publish("a", QoS::AtLeastOnce);
    let second = world.publish("b", QoS::AtLeastOnce);
    let sent = world.sent();
    for _ in 0..2 {
        world.engine.handle_event(Event::Published(sent[0].1));
    }
    world.engine.handle_event(Event::Published(OpId(999)));
    world.engine.handle_event(Event::Unsubscribed(OpId(998)));
    world.engine.handle_event(Event::Subscribed {
        id: OpId(997),
        qos: QoS::AtMostOnce,
    });
    assert!(first.outcome().unwrap().is_ok());
    assert!(second.outcome().is_none());
    assert_eq!(world.engine.unfinished(), 1);
}

#[test]
fn r16_a_full_window_holds_back_nothing_that_needs_no_acknowledgement() {
    let mut world = World::online();
    for name in ["a", "b", "c", "d"] {
        world.publish(name, QoS::AtLeastOnce);
    }
    assert_eq!(world.sent().len(), 3);
    world.publish("quick", QoS::AtMostOnce);
    let (_inbox, _subscribed) = world.subscribe("x");
    let ops = world.ops();
    assert!(matches!(&ops[0], Op::Subscribe { .. }), "{ops:?}");
    assert!(
        matches!(&ops[1], Op::Publish { message, .. } if message.qos == QoS::AtMostOnce),
        "{ops:?}"
    );
    assert_eq!(ops.len(), 2);
}
