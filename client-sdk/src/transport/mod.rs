//! The seam between the engine and a way to reach the platform.
//!
//! A [`Transport`] connects; a [`Session`] is one connection, a sink of [`Op`]s and a stream of [`Event`]s. The
//! engine above owns everything that is the same on every wire: reconnecting and its delays, the outbox, receipts,
//! subscriptions and what is sent again. A transport owns what its protocol means by delivered.
//!
//! # What a session promises
//!
//! * Every operation with an [`OpId`] gets exactly one answer ([`Event::Published`], [`Event::Weakened`],
//!   [`Event::Subscribed`], [`Event::Unsubscribed`], [`Event::Refused`] or [`Event::Indeterminate`]) unless the session ends first.
//!   A publish at most once is answered when its bytes are handed to the operating system.
//! * An operation that is refused does not end the session: nobody else is disturbed.
//! * The stream ends, or yields one error, when the connection is gone. The engine then connects again.
//! * `poll_ready` is pending only while bytes cannot be taken. It does not wait for acknowledgements: the engine
//!   keeps acknowledged publishes within [`Capabilities::max_in_flight`], so that a full window never holds back
//!   subscriptions, acknowledgements or publishes that need none.
//! * Both halves are polled by one task. Reading is never blocked by writing: a session that is waiting for room
//!   to write still yields what arrives.
//! * `poll_flush` need not be called for each operation: the engine feeds what it has, then flushes once.
//! * `poll_close` says goodbye in the protocol's own way.
//!
//! # What outlives a session
//!
//! Protocol state that must survive a lost connection (packet identifiers, the phases of exactly once) lives in the
//! transport between connects. [`Connected`] says which operations the transport still holds: those it finishes
//! by itself; the engine submits exactly the others again, in order.
//!
//! What must survive the process as well is in the engine's outbox, if that is in a file. A publish exactly once is noted
//! there with a [number](Op::Publish) before it is submitted, and again between [`Event::Received`] and [`Op::Release`];
//! [`Earlier::begun`] gives it to the transport of a later process.
//!
//! # A transport of one's own, in five steps
//!
//! 1. Write the mapping of an operation to bytes, and back, as pure functions: the [`binding`](crate::binding) of the protocol.
//! 2. Write what the protocol remembers (identifiers, phases, timers) as a struct without input and output.
//! 3. Put both behind a struct that moves bytes and is a `Sink<Op>` and a `Stream` of events: that is a [`Session`].
//! 4. Implement [`Transport`]: say in [`Capabilities`] what it can do, open a session in `connect`.
//! 5. Run [`testing::transport_contract`](crate::testing::transport_contract) on it, and hand it to
//!    [`ClientBuilder::with_transport`](crate::ClientBuilder::with_transport).

mod error;

use std::{fmt, future::Future, num::NonZeroU16, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;
use manywire_topics::{Dialect, FilterBuf, TopicBuf};

use crate::{
    credentials::Credentials,
    error::Refusal,
    message::{ContentType, Message},
    properties::Properties,
    qos::QoS,
};

pub use self::error::{TransportError, TransportErrorKind};

/// A future that a trait object returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A way to reach the platform.
pub trait Transport: Send + Sync + 'static {
    /// What it can do, as far as that is known before connecting. A call that needs more fails before it is sent.
    fn capabilities(&self) -> Capabilities;

    /// Opens one session. Dropping the future abandons the attempt.
    ///
    /// # Errors
    ///
    /// [`TransportError::is_retryable`] decides whether the engine tries again.
    fn connect<'a>(
        &'a self,
        context: &'a ConnectContext<'a>,
    ) -> BoxFuture<'a, Result<Connected, TransportError>>;
}

/// One connection: operations in, events out. See the [module](self) for what it promises.
pub trait Session:
    Sink<Op, Error = TransportError> + Stream<Item = Result<Event, TransportError>> + Send
{
}

