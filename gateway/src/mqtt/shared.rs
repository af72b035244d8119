//! A session where the broker and the connection meet.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use manywire_mqtt_codec::PacketId;

use super::session::{Queueing, Session, SessionLimits, Terms, Transmitted};
use super::sessions::ClientKey;
use super::share::{Selection, Shares};
use crate::Hub;
use crate::broker::{BrokerError, Delivery, Outlet, SubscribeOptions, Subscriber};
use crate::store::{Keeper, Restored, SessionRecord};

/// A session that the broker delivers to, connected or not. Clones are the same session.
#[derive(Clone)]
pub(super) struct SharedSession {
    inner: Arc<Inner>,
    subscriber: Subscriber,
}

struct Inner {
    hub: Arc<Hub>,
    state: Mutex<State>,
}

struct State {
    session: Session,
    /// Counts the connections: what an earlier one still wants to do is not done.
    turn: u64,
    /// The task of the connection, when it has nothing to do.
    waker: Option<Waker>,
    /// Whether nobody will go on with it.
    ended: bool,
    subscriptions: HashSet<Selection>,
    /// Keeps the session on disk, if it is to outlive the gateway.
    keeper: Option<Keeper>,
}

/// The session belongs to a later connection now, or to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TakenOver;

/// One connection's right to a session, until the next connection takes it over.
#[derive(Clone)]
pub(super) struct Turn {
    session: SharedSession,
    turn: u64,
}

impl SharedSession {
    pub(super) fn new(hub: &Arc<Hub>) -> Self {
        let limits = SessionLimits {
            messages: hub.limits().queued_messages,
            bytes: hub.limits().queued_bytes,
            in_flight: IN_FLIGHT,
        };
        let state = State {
            session: Session::new(limits),
            turn: 0,
            waker: None,
            ended: false,
            subscriptions: HashSet::new(),
            keeper: None,
        };
        let inner = Arc::new(Inner {
            hub: Arc::clone(hub),
            state: Mutex::new(state),
        });
        let outlet: Arc<dyn Outlet> = Arc::<Inner>::clone(&inner);
        Self {
            inner,
            subscriber: Subscriber::new(hub.origin(), outlet),
        }
    }

    /// Begins a connection's turn, which ends the one before.
    pub(super) fn begin(&self, terms: Terms) -> Turn {
        let mut state = self.inner.lock();
        state.turn += 1;
        state.session.handle_connected(terms);
        state.wake();
        Turn {
            session: self.clone(),
            turn: state.turn,
        }
    }

    /// Ends the session: its subscriptions, and the turn of whoever has it.
    ///
    /// Returns what it was subscribed to; the caller ends its shares.
    pub(super) fn end(&self) -> HashSet<Selection> {
        let mut state = self.inner.lock();
        state.ended = true;
        state.forget_kept();
        state.turn += 1;
        let subscriptions = std::mem::take(&mut state.subscriptions);
        state.wake();
        drop(state);
        for _ in &subscriptions {
            self.inner.hub.metrics().mqtt.subscriptions.down();
        }
        // Not under the lock, which the broker takes under its own.
        self.inner.hub.broker().leave(&self.subscriber);
        subscriptions
    }

    /// Takes a message, if there is room for it; if wanted, only when a connection is there. Whether it did.
    pub(super) fn offer(&self, delivery: Delivery<'_>, only_connected: bool) -> bool {
        matches!(
            self.inner.take(delivery, only_connected),
            Some(Queueing::Queued(_))
        )
    }

    /// A session from disk, with its subscriptions.
    pub(super) async fn restore(hub: &Arc<Hub>, shares: &Shares, restored: Restored) -> Self {
        let session = Self::new(hub);
        let held = {
            let mut state = session.inner.lock();
            state.keeper = Some(restored.keeper);
            state
                .session
                .handle_restored(restored.messages, restored.unreleased)
        };
        hub.queued_bytes().fetch_add(held, Ordering::Relaxed);
        for (share, filter, options) in restored.subscriptions {
            let selection = Selection { share, filter };
            match session.subscribe(shares, &selection, options).await {
                Ok(()) => {
                    session.inner.lock().subscriptions.insert(selection);
                    hub.metrics().mqtt.subscriptions.up();
                }
                Err(error) => tracing::warn!(%error, ?selection, "a subscription from disk was not taken"),
            }
        }
        session
    }

