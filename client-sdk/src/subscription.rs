//! Receiving: asking for a filter, and the stream of what matches it.

use std::{
    fmt,
    future::IntoFuture,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use manywire_topics::{FilterBuf, TopicBuf};

use crate::{
    client::Handle,
    engine::{
        inbox::{Inbox, Item, Serial},
        slot::Outcome,
        subscriptions::{Filtered, ListenerId},
    },
    error::{Error, ErrorKind},
    message::ContentType,
    properties::Properties,
    qos::QoS,
    transport::{BoxFuture, Received},
};

/// A filter about to be subscribed. Await it for the [`Subscription`].
#[derive(Debug)]
#[must_use = "nothing is subscribed until this is awaited"]
pub struct Subscribe {
    handle: Handle,
    filter: Result<FilterBuf, Error>,
    group: Option<Arc<str>>,
    qos: QoS,
    capacity: usize,
    manual: bool,
}

impl Subscribe {
    pub(crate) const fn new(handle: Handle, filter: Result<FilterBuf, Error>) -> Self {
        Self {
            handle,
            filter,
            group: None,
            qos: QoS::AtLeastOnce,
            capacity: 1024,
            manual: false,
        }
    }

    /// Receives with at most this guarantee; the platform may grant less. At least once, unless set.
    pub const fn qos(mut self, qos: QoS) -> Self {
        self.qos = qos;
        self
    }

    /// Shares the messages with all who subscribe to the same filter in this group, of this client or of others: each message
    /// goes to one of them (MQTT 5 only). A name of a group has no `/`, `+` or `#` in it.
    pub fn shared(mut self, group: impl Into<Arc<str>>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// How many messages that need no acknowledgement may wait for the reader before the oldest is dropped. 1,024
    /// unless set. Messages that are acknowledged are never dropped: the platform holds back instead.
    pub const fn capacity(mut self, messages: usize) -> Self {
        self.capacity = messages;
        self
    }

    /// Acknowledges a message only when [`Delivery::acknowledge`] is called, instead of when it is taken from the stream.
    /// One that is never acknowledged is delivered again after the next reconnect.
    pub const fn manual_acknowledgement(mut self) -> Self {
        self.manual = true;
        self
    }

    async fn subscribe(self) -> Result<Subscription, Error> {
        let filter = self.filter?;
        if let Some(group) = &self.group
            && (group.is_empty() || group.contains(['/', '+', '#', '\0']))
        {
            return Err(Error::because(
                ErrorKind::Topic,
                format!("`{group}` is no name of a group"),
            ));
        }
        let inbox = Inbox::new(self.capacity);
        let shared = self.handle.shared();
        let wildcards = filter.as_filter().as_topic().is_none();
        let filtered = (filter, self.group);
        let asked = shared
            .lock()
            .subscribe(filtered.clone(), wildcards, self.qos, Arc::clone(&inbox));
        let (listener, subscribed) = asked?;
        shared.wake();
        // From here on dropping the future unsubscribes.
        let mut subscription = Subscription {
            handle: self.handle,
            inbox,
            filtered,
            listener,
            qos: self.qos,
            manual: self.manual,
        };
        subscription.qos = Outcome(subscribed).await?;
        Ok(subscription)
    }
}

impl IntoFuture for Subscribe {
    type Output = Result<Subscription, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.subscribe())
    }
}

/// A stream of the messages that match a filter.
///
/// It outlives reconnects; the engine subscribes again when the platform lost the session. Dropping it unsubscribes.
/// It ends when the client closes, or when the platform ends the subscription: [`Subscription::error`] then says why.
pub struct Subscription {
    handle: Handle,
    inbox: Arc<Inbox>,
    filtered: Filtered,
    listener: ListenerId,
    qos: QoS,
    manual: bool,
}

impl Subscription {
    /// The filter.
    #[must_use]
    pub const fn filter(&self) -> &FilterBuf {
        &self.filtered.0
    }

    /// The guarantee that was granted when it was subscribed.
    #[must_use]
    pub const fn qos(&self) -> QoS {
        self.qos
    }