impl<T> Session for T where
    T: Sink<Op, Error = TransportError> + Stream<Item = Result<Event, TransportError>> + Send
{
}

/// What a transport is told when it connects.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectContext<'a> {
    /// Fresh from the credentials' source; `None` when the client has none.
    pub credentials: Option<&'a Credentials>,
    /// Which generation of the platform is spoken.
    pub dialect: Dialect,
    /// The name of the session, where the protocol has one (the MQTT client identifier).
    pub client_id: Option<&'a str>,
    /// The longest silence on the connection; zero turns keep-alive off.
    pub keep_alive: Duration,
    /// How long one attempt may take, from the name's resolution to the protocol's own greeting.
    pub timeout: Duration,
    /// What the platform publishes when the connection is lost without a goodbye.
    pub will: Option<&'a Message>,
    /// Whether the session is to outlive the connection, where the protocol can do that (MQTT clean session 0).
    pub persistent: bool,
    /// How many attempts came before this one since the last success.
    pub attempt: u32,
    /// What the engine knows of publishes of earlier sessions.
    pub earlier: Earlier,
}

/// What a transport that finishes publishes of earlier sessions is told of them.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Earlier {
    /// Of those that it holds, no more than this many may be sent before one is answered; each answer doubles it. The
    /// engine lowers it to one to find the message that the peer answers by closing the connection. Zero is no limit.
    pub max_in_flight: usize,
    /// These are given up: it holds them no longer.
    pub given_up: Vec<OpId>,
    /// An earlier process began these, exactly once. If the peer remembers its session, the transport goes on with them as
    /// if it had begun them itself, and says so in [`Connected::held`]; else they are reported as indeterminate.
    pub begun: Vec<Begun>,
}

/// A publish exactly once that an earlier process began.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Begun {
    /// Names it.
    pub id: OpId,
    /// What is published.
    pub message: Message,
    /// The number it was sent under: see [`Op::Publish`].
    pub number: NonZeroU16,
    /// Whether the peer has it: only its release is to be sent again.
    pub received: bool,
}

impl ConnectContext<'_> {
    /// A context without credentials and will: keep-alive of 30 s, 10 s to connect.
    #[must_use]
    pub const fn new(dialect: Dialect) -> Self {
        Self {
            credentials: None,
            dialect,
            client_id: None,
            keep_alive: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            will: None,
            persistent: false,
            attempt: 0,
            earlier: Earlier {
                max_in_flight: 0,
                given_up: Vec::new(),
                begun: Vec::new(),
            },
        }
    }
}

/// A session that has just been opened, and what became of the one before it.
#[non_exhaustive]
pub struct Connected {
    /// The session.
    pub session: Pin<Box<dyn Session>>,
    /// What the peer allows in this session; never more than [`Transport::capabilities`].
    pub capabilities: Capabilities,
    /// Whether the peer still has the previous session, subscriptions included. If not, the engine subscribes again.
    pub resumed: bool,
    /// Publishes of earlier sessions that the transport still holds and finishes itself, by the same [`OpId`].
    pub held: Vec<OpId>,
    /// Publishes of earlier sessions whose fate cannot be known (exactly once, and the peer forgot the session).
    /// They are reported as indeterminate and not repeated.
    pub in_doubt: Vec<OpId>,
}

impl Connected {
    /// A new session with nothing left from an earlier one.
    pub fn new(session: impl Session + 'static, capabilities: Capabilities) -> Self {
        Self {
            session: Box::pin(session),
            capabilities,
            resumed: false,
            held: Vec::new(),
            in_doubt: Vec::new(),
        }
    }
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected")
            .field("capabilities", &self.capabilities)
            .field("resumed", &self.resumed)
            .field("held", &self.held)
            .field("in_doubt", &self.in_doubt)
            .finish_non_exhaustive()
    }
}