    /// Lets the broker deliver what is selected, alone or in turns.
    pub(super) async fn subscribe(
        &self,
        shares: &Shares,
        selection: &Selection,
        options: SubscribeOptions,
    ) -> Result<(), BrokerError> {
        if selection.share.is_some() {
            return shares.join(selection, self, options).await;
        }
        let filter = selection.filter.clone();
        self.inner
            .hub
            .broker()
            .subscribe(&self.subscriber, filter, options)
            .await
            .map(|_| ())
    }

    /// Keeps it on disk for as long as it outlives its connection, if there is a disk and it does.
    pub(super) fn keep(&self, key: &ClientKey, expiry: Duration) {
        let Some(store) = self.inner.hub.store() else {
            return;
        };
        let mut state = self.inner.lock();
        if expiry.is_zero() {
            return state.forget_kept();
        }
        let record = SessionRecord {
            thing: key.thing.to_string(),
            client_id: key.client_id.to_string(),
            expiry: expiry.as_secs(),
        };
        state
            .keeper
            .get_or_insert_with(|| Keeper::new(store))
            .put(&record);
    }

    /// Takes the session from the broker, which would keep it for ever.
    pub(super) fn let_go(&self, shares: &Shares) {
        self.inner.hub.broker().leave(&self.subscriber);
        let subscriptions = self.inner.lock().subscriptions.clone();
        for selection in subscriptions.iter().filter(|selection| selection.share.is_some()) {
            shares.leave(selection, self);
        }
    }

