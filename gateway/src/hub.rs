//! What the adapters share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use manywire_topics::{Channel, Dialect};
use tokio::sync::watch;

use crate::broker::{Acceptance, Broker, Inbox, InboxLimits};
use crate::identity::{Action, Credentials, Denied, Identity, Thing};
use crate::listener::Admission;
use crate::message::{Message, Origin, Protocol};
use crate::metrics::Metrics;
use crate::store::Store;
use crate::{Limits, Tls};

/// What the adapters share: who may do what, the broker, the limits and the counters.
///
/// An application that runs a gateway inside itself publishes and subscribes with it, without any wire.
pub struct Hub {
    dialect: Dialect,
    identity: Arc<dyn Identity>,
    broker: Arc<dyn Broker>,
    limits: Limits,
    metrics: Metrics,
    origins: AtomicU64,
    queued_bytes: Arc<AtomicUsize>,
    rights: watch::Sender<u64>,
    admission: Admission,
    store: Option<Arc<Store>>,
    instance_id: String,
}

/// What a hub is made of.
pub(crate) struct Parts {
    pub(crate) dialect: Dialect,
    pub(crate) identity: Arc<dyn Identity>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) limits: Limits,
    pub(crate) tls: Option<Tls>,
    pub(crate) store: Option<Arc<Store>>,
}

impl Hub {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts {
            dialect,
            identity,
            broker,
            limits,
            tls,
            store,
        } = parts;
        Self {
            dialect,
            identity,
            broker,
            admission: Admission::new(limits.connections, limits.connections_per_second, tls),
            limits,
            store,
            metrics: Metrics::default(),
            origins: AtomicU64::new(1),
            queued_bytes: Arc::default(),
            rights: watch::Sender::new(0),
            instance_id: random_id(),
        }
    }

    /// The generation of the platform that is spoken.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What one client, and all of them, may take.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What has been counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The broker behind the adapters.
    pub fn broker(&self) -> &Arc<dyn Broker> {
        &self.broker
    }

    /// Says who holds the credentials; `None` is somebody who has shown none.
    ///
    /// # Errors
    /// Nobody does, or it could not be found out.
    pub async fn authenticate(&self, credentials: Option<&Credentials>) -> Result<Thing, Denied> {
        match credentials {
            None => Err(Denied::MissingCredentials),
            Some(credentials) => self.identity.identify(credentials).await,
        }
    }

    /// Decides whether the thing may do this on the channel.
    ///
    /// # Errors
    /// It may not, or it could not be found out.
    pub async fn authorize(&self, thing: &Thing, action: Action, channel: Channel<'_>) -> Result<(), Denied> {
        // The usual case asks nobody and allocates nothing.
        if thing.may(action, channel) {
            return Ok(());
        }
        self.identity.authorize(thing, action, channel).await
    }

    /// Finds the thing again after [`rights_changed`](Self::rights_changed).
    ///
    /// # Errors
    /// It is no longer known, or has another key: its connections end.
    pub async fn refresh(&self, thing: &Thing) -> Result<Thing, Denied> {
        self.identity.refresh(thing).await
    }

    /// Hands a message to the broker, in the order of the calls. It is accepted when the future resolves.
    ///
    /// The caller has authorised it.
    pub fn publish(&self, message: Message) -> Acceptance {
        self.metrics
            .wire(message.protocol)
            .count_received(message.payload.len());
        self.broker.publish(message)
    }

    /// A new queue of messages, within the limits for one subscriber.
    pub fn inbox(&self) -> Inbox {
        let limits = InboxLimits {
            messages: self.limits.queued_messages,
            bytes: self.limits.queued_bytes,
            total_bytes: self.limits.total_queued_bytes,
            total: Arc::clone(&self.queued_bytes),
        };
        Inbox::new(Arc::clone(&self.broker), self.origin(), limits)
    }

    /// A new identity for a connection, among subscribers and publishers.
    pub fn origin(&self) -> Origin {
        Origin(self.origins.fetch_add(1, Ordering::Relaxed))
    }

    /// Bytes that wait for all subscribers together; whoever queues on its own counts here too.
    pub fn queued_bytes(&self) -> &Arc<AtomicUsize> {
        &self.queued_bytes
    }

    /// Changes whenever rights have changed: then [`refresh`](Self::refresh) the thing of a connection, and
    /// [`authorize`](Self::authorize) its subscriptions anew. It starts as changed, so that nothing is missed
    /// that happened between the authentication and this call.
    pub fn rights_changed(&self) -> watch::Receiver<u64> {
        let mut rights = self.rights.subscribe();
        rights.mark_changed();
        rights
    }

    /// Counts a connection for as long as the guard lives.
    pub(crate) fn connected(self: &Arc<Self>, protocol: Protocol) -> Connected {
        self.metrics.wire(protocol).connections.up();
        Connected {
            hub: Arc::clone(self),
            protocol,
        }
    }

    pub(crate) fn admission(&self) -> &Admission {
        &self.admission
    }

    /// What survives a restart, if there is a data directory.
    pub(crate) fn store(&self) -> Option<&Arc<Store>> {
        self.store.as_ref()
    }

    pub(crate) fn instance_id(&self) -> &str {
        &self.instance_id
    }

    /// Passes changes of rights on to the connections, for as long as the gateway runs.
    pub(crate) async fn watch_rights(self: Arc<Self>) {
        let mut version = 0;
        loop {
            version = self.identity.changed(version).await;
            self.rights.send_modify(|rights| *rights = rights.wrapping_add(1));
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("dialect", &self.dialect)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A connection that is counted.
#[derive(Debug)]
pub(crate) struct Connected {
    hub: Arc<Hub>,
    protocol: Protocol,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.hub.metrics.wire(self.protocol).connections.down();
    }
}

/// A random identifier in the form of a UUID, version 4.
fn random_id() -> String {
    let mut bytes = [0; 16];
    // Without entropy the identifier is not unique, which only makes instances harder to tell apart.
    let _ = getrandom::fill(&mut bytes);
    let bits = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let mut id = String::with_capacity(36);
    for (at, digit) in hex.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(digit);
    }
    id
}