/// What a transport, or one session of it, can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The strongest guarantee a publish can get.
    pub max_qos: QoS,
    /// Whether it can subscribe at all.
    pub subscribe: bool,
    /// Whether a filter may hold wildcards.
    pub wildcards: bool,
    /// Whether a message can be retained.
    pub retain: bool,
    /// Whether a will can be left.
    pub will: bool,
    /// Whether a message can carry [`Properties`].
    pub properties: bool,
    /// Whether subscribers can share the messages of a filter ([`Subscribe::shared`](crate::Subscribe::shared)).
    pub shared_subscriptions: bool,
    /// The largest payload in bytes, if there is a limit.
    pub max_payload: Option<usize>,
    /// How many acknowledged publishes may be unanswered at once; at least 1.
    pub max_in_flight: usize,
    /// Whether received messages are to be acknowledged in the order they arrived, as MQTT wants it, or each when it is
    /// taken, so that one subscription's reader does not hold up the others.
    pub acknowledge_in_order: bool,
}

impl Capabilities {
    /// Publishing with at most `max_qos`, one at a time, and nothing else.
    #[must_use]
    pub const fn publish_only(max_qos: QoS) -> Self {
        Self {
            max_qos,
            subscribe: false,
            wildcards: false,
            retain: false,
            will: false,
            properties: false,
            shared_subscriptions: false,
            max_payload: None,
            max_in_flight: 1,
            acknowledge_in_order: true,
        }
    }

    /// Publishing with at most `max_qos` and subscribing, wildcards included.
    #[must_use]
    pub const fn publish_and_subscribe(max_qos: QoS) -> Self {
        Self {
            subscribe: true,
            wildcards: true,
            ..Self::publish_only(max_qos)
        }
    }
}

/// Names one operation for as long as the client lives, across sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub u64);

/// Names one filter that the engine asked for, for as long as it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u64);

/// Names one received message within its session, for acknowledging it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub u64);

/// What a session is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Op {
    /// Publish a message with the guarantee it names.
    Publish {
        /// Names it in the answer.
        id: OpId,
        /// What to publish. Its QoS is within the session's capabilities.
        message: Message,
        /// With an outbox that outlives the process, a number for a publish exactly once that no other unfinished one has. A
        /// protocol with identifiers uses it as the message's, so that a later process can go on ([`Earlier::begun`]).
        /// At least 0x8000: the transport's own are below.
        number: Option<NonZeroU16>,
    },
    /// Finish a publish exactly once that the session said is [received](Event::Received): it is noted by now that it must not
    /// be sent again.
    Release(OpId),
    /// Ask for the messages of a filter. Asking again for the same subscription changes its QoS, and makes a peer that keeps
    /// messages ([`Capabilities::retain`]) send those again.
    Subscribe {
        /// Names it in the answer.
        id: OpId,
        /// Names the filter in [`Received::subscription`].
        subscription: SubscriptionId,
        /// What to subscribe to.
        filter: FilterBuf,
        /// The name of those who share its messages: each goes to one of them. Only with
        /// [`Capabilities::shared_subscriptions`].
        group: Option<Arc<str>>,
        /// The strongest guarantee to receive with.
        qos: QoS,
    },
    /// Ask for no more messages of a filter.
    Unsubscribe {
        /// Names it in the answer.
        id: OpId,
        /// The name given in [`Op::Subscribe`].
        subscription: SubscriptionId,
        /// The filter given in [`Op::Subscribe`].
        filter: FilterBuf,
        /// The group given in [`Op::Subscribe`].
        group: Option<Arc<str>>,
    },
    /// The application has the message: acknowledge it to the peer. The engine sends these in arrival order
    /// ([`Capabilities::acknowledge_in_order`]) and has no answer to them.
    Acknowledge(DeliveryId),
}

