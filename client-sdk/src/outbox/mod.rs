//! Where accepted messages wait: how many, and whether they outlive the process.

#[cfg(feature = "outbox-file")]
mod file;
#[cfg(feature = "outbox-file")]
mod record;

use std::{fmt, num::NonZeroU16, sync::Arc};

#[cfg(feature = "outbox-file")]
use self::file::FileStore;
use crate::{engine::slot::Slot, error::Error, message::Message};

/// How much may wait, and where.
#[must_use = "an outbox does nothing until a builder has it"]
pub struct Outbox {
    pub(crate) max_messages: usize,
    pub(crate) max_bytes: usize,
    pub(crate) store: Option<Box<dyn Store>>,
    pub(crate) recovered: Vec<Recovered>,
}

impl Outbox {
    /// In memory: what waits is lost with the process. 10,000 messages and 64 MiB, unless set otherwise.
    pub const fn memory() -> Self {
        Self {
            max_messages: 10_000,
            max_bytes: 64 << 20,
            store: None,
            recovered: Vec::new(),
        }
    }

    /// In a file, which survives the end of the process, `kill -9` and power loss: what it holds from earlier is delivered
    /// by the next client, in its order.
    ///
    /// A message is accepted ([`enqueue`](crate::Publish::enqueue) returns) when it is on the disk. Messages that arrive
    /// while one write is under way share the next one, so the cost of `fsync`, a millisecond or so, is paid once for
    /// many; [`sync_every`](Self::sync_every) trades it for a little risk. The writing is done by a thread of its own.
    ///
    /// What is published exactly once is noted in the file before it is sent, and again when the platform has it: two more
    /// writes, which messages under way at the same time share. After a crash in between, the next process goes on
    /// where this one was if the platform kept the session (MQTT with a [persistent
    /// session](crate::ClientBuilder::persistent_session) and the same client id). If it did not, the message is
    /// [indeterminate](crate::ErrorKind::Indeterminate), and [`ClientEvent::SetAside`](crate::ClientEvent::SetAside)
    /// says so: it is not repeated.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) when the file cannot be opened, is no outbox, or is open elsewhere.
    #[cfg(feature = "outbox-file")]
    pub fn file(path: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        let (store, recovered) = FileStore::open(path.as_ref())?;
        Ok(Self {
            store: Some(Box::new(store)),
            recovered,
            ..Self::memory()
        })
    }

    /// Accepts messages before they are on the disk, and writes them at most this much later: a crash or a power cut loses
    /// what was accepted within that time.
    #[cfg(feature = "outbox-file")]
    pub fn sync_every(mut self, interval: std::time::Duration) -> Self {
        if let Some(store) = &mut self.store {
            store.sync_every(interval);
        }
        self
    }

    /// The same with room for this many messages.
    pub const fn max_messages(mut self, messages: usize) -> Self {
        self.max_messages = messages;
        self
    }

    /// The same with room for this many bytes of payload.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self::memory()
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("max_messages", &self.max_messages)
            .field("max_bytes", &self.max_bytes)
            .field("store", &self.store)
            .field("recovered", &self.recovered.len())
            .finish()
    }
}

/// Filled when a write is on the disk, or has failed.
pub(crate) type Stored = Arc<Slot<Result<(), Error>>>;

/// What makes messages outlive the process. Nothing here waits.
pub(crate) trait Store: Send + fmt::Debug {
    /// Keeps a message, under a key that is larger than those before.
    fn put(&mut self, message: &Message) -> (u64, Stored);

    /// Notes how far a message is about to get, so that no later process begins anew with it.
    fn mark(&mut self, key: u64, exchange: Exchange) -> Stored;

    /// Forgets a message.
    fn remove(&mut self, key: u64);

    /// Whom to call when something was written.
    fn notify_with(&mut self, notify: Box<dyn Fn() + Send + Sync>);

    /// How long writes may be put off.
    #[cfg(feature = "outbox-file")]
    fn sync_every(&mut self, interval: std::time::Duration);
}

/// A message from before.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) key: u64,
    /// Its lifetime is what is left of it.
    pub(crate) message: Message,
    /// How far it got, if it may have been sent and must not be repeated.
    pub(crate) exchange: Option<Exchange>,
}

/// A publish exactly once that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) number: NonZeroU16,
    /// Whether the peer has the message.
    pub(crate) received: bool,
}
