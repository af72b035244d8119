//! The engine under simulated time, with a session that is a list.

mod answers;
mod culprit;
mod outbox;
mod receiving;
mod sessions;

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
        std::iter::from_fn(|| self.engine.poll_op(self.now)).collect()
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
            .subscribe((filter, None), true, QoS::AtLeastOnce, Arc::clone(&inbox));
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
        Op::Publish { id, message, .. } => Some((String::from_utf8(message.payload.to_vec()).unwrap(), id)),
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
