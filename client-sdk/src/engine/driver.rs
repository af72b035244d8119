//! Moves operations and events between the engine and the session: the only part that waits.

use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use futures_util::task::AtomicWaker;
use manywire_topics::Dialect;

use crate::{
    credentials::{Credentials, CredentialsSource},
    engine::{Engine, Step},
    error::RefusalKind,
    message::Message,
    timer::Timer,
    transport::{
        BoxFuture, ConnectContext, Connected, Earlier, Event, Op, Session, Transport, TransportError,
        TransportErrorKind,
    },
};

/// What moves a client: it does nothing unless this future is polled, on any executor.
///
/// It resolves when the client is closed, or when all its handles are dropped and what was accepted is delivered.
/// Dropping it stops the client at once.
#[must_use = "a client does nothing unless its driver is polled"]
pub struct Driver(BoxFuture<'static, ()>);

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, connector: Connector) -> Self {
        let stop = StopOnDrop(Arc::clone(&shared));
        let connector = Arc::new(connector);
        Self(Box::pin(async move {
            run(&stop.0, &connector).await;
        }))
    }
}

/// The engine, and how to wake its driver.
#[derive(Debug)]
pub(crate) struct Shared {
    engine: Mutex<Engine>,
    driver: AtomicWaker,
    pub(crate) timer: Arc<dyn Timer>,
}

impl Shared {
    pub(crate) fn new(engine: Engine, timer: Arc<dyn Timer>) -> Arc<Self> {
        Arc::new(Self {
            engine: Mutex::new(engine),
            driver: AtomicWaker::new(),
            timer,
        })
    }

    /// The engine. Hold it shortly: the driver waits meanwhile.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the driver that there is something to do.
    pub(crate) fn wake(&self) {
        self.driver.wake();
    }
}

/// How sessions are opened.
pub(crate) struct Connector {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) credentials: Option<Arc<dyn CredentialsSource>>,
    pub(crate) dialect: Dialect,
    pub(crate) client_id: Option<String>,
    pub(crate) keep_alive: Duration,
    pub(crate) timeout: Duration,
    pub(crate) will: Option<Message>,
    pub(crate) persistent: bool,
}

impl Connector {
    /// One attempt. Credentials that are refused are asked for once more: a source that has newer ones gets its chance.
    async fn connect(self: Arc<Self>, attempt: u32, earlier: Earlier) -> Result<Connected, TransportError> {
        let credentials = self.ask_credentials().await?;
        let refused = match self
            .connect_with(credentials.as_ref(), attempt, earlier.clone())
            .await
        {
            Err(error) if error.kind() == TransportErrorKind::Refused(RefusalKind::Credentials) => error,
            outcome => return outcome,
        };
        let newer = self.ask_credentials().await?;
        if newer == credentials {
            return Err(refused);
        }
        self.connect_with(newer.as_ref(), attempt, earlier).await
    }

    async fn ask_credentials(&self) -> Result<Option<Credentials>, TransportError> {
        let Some(source) = &self.credentials else {
            return Ok(None);
        };
        source.credentials().await.map(Some).map_err(|error| {
            TransportError::new(TransportErrorKind::Unreachable).because(format!("no credentials: {error}"))
        })
    }

    async fn connect_with(
        &self,
        credentials: Option<&Credentials>,
        attempt: u32,
        earlier: Earlier,
    ) -> Result<Connected, TransportError> {
        let context = ConnectContext {
            credentials,
            client_id: self.client_id.as_deref(),
            keep_alive: self.keep_alive,
            timeout: self.timeout,
            will: self.will.as_ref(),
            persistent: self.persistent,
            attempt,
            earlier,
            ..ConnectContext::new(self.dialect)
        };
        self.transport.connect(&context).await
    }
}

struct StopOnDrop(Arc<Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.lock().handle_driver_gone();
    }
}