/// What a session reports.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The publish reached the guarantee that was asked for.
    Published(OpId),
    /// The publish arrived, and the peer gave it a weaker guarantee than was asked for. The receipt says so.
    Weakened {
        /// The operation.
        id: OpId,
        /// What the peer gave.
        qos: QoS,
    },
    /// The filter is subscribed.
    Subscribed {
        /// The operation.
        id: OpId,
        /// The guarantee the peer granted.
        qos: QoS,
    },
    /// The filter is no longer subscribed.
    Unsubscribed(OpId),
    /// The peer, or the transport before asking it, refused the operation. The session goes on.
    Refused {
        /// The operation.
        id: OpId,
        /// Why.
        refusal: Refusal,
    },
    /// The peer has the message of a publish exactly once, and knows a repeat of it until it is told to forget (MQTT: PUBREC).
    /// The engine answers with [`Op::Release`]. A transport without this step just says [`Event::Published`].
    Received(OpId),
    /// It cannot be known whether the publish arrived, and repeating it could make it arrive twice.
    Indeterminate(OpId),
    /// The session is about to end, and nothing of the publish was sent: the next session gets it. Without this a publish
    /// at most once that was taken and not answered counts as sent.
    Unsent(OpId),
    /// A message arrived.
    Message(Received),
    /// Messages of a subscription may have been missed, although the session goes on: a peer forgot it for a while.
    Gap(SubscriptionId),
    /// The peer ended a subscription by itself.
    Ended {
        /// Which.
        subscription: SubscriptionId,
        /// Why.
        refusal: Refusal,
    },
}

/// A message as a session hands it up.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// The subscription it came through, where the protocol says; `None` routes it by its topic.
    pub subscription: Option<SubscriptionId>,
    /// The other subscriptions it came through, where the peer sends one copy for several.
    pub also: Vec<SubscriptionId>,
    /// The [`Op::Subscribe`] that a retained message answers, where the protocol says: it is for those who asked then.
    pub asked: Option<OpId>,
    /// What it was published to, where the protocol says: plain WebSocket and CoAP do not name the topic of a
    /// message received through a wildcard. At least one of `subscription` and `topic` is given.
    pub topic: Option<TopicBuf>,
    /// The bytes that were published.
    pub payload: Bytes,
    /// The guarantee it was delivered with.
    pub qos: QoS,
    /// Whether it is a retained message sent because of a new subscription.
    pub retain: bool,
    /// Whether the peer says it may have been delivered before.
    pub duplicate: bool,
    /// What the payload is, where the protocol says.
    pub content_type: Option<ContentType>,
    /// How much longer it is worth having, where the protocol says.
    pub expires_after: Option<Duration>,
    /// What came beside the payload.
    pub properties: Properties,
    /// To be given back in [`Op::Acknowledge`]; `None` when the protocol wants no acknowledgement from the application.
    pub delivery: Option<DeliveryId>,
}

impl Received {
    /// A message of a known topic that needs no acknowledgement.
    pub fn new(topic: TopicBuf, payload: impl Into<Bytes>) -> Self {
        Self {
            topic: Some(topic),
            ..Self::unnamed(payload.into())
        }
    }

    /// A message that came through a subscription and whose topic is not known.
    pub fn through(subscription: SubscriptionId, payload: impl Into<Bytes>) -> Self {
        Self {
            subscription: Some(subscription),
            ..Self::unnamed(payload.into())
        }
    }

    fn unnamed(payload: Bytes) -> Self {
        Self {
            subscription: None,
            also: Vec::new(),
            asked: None,
            topic: None,
            payload,
            qos: QoS::AtMostOnce,
            retain: false,
            duplicate: false,
            content_type: None,
            expires_after: None,
            properties: Properties::new(),
            delivery: None,
        }
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("subscription", &self.subscription)
            .field("topic", &self.topic)
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("duplicate", &self.duplicate)
            .field("content_type", &self.content_type)
            .field("expires_after", &self.expires_after)
            .field("properties", &self.properties)
            .field("delivery", &self.delivery)
            .finish()
    }
}
