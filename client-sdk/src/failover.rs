//! A transport made of transports: the preferred one, and those for when it cannot be reached.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use futures_core::Stream;
use futures_sink::Sink;

use crate::{
    qos::QoS,
    timer::Timer,
    transport::{
        BoxFuture, Capabilities, ConnectContext, Connected, Event, Op, Session, Transport, TransportError,
        TransportErrorKind,
    },
};

/// Uses the first transport that can be reached, in the order of preference.
///
/// It stays with what works: another one is tried when the connection is lost, and those that are preferred are tried again
/// after a while. Whatever is promised holds on all of them: a publish can ask for what every one can do, and never for
/// exactly once, since one wire does not know what another has sent. Subscribing is what the preferred one can do: while a
/// wire is in use that cannot, subscriptions wait for one that can, and [`ClientEvent::Gap`](crate::ClientEvent::Gap) tells.
pub struct Failover {
    transports: Vec<Box<dyn Transport>>,
    timer: Arc<dyn Timer>,
    retry_after: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The one that worked last.
    current: usize,
    /// When those before it are tried again.
    retry_at: Option<Instant>,
}

impl Failover {
    /// A transport that prefers this one. Until [`or`](Self::or) is called it has no other.
    #[cfg(feature = "tokio")]
    #[must_use]
    pub fn new(preferred: impl Transport) -> Self {
        Self::with_timer(preferred, crate::timer::TokioTimer)
    }

    /// The same with a clock of one's own.
    #[must_use]
    pub fn with_timer(preferred: impl Transport, timer: impl Timer) -> Self {
        Self {
            transports: vec![Box::new(preferred)],
            timer: Arc::new(timer),
            retry_after: Duration::from_secs(300),
            state: Mutex::default(),
        }
    }

    /// The same with one more to fall back to.
    #[must_use]
    pub fn or(mut self, other: impl Transport) -> Self {
        self.transports.push(Box::new(other));
        self
    }