async fn run(shared: &Shared, connector: &Arc<Connector>) {
    let mut alarm = Alarm::default();
    loop {
        let attempt = poll_fn(|context| idle(shared, &mut alarm, context)).await;
        let Some(attempt) = attempt else { return };
        let earlier = shared.lock().earlier();
        let mut attempt: BoxFuture<'_, _> = Box::pin(Arc::clone(connector).connect(attempt, earlier));
        let outcome = poll_fn(|context| connecting(shared, &mut alarm, attempt.as_mut(), context)).await;
        drop(attempt);
        match outcome {
            None => return,
            Some(Err(error)) => shared.lock().handle_failure(&error, shared.timer.now()),
            Some(Ok(connected)) => {
                let now = shared.timer.now();
                shared.lock().handle_connected(
                    connected.capabilities,
                    connected.resumed,
                    &connected.held,
                    &connected.in_doubt,
                    now,
                );
                let mut exchange = Exchange::new(shared, connected.session);
                let end = poll_fn(|context| exchange.poll(&mut alarm, context)).await;
                let mut engine = shared.lock();
                match end {
                    Ok(()) => engine.handle_closed(),
                    Err(error) => engine.handle_failure(&error, shared.timer.now()),
                }
            }
        }
    }
}

/// Waits until it is time to connect; `None` when there is nothing to do any more.
fn idle(shared: &Shared, alarm: &mut Alarm, context: &mut Context<'_>) -> Poll<Option<u32>> {
    shared.driver.register(context.waker());
    loop {
        let now = shared.timer.now();
        let timeout = {
            let mut engine = shared.lock();
            engine.handle_timeout(now);
            match engine.poll_step(now) {
                Step::Connect { attempt } => return Poll::Ready(Some(attempt)),
                Step::Stop => return Poll::Ready(None),
                Step::Wait | Step::Exchange | Step::Close => engine.poll_timeout(),
            }
        };
        ready!(alarm.poll(&*shared.timer, timeout, context));
    }
}

/// Waits for an attempt to connect; `None` when the client stopped meanwhile.
fn connecting(
    shared: &Shared,
    alarm: &mut Alarm,
    attempt: Pin<&mut (dyn Future<Output = Result<Connected, TransportError>> + Send + '_)>,
    context: &mut Context<'_>,
) -> Poll<Option<Result<Connected, TransportError>>> {
    if let Poll::Ready(outcome) = attempt.poll(context) {
        return Poll::Ready(Some(outcome));
    }
    ready!(idle(shared, alarm, context));
    Poll::Ready(None)
}

/// One session being driven.
struct Exchange<'a> {
    shared: &'a Shared,
    session: Pin<Box<dyn Session>>,
    inbound: Vec<Event>,
    outbound: VecDeque<Op>,
    unflushed: bool,
    /// Once set, the session is said goodbye to, for no longer than this.
    goodbye: Option<Instant>,
}

/// How far reading, or writing, got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// It did something, and may do more.
    Moved,
    /// It did all there is to do, or waits for the session.
    Settled,
}

impl<'a> Exchange<'a> {
    fn new(shared: &'a Shared, session: Pin<Box<dyn Session>>) -> Self {
        Self {
            shared,
            session,
            inbound: Vec::new(),
            outbound: VecDeque::new(),
            unflushed: false,
            goodbye: None,
        }
    }

