//! A place where one outcome appears, for any number of tasks that wait for it.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Where an outcome is put.
#[derive(Debug)]
pub(crate) struct Slot<T>(Mutex<State<T>>);

#[derive(Debug)]
enum State<T> {
    /// Nobody waits yet, or one task does: nearly every slot.
    Waiting(Option<Waker>),
    /// Several tasks wait.
    Crowded(Vec<Waker>),
    Done(T),
}

impl<T: Clone> Slot<T> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State::Waiting(None))))
    }

    /// Puts the outcome there; the first one stays.
    pub(crate) fn fill(&self, outcome: T) {
        let mut state = self.lock();
        if matches!(*state, State::Done(_)) {
            return;
        }
        let before = mem::replace(&mut *state, State::Done(outcome));
        drop(state);
        match before {
            State::Waiting(Some(waker)) => waker.wake(),
            State::Crowded(wakers) => wakers.into_iter().for_each(Waker::wake),
            State::Waiting(None) | State::Done(_) => {}
        }
    }

    /// The outcome, if it is there.
    pub(crate) fn outcome(&self) -> Option<T> {
        match &*self.lock() {
            State::Done(outcome) => Some(outcome.clone()),
            _ => None,
        }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<T> {
        let mut state = self.lock();
        match &mut *state {
            State::Done(outcome) => return Poll::Ready(outcome.clone()),
            State::Waiting(Some(waker)) if waker.will_wake(context.waker()) => {}
            State::Waiting(waiting) => match waiting.take() {
                None => *waiting = Some(context.waker().clone()),
                Some(other) => *state = State::Crowded(vec![other, context.waker().clone()]),
            },
            State::Crowded(wakers) => {
                if !wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                    wakers.push(context.waker().clone());
                }
            }
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the outcome. Dropping it, or many of them, has no effect on what is being done.
#[derive(Debug)]
pub(crate) struct Outcome<T>(pub(crate) Arc<Slot<T>>);

impl<T> Clone for Outcome<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone> Future for Outcome<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.0.poll(context)
    }
}
