//! One connection to the platform in memory.

use std::{
    collections::{HashMap, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
    time::Instant,
};

use futures_core::Stream;
use futures_sink::Sink;
use manywire_topics::FilterBuf;

use super::{Faults, Shared};
use crate::{
    error::Refusal,
    message::Message,
    qos::QoS,
    transport::{
        BoxFuture, DeliveryId, Event, Op, OpId, Received, SubscriptionId, TransportError, TransportErrorKind,
    },
};

/// What the platform knows of one session: it may outlive its connection.
#[derive(Debug, Default)]
pub(super) struct Line(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    open: bool,
    /// Counts connections, so that a connection which is not the last one is cut.
    generation: u64,
    filters: HashMap<SubscriptionId, (FilterBuf, QoS)>,
    reports: VecDeque<Report>,
    /// Delivered and not acknowledged.
    unacknowledged: VecDeque<Received>,
    next_delivery: u64,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Report {
    event: Event,
    ready: Option<Instant>,
}

impl Line {
    /// A connection is made. What an earlier one delivered and was not acknowledged is delivered again.
    pub(super) fn open(&self) {
        let mut state = self.lock();
        state.open = true;
        state.generation += 1;
        state
            .reports
            .retain(|report| matches!(&report.event, Event::Message(message) if message.delivery.is_some()));
        let again: Vec<Received> = state.unacknowledged.drain(..).collect();
        for mut message in again.into_iter().rev() {
            message.duplicate = true;
            state.reports.push_front(Report {
                event: Event::Message(message),
                ready: None,
            });
        }
        state.wake();
    }

    /// The connection is lost.
    pub(super) fn cut(&self) {
        let mut state = self.lock();
        state.open = false;
        state.wake();
    }

    /// Says of these that they are done.
    pub(super) fn finish(&self, ids: &[OpId]) {
        ids.iter().for_each(|id| self.report(Event::Published(*id), None));
    }

    fn report(&self, event: Event, ready: Option<Instant>) {
        let mut state = self.lock();
        state.reports.push_back(Report { event, ready });
        state.wake();
    }

    /// Delivers a message if a filter of this session matches; one that was kept, because of a subscription.
    pub(super) fn deliver(
        &self,
        message: &Message,
        retained: Option<(SubscriptionId, OpId)>,
        faults: Faults,
        ready: Option<Instant>,
    ) {
        let mut state = self.lock();
        let wanted = state
            .filters
            .values()
            .filter(|(filter, _)| filter.matches(message.topic.as_topic()));
        let Some(granted) = wanted.map(|(_, qos)| *qos).max() else {
            return;
        };
        let qos = granted.min(message.qos);
        let copies = if faults.duplicate && qos != QoS::ExactlyOnce {
            2
        } else {
            1
        };
        for copy in 0..copies {
            let mut received = Received::new(message.topic.clone(), message.payload.clone());
            received.qos = qos;
            received.retain = retained.is_some();
            (received.subscription, received.asked) = retained.unzip();
            received.properties.clone_from(&message.properties);
            received.duplicate = copy > 0 && qos == QoS::AtLeastOnce;
            received.content_type.clone_from(&message.content_type);
            if qos != QoS::AtMostOnce {
                state.next_delivery += 1;
                received.delivery = Some(DeliveryId(state.next_delivery));
            } else if !state.open {
                return;
            }
            let report = Report {
                event: Event::Message(received),
                ready,
            };
            match state.reports.back() {
                Some(Report {
                    event: Event::Message(_),
                    ..
                }) if faults.reorder => {
                    let before_last = state.reports.len() - 1;
                    state.reports.insert(before_last, report);
                }
                _ => state.reports.push_back(report),
            }
        }
        state.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// One connection.
pub(super) struct MemorySession {
    broker: Arc<Shared>,
    line: Arc<Line>,
    generation: u64,
    uncertain: Arc<Mutex<Vec<OpId>>>,
    will: Option<Message>,
    operations: u64,
    sleep: Option<BoxFuture<'static, ()>>,
}

impl MemorySession {
    pub(super) fn new(
        broker: Arc<Shared>,
        line: Arc<Line>,
        uncertain: Arc<Mutex<Vec<OpId>>>,
        will: Option<Message>,
    ) -> Self {
        let generation = line.lock().generation;
        Self {
            broker,
            line,
            generation,
            uncertain,
            will,
            operations: 0,
            sleep: None,
        }
    }

    fn is_open(&self) -> bool {
        let state = self.line.lock();
        state.open && state.generation == self.generation
    }

    fn handle(&mut self, op: Op) {
        let faults = self.broker.faults();
        self.operations += 1;
        let cut = faults.drop_after.is_some_and(|limit| self.operations > limit);
        let poison = matches!((&op, faults.cut_at), (Op::Publish { message, .. }, Some(poison)) if message.payload == poison);
        if poison || (cut && !faults.lose_answer) {
            self.line.cut();
            return;
        }
        let ready = self.broker.ready_at(faults);
        let answer = self.carry_out(op, faults, ready);
        if cut {
            if let Some((Event::Published(id), QoS::ExactlyOnce)) = answer {
                self.uncertain
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(id);
            }
            self.line.cut();
        } else if let Some((event, _)) = answer {
            self.line.report(event, ready);
        }
    }

    /// Does it, and returns the answer, with the guarantee it is about.
    fn carry_out(&self, op: Op, faults: Faults, ready: Option<Instant>) -> Option<(Event, QoS)> {
        let refused = |id| {
            let kind = faults.refuse?;
            Some((
                Event::Refused {
                    id,
                    refusal: Refusal::new(kind),
                },
                QoS::AtMostOnce,
            ))
        };
        match op {
            Op::Publish { id, message, .. } => refused(id).or_else(|| {
                let qos = message.qos;
                self.broker.publish(message);
                Some((Event::Published(id), qos))
            }),
            Op::Subscribe {
                id,
                subscription,
                filter,
                qos,
                ..
            } => refused(id).or_else(|| {
                self.line
                    .lock()
                    .filters
                    .insert(subscription, (filter.clone(), qos));
                self.line.report(Event::Subscribed { id, qos }, ready);
                for message in self.broker.retained() {
                    if filter.matches(message.topic.as_topic()) {
                        self.line
                            .deliver(&message, Some((subscription, id)), Faults::none(), ready);
                    }
                }
                None
            }),
            Op::Unsubscribe { id, subscription, .. } => {
                self.line.lock().filters.remove(&subscription);
                Some((Event::Unsubscribed(id), QoS::AtMostOnce))
            }
            Op::Release(_) => None,
            Op::Acknowledge(delivery) => {
                self.line
                    .lock()
                    .unacknowledged
                    .retain(|message| message.delivery != Some(delivery));
                None
            }
        }
    }
}

impl Stream for MemorySession {
    type Item = Result<Event, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(sleep) = &mut self.sleep {
                ready!(sleep.as_mut().poll(context));
                self.sleep = None;
            }
            let line = Arc::clone(&self.line);
            let mut state = line.lock();
            if state.generation != self.generation {
                return Poll::Ready(Some(Err(TransportError::new(TransportErrorKind::Closed))));
            }
            // What was on its way when the connection was cut still arrives.
            let Some(report) = state.reports.front() else {
                if !state.open {
                    return Poll::Ready(Some(Err(TransportError::new(TransportErrorKind::Closed))));
                }
                state.waker = Some(context.waker().clone());
                return Poll::Pending;
            };
            if let (Some(ready), Some(timer)) = (report.ready, self.broker.timer.clone())
                && ready > timer.now()
            {
                state.waker = Some(context.waker().clone());
                drop(state);
                self.sleep = Some(timer.sleep_until(ready));
                continue;
            }
            let Some(Report { event, .. }) = state.reports.pop_front() else {
                continue;
            };
            if let Event::Message(message) = &event
                && message.delivery.is_some()
            {
                state.unacknowledged.push_back(message.clone());
            }
            return Poll::Ready(Some(Ok(event)));
        }
    }
}

impl Sink<Op> for MemorySession {
    type Error = TransportError;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        if self.is_open() {
            Poll::Ready(Ok(()))
        } else {
            Poll::Ready(Err(TransportError::new(TransportErrorKind::Closed)))
        }
    }

    fn start_send(mut self: Pin<&mut Self>, op: Op) -> Result<(), TransportError> {
        self.handle(op);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.will = None;
        self.line.cut();
        Poll::Ready(Ok(()))
    }
}

impl Drop for MemorySession {
    fn drop(&mut self) {
        {
            let mut state = self.line.lock();
            if state.generation == self.generation {
                state.open = false;
            }
        }
        if let Some(will) = self.will.take() {
            self.broker.publish(will);
        }
    }
}
