//! Which client has which session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use manywire_mqtt_codec::Version;

use super::shared::{SharedSession, Turn};
use crate::Hub;

/// Whose session it is. Two things that use the same client identifier do not get each other's session: on the platform, knowing a client
/// identifier is enough to take a session over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClientKey {
    pub(super) thing: Arc<str>,
    pub(super) client_id: Box<str>,
}

/// The sessions of all clients, connected or not.
#[derive(Debug)]
pub(super) struct Sessions {
    hub: Arc<Hub>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<ClientKey, Entry>,
    swept: Option<Instant>,
}

#[derive(Debug)]
struct Entry {
    session: SharedSession,
    persistent: bool,
    /// Since when no connection has it.
    left: Option<Instant>,
}

impl Sessions {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self {
            hub,
            state: Mutex::default(),
        }
    }

    /// Gives a client its session, and takes it from the connection that has it [MQTT-3.1.4-2]. Returns whether there was one to go on with.
    pub(super) fn open(&self, key: &ClientKey, version: Version, clean: bool, now: Instant) -> (Turn, bool) {
        let mut state = self.lock();
        state.sweep(now);
        if let Some(entry) = state.entries.get_mut(key) {
            if entry.persistent && !clean {
                entry.left = None;
                return (entry.session.begin(version), true);
            }
            entry.session.end();
        }
        let session = SharedSession::new(&self.hub);
        let turn = session.begin(version);
        state.entries.insert(
            key.clone(),
            Entry {
                session,
                persistent: !clean,
                left: None,
            },
        );
        (turn, false)
    }

    /// A connection is over. Its session goes on without one, or ends.
    pub(super) fn close(&self, key: &ClientKey, turn: &Turn, now: Instant) {
        let mut state = self.lock();
        if !turn.end() {
            return;
        }
        let Some(entry) = state.entries.get_mut(key) else {
            return;
        };
        if !entry.session.is(turn.session()) {
            return;
        }
        if entry.persistent {
            entry.left = Some(now);
        } else {
            entry.session.end();
            state.entries.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends sessions that were left long ago; and, if there are too many without a connection, those left first.
    fn sweep(&mut self, now: Instant) {
        if self
            .swept
            .is_some_and(|swept| now.duration_since(swept) < SWEEP_INTERVAL)
        {
            return;
        }
        self.swept = Some(now);
        let mut left: Vec<Instant> = self.entries.values().filter_map(|entry| entry.left).collect();
        left.sort_unstable_by(|one, other| other.cmp(one));
        let eldest = left.get(LEFT_SESSIONS).copied();
        self.entries.retain(|_, entry| {
            let expired = entry
                .left
                .is_some_and(|left| now.duration_since(left) > EXPIRY || Some(left) <= eldest);
            if expired {
                entry.session.end();
            }
            !expired
        });
    }
}

/// How long a session waits for its client: as long as the platform's streams keep messages.
const EXPIRY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often sessions are looked through.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);

/// How many sessions may wait for their clients.
const LEFT_SESSIONS: usize = 10_000;
