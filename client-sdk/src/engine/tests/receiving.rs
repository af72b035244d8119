//! Messages that arrive, and their acknowledgements.

use super::*;

#[test]
fn messages_are_acknowledged_when_taken_in_the_order_of_arrival() {
    let mut world = World::online();
    let (first, _) = world.subscribe("a");
    let (second, _) = world.subscribe("b");
    world.ops();
    for (name, delivery) in [("a", 1), ("b", 2), ("nobody", 3)] {
        let event = world.received(name, delivery);
        world.engine.handle_event(event);
    }
    let item = take(&second).unwrap();
    world.engine.acknowledge(item.delivery.unwrap());
    assert_eq!(world.ops(), []);
    let item = take(&first).unwrap();
    world.engine.acknowledge(item.delivery.unwrap());
    let acknowledged = [1, 2, 3].map(|id| Op::Acknowledge(DeliveryId(id)));
    assert_eq!(world.ops(), acknowledged);
}

#[test]
fn what_above_a_filter_the_wire_delivers_anyway_is_dropped() {
    let mut world = World::online();
    let (below, _) = world.subscribe("a/>");
    world.ops();
    for (name, delivery) in [("a", 1), ("a/b", 2)] {
        let event = world.received(name, delivery);
        world.engine.handle_event(event);
    }
    assert_eq!(&take(&below).unwrap().received.payload[..], b"a/b");
    assert!(take(&below).is_none());
    assert_eq!(world.ops(), [Op::Acknowledge(DeliveryId(1))]);
}
