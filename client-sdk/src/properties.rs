//! What travels beside a payload, on the wires that have room for it.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use manywire_topics::TopicBuf;

/// Names and values of the application's own, and what a request says about its answer: MQTT 5 carries them.
///
/// Empty on every other wire: publishing with them there is an error, see [`Capabilities::properties`](crate::transport::Capabilities).
/// Cloning is cheap.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(Option<Arc<Inner>>);

#[derive(Clone, Default, PartialEq, Eq)]
struct Inner {
    user: Vec<(Box<str>, Box<str>)>,
    response_topic: Option<TopicBuf>,
    correlation_data: Option<Bytes>,
}

impl Properties {
    /// No properties.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// The same with one more name and value behind the others; a name may come more than once.
    #[must_use]
    pub fn with_user_property(mut self, name: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        self.inner().user.push((name.into(), value.into()));
        self
    }

    /// The same, asking for an answer on this topic.
    #[must_use]
    pub fn with_response_topic(mut self, topic: TopicBuf) -> Self {
        self.inner().response_topic = Some(topic);
        self
    }

    /// The same with what the answer is to repeat, 65,535 bytes at most.
    #[must_use]
    pub fn with_correlation_data(mut self, data: impl Into<Bytes>) -> Self {
        self.inner().correlation_data = Some(data.into());
        self
    }

    /// The application's own names and values, in the order they were added.
    pub fn user_properties(&self) -> impl Iterator<Item = (&str, &str)> {
        let inner = self.0.iter();
        inner.flat_map(|inner| inner.user.iter().map(|(name, value)| (&**name, &**value)))
    }

    /// The first value of this name.
    #[must_use]
    pub fn user_property(&self, name: &str) -> Option<&str> {
        let mut all = self.user_properties();
        all.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Where an answer is expected; `None` also for a topic that is none of the platform's.
    #[must_use]
    pub fn response_topic(&self) -> Option<&TopicBuf> {
        self.0.as_ref()?.response_topic.as_ref()
    }

    /// What an answer repeats, so that its request is known.
    #[must_use]
    pub fn correlation_data(&self) -> Option<&Bytes> {
        self.0.as_ref()?.correlation_data.as_ref()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn inner(&mut self) -> &mut Inner {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

/// Names only: a value is as private as a payload.
impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.user_properties().map(|(name, _)| name).collect();
        f.debug_struct("Properties")
            .field("user", &names)
            .field("response_topic", &self.response_topic())
            .field("correlation_data", &self.correlation_data().map(Bytes::len))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_order_and_values_stay_private() {
        let properties = Properties::new()
            .with_user_property("unit", "K")
            .with_user_property("unit", "C")
            .with_correlation_data("hidden");
        let all: Vec<_> = properties.user_properties().collect();
        assert_eq!(all, [("unit", "K"), ("unit", "C")]);
        assert_eq!(properties.user_property("unit"), Some("K"));
        assert_eq!(properties.user_property("none"), None);
        let text = format!("{properties:?}");
        assert!(text.contains("unit") && !text.contains("hidden"), "{text}");
        assert!(!text.contains("\"K\""), "{text}");
        assert!(Properties::new().is_empty() && !properties.is_empty());
    }
}
