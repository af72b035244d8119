//! One socket, bound to one path.

use std::{
    collections::VecDeque,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;
use manywire_topics::TopicBuf;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::header::{AUTHORIZATION, HeaderValue},
    },
};

use super::received;
use crate::{
    binding::http::outcome,
    endpoint::Endpoint,
    error::Refusal,
    net::{self, ByteStream},
    tls::Tls,
    transport::{BoxFuture, Event, OpId, SubscriptionId, TransportError, TransportErrorKind},
};

/// How sockets are opened.
pub(super) struct Opener {
    pub(super) endpoint: Endpoint,
    pub(super) tls: Tls,
    pub(super) timeout: Duration,
    pub(super) authorization: Option<String>,
}

type Socket = WebSocketStream<ByteStream>;

/// Why a socket was not opened.
enum NotOpened {
    Refused(Refusal),
    Lost(TransportError),
}

impl Opener {
    async fn open(self: Arc<Self>, path: String) -> Result<Socket, NotOpened> {
        let stream = net::connect(&self.endpoint, &self.tls, self.timeout)
            .await
            .map_err(NotOpened::Lost)?;
        let scheme = if self.endpoint.is_secure() { "wss" } else { "ws" };
        let url = format!(
            "{scheme}://{}{}{path}",
            self.endpoint.authority(),
            self.endpoint.path()
        );
        let mut request = url.into_client_request().map_err(handshake)?;
        if let Some(authorization) = &self.authorization {
            let mut value = HeaderValue::from_str(authorization).map_err(|_| {
                let refusal = Refusal::new(crate::error::RefusalKind::Credentials);
                NotOpened::Refused(refusal.because("the key cannot stand in a header"))
            })?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let handshake = async {
            client_async(request, stream)
                .await
                .map(|(socket, _response)| socket)
                .map_err(handshake)
        };
        tokio::time::timeout(self.timeout, handshake)
            .await
            .unwrap_or_else(|_elapsed| {
                Err(NotOpened::Lost(TransportError::new(TransportErrorKind::TimedOut)))
            })
    }
}

fn handshake(error: Error) -> NotOpened {
    if let Error::Http(response) = &error {
        let body = response.body().as_deref().unwrap_or_default();
        return match outcome(response.status().as_u16(), body) {
            Err(refusal) if !refusal.kind().is_retryable() => NotOpened::Refused(refusal),
            Err(refusal) => NotOpened::Lost(
                TransportError::new(TransportErrorKind::Refused(refusal.kind()))
                    .because(refusal.reason().unwrap_or_default()),
            ),
            Ok(()) => NotOpened::Lost(
                TransportError::new(TransportErrorKind::Protocol).because("no switch of protocols"),
            ),
        };
    }
    NotOpened::Lost(lost(error))
}

fn lost(error: Error) -> TransportError {
    match error {
        Error::Io(error) => net::lost(error),
        Error::ConnectionClosed | Error::AlreadyClosed => TransportError::new(TransportErrorKind::Closed),
        other => TransportError::new(TransportErrorKind::Protocol).caused_by(other),
    }
}

/// What became of opening a socket.
pub(super) enum Opened {
    /// It is open, and serves these subscriptions.
    Accepted(Vec<SubscriptionId>),
    /// The platform refused it, and with it everything that waited for it.
    Refused {
        refusal: Refusal,
        publishes: Vec<OpId>,
        subscriptions: Vec<SubscriptionId>,
    },
}

/// One socket, and what waits for it.
pub(super) struct Line {
    state: State,
    backlog: VecDeque<(OpId, Bytes)>,
    /// Handed to the socket and not flushed.
    unflushed: Vec<OpId>,
    /// Several when filters meet in one path: a topic, and the topic with all below it.
    subscriptions: Vec<(SubscriptionId, Option<TopicBuf>)>,
    life: Life,
}

enum State {
    Opening(BoxFuture<'static, Result<Socket, NotOpened>>),
    Open(Box<Socket>),
    Gone,
}

/// Signs of life since the last tick.
#[derive(Debug, Clone, Copy, Default)]
struct Life {
    heard: bool,
    pinged: bool,
    ping_due: bool,
    used: bool,
    idle_ticks: u8,
}

impl Line {
    pub(super) fn open(opener: Arc<Opener>, path: String) -> Self {
        Self {
            state: State::Opening(Box::pin(opener.open(path))),
            backlog: VecDeque::new(),
            unflushed: Vec::new(),
            subscriptions: Vec::new(),
            life: Life::default(),
        }
    }

    pub(super) fn send(&mut self, id: OpId, payload: Bytes) {
        self.life.used = true;
        self.backlog.push_back((id, payload));
    }

    pub(super) fn subscribe(&mut self, subscription: SubscriptionId, topic: Option<TopicBuf>) {
        self.unsubscribe(subscription);
        self.subscriptions.push((subscription, topic));
    }

