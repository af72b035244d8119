//! A session where the broker and the connection meet.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use manywire_topics::FilterBuf;

use super::session::{Queueing, Session, SessionLimits, Terms, Transmitted};
use crate::Hub;
use crate::broker::{Delivery, Outlet, Subscriber};

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
    subscriptions: HashSet<FilterBuf>,
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
    pub(super) fn end(&self) {
        let mut state = self.inner.lock();
        state.ended = true;
        for _ in state.subscriptions.drain() {
            self.inner.hub.metrics().mqtt.subscriptions.down();
        }
        state.turn += 1;
        state.wake();
        drop(state);
        // Not under the lock, which the broker takes under its own.
        self.inner.hub.broker().leave(&self.subscriber);
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

    pub(super) fn subscriptions(&self) -> Result<Vec<FilterBuf>, TakenOver> {
        Ok(self.lock()?.subscriptions.iter().cloned().collect())
    }

    /// The broker has a subscription of the session.
    pub(super) fn remember(&self, filter: FilterBuf) {
        let (inner, subscriber) = (&self.session.inner, &self.session.subscriber);
        let mut state = inner.lock();
        if state.ended {
            // The session ended meanwhile: what came too late ends too.
            drop(state);
            inner.hub.broker().leave(subscriber);
        } else if state.subscriptions.insert(filter) {
            inner.hub.metrics().mqtt.subscriptions.up();
        }
    }

    /// The broker has it no more.
    pub(super) fn forget(&self, filter: &FilterBuf) {
        if self.session.inner.lock().subscriptions.remove(filter) {
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
}

impl Outlet for Inner {
    fn deliver(&self, delivery: Delivery<'_>) {
        let held = self.hub.queued_bytes().load(Ordering::Relaxed);
        let room = self.hub.limits().total_queued_bytes.saturating_sub(held);
        let mut state = self.lock();
        match state.session.handle_delivery(delivery, room) {
            Queueing::Queued(bytes) => {
                self.hub.queued_bytes().fetch_add(bytes, Ordering::Relaxed);
                let waker = state.waker.take();
                drop(state);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            Queueing::Skipped => {}
            Queueing::Lost => self.hub.metrics().mqtt.lost.add(1),
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
