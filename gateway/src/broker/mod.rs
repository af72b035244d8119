//! The seam between the adapters and whatever carries messages between them.
//!
//! An adapter hands in a [`Message`] and is told when the broker has accepted it. Whoever wants messages
//! is a [`Subscriber`]: something with an [`Outlet`], into which the broker puts each message at once and
//! without waiting, so that nobody can slow down anybody else. [`Inbox`] is the outlet most adapters want: a
//! bounded queue that reports when its owner was too slow.
//!
//! What every broker keeps:
//! * One message is put once into each outlet that has a matching filter, however many of its filters match.
//! * Messages of one publisher on one topic arrive in the order of the calls to [`Broker::publish`].
//! * A subscriber gets the retained messages of its filter before any later message.

mod inbox;
mod memory;
mod retained;

use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use manywire_mqtt_codec::QoS;
use manywire_topics::FilterBuf;
use thiserror::Error;

pub use self::inbox::{Inbox, InboxLimits, Lagged, Received};
pub use self::memory::MemoryBroker;
use crate::identity::Answer;
use crate::message::{Message, Origin};

/// What carries messages from publishers to subscribers.
pub trait Broker: Send + Sync + 'static {
    /// Takes a message in, in the order of the calls. The future resolves when the broker answers for it:
    /// only then may the publisher be told so.
    fn publish(&self, message: Message) -> Acceptance;

    /// Lets a subscriber have the messages of a filter, from now on, after the retained ones it asks for.
    /// A second subscription to the same filter replaces the options of the first. Returns whether there
    /// was a first.
    fn subscribe<'a>(
        &'a self,
        subscriber: &'a Subscriber,
        filter: FilterBuf,
        options: SubscribeOptions,
    ) -> Answer<'a, Result<bool, BrokerError>>;

    /// Ends one subscription; nothing of it is delivered after the call. Returns whether there was one.
    fn unsubscribe(&self, subscriber: &Subscriber, filter: &FilterBuf) -> bool;

    /// Ends all subscriptions of a subscriber.
    fn leave(&self, subscriber: &Subscriber);
}

/// Where a subscriber's messages are put.
pub trait Outlet: Send + Sync + 'static {
    /// Takes one message, at once. Called on the publisher's task and under the broker's lock: it must
    /// neither wait nor call the broker.
    fn deliver(&self, delivery: Delivery<'_>);
}

/// One message for one subscriber.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Delivery<'a> {
    /// The message, shared by all its subscribers.
    pub message: &'a Arc<Message>,
    /// The options of the subscriber's filters that match it: at least one.
    pub subscriptions: &'a [&'a SubscribeOptions],
    /// Whether it is sent because it was retained when the subscription was made.
    pub retained: bool,
}

impl Delivery<'_> {
    /// The QoS to deliver with: the lower of published and subscribed, and of several subscriptions the
    /// highest.
    pub fn qos(&self) -> QoS {
        let subscribed = self.subscriptions.iter().map(|options| options.qos).max();
        self.message.qos.min(subscribed.unwrap_or(QoS::AtMostOnce))
    }

    /// The value of the RETAIN flag to deliver with.
    // [MQTT-3.3.1-8], [MQTT-3.3.1-9], [MQTT-3.3.1-12], [MQTT-3.3.1-13]
    pub fn retain_flag(&self) -> bool {
        let as_published = self
            .subscriptions
            .iter()
            .any(|options| options.retain_as_published);
        self.retained || (as_published && self.message.retain)
    }

    /// The subscription identifiers of MQTT 5 to deliver with.
    pub fn identifiers(&self) -> impl Iterator<Item = NonZeroU32> {
        self.subscriptions.iter().filter_map(|options| options.identifier)
    }
}

/// Someone who subscribes. A clone is the same subscriber.
#[derive(Clone)]
pub struct Subscriber {
    origin: Origin,
    outlet: Arc<dyn Outlet>,
}

impl Subscriber {
    /// A subscriber with the identity of a connection, from [`Hub::origin`](crate::Hub::origin).
    pub fn new(origin: Origin, outlet: Arc<dyn Outlet>) -> Self {
        Self { origin, outlet }
    }

    /// Its identity among the subscribers and the publishers of this gateway.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Where its messages are put.
    pub fn outlet(&self) -> &Arc<dyn Outlet> {
        &self.outlet
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// How a subscription is served.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SubscribeOptions {
    /// The highest QoS to deliver with.
    pub qos: QoS,
    /// Whether messages of the subscriber's own [`Origin`] are left out.
    pub no_local: bool,
    /// Whether the RETAIN flag of a message is passed on as it was published.
    pub retain_as_published: bool,
    /// Which retained messages are wanted at the start.
    pub retained: RetainedHandling,
    /// The subscription identifier of MQTT 5.
    pub identifier: Option<NonZeroU32>,
}

impl Default for SubscribeOptions {
    fn default() -> Self {
        Self {
            qos: QoS::AtLeastOnce,
            no_local: false,
            retain_as_published: false,
            retained: RetainedHandling::Send,
            identifier: None,
        }
    }
}

/// Which retained messages a new subscription gets (MQTT 5, section 3.8.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetainedHandling {
    /// All that match.
    Send,
    /// All that match, unless the subscription existed before.
    SendIfNew,
    /// None.
    Skip,
}

/// Resolves when the broker answers for a message.
#[must_use = "the message is accepted only when this resolves"]
pub struct Acceptance(AcceptanceState);

enum AcceptanceState {
    Ready(Option<Result<(), BrokerError>>),
    Pending(Answer<'static, Result<(), BrokerError>>),
}

impl Acceptance {
    /// The outcome is known.
    pub fn ready(outcome: Result<(), BrokerError>) -> Self {
        Self(AcceptanceState::Ready(Some(outcome)))
    }

    /// The outcome will be known.
    pub fn pending(outcome: impl Future<Output = Result<(), BrokerError>> + Send + 'static) -> Self {
        Self(AcceptanceState::Pending(Box::pin(outcome)))
    }
}

impl Future for Acceptance {
    type Output = Result<(), BrokerError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            // A future is not polled again after it has resolved; if it is, it stays silent.
            AcceptanceState::Ready(outcome) => outcome.take().map_or(Poll::Pending, Poll::Ready),
            AcceptanceState::Pending(outcome) => outcome.as_mut().poll(context),
        }
    }
}

impl fmt::Debug for Acceptance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            AcceptanceState::Ready(outcome) => f.debug_tuple("Ready").field(outcome).finish(),
            AcceptanceState::Pending(_) => f.write_str("Pending"),
        }
    }
}

/// Why a broker did not take a message or a subscription. But for [`NotStored`](Self::NotStored), nothing has
/// happened then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The limit for retained messages is reached.
    #[error("there is no room for another retained message")]
    RetainedFull,
    /// The subscriber, or all of them together, have as many subscriptions as they may have.
    #[error("there are too many subscriptions")]
    TooManySubscriptions,
    /// The topic or filter is longer than the limit.
    #[error("the topic is too long")]
    TopicTooLong,
    /// The message could not be kept on disk. It has reached those who are connected.
    #[error("the message could not be kept on disk")]
    NotStored,
    /// The broker cannot be reached; later it may.
    #[error("the broker cannot be reached")]
    Unavailable,
}
