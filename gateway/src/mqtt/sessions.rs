//! Which client has which session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::session::Terms;
use super::share::Shares;
use super::shared::{SharedSession, Turn};
use crate::Hub;
use crate::store::{Keeper, StoreError};

/// Whose session it is. Two things that use the same client identifier do not get each other's session: on the platform, knowing a client
/// identifier is enough to take a session over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClientKey {
    pub(super) thing: Arc<str>,
    pub(super) client_id: Box<str>,
}

/// What a client wants of its session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    /// Whether an earlier session is thrown away.
    pub(super) clean: bool,
    /// How long it is to wait for its client after the connection.
    pub(super) expiry: Duration,
}

/// The sessions of all clients, connected or not.
#[derive(Debug)]
pub(super) struct Sessions {
    hub: Arc<Hub>,
    shares: Shares,
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
    /// How long it waits for its client; zero is not at all.
    expiry: Duration,
    /// Since when no connection has it.
    left: Option<Instant>,
}

impl Sessions {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self {
            shares: Shares::new(Arc::clone(&hub)),
            hub,
            state: Mutex::default(),
        }
    }

    /// Takes over the sessions of the data directory, if there is one. They wait for their clients anew from now on.
    pub(super) async fn restore(&self) -> Result<(), StoreError> {
        let Some(store) = self.hub.store() else {
            return Ok(());
        };
        for restored in Keeper::restore(store, self.hub.dialect())? {
            let key = ClientKey {
                thing: restored.record.thing.as_str().into(),
                client_id: restored.record.client_id.as_str().into(),
            };
            let expiry = Duration::from_secs(restored.record.expiry);
            let session = SharedSession::restore(&self.hub, &self.shares, restored).await;
            let left = Some(Instant::now());
            self.lock().entries.insert(
                key,
                Entry {
                    session,
                    expiry,
                    left,
                },
            );
        }
        Ok(())
    }

    /// Gives a client its session, and takes it from the connection that has it [MQTT-3.1.4-2]. Returns whether there was one to go on with.
    pub(super) fn open(&self, key: &ClientKey, terms: Terms, want: Want, now: Instant) -> (Turn, bool) {
        let expiry = want.expiry.min(EXPIRY);
        let mut state = self.lock();
        state.sweep(&self.shares, now);
        if let Some(entry) = state.entries.get_mut(key) {
            if !want.clean && !entry.expiry.is_zero() && !entry.has_expired(now) {
                entry.left = None;
                entry.expiry = expiry;
                entry.session.keep(key, expiry);
                return (entry.session.begin(terms), true);
            }
            entry.end(&self.shares);
        }
        let session = SharedSession::new(&self.hub);
        session.keep(key, expiry);
        let turn = session.begin(terms);
        state.entries.insert(
            key.clone(),
            Entry {
                session,
                expiry,
                left: None,
            },
        );
        (turn, false)
    }

    /// A connection is over. Its session goes on without one, or ends. `expiry` is what the client said last, if it said so again.
    pub(super) fn close(&self, key: &ClientKey, turn: &mut Turn, expiry: Option<Duration>, now: Instant) {
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
        entry.expiry = expiry.unwrap_or(entry.expiry).min(EXPIRY);
        if entry.expiry.is_zero() {
            entry.end(&self.shares);
            state.entries.remove(key);
        } else {
            if expiry.is_some() {
                entry.session.keep(key, entry.expiry);
            }
            entry.left = Some(now);
        }
    }

    /// Takes every session from the broker, without ending any: those on disk wait for the next start.
    pub(super) fn let_go(&self) {
        let entries = std::mem::take(&mut self.lock().entries);
        for entry in entries.into_values() {
            entry.session.let_go(&self.shares);
        }
    }

    pub(super) fn shares(&self) -> &Shares {
        &self.shares
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends sessions that were left long ago; and, if there are too many without a connection, those left first.
    fn sweep(&mut self, shares: &Shares, now: Instant) {
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
            let expired = entry.has_expired(now) || entry.left.is_some() && entry.left <= eldest;
            if expired {
                entry.end(shares);
            }
            !expired
        });
    }
}

impl Entry {
    fn end(&self, shares: &Shares) {
        for selection in self.session.end() {
            if selection.share.is_some() {
                shares.leave(&selection, &self.session);
            }
        }
    }

    fn has_expired(&self, now: Instant) -> bool {
        self.left
            .is_some_and(|left| now.duration_since(left) >= self.expiry)
    }
}

/// How long a session waits for its client at most: as long as the platform's streams keep messages.
pub(super) const EXPIRY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often sessions are looked through.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);

/// How many sessions may wait for their clients.
const LEFT_SESSIONS: usize = 10_000;