    /// Reads what is there, asks the engine, writes what it wants, until neither side moves.
    fn poll(&mut self, alarm: &mut Alarm, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.shared.driver.register(context.waker());
        for _ in 0..MAX_ROUNDS {
            let read = self.read(context);
            let now = self.shared.timer.now();
            let timeout = self.ask_engine(now, read.is_err());
            let read = match read {
                Ok(progress) => progress,
                Err(_) if self.goodbye.is_some() => return Poll::Ready(Ok(())),
                Err(error) => return Poll::Ready(Err(error)),
            };
            let written = match self.write(context) {
                Ok(progress) => progress,
                Err(_) if self.goodbye.is_some() => return Poll::Ready(Ok(())),
                Err(error) => {
                    // What had arrived before still counts: each answer is one message less to repeat.
                    while self
                        .read(context)
                        .is_ok_and(|progress| progress == Progress::Moved)
                    {}
                    self.ask_engine(now, true);
                    return Poll::Ready(Err(error));
                }
            };
            if self.goodbye.is_some_and(|latest| now >= latest)
                || (self.goodbye.is_some()
                    && self.outbound.is_empty()
                    && self.session.as_mut().poll_close(context).is_ready())
            {
                return Poll::Ready(Ok(()));
            }
            if read == Progress::Settled && written == Progress::Settled {
                ready!(alarm.poll(&*self.shared.timer, timeout, context));
            }
        }
        // There is always more to do: let the other tasks of this executor have their turn.
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn read(&mut self, context: &mut Context<'_>) -> Result<Progress, TransportError> {
        for _ in 0..BATCH {
            match self.session.as_mut().poll_next(context) {
                Poll::Ready(Some(Ok(event))) => self.inbound.push(event),
                Poll::Ready(Some(Err(error))) => return Err(error),
                Poll::Ready(None) => return Err(TransportError::new(TransportErrorKind::Closed)),
                Poll::Pending => return Ok(Progress::Settled),
            }
        }
        Ok(Progress::Moved)
    }

    /// One visit: hands over what was read, takes what is to be written, learns when to come again. At the end of the
    /// session nothing is taken, and what the session was not given is handed back.
    fn ask_engine(&mut self, now: Instant, ended: bool) -> Option<Instant> {
        let mut engine = self.shared.lock();
        self.inbound
            .drain(..)
            .for_each(|event| engine.handle_event(event));
        engine.handle_timeout(now);
        if ended {
            for op in self.outbound.drain(..) {
                if let Op::Publish { id, .. } = op {
                    engine.handle_event(Event::Unsent(id));
                }
            }
            return None;
        }
        while self.outbound.len() < BATCH
            && let Some(op) = engine.poll_op(now)
        {
            self.outbound.push_back(op);
        }
        if self.goodbye.is_none() && engine.poll_step(now) == Step::Close {
            self.goodbye = Some(now + GOODBYE);
        }
        self.goodbye.or_else(|| engine.poll_timeout())
    }

    fn write(&mut self, context: &mut Context<'_>) -> Result<Progress, TransportError> {
        let mut progress = Progress::Settled;
        while !self.outbound.is_empty() {
            match self.session.as_mut().poll_ready(context)? {
                Poll::Pending => break,
                Poll::Ready(()) => {
                    if let Some(op) = self.outbound.pop_front() {
                        self.session.as_mut().start_send(op)?;
                        self.unflushed = true;
                        progress = Progress::Moved;
                    }
                }
            }
        }
        if self.unflushed && self.session.as_mut().poll_flush(context)?.is_ready() {
            self.unflushed = false;
        }
        Ok(progress)
    }
}

/// One sleep that is set anew whenever the time to wake changes.
#[derive(Default)]
struct Alarm(Option<(Instant, BoxFuture<'static, ()>)>);

impl Alarm {
    /// Ready once the time has come; pending for ever without one.
    fn poll(&mut self, timer: &dyn Timer, deadline: Option<Instant>, context: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = deadline else {
            self.0 = None;
            return Poll::Pending;
        };
        if self.0.as_ref().is_none_or(|(set, _)| *set != deadline) {
            self.0 = Some((deadline, timer.sleep_until(deadline)));
        }
        let Some((_, sleep)) = &mut self.0 else {
            return Poll::Pending;
        };
        ready!(sleep.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(())
    }
}

/// Operations and events moved in one visit to the engine.
const BATCH: usize = 256;
/// Rounds in one poll.
const MAX_ROUNDS: usize = 16;
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);
