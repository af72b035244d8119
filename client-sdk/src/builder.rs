//! How a client is set up.

use std::{fmt, sync::Arc, time::Duration};

use manywire_topics::{Dialect, Topic};

use crate::{
    client::{Client, Handle, Naming},
    credentials::CredentialsSource,
    endpoint::Endpoint,
    engine::{
        Engine,
        backoff::Reconnect,
        driver::{Connector, Driver, Shared},
    },
    error::{Error, ErrorKind},
    message::Message,
    outbox::Outbox,
    payload::{IntoPayload, Payload},
    qos::QoS,
    scheme,
    timer::Timer,
    tls::Tls,
    trace,
    transport::Transport,
};

/// Settings of a [`Client`]. Made by [`Client::builder`], or with a transport of one's own.
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    endpoint: Option<Endpoint>,
    transport: Option<Arc<dyn Transport>>,
    tls: Tls,
    credentials: Option<Arc<dyn CredentialsSource>>,
    dialect: Dialect,
    domain: Option<String>,
    client_id: Option<String>,
    keep_alive: Duration,
    connect_timeout: Duration,
    persistent: bool,
    will: Option<Will>,
    outbox: Outbox,
    reconnect: Reconnect,
    lifetime: Option<Duration>,
    seed: Option<u64>,
    timer: Option<Arc<dyn Timer>>,
}

impl ClientBuilder {
    pub(crate) fn from_url(url: &str) -> Result<Self, Error> {
        let endpoint = Endpoint::parse(url)?;
        scheme::check(&endpoint)?;
        Ok(Self {
            endpoint: Some(endpoint),
            ..Self::empty()
        })
    }

    /// A client over a transport that no URL stands for.
    pub fn with_transport(transport: impl Transport) -> Self {
        Self {
            transport: Some(Arc::new(transport)),
            ..Self::empty()
        }
    }

    fn empty() -> Self {
        Self {
            endpoint: None,
            transport: None,
            tls: Tls::new(),
            credentials: None,
            dialect: Dialect::default(),
            domain: None,
            client_id: None,
            keep_alive: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            persistent: false,
            will: None,
            outbox: Outbox::memory(),
            reconnect: Reconnect::default(),
            lifetime: None,
            seed: None,
            timer: None,
        }
    }

    /// Uses this transport instead of the URL's own.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// What to prove oneself with: [`Credentials`](crate::Credentials), or a function that is asked anew at every connect.
    pub fn credentials(mut self, source: impl CredentialsSource) -> Self {
        self.credentials = Some(Arc::new(source));
        self
    }

    /// Which generation of the platform is spoken. `Dialect::Channels` unless set.
    pub const fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// The domain of the channels, in the dialects that have domains.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Settings for the schemes with TLS.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The name of the session (MQTT's client identifier). Chosen at random unless set.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// The longest silence on a connection before its health is checked; zero for never. 30 s unless set.
    pub const fn keep_alive(mut self, keep_alive: Duration) -> Self {
        self.keep_alive = keep_alive;
        self
    }

    /// How long one attempt to connect may take. 10 s unless set.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Asks the platform to keep the session while the client is away, so that nothing published meanwhile is missed.
    /// Needs a [`client_id`](Self::client_id) of its own (MQTT only).
    pub const fn persistent_session(mut self, persistent: bool) -> Self {
        self.persistent = persistent;
        self
    }

    /// What the platform publishes when this client is lost without a goodbye (MQTT only).
    pub fn will(mut self, will: Will) -> Self {
        self.will = Some(will);
        self
    }

    /// Where accepted messages wait, and how many.
    pub fn outbox(mut self, outbox: Outbox) -> Self {
        self.outbox = outbox;
        self
    }

    /// The delays between attempts to connect.
    pub const fn reconnect(mut self, reconnect: Reconnect) -> Self {
        self.reconnect = reconnect;
        self
    }

    /// Messages that could not be sent within this time are given up, unless they say otherwise themselves.
    pub const fn expire_after(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Makes the delays between attempts repeatable, for tests.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The clock. Tokio's unless set; needed when the feature `tokio` is off.
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Some(Arc::new(timer));
        self
    }

