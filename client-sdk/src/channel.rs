//! Channels, and the topics inside them.

use manywire_topics::{ChannelBuf, Filter, Topic, TopicBuf};

use crate::{
    client::Handle,
    error::{Error, ErrorKind},
    message::Message,
    payload::IntoPayload,
    publish::Publish,
    receipt::Pending,
    request::Requester,
    subscription::Subscribe,
};

/// A channel of the platform, to publish to and to subscribe in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Channel {
    handle: Handle,
    channel: ChannelBuf,
    root: Subtopic,
}

impl Channel {
    pub(crate) fn new(handle: Handle, channel: ChannelBuf) -> Result<Self, Error> {
        let topic = Topic::new(channel.as_channel(), "")
            .map_err(|error| Error::topic("", error))?
            .to_buf();
        let root = Subtopic::new(handle.clone(), topic);
        Ok(Self {
            handle,
            channel,
            root,
        })
    }

    /// A subtopic of this channel, such as `bedroom/temperature` or, the same, `bedroom.temperature`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Topic`](crate::ErrorKind::Topic) for one that the dialect does not allow, wildcards included.
    pub fn subtopic(&self, text: &str) -> Result<Subtopic, Error> {
        let topic = Topic::new(self.channel.as_channel(), text).map_err(|error| Error::topic(text, error))?;
        Ok(Subtopic::new(self.handle.clone(), topic.to_buf()))
    }

    /// Publishes to the channel itself.
    pub fn publish(&self, payload: impl IntoPayload) -> Publish {
        self.root.publish(payload)
    }

    /// Subscribes to a filter: `bedroom/*` is one level below `bedroom`, `>` is every subtopic, the empty text is the
    /// channel itself without its subtopics. MQTT's `+` and `#` are understood as well.
    ///
    /// A malformed filter is reported by the future.
    pub fn subscribe(&self, filter: &str) -> Subscribe {
        let parsed = Filter::new(self.channel.as_channel(), filter)
            .map(|filter| filter.to_buf())
            .map_err(|error| Error::topic(filter, error));
        Subscribe::new(self.handle.clone(), parsed)
    }

    /// What sends requests, and receives the answers on this subtopic. The subtopic is to be this client's own, such as
    /// `answers/<name of the device>`: who else subscribes to it reads the answers, who else publishes there is ignored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] on a wire that cannot say where an answer is expected, which is every one but MQTT 5; and
    /// those of subscribing.
    pub async fn requester(&self, answers: &str) -> Result<Requester, Error> {
        let possible = || {
            if self.handle.shared().lock().capabilities().properties {
                return Ok(());
            }
            let what = "requests need MQTT 5, which says where an answer is expected";
            Err(Error::because(ErrorKind::Unsupported, what))
        };
        possible()?;
        let topic = self.subtopic(answers)?.topic;
        let messages = self.subscribe(answers).await?;
        // Before the first connection it was not known.
        possible()?;
        Ok(Requester::new(self.handle.clone(), topic, messages))
    }
}

/// A topic: a channel and a subtopic, to publish to. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Subtopic {
    handle: Handle,
    topic: TopicBuf,
}

impl Subtopic {
    pub(crate) const fn new(handle: Handle, topic: TopicBuf) -> Self {
        Self { handle, topic }
    }

    /// The topic.
    #[must_use]
    pub const fn topic(&self) -> &TopicBuf {
        &self.topic
    }

    /// Publishes: await it for the receipt, or choose another way to wait.
    pub fn publish(&self, payload: impl IntoPayload) -> Publish {
        let qos = self.handle.default_qos();
        let message = payload.into_payload().map(|payload| {
            let mut message = Message::new(self.topic.clone(), payload.bytes).qos(qos);
            message.content_type = payload.content_type;
            message.expires_after = self.handle.default_lifetime();
            message
        });
        Publish::new(self.handle.clone(), message)
    }

    /// Waits until the outbox has accepted the message: [`Publish::enqueue`].
    ///
    /// # Errors
    ///
    /// Those of [`Publish::enqueue`].
    pub async fn enqueue(&self, payload: impl IntoPayload) -> Result<Pending, Error> {
        self.publish(payload).enqueue().await
    }

    /// Never waits: [`Publish::try_enqueue`].
    ///
    /// # Errors
    ///
    /// Those of [`Publish::try_enqueue`].
    pub fn try_publish(&self, payload: impl IntoPayload) -> Result<Pending, Error> {
        self.publish(payload).try_enqueue()
    }
}
