//! mqtt-topic-engine: a trie of hash maps.

use manywire_topics::{FilterBuf, Form, TopicBuf};
use mqtt_topic_engine::topic_matcher::{Len, TopicMatcherNode};
use mqtt_topic_engine::{CacheStrategy, TopicPath, TopicPatternPath};

/// The keys of the subscriptions to one filter.
#[derive(Debug, Default)]
struct Keys(Vec<u32>);

impl Len for Keys {
    fn len(&self) -> usize {
        self.0.len()
    }
}

pub struct Engine(TopicMatcherNode<Keys>);

impl Engine {
    pub fn new(filters: &[FilterBuf]) -> Self {
        let mut root = TopicMatcherNode::<Keys>::new();
        for (key, filter) in filters.iter().enumerate() {
            let text = filter
                .display(Form::Mqtt)
                .expect("a filter that MQTT can carry")
                .to_string();
            let pattern =
                TopicPatternPath::new_from_string(text, CacheStrategy::NoCache).expect("a valid filter");
            root.get_or_create_subscription_table(&pattern).0.push(key as u32);
        }
        Self(root)
    }

    pub fn topics(topics: &[TopicBuf]) -> Vec<TopicPath> {
        let text = |topic: &TopicBuf| {
            topic
                .display(Form::Mqtt)
                .expect("a topic that MQTT can carry")
                .to_string()
        };
        topics
            .iter()
            .map(|topic| TopicPath::new(text(topic)).expect("a valid topic"))
            .collect()
    }

    pub fn count(&self, topic: &TopicPath) -> usize {
        self.0.find_by_path(topic).iter().map(|keys| keys.0.len()).sum()
    }
}