    /// Whether nobody will go on with it.
    pub(super) fn has_ended(&self) -> bool {
        self.inner.lock().ended
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Turn {
    pub(super) fn session(&self) -> &SharedSession {
        &self.session
    }

    pub(super) fn subscriber(&self) -> &Subscriber {
        &self.session.subscriber
    }

    /// Ends the turn without giving it to another. Whether it was still this connection's.
    pub(super) fn end(&mut self) -> bool {
        let mut state = self.session.inner.lock();
        if state.turn != self.turn {
            return false;
        }
        state.turn += 1;
        // Still the last one: nobody has taken over.
        self.turn = state.turn;
        state.waker = None;
        let freed = state.session.handle_disconnected();
        drop(state);
        self.session.inner.free(freed);
        true
    }

    /// Ready when another connection has taken over, or the session has ended.
    pub(super) fn poll_taken_over(&self, context: &Context<'_>) -> Poll<TakenOver> {
        match self.lock() {
            Err(taken_over) => Poll::Ready(taken_over),
            Ok(mut state) => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Appends what may be sent until `output` holds `budget` bytes. If nothing is left, the task is woken for the next message.
    pub(super) fn poll_transmit(
        &self,
        context: &Context<'_>,
        output: &mut Vec<u8>,
        budget: usize,
    ) -> Result<Transmitted, TakenOver> {
        let mut state = self.lock()?;
        let transmitted = state.session.poll_transmit(output, budget, SystemTime::now());
        if !state
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(context.waker()))
        {
            state.waker = Some(context.waker().clone());
        }
        drop(state);
        self.session.inner.free(transmitted.freed);
        Ok(transmitted)
    }

    /// Does something with the session that frees so many bytes.
    pub(super) fn settle(&self, settle: impl FnOnce(&mut Session) -> usize) -> Result<(), TakenOver> {
        let freed = settle(&mut self.lock()?.session);
        self.session.inner.free(freed);
        Ok(())
    }

    /// Asks the session something.
    pub(super) fn with<T>(&self, ask: impl FnOnce(&mut Session) -> T) -> Result<T, TakenOver> {
        Ok(ask(&mut self.lock()?.session))
    }

    pub(super) fn subscriptions(&self) -> Result<Vec<Selection>, TakenOver> {
        Ok(self.lock()?.subscriptions.iter().cloned().collect())
    }

    /// A QoS 2 PUBLISH of the client. False when it is a repeat.
    pub(super) fn hold(&self, packet_id: PacketId) -> Result<bool, TakenOver> {
        let mut state = self.lock()?;
        let new = state.session.handle_exactly_once(packet_id);
        if let Some(keeper) = state.keeper.as_ref().filter(|_| new) {
            keeper.hold(packet_id);
        }
        Ok(new)
    }

    /// The identifier of a QoS 2 PUBLISH is free.
    pub(super) fn release(&self, packet_id: PacketId) -> Result<(), TakenOver> {
        let mut state = self.lock()?;
        let held = state.session.handle_release(packet_id);
        if let Some(keeper) = state.keeper.as_ref().filter(|_| held) {
            keeper.release(packet_id);
        }
        Ok(())
    }

    /// Waits until what is kept of the session is on disk; at once if it is not kept. A disk that fails is reported by whoever writes.
    pub(super) async fn settled(&self) {
        let is_kept = self.session.inner.lock().keeper.is_some();
        if let Some(store) = self.session.inner.hub.store().filter(|_| is_kept) {
            let _ = store.committed().await;
        }
    }

    /// Whether there are this many subscriptions already.
    pub(super) fn has_too_many(&self, limit: usize) -> bool {
        self.session.inner.lock().subscriptions.len() >= limit
    }

    /// The session has a subscription. False when the session has ended meanwhile.
    pub(super) fn remember(&self, selection: Selection, options: &SubscribeOptions) -> bool {
        let mut state = self.session.inner.lock();
        if state.ended {
            return false;
        }
        if let Some(keeper) = &state.keeper {
            keeper.subscribe(selection.share.as_deref(), &selection.filter, options);
        }
        if state.subscriptions.insert(selection) {
            self.session.inner.hub.metrics().mqtt.subscriptions.up();
        }
        true
    }

    /// The session has it no more.
    pub(super) fn forget(&self, selection: &Selection) {
        let mut state = self.session.inner.lock();
        if let Some(keeper) = &state.keeper {
            keeper.unsubscribe(selection.share.as_deref(), &selection.filter);
        }
        if state.subscriptions.remove(selection) {
            self.session.inner.hub.metrics().mqtt.subscriptions.down();
        }
    }

    fn lock(&self) -> Result<MutexGuard<'_, State>, TakenOver> {
        let state = self.session.inner.lock();
        if state.turn == self.turn {
            Ok(state)
        } else {
            Err(TakenOver)
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn free(&self, bytes: usize) {
        if bytes > 0 {
            self.hub.queued_bytes().fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Keeps the session on disk no longer.
    fn forget_kept(&mut self) {
        let Some(keeper) = self.keeper.take() else { return };
        keeper.forget();
        for selection in &self.subscriptions {
            keeper.unsubscribe(selection.share.as_deref(), &selection.filter);
        }
        for packet_id in self.session.unreleased() {
            keeper.release(*packet_id);
        }
    }
}

impl Inner {
    /// Puts a message in, unless a connection is wanted and there is none.
    fn take(&self, delivery: Delivery<'_>, only_connected: bool) -> Option<Queueing> {
        let held = self.hub.queued_bytes().load(Ordering::Relaxed);
        let room = self.hub.limits().total_queued_bytes.saturating_sub(held);
        let mut state = self.lock();
        if only_connected && !state.session.is_connected() {
            return None;
        }
        let State { session, keeper, .. } = &mut *state;
        let keep = |delivery: &Delivery<'_>| keeper.as_ref().and_then(|keeper| keeper.keep(delivery));
        let queueing = session.handle_delivery(delivery, room, keep);
        if let Queueing::Queued(bytes) = queueing {
            self.hub.queued_bytes().fetch_add(bytes, Ordering::Relaxed);
            let waker = state.waker.take();
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
        Some(queueing)
    }
}

impl Outlet for Inner {
    fn deliver(&self, delivery: Delivery<'_>) {
        if self.take(delivery, false) == Some(Queueing::Lost) {
            self.hub.metrics().mqtt.lost.add(1);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let held = self.lock().session.bytes();
        self.free(held);
    }
}

impl fmt::Debug for SharedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSession")
            .field("subscriber", &self.subscriber)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn")
            .field("session", &self.session)
            .field("turn", &self.turn)
            .finish()
    }
}

/// QoS 1 and 2 messages on their way to one client. 3.1.1 clients cannot say how many they take; this is within what they do.
const IN_FLIGHT: usize = 100;
