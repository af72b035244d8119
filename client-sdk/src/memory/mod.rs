//! A platform inside this process, with faults to order: for tests, one's own included.
//!
//! ```
//! # #[cfg(feature = "tokio")]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use manywire::{ClientBuilder, memory::MemoryBroker};
//!
//! let broker = MemoryBroker::new();
//! let client = ClientBuilder::with_transport(broker.transport()).connect().await?;
//! client.channel("garden")?.subtopic("pump")?.publish("on").await?;
//! assert_eq!(&broker.published()[0].payload[..], b"on");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod session;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use manywire_topics::TopicBuf;

use self::session::{Line, MemorySession};
use crate::{
    credentials::Credentials,
    error::RefusalKind,
    message::Message,
    qos::QoS,
    timer::Timer,
    transport::{
        BoxFuture, Capabilities, ConnectContext, Connected, OpId, Transport, TransportError,
        TransportErrorKind,
    },
};

/// What goes wrong, from the next connection or operation on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Faults {
    /// Connecting fails with this.
    pub connect: Option<TransportErrorKind>,
    /// Publishing and subscribing is refused with this.
    pub refuse: Option<RefusalKind>,
    /// A session is cut at the operation after so many.
    pub drop_after: Option<u64>,
    /// A session is cut whenever a message with this payload is published, which nobody gets: as a server does that has no
    /// other way to refuse it.
    pub cut_at: Option<&'static str>,
    /// The operation at which a session is cut is carried out all the same: only its answer is lost.
    pub lose_answer: bool,
    /// Every message is delivered twice, unless it is delivered exactly once.
    pub duplicate: bool,
    /// Of two messages that wait, the later one is delivered first.
    pub reorder: bool,
    /// Whatever a session reports comes so much later. Needs a [timer](MemoryBroker::with_timer).
    pub delay: Option<Duration>,
}

impl Faults {
    /// Nothing goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }
}

/// The platform. Clones are the same one.
#[derive(Clone)]
pub struct MemoryBroker(Arc<Shared>);

pub(super) struct Shared {
    state: Mutex<State>,
    timer: Option<Arc<dyn Timer>>,
}

#[derive(Default)]
struct State {
    faults: Faults,
    capabilities: Option<Capabilities>,
    allowed: Vec<Credentials>,
    lines: Vec<Weak<Line>>,
    /// Sessions that outlive their connections, by client id.
    kept: HashMap<String, Arc<Line>>,
    retained: BTreeMap<TopicBuf, Message>,
    published: Vec<Message>,
    connections: u64,
}

impl MemoryBroker {
    /// A platform of one's own, without clients. Delays are measured with tokio's clock, where that feature is on.
    #[must_use]
    pub fn new() -> Self {
        #[cfg(feature = "tokio")]
        let timer: Option<Arc<dyn Timer>> = Some(Arc::new(crate::timer::TokioTimer));
        #[cfg(not(feature = "tokio"))]
        let timer = None;
        Self(Arc::new(Shared {
            state: Mutex::default(),
            timer,
        }))
    }

    /// The same with another clock for delays.
    #[must_use]
    pub fn with_timer(timer: impl Timer) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::default(),
            timer: Some(Arc::new(timer)),
        }))
    }

    /// The platform that the URL `memory://<name>` stands for, everywhere in this process.
    #[must_use]
    pub fn named(name: &str) -> Self {
        static NAMED: OnceLock<Mutex<HashMap<String, MemoryBroker>>> = OnceLock::new();
        let named = NAMED.get_or_init(Mutex::default);
        let mut named = named.lock().unwrap_or_else(PoisonError::into_inner);
        named.entry(name.to_owned()).or_default().clone()
    }

    /// A transport to it. Each client needs one of its own.
    #[must_use]
    pub fn transport(&self) -> MemoryTransport {
        MemoryTransport {
            broker: self.clone(),
            uncertain: Arc::default(),
        }
    }

    /// What goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.0.lock().faults = faults;
    }

    /// Pretends to be able to do only this.
    pub fn set_capabilities(&self, capabilities: Capabilities) {
        self.0.lock().capabilities = Some(capabilities);
    }

    /// Accepts only these credentials from now on; everybody, when there are none.
    pub fn set_allowed(&self, allowed: impl IntoIterator<Item = Credentials>) {
        self.0.lock().allowed = allowed.into_iter().collect();
    }

    /// Cuts every connection.
    pub fn disconnect_all(&self) {
        let lines = self.0.lock().lines.clone();
        lines.iter().filter_map(Weak::upgrade).for_each(|line| line.cut());
    }

    /// Forgets every session that was to outlive its connection.
    pub fn forget_sessions(&self) {
        self.0.lock().kept.clear();
    }

    /// Everything that was published, in order.
    #[must_use]
    pub fn published(&self) -> Vec<Message> {
        self.0.lock().published.clone()
    }

    /// How many connections were opened.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.0.lock().connections
    }
}

