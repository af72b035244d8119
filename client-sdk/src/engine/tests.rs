//! The engine under simulated time, with a session that is a list.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use manywire_topics::{ChannelBuf, Dialect, FilterBuf, TopicBuf};

use super::{
    Engine, Step,
    backoff::Reconnect,
    inbox::{Inbox, Item},
    queue::Published,
    slot::Slot,
};
use crate::{
    error::{Error, ErrorKind, Refusal, RefusalKind},
    message::Message,
    outbox::Outbox,
    qos::QoS,
    transport::{Capabilities, DeliveryId, Event, Op, OpId, Received, TransportError, TransportErrorKind},
};

struct World {
    engine: Engine,
    now: Instant,
    channel: ChannelBuf,
}

impl World {
    fn new() -> Self {
        Self::with(Outbox::memory())
    }

    fn with(outbox: Outbox) -> Self {
        let now = Instant::now();
        Self {
            engine: Engine::new(everything(), Reconnect::default(), outbox, 1, now),
            now,
            channel: ChannelBuf::new(Dialect::Channels, None, "channel").unwrap(),
        }
    }

    fn online() -> Self {
        let mut world = Self::new();
        world.connect(false, &[], &[]);
        world
    }

    fn message(&self, subtopic: &str, qos: QoS) -> Message {
        let topic = TopicBuf::new(self.channel.as_channel(), subtopic).unwrap();
        Message::new(topic, subtopic.to_owned()).qos(qos)
    }

    fn publish(&mut self, subtopic: &str, qos: QoS) -> Arc<Slot<Published>> {
        let message = self.message(subtopic, qos);
        self.engine.publish(message, self.now).unwrap().slot
    }

    fn connect(&mut self, resumed: bool, held: &[OpId], in_doubt: &[OpId]) {
        loop {
            match self.engine.poll_step(self.now) {
                Step::Connect { .. } => break,
                Step::Wait => self.pass_time(),
                step => panic!("{step:?}"),
            }
        }
        self.engine
            .handle_connected(everything(), resumed, held, in_doubt, self.now);
    }

    /// Time passes until the engine wants to be asked.
    fn pass_time(&mut self) {
        self.now = self.engine.poll_timeout().unwrap();
        self.engine.handle_timeout(self.now);
    }

    fn lose(&mut self) {
        self.engine
            .handle_failure(&TransportError::new(TransportErrorKind::Closed), self.now);
    }

    fn ops(&mut self) -> Vec<Op> {
        std::iter::from_fn(|| self.engine.poll_op()).collect()
    }

    /// The subtopics of the publishes to be sent now, with their ids.
    fn sent(&mut self) -> Vec<(String, OpId)> {
        self.ops().into_iter().filter_map(publish_of).collect()
    }

    fn subscribe(&mut self, filter: &str) -> (Arc<Inbox>, Arc<Slot<Result<QoS, Error>>>) {
        let filter = FilterBuf::new(self.channel.as_channel(), filter).unwrap();
        let inbox = Inbox::new(8);
        let asked = self
            .engine
            .subscribe(filter, true, QoS::AtLeastOnce, Arc::clone(&inbox));
        (inbox, asked.unwrap().1)
    }

    fn received(&self, subtopic: &str, delivery: u64) -> Event {
        let topic = TopicBuf::new(self.channel.as_channel(), subtopic).unwrap();
        let mut received = Received::new(topic, subtopic.to_owned());
        received.delivery = Some(DeliveryId(delivery));
        Event::Message(received)
    }
}

fn everything() -> Capabilities {
    Capabilities {
        retain: true,
        will: true,
        max_in_flight: 3,
        max_payload: Some(100),
        ..Capabilities::publish_and_subscribe(QoS::ExactlyOnce)
    }
}

fn publish_of(op: Op) -> Option<(String, OpId)> {
    match op {
        Op::Publish { id, message } => Some((String::from_utf8(message.payload.to_vec()).unwrap(), id)),
        _ => None,
    }
}

fn names(sent: &[(String, OpId)]) -> Vec<&str> {
    sent.iter().map(|(name, _)| name.as_str()).collect()
}

fn kind(slot: &Slot<Published>) -> Option<ErrorKind> {
    slot.outcome().and_then(Result::err).map(|error| error.kind())
}

fn take(inbox: &Inbox) -> Option<Item> {
    let waker = futures_util::task::noop_waker();
    match inbox.poll_take(&std::task::Context::from_waker(&waker)) {
        std::task::Poll::Ready(item) => item,
        std::task::Poll::Pending => None,
    }
}

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
