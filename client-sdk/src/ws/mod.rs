//! The platform's plain WebSocket on tokio-tungstenite: one socket per topic or filter, since the handshake's path binds it.

mod line;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use futures_sink::Sink;
use manywire_topics::{FilterBuf, Form, TopicBuf};
use tokio::time::Sleep;

use self::line::{Line, Opened, Opener};
use crate::{
    binding::ws as binding,
    endpoint::Endpoint,
    error::{Refusal, RefusalKind},
    message::Message,
    qos::QoS,
    tls::Tls,
    transport::{
        BoxFuture, Capabilities, ConnectContext, Connected, Event, Op, OpId, Received, SubscriptionId,
        Transport, TransportError, TransportErrorKind,
    },
};

/// Publishes and subscribes over plain WebSocket.
///
/// Nothing is acknowledged on this wire, so at most once is all it gives. There is no connection before the first
/// message or filter: a wrong address or key shows there. The topic of what is received through a wildcard is not known.
#[derive(Debug)]
pub struct WebSocketTransport {
    endpoint: Endpoint,
    tls: Tls,
}

impl WebSocketTransport {
    /// A transport to this endpoint; its path comes before the platform's own.
    #[must_use]
    pub const fn new(endpoint: Endpoint, tls: Tls) -> Self {
        Self { endpoint, tls }
    }

    fn open(&self, context: &ConnectContext<'_>) -> Result<Connected, TransportError> {
        if !binding::is_offered(context.dialect) {
            return Err(TransportError::new(TransportErrorKind::Unsupported)
                .because("this generation of the platform has no plain websocket; use mqtt+ws"));
        }
        let opener = Opener {
            endpoint: self.endpoint.clone(),
            tls: self.tls.clone(),
            timeout: context.timeout,
            authorization: context.credentials.map(binding::authorization),
        };
        let session = WebSocketSession {
            opener: Arc::new(opener),
            lines: BTreeMap::new(),
            closing: Vec::new(),
            subscriptions: HashMap::new(),
            events: VecDeque::new(),
            failure: None,
            tick: (!context.keep_alive.is_zero()).then(|| {
                (
                    context.keep_alive / 2,
                    Box::pin(tokio::time::sleep(context.keep_alive / 2)),
                )
            }),
        };
        Ok(Connected::new(session, self.capabilities()))
    }
}

impl Transport for WebSocketTransport {
    fn capabilities(&self) -> Capabilities {
        Capabilities::publish_and_subscribe(QoS::AtMostOnce)
    }

    fn connect<'a>(
        &'a self,
        context: &'a ConnectContext<'a>,
    ) -> BoxFuture<'a, Result<Connected, TransportError>> {
        Box::pin(async move { self.open(context) })
    }
}

/// All the sockets of one client.
struct WebSocketSession {
    opener: Arc<Opener>,
    /// By the path of their handshake.
    lines: BTreeMap<String, Line>,
    /// Said goodbye to.
    closing: Vec<Line>,
    subscriptions: HashMap<SubscriptionId, Subscription>,
    events: VecDeque<Event>,
    /// Why the session ends, once what it did not send is told.
    failure: Option<TransportError>,
    /// Every half keep-alive.
    tick: Option<(Duration, Pin<Box<Sleep>>)>,
}

struct Subscription {
    paths: Vec<String>,
    /// The operation that is not answered yet, and how many of the paths are not open.
    asked: Option<(OpId, usize)>,
}

impl WebSocketSession {
    fn line(&mut self, path: String) -> &mut Line {
        let opener = &self.opener;
        self.lines
            .entry(path)
            .or_insert_with_key(|path| Line::open(Arc::clone(opener), path.clone()))
    }

    fn publish(&mut self, id: OpId, message: Message) {
        match binding::publish(message.topic.as_topic()) {
            Ok(path) => self.line(path).send(id, message.payload),
            Err(error) => self.refuse(id, error),
        }
    }

    fn subscribe(&mut self, id: OpId, subscription: SubscriptionId, filter: &FilterBuf) {
        let paths = match binding::subscribe(filter.as_filter()) {
            Ok(paths) => paths,
            Err(error) => return self.refuse(id, error),
        };
        for (index, path) in paths.iter().enumerate() {
            // The second path, if there is one, is the topic above the others.
            let named = if index == 0 {
                Some(filter.as_filter())
            } else {
                filter.as_filter().also(Form::Path)
            };
            let topic = named
                .and_then(|filter| filter.as_topic())
                .map(|topic| topic.to_buf());
            self.line(path.clone()).subscribe(subscription, topic);
        }
        let missing = paths
            .iter()
            .filter(|path| self.lines.get(*path).is_some_and(|line| !line.is_open()));
        let missing = missing.count();
        self.subscriptions.insert(
            subscription,
            Subscription {
                paths,
                asked: Some((id, missing)),
            },
        );
        if missing == 0 {
            self.confirm(subscription);
        }
    }

    fn confirm(&mut self, subscription: SubscriptionId) {
        let asked = self
            .subscriptions
            .get_mut(&subscription)
            .and_then(|known| known.asked.take());
        if let Some((id, _)) = asked {
            self.events.push_back(Event::Subscribed {
                id,
                qos: QoS::AtMostOnce,
            });
        }
    }