    /// How long a transport that is not the preferred one is used before the preferred ones are tried again; 5 minutes
    /// unless set. What is under way is finished first.
    #[must_use]
    pub const fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = delay;
        self
    }

    async fn open(&self, context: &ConnectContext<'_>) -> Result<Connected, TransportError> {
        let now = self.timer.now();
        let start = {
            let mut state = self.lock();
            if state.retry_at.is_some_and(|at| at <= now) {
                state.current = 0;
            }
            state.current
        };
        let mut failure = TransportError::new(TransportErrorKind::Unsupported);
        let count = self.transports.len();
        for index in (0..count).map(|turn| (start + turn) % count) {
            let Some(transport) = self.transports.get(index) else {
                continue;
            };
            match transport.connect(context).await {
                Ok(connected) => return Ok(self.adopt(index, connected)),
                // Whom one wire refuses, the others refuse too.
                Err(error)
                    if !error.is_retryable() && matches!(error.kind(), TransportErrorKind::Refused(_)) =>
                {
                    return Err(error);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn adopt(&self, index: usize, mut connected: Connected) -> Connected {
        let retry_at = (index > 0).then(|| self.timer.now() + self.retry_after);
        *self.lock() = State {
            current: index,
            retry_at,
        };
        let offered = self.capabilities();
        let subscribes = connected.capabilities.subscribe;
        let shares = connected.capabilities.shared_subscriptions;
        connected.capabilities = common(connected.capabilities, offered);
        connected.capabilities.subscribe = offered.subscribe;
        connected.capabilities.wildcards = offered.wildcards;
        connected.capabilities.shared_subscriptions = offered.shared_subscriptions;
        connected.session = Box::pin(Limited {
            session: connected.session,
            subscribes,
            shares,
            unanswered: 0,
            answers: Vec::new(),
            leave: retry_at.map(|at| self.timer.sleep_until(at)),
            leaving: false,
        });
        connected
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Failover {
    fn capabilities(&self) -> Capabilities {
        let mut all = self.transports.iter().map(|transport| transport.capabilities());
        let first = all
            .next()
            .unwrap_or_else(|| Capabilities::publish_only(QoS::AtMostOnce));
        let mut capabilities = all.fold(first, common);
        capabilities.max_qos = capabilities.max_qos.min(QoS::AtLeastOnce);
        capabilities.subscribe = first.subscribe;
        capabilities.wildcards = first.wildcards;
        capabilities.shared_subscriptions = first.shared_subscriptions;
        capabilities
    }

    fn connect<'a>(
        &'a self,
        context: &'a ConnectContext<'a>,
    ) -> BoxFuture<'a, Result<Connected, TransportError>> {
        Box::pin(self.open(context))
    }
}

impl fmt::Debug for Failover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failover")
            .field("transports", &self.transports.len())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// What both can do.
fn common(one: Capabilities, other: Capabilities) -> Capabilities {
    let smaller = [one.max_payload, other.max_payload].into_iter().flatten().min();
    Capabilities {
        max_qos: one.max_qos.min(other.max_qos),
        subscribe: one.subscribe && other.subscribe,
        wildcards: one.wildcards && other.wildcards,
        retain: one.retain && other.retain,
        will: one.will && other.will,
        properties: one.properties && other.properties,
        shared_subscriptions: one.shared_subscriptions && other.shared_subscriptions,
        max_payload: smaller,
        max_in_flight: one.max_in_flight.min(other.max_in_flight),
        ..one
    }
}

const fn is_answer(event: &Event) -> bool {
    matches!(
        event,
        Event::Published(_)
            | Event::Weakened { .. }
            | Event::Subscribed { .. }
            | Event::Unsubscribed(_)
            | Event::Refused { .. }
            | Event::Indeterminate(_)
            | Event::Unsent(_)
    )
}

/// A session that ends when it is time to try the preferred transport again, and everything under way is answered.
struct Limited {
    session: Pin<Box<dyn Session>>,
    subscribes: bool,
    shares: bool,
    unanswered: usize,
    answers: Vec<Event>,
    leave: Option<BoxFuture<'static, ()>>,
    leaving: bool,
}

impl Limited {
    const fn carries(&self, group: Option<&str>) -> bool {
        self.subscribes && (self.shares || group.is_none())
    }
}

impl Stream for Limited {
    type Item = Result<Event, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(answer) = self.answers.pop() {
            return Poll::Ready(Some(Ok(answer)));
        }
        if let Some(leave) = &mut self.leave
            && leave.as_mut().poll(context).is_ready()
        {
            self.leave = None;
            self.leaving = true;
        }
        match self.session.as_mut().poll_next(context) {
            Poll::Ready(Some(Ok(event))) => {
                if is_answer(&event) {
                    self.unanswered = self.unanswered.saturating_sub(1);
                }
                Poll::Ready(Some(Ok(event)))
            }
            Poll::Pending if self.leaving && self.unanswered == 0 => {
                ready!(self.session.as_mut().poll_close(context))?;
                let closed = TransportError::new(TransportErrorKind::Closed);
                Poll::Ready(Some(Err(closed.because("to try the preferred transport again"))))
            }
            other => other,
        }
    }
}

impl Sink<Op> for Limited {
    type Error = TransportError;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        if self.leaving {
            return Poll::Pending;
        }
        self.session.as_mut().poll_ready(context)
    }

    fn start_send(mut self: Pin<&mut Self>, op: Op) -> Result<(), TransportError> {
        match op {
            // Not answered: it stays wanted, and the next session is asked again.
            Op::Subscribe { ref group, .. } if !self.carries(group.as_deref()) => return Ok(()),
            Op::Unsubscribe { id, ref group, .. } if !self.carries(group.as_deref()) => {
                self.answers.push(Event::Unsubscribed(id));
                return Ok(());
            }
            Op::Acknowledge(_) | Op::Release(_) => {}
            _ => self.unanswered += 1,
        }
        self.session.as_mut().start_send(op)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.session.as_mut().poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.session.as_mut().poll_close(context)
    }
}