    /// The client, and the future that moves it on any executor. Nothing is connected before the driver is polled;
    /// what is published and subscribed meanwhile waits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Setting`], [`ErrorKind::Feature`], [`ErrorKind::Unsupported`] for a will the transport cannot leave, and
    /// [`ErrorKind::Topic`] for the will's topic.
    pub fn build(self) -> Result<(Client, Driver), Error> {
        self.warn_of_clear_text();
        let naming = Naming {
            dialect: self.dialect,
            domain: self.domain,
        };
        let transport = match (self.transport, &self.endpoint) {
            (Some(transport), _) => transport,
            (None, Some(endpoint)) => scheme::transport(endpoint, &self.tls)?,
            (None, None) => {
                return Err(Error::because(
                    ErrorKind::Setting,
                    "neither a url nor a transport",
                ));
            }
        };
        let timer = match self.timer {
            Some(timer) => timer,
            None => default_timer()?,
        };
        let offered = transport.capabilities();
        let will = self.will.map(|will| will.resolve(&naming)).transpose()?;
        if will.is_some() && !offered.will {
            return Err(Error::because(ErrorKind::Unsupported, "a will"));
        }
        if self.persistent && self.client_id.is_none() {
            return Err(Error::because(
                ErrorKind::Setting,
                "a persistent session needs a client id",
            ));
        }
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..));
        let engine = Engine::new(offered, self.reconnect, self.outbox, seed, timer.now());
        let shared = Shared::new(engine, timer);
        notify_of_writes(&shared);
        let connector = Connector {
            transport,
            credentials: self.credentials,
            dialect: self.dialect,
            client_id: self.client_id,
            keep_alive: self.keep_alive,
            timeout: self.connect_timeout,
            will,
            persistent: self.persistent,
        };
        let driver = Driver::new(Arc::clone(&shared), connector);
        let default_qos = QoS::AtLeastOnce.min(offered.max_qos);
        Ok((
            Client::new(Handle::new(shared, naming, default_qos, self.lifetime)),
            driver,
        ))
    }

    /// A key in clear on its way to another machine can be read by everyone in between.
    fn warn_of_clear_text(&self) {
        if let Some(endpoint) = &self.endpoint
            && self.credentials.is_some()
            && !endpoint.is_secure()
            && !endpoint.is_loopback()
        {
            trace::warn!(endpoint = %endpoint, "the key travels in clear to another machine");
        }
    }

    /// Builds, lets tokio drive, and waits for the first attempt to connect.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build), and whatever made the first attempt fail. To keep trying instead, use
    /// [`connect_in_background`](Self::connect_in_background).
    #[cfg(feature = "tokio")]
    pub async fn connect(self) -> Result<Client, Error> {
        let client = self.connect_in_background()?;
        client.first_attempt().await?;
        Ok(client)
    }

    /// Builds, lets tokio drive, and does not wait: what is published and subscribed before there is a connection waits.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build), and [`ErrorKind::Setting`] outside a tokio runtime.
    #[cfg(feature = "tokio")]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that spawns, for those who ask for it"
    )]
    pub fn connect_in_background(self) -> Result<Client, Error> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|error| Error::caused_by(ErrorKind::Setting, error))?;
        let (client, driver) = self.build()?;
        runtime.spawn(driver);
        Ok(client)
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("endpoint", &self.endpoint)
            .field("dialect", &self.dialect)
            .field("domain", &self.domain)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Wakes the driver when the outbox has written something.
fn notify_of_writes(shared: &Arc<Shared>) {
    let notified = Arc::downgrade(shared);
    shared.lock().notify_with(Box::new(move || {
        if let Some(shared) = notified.upgrade() {
            shared.wake();
        }
    }));
}

/// A message that the platform publishes on behalf of a client that is gone without a goodbye.
#[derive(Debug, Clone)]
pub struct Will {
    channel: String,
    subtopic: String,
    payload: Payload,
    qos: QoS,
    retain: bool,
}

impl Will {
    /// A will for a channel, at least once and not retained.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Payload`] when the payload cannot be encoded.
    pub fn new(channel: impl Into<String>, payload: impl IntoPayload) -> Result<Self, Error> {
        Ok(Self {
            channel: channel.into(),
            subtopic: String::new(),
            payload: payload.into_payload()?,
            qos: QoS::AtLeastOnce,
            retain: false,
        })
    }

    /// On this subtopic of the channel.
    #[must_use]
    pub fn subtopic(mut self, subtopic: impl Into<String>) -> Self {
        self.subtopic = subtopic.into();
        self
    }

    /// With this guarantee.
    #[must_use]
    pub const fn qos(mut self, qos: QoS) -> Self {
        self.qos = qos;
        self
    }

    /// Kept by the platform for later subscribers.
    #[must_use]
    pub const fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }

    fn resolve(self, naming: &Naming) -> Result<Message, Error> {
        let channel = naming.channel(&self.channel)?;
        let topic = Topic::new(channel.as_channel(), &self.subtopic)
            .map_err(|error| Error::topic(&self.subtopic, error))?;
        let mut message = Message::new(topic.to_buf(), self.payload.bytes)
            .qos(self.qos)
            .retain(self.retain);
        message.content_type = self.payload.content_type;
        Ok(message)
    }
}

#[cfg(feature = "tokio")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature there is no default")]
fn default_timer() -> Result<Arc<dyn Timer>, Error> {
    Ok(Arc::new(crate::timer::TokioTimer))
}

#[cfg(not(feature = "tokio"))]
fn default_timer() -> Result<Arc<dyn Timer>, Error> {
    Err(Error::because(
        ErrorKind::Setting,
        "without the feature `tokio` the builder needs a timer",
    ))
}