    fn unsubscribe(&mut self, subscription: SubscriptionId) {
        let Some(known) = self.subscriptions.remove(&subscription) else {
            return;
        };
        for path in known.paths {
            let Some(line) = self.lines.get_mut(&path) else {
                continue;
            };
            line.unsubscribe(subscription);
            if line.is_idle()
                && let Some(line) = self.lines.remove(&path)
            {
                self.closing.push(line);
            }
        }
    }

    fn refuse(&mut self, id: OpId, error: manywire_topics::Error) {
        let refusal = Refusal::new(RefusalKind::Topic).because(error.rule());
        self.events.push_back(Event::Refused { id, refusal });
    }

    /// A socket was opened, or refused.
    fn handle_opened(&mut self, path: &str, opened: Opened) {
        match opened {
            Opened::Accepted(subscriptions) => {
                for subscription in subscriptions {
                    let known = self.subscriptions.get_mut(&subscription);
                    let Some((_, missing)) = known.and_then(|known| known.asked.as_mut()) else {
                        continue;
                    };
                    *missing = missing.saturating_sub(1);
                    if *missing == 0 {
                        self.confirm(subscription);
                    }
                }
            }
            Opened::Refused {
                refusal,
                publishes,
                subscriptions,
            } => {
                self.lines.remove(path);
                for id in publishes {
                    self.events.push_back(Event::Refused {
                        id,
                        refusal: refusal.clone(),
                    });
                }
                for subscription in subscriptions {
                    let known = self.subscriptions.get_mut(&subscription);
                    if let Some((id, _)) = known.and_then(|known| known.asked.take()) {
                        self.events.push_back(Event::Refused {
                            id,
                            refusal: refusal.clone(),
                        });
                    }
                    self.unsubscribe(subscription);
                }
            }
        }
    }

    /// Moves every socket, and collects what they report. Pending once one of them is lost.
    fn drive(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.failure.is_some() {
            return Poll::Pending;
        }
        let Err(error) = self.poll_tick(context).and_then(|()| self.try_drive(context)) else {
            return Poll::Ready(());
        };
        for line in self.lines.values_mut() {
            self.events.extend(line.unsent().map(Event::Unsent));
        }
        self.failure = Some(error);
        // The reading half tells.
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn try_drive(&mut self, context: &mut Context<'_>) -> Result<(), TransportError> {
        self.closing
            .retain_mut(|line| line.poll_close(context).is_pending());
        let mut opened = Vec::new();
        for (path, line) in &mut self.lines {
            if let Poll::Ready(outcome) = line.poll_open(context)? {
                opened.push((path.clone(), outcome));
            }
        }
        for (path, outcome) in opened {
            self.handle_opened(&path, outcome);
        }
        for line in self.lines.values_mut() {
            line.poll_write(context, &mut self.events)?;
            line.poll_read(context, &mut self.events)?;
        }
        Ok(())
    }

    /// Time for a sign of life, and for closing what nobody uses any more.
    fn poll_tick(&mut self, context: &mut Context<'_>) -> Result<(), TransportError> {
        let Some((period, sleep)) = &mut self.tick else {
            return Ok(());
        };
        let period = *period;
        while sleep.as_mut().poll(context).is_ready() {
            sleep.as_mut().reset(tokio::time::Instant::now() + period);
            for line in self.lines.values_mut() {
                line.handle_tick()?;
            }
            let unused: Vec<String> = self
                .lines
                .iter()
                .filter(|(_, line)| line.is_unused())
                .map(|(path, _)| path.clone())
                .collect();
            self.closing
                .extend(unused.iter().filter_map(|path| self.lines.remove(path)));
        }
        Ok(())
    }
}

impl Stream for WebSocketSession {
    type Item = Result<Event, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.events.is_empty() {
            let _ = self.drive(context);
        }
        if let Some(event) = self.events.pop_front() {
            return Poll::Ready(Some(Ok(event)));
        }
        match self.failure.take() {
            Some(error) => Poll::Ready(Some(Err(error))),
            None => Poll::Pending,
        }
    }
}

impl Sink<Op> for WebSocketSession {
    type Error = TransportError;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        if self.lines.values().map(Line::backlog).sum::<usize>() >= MAX_BACKLOG {
            ready!(self.drive(context));
            if self.lines.values().map(Line::backlog).sum::<usize>() >= MAX_BACKLOG {
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, op: Op) -> Result<(), TransportError> {
        match op {
            Op::Publish { id, message, .. } => self.publish(id, message),
            Op::Subscribe {
                id,
                subscription,
                filter,
                ..
            } => self.subscribe(id, subscription, &filter),
            Op::Unsubscribe { id, subscription, .. } => {
                self.unsubscribe(subscription);
                self.events.push_back(Event::Unsubscribed(id));
            }
            Op::Acknowledge(_) | Op::Release(_) => {}
        }
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        ready!(self.drive(context));
        if self.lines.values().all(|line| line.backlog() == 0) {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        ready!(self.as_mut().poll_flush(context))?;
        let lines = std::mem::take(&mut self.lines);
        self.closing.extend(lines.into_values());
        self.closing
            .retain_mut(|line| line.poll_close(context).is_pending());
        if self.closing.is_empty() {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }
}

/// What a line hands up for one message.
fn received(subscription: SubscriptionId, topic: Option<&TopicBuf>, payload: bytes::Bytes) -> Event {
    let mut received = Received::through(subscription, payload);
    received.topic = topic.cloned();
    Event::Message(received)
}

/// Messages that wait for their sockets.
const MAX_BACKLOG: usize = 1024;
