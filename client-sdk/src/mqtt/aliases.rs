//! Topic aliases that the server knows (5.0): a number of two bytes instead of a topic.

use std::{collections::HashMap, num::NonZeroU16};

use manywire_topics::TopicBuf;

/// What a PUBLISH says about its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// The topic alone.
    Plain,
    /// The topic, and the number that stands for it from now on.
    Introduced(NonZeroU16),
    /// The number alone.
    Known(NonZeroU16),
}

impl Naming {
    pub(super) const fn alias(self) -> Option<NonZeroU16> {
        match self {
            Self::Plain => None,
            Self::Introduced(alias) | Self::Known(alias) => Some(alias),
        }
    }
}

/// The aliases of one connection; they end with it [MQTT-3.3.2-7].
///
/// The first topics get them and keep them: replacing one would cost the topic's bytes again.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    maximum: u16,
    numbers: HashMap<TopicBuf, NonZeroU16>,
}

impl Aliases {
    /// As many as the server takes [MQTT-3.3.2-9], and not so many that they cost more memory than they save bytes.
    pub(super) fn new(topic_alias_maximum: u16) -> Self {
        Self {
            maximum: topic_alias_maximum.min(MOST),
            numbers: HashMap::new(),
        }
    }

    /// How a message for the topic is named now. An alias that is introduced counts once [`learn`](Self::learn) is told.
    pub(super) fn name(&self, topic: &TopicBuf) -> Naming {
        if self.maximum == 0 {
            return Naming::Plain;
        }
        if let Some(alias) = self.numbers.get(topic) {
            return Naming::Known(*alias);
        }
        let next = u16::try_from(self.numbers.len() + 1).unwrap_or(u16::MAX);
        match NonZeroU16::new(next) {
            Some(alias) if next <= self.maximum => Naming::Introduced(alias),
            _ => Naming::Plain,
        }
    }

    /// A PUBLISH with this name is on its way.
    pub(super) fn learn(&mut self, topic: &TopicBuf, naming: Naming) {
        if let Naming::Introduced(alias) = naming {
            self.numbers.insert(topic.clone(), alias);
        }
    }
}

/// Topics with an alias at most.
const MOST: u16 = 256;