    /// How many messages were dropped because this reader was too slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.inbox.dropped()
    }

    /// Why the stream has ended; `None` while it has not, and when the client was closed.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        self.inbox.end_reason()
    }

    /// The next message; `None` at the end. The same as `StreamExt::next`, without a dependency on it.
    pub async fn next(&mut self) -> Option<Delivery> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Subscription {
    type Item = Delivery;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Delivery>> {
        let Some(Item { received, delivery }) = ready!(self.inbox.poll_take(context)) else {
            return Poll::Ready(None);
        };
        let mut acknowledgement = None;
        if let Some(serial) = delivery {
            if self.manual {
                acknowledgement = Some((self.handle.clone(), serial));
            } else {
                acknowledge(&self.handle, serial);
            }
        }
        Poll::Ready(Some(Delivery {
            received,
            acknowledgement,
        }))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.inbox.end(None);
        let untaken = self.inbox.clear();
        let shared = self.handle.shared();
        shared.lock().unsubscribe(&self.filtered, self.listener, untaken);
        shared.wake();
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("filter", &self.filtered.0)
            .field("group", &self.filtered.1)
            .field("qos", &self.qos)
            .field("dropped", &self.dropped())
            .finish_non_exhaustive()
    }
}

/// A message as an application receives it.
///
/// Cloning shares it. With manual acknowledgement, dropping it does not acknowledge it.
#[derive(Clone)]
pub struct Delivery {
    received: Arc<Received>,
    acknowledgement: Option<(Handle, Serial)>,
}

impl Delivery {
    /// What it was published to. `None` where the protocol does not say: plain WebSocket and CoAP, through a wildcard.
    #[must_use]
    pub fn topic(&self) -> Option<&TopicBuf> {
        self.received.topic.as_ref()
    }

    /// The bytes that were published.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.received.payload
    }

    /// The guarantee it was delivered with.
    #[must_use]
    pub fn qos(&self) -> QoS {
        self.received.qos
    }

    /// Whether the platform had kept it from before the subscription.
    #[must_use]
    pub fn is_retained(&self) -> bool {
        self.received.retain
    }

    /// Whether the platform says that it may have been delivered before.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.received.duplicate
    }

    /// What the payload is, where the protocol says.
    #[must_use]
    pub fn content_type(&self) -> Option<&ContentType> {
        self.received.content_type.as_ref()
    }

    /// How much longer it is worth having, where the protocol says (MQTT 5).
    #[must_use]
    pub fn expires_after(&self) -> Option<Duration> {
        self.received.expires_after
    }

    /// What came beside the payload (MQTT 5).
    #[must_use]
    pub fn properties(&self) -> &Properties {
        &self.received.properties
    }

    /// Tells the platform that the application is done with it. Needed with
    /// [`Subscribe::manual_acknowledgement`] only; acknowledgements leave in the order of arrival.
    pub fn acknowledge(&mut self) {
        if let Some((handle, serial)) = self.acknowledgement.take() {
            acknowledge(&handle, serial);
        }
    }

    /// The payload as a SenML pack: CBOR when the content type says so, or when the first byte cannot be JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Payload`](crate::ErrorKind::Payload) when it is no pack.
    #[cfg(feature = "senml")]
    pub fn senml(&self) -> Result<manywire_senml::Pack, Error> {
        use manywire_senml::Format;
        // RFC 8428 §5, §6: a pack is an array; in CBOR its first byte has the high bit set, in JSON never.
        let format = match self.content_type() {
            Some(content_type) if *content_type == ContentType::SENML_CBOR => Format::Cbor,
            Some(content_type) if *content_type == ContentType::SENML_JSON => Format::Json,
            _ if self.payload().first().is_some_and(|byte| *byte >= 0x80) => Format::Cbor,
            _ => Format::Json,
        };
        manywire_senml::from_slice(self.payload(), format)
            .map_err(|error| Error::caused_by(crate::error::ErrorKind::Payload, error))
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delivery").field(&self.received).finish()
    }
}

fn acknowledge(handle: &Handle, serial: Serial) {
    let shared = handle.shared();
    shared.lock().acknowledge(serial);
    shared.wake();
}
