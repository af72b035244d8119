//! The client: one handle to everything.

use std::{fmt, sync::Arc, time::Duration};

use manywire_topics::{Channel as Name, ChannelBuf, Dialect};

use crate::{
    builder::ClientBuilder,
    channel::{Channel, Subtopic},
    engine::{driver::Shared, slot::Outcome},
    error::{Error, ErrorKind},
    events::ClientEvents,
    message::Message,
    payload::IntoPayload,
    properties::Properties,
    publish::Publish,
    qos::QoS,
    receipt::Pending,
    subscription::Delivery,
    transport::Capabilities,
};

/// A connection to the platform that outlives connections. Cheap to clone; all clones are the same client.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use manywire::{Client, Credentials};
///
/// let client = Client::builder("mqtt://localhost")?
///     .credentials(Credentials::thing("thing-id", "thing-key"))
///     .connect()
///     .await?;
/// let channel = client.channel("30315311-56ba-484d-b500-c1e08305511f")?;
/// let mut readings = channel.subscribe("bedroom/*").await?;
/// let receipt = channel.subtopic("bedroom/temperature")?.publish("21.5").await?;
/// println!("{}", receipt.guarantee());
/// if let Some(reading) = readings.next().await {
///     println!("{:?}", reading.payload());
/// }
/// client.close(Duration::from_secs(5)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Client(Handle);

impl Client {
    /// A client for the platform at this URL. Its scheme chooses the transport: `mqtt`, `mqtts`, `mqtt+ws`, `mqtt+wss`,
    /// `ws`, `wss`, `http`, `https`, `coap`, `coaps`, `memory`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Url`](crate::ErrorKind::Url), and [`ErrorKind::Feature`](crate::ErrorKind::Feature) with the name of
    /// the feature to enable when the scheme is not compiled in.
    pub fn builder(url: &str) -> Result<ClientBuilder, Error> {
        ClientBuilder::from_url(url)
    }

    pub(crate) const fn new(handle: Handle) -> Self {
        Self(handle)
    }

    /// A channel by its id, or by its route where the platform has routes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Topic`](crate::ErrorKind::Topic) for an id that the dialect does not allow.
    pub fn channel(&self, id: &str) -> Result<Channel, Error> {
        Channel::new(self.0.clone(), self.0.0.naming.channel(id)?)
    }

    /// Answers a request: publishes on the topic that it names, with what it wants repeated (MQTT 5).
    ///
    /// For a message that asks for no answer, awaiting it is an error of [`ErrorKind::Topic`](crate::ErrorKind::Topic).
    pub fn respond(&self, request: &Delivery, payload: impl IntoPayload) -> Publish {
        let asked = request.properties();
        let Some(topic) = asked.response_topic() else {
            let error = Error::because(ErrorKind::Topic, "the message names no topic for an answer");
            return Publish::new(self.0.clone(), Err(error));
        };
        let answer = Subtopic::new(self.0.clone(), topic.clone()).publish(payload);
        match asked.correlation_data() {
            Some(data) => answer.properties(Properties::new().with_correlation_data(data.clone())),
            None => answer,
        }
    }

    /// Resolves when the first attempt to connect has succeeded or failed.
    ///
    /// # Errors
    ///
    /// Why it failed. Unless the platform refused us for good, the client goes on trying all the same.
    pub async fn first_attempt(&self) -> Result<(), Error> {
        let attempt = self.0.shared().lock().first_attempt();
        Outcome(attempt).await
    }

    /// What happens to the client from now on.
    #[must_use]
    pub fn events(&self) -> ClientEvents {
        self.0.shared().lock().events.subscribe()
    }

    /// What the transport can do: in this session if there is one, else as far as is known before.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.0.shared().lock().capabilities()
    }

    /// Whether there is a session now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.0.shared().lock().is_online()
    }

    /// How many accepted messages have no outcome yet.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.0.shared().lock().unfinished()
    }

    /// Accepts nothing more, delivers what was accepted, says goodbye. Takes at most `timeout`, and a moment for the
    /// goodbye.
    ///
    /// # Errors
    ///
    /// The messages whose guarantee was not reached. Those that were under way may have arrived: their
    /// [`Pending`] says [`Indeterminate`](crate::ErrorKind::Indeterminate), the others say
    /// [`Closed`](crate::ErrorKind::Closed).
    pub async fn close(self, timeout: Duration) -> Result<(), Undelivered> {
        let stopped = {
            let shared = self.0.shared();
            let stopped = shared.lock().close(shared.timer.now() + timeout);
            shared.wake();
            stopped
        };
        let messages = Outcome(stopped).await;
        if messages.is_empty() {
            Ok(())
        } else {
            Err(Undelivered { messages })
        }
    }
}

/// The client was closed before these messages reached their guarantee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    messages: Vec<Message>,
}

impl Undelivered {
    /// The messages, oldest first, those that need no acknowledgement before the others.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the client was closed with {} messages undelivered",
            self.messages.len()
        )
    }
}

impl std::error::Error for Undelivered {}

/// How channels are named.
#[derive(Debug, Clone)]
pub(crate) struct Naming {
    pub(crate) dialect: Dialect,
    pub(crate) domain: Option<String>,
}

impl Naming {
    pub(crate) fn channel(&self, id: &str) -> Result<ChannelBuf, Error> {
        let channel = Name::new(self.dialect, self.domain.as_deref(), id);
        Ok(channel.map_err(|error| Error::topic(id, error))?.to_buf())
    }
}

/// What every public handle holds: while one lives, the driver goes on.
#[derive(Clone)]
pub(crate) struct Handle(Arc<Holder>);

struct Holder {
    shared: Arc<Shared>,
    naming: Naming,
    default_qos: QoS,
    default_lifetime: Option<Duration>,
}

impl Handle {
    pub(crate) fn new(
        shared: Arc<Shared>,
        naming: Naming,
        default_qos: QoS,
        default_lifetime: Option<Duration>,
    ) -> Self {
        Self(Arc::new(Holder {
            shared,
            naming,
            default_qos,
            default_lifetime,
        }))
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    pub(crate) fn default_qos(&self) -> QoS {
        self.0.default_qos
    }

    pub(crate) fn default_lifetime(&self) -> Option<Duration> {
        self.0.default_lifetime
    }

    pub(crate) fn publish(&self, message: Message) -> Result<Pending, Error> {
        let shared = self.shared();
        let accepted = shared.lock().publish(message, shared.timer.now())?;
        shared.wake();
        Ok(Pending::new(accepted.slot))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl Drop for Holder {
    /// Nobody can ask for anything any more: what was accepted is delivered for a little while, then the driver ends.
    fn drop(&mut self) {
        let deadline = self.shared.timer.now() + LINGER;
        self.shared.lock().close(deadline);
        self.shared.wake();
    }
}

const LINGER: Duration = Duration::from_secs(5);
