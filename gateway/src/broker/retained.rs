//! The last retained message of each topic.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use manywire_topics::{ChannelBuf, FilterBuf, TopicBuf};

use super::BrokerError;
use crate::Message;

/// Retained messages by channel, since a filter names one channel.
#[derive(Debug)]
pub(super) struct Retained {
    channels: HashMap<ChannelBuf, BTreeMap<TopicBuf, Arc<Message>>>,
    messages: usize,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
}

impl Retained {
    pub(super) fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self {
            channels: HashMap::new(),
            messages: 0,
            bytes: 0,
            max_messages,
            max_bytes,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.messages
    }

    /// Keeps the message instead of the one before it, or clears that one if the payload is empty.
    // [MQTT-3.3.1-5], [MQTT-3.3.1-6]
    pub(super) fn keep(&mut self, message: &Arc<Message>) -> Result<(), BrokerError> {
        let channel = message.topic.as_topic().channel().to_buf();
        if message.payload.is_empty() {
            self.clear(&channel, &message.topic);
            return Ok(());
        }
        let before = self
            .channels
            .get(&channel)
            .and_then(|topics| topics.get(&message.topic));
        let (messages, bytes) = before.map_or((0, 0), |before| (1, before.cost()));
        let messages = self.messages - messages + 1;
        let bytes = self.bytes - bytes + message.cost();
        if messages > self.max_messages || bytes > self.max_bytes {
            return Err(BrokerError::RetainedFull);
        }
        (self.messages, self.bytes) = (messages, bytes);
        self.channels
            .entry(channel)
            .or_default()
            .insert(message.topic.clone(), Arc::clone(message));
        Ok(())
    }

    /// The kept messages that the filter matches and that have not expired.
    pub(super) fn matching<'a>(
        &'a self,
        filter: &'a FilterBuf,
        now: SystemTime,
    ) -> impl Iterator<Item = &'a Arc<Message>> {
        let filter = filter.as_filter();
        let topics = self.channels.get(&filter.channel().to_buf());
        topics
            .into_iter()
            .flatten()
            .filter(move |(topic, message)| filter.matches(topic.as_topic()) && !message.is_expired(now))
            .map(|(_, message)| message)
    }

    fn clear(&mut self, channel: &ChannelBuf, topic: &TopicBuf) {
        let Some(topics) = self.channels.get_mut(channel) else {
            return;
        };
        if let Some(cleared) = topics.remove(topic) {
            self.messages -= 1;
            self.bytes -= cleared.cost();
        }
        if topics.is_empty() {
            self.channels.remove(channel);
        }
    }
}