    pub(super) fn unsubscribe(&mut self, subscription: SubscriptionId) {
        self.subscriptions.retain(|(id, _)| *id != subscription);
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Messages that are not written.
    pub(super) fn backlog(&self) -> usize {
        self.backlog.len() + self.unflushed.len()
    }

    /// Messages that the socket was not given.
    pub(super) fn unsent(&mut self) -> impl Iterator<Item = OpId> {
        self.backlog.drain(..).map(|(id, _)| id)
    }

    /// Whether nothing needs it now, and nothing was published over it lately.
    pub(super) fn is_idle(&self) -> bool {
        self.subscriptions.is_empty() && self.backlog() == 0 && !self.life.used
    }

    /// Whether nothing has needed it for a while.
    pub(super) fn is_unused(&self) -> bool {
        self.subscriptions.is_empty() && self.backlog() == 0 && self.life.idle_ticks >= IDLE_TICKS
    }

    pub(super) fn poll_open(&mut self, context: &mut Context<'_>) -> Result<Poll<Opened>, TransportError> {
        let State::Opening(opening) = &mut self.state else {
            return Ok(Poll::Pending);
        };
        let Poll::Ready(outcome) = opening.as_mut().poll(context) else {
            return Ok(Poll::Pending);
        };
        let subscriptions = self.subscriptions.iter().map(|(id, _)| *id).collect();
        match outcome {
            Ok(socket) => {
                self.state = State::Open(Box::new(socket));
                self.life.heard = true;
                Ok(Poll::Ready(Opened::Accepted(subscriptions)))
            }
            Err(NotOpened::Refused(refusal)) => {
                self.state = State::Gone;
                let publishes = self.backlog.drain(..).map(|(id, _)| id).collect();
                Ok(Poll::Ready(Opened::Refused {
                    refusal,
                    publishes,
                    subscriptions,
                }))
            }
            Err(NotOpened::Lost(error)) => Err(error),
        }
    }

    /// Feeds what waits, then flushes once: one system call for many messages.
    pub(super) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        events: &mut VecDeque<Event>,
    ) -> Result<(), TransportError> {
        let State::Open(socket) = &mut self.state else {
            return Ok(());
        };
        let mut socket = Pin::new(&mut **socket);
        if mem::take(&mut self.life.ping_due) && socket.as_mut().poll_ready(context).map_err(lost)?.is_ready()
        {
            socket
                .as_mut()
                .start_send(Message::Ping(Bytes::new()))
                .map_err(lost)?;
            self.life.pinged = true;
        }
        while !self.backlog.is_empty() && socket.as_mut().poll_ready(context).map_err(lost)?.is_ready() {
            if let Some((id, payload)) = self.backlog.pop_front() {
                socket
                    .as_mut()
                    .start_send(Message::Binary(payload))
                    .map_err(lost)?;
                self.unflushed.push(id);
            }
        }
        if socket.poll_flush(context).map_err(lost)?.is_ready() {
            events.extend(self.unflushed.drain(..).map(Event::Published));
        }
        Ok(())
    }

    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        events: &mut VecDeque<Event>,
    ) -> Result<(), TransportError> {
        let State::Open(socket) = &mut self.state else {
            return Ok(());
        };
        for _ in 0..BATCH {
            let message = match Pin::new(&mut **socket).poll_next(context) {
                Poll::Pending => return Ok(()),
                Poll::Ready(None) => return Err(TransportError::new(TransportErrorKind::Closed)),
                Poll::Ready(Some(message)) => message.map_err(lost)?,
            };
            self.life.heard = true;
            let payload = match message {
                Message::Binary(payload) => payload,
                // The oldest generation sends every payload as text, whatever it is.
                Message::Text(payload) => Bytes::from(payload),
                Message::Close(frame) => return Err(closed(frame.map(|frame| frame.reason.to_string()))),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            // A socket that is only published on receives as well; nobody asked for that.
            for (subscription, topic) in &self.subscriptions {
                events.push_back(received(*subscription, topic.as_ref(), payload.clone()));
            }
        }
        context.waker().wake_by_ref();
        Ok(())
    }

    /// Half a keep-alive has passed: silence is answered with a ping, and silence after a ping is the end.
    pub(super) fn handle_tick(&mut self) -> Result<(), TransportError> {
        self.life.idle_ticks = if self.life.used {
            0
        } else {
            self.life.idle_ticks.saturating_add(1)
        };
        self.life.used = false;
        if !self.is_open() {
            return Ok(());
        }
        if self.life.heard {
            self.life.heard = false;
            self.life.pinged = false;
        } else if self.life.pinged {
            return Err(TransportError::new(TransportErrorKind::TimedOut).because("no answer to a ping"));
        } else {
            self.life.ping_due = true;
        }
        Ok(())
    }

    /// Says goodbye, and waits until the peer does.
    pub(super) fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.state {
            State::Open(socket) => Pin::new(&mut **socket).poll_close(context).map(|_| ()),
            State::Opening(_) | State::Gone => Poll::Ready(()),
        }
    }
}

fn closed(reason: Option<String>) -> TransportError {
    let closed = TransportError::new(TransportErrorKind::Closed);
    match reason {
        Some(reason) if !reason.is_empty() => closed.because(reason),
        _ => closed,
    }
}

/// Messages read from one socket before the others have their turn.
const BATCH: usize = 64;
/// Half keep-alives without a publish after which a socket that is only published on is closed.
const IDLE_TICKS: u8 = 4;