impl Default for MemoryBroker {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("MemoryBroker")
            .field("faults", &state.faults)
            .field("published", &state.published.len())
            .field("connections", &state.connections)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn faults(&self) -> Faults {
        self.lock().faults
    }

    /// Hands a message to every session that wants it, and keeps it if it is to be retained.
    pub(super) fn publish(&self, message: Message) {
        let (lines, faults) = {
            let mut state = self.lock();
            if message.retain {
                if message.payload.is_empty() {
                    state.retained.remove(&message.topic);
                } else {
                    state.retained.insert(message.topic.clone(), message.clone());
                }
            }
            state.published.push(message.clone());
            state.lines.retain(|line| line.strong_count() > 0);
            (state.lines.clone(), state.faults)
        };
        let ready = self.ready_at(faults);
        for line in lines.iter().filter_map(Weak::upgrade) {
            line.deliver(&message, None, faults, ready);
        }
    }

    /// The retained messages, in the order of their topics.
    pub(super) fn retained(&self) -> Vec<Message> {
        self.lock().retained.values().cloned().collect()
    }

    pub(super) fn ready_at(&self, faults: Faults) -> Option<std::time::Instant> {
        let timer = self.timer.as_ref()?;
        faults.delay.map(|delay| timer.now() + delay)
    }
}

/// A transport to a [`MemoryBroker`].
#[derive(Debug)]
pub struct MemoryTransport {
    broker: MemoryBroker,
    /// Publishes exactly once that were carried out, and whose answer was lost.
    uncertain: Arc<Mutex<Vec<OpId>>>,
}

impl MemoryTransport {
    fn open(&self, context: &ConnectContext<'_>) -> Result<Connected, TransportError> {
        let capabilities = self.capabilities();
        let shared = &self.broker.0;
        let mut state = shared.lock();
        if let Some(kind) = state.faults.connect {
            return Err(TransportError::new(kind));
        }
        let known = |credentials: &Credentials| state.allowed.contains(credentials);
        if !state.allowed.is_empty() && !context.credentials.is_some_and(known) {
            return Err(TransportError::new(TransportErrorKind::Refused(
                RefusalKind::Credentials,
            )));
        }
        state.connections += 1;
        let kept_as = context.client_id.filter(|_| context.persistent);
        let kept = kept_as.and_then(|id| state.kept.get(id).cloned());
        let resumed = kept.is_some();
        let line = kept.unwrap_or_default();
        line.open();
        if let Some(id) = kept_as {
            state.kept.insert(id.to_owned(), Arc::clone(&line));
        }
        if !state
            .lines
            .iter()
            .any(|known| known.as_ptr() == Arc::as_ptr(&line))
        {
            state.lines.push(Arc::downgrade(&line));
        }
        drop(state);
        let uncertain = std::mem::take(&mut *self.uncertain.lock().unwrap_or_else(PoisonError::into_inner));
        let will = context.will.cloned();
        let session = MemorySession::new(
            Arc::clone(shared),
            Arc::clone(&line),
            Arc::clone(&self.uncertain),
            will,
        );
        let mut connected = Connected::new(session, capabilities);
        connected.resumed = resumed;
        if resumed {
            line.finish(&uncertain);
            connected.held = uncertain;
        } else {
            connected.in_doubt = uncertain;
        }
        Ok(connected)
    }
}

impl Transport for MemoryTransport {
    fn capabilities(&self) -> Capabilities {
        let everything = Capabilities {
            retain: true,
            will: true,
            properties: true,
            max_in_flight: 100,
            ..Capabilities::publish_and_subscribe(QoS::ExactlyOnce)
        };
        self.broker.0.lock().capabilities.unwrap_or(everything)
    }

    fn connect<'a>(
        &'a self,
        context: &'a ConnectContext<'a>,
    ) -> BoxFuture<'a, Result<Connected, TransportError>> {
        Box::pin(async move { self.open(context) })
    }
}
