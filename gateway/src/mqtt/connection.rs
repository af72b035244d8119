//! Moves bytes between a client and its session.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use manywire_mqtt_codec::{
    Ack, Delivery, Disconnect, Error, Packet, PacketType, ReasonCode, StreamDecoder, Version,
};
use manywire_topics::TopicBuf;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, Sleep};

use super::incoming::Request;
use super::poll_chunk;
use super::queued::append;
use super::sessions::{ClientKey, Sessions};
use super::shared::{TakenOver, Turn};
use super::will::{DelayedWill, Will};
use crate::Hub;
use crate::broker::{Acceptance, BrokerError};
use crate::identity::{Denied, Thing};
use crate::linger::close;
use crate::listener::{Connection, Io};

/// Who is at the other end, and what they asked for in CONNECT.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) thing: Thing,
    pub(super) key: ClientKey,
    pub(super) version: Version,
    /// Zero is no limit to silence.
    pub(super) keep_alive: Duration,
    pub(super) will: Option<Will>,
    /// Whether the session is to outlive the connection.
    pub(super) lasts: bool,
    /// How long, if DISCONNECT says it anew (5.0).
    pub(super) expiry: Option<Duration>,
    /// Whether the session was there before.
    pub(super) resumed: bool,
}

/// The connection of a client that was admitted.
pub(super) struct ClientConnection<S> {
    stream: S,
    decoder: StreamDecoder,
    /// Whether the stream has taken bytes that it has not flushed.
    unflushed: bool,
    written: usize,
    timer: Option<Pin<Box<Sleep>>>,
    exchange: Exchange,
}

/// What a connection knows besides its bytes.
pub(super) struct Exchange {
    pub(super) connection: Connection,
    pub(super) sessions: Arc<Sessions>,
    pub(super) turn: Turn,
    pub(super) client: Client,
    /// Encoded packets for the client.
    pub(super) output: Vec<u8>,
    /// What needs more than a moment, in the order it came.
    pub(super) requests: VecDeque<Request>,
    /// Messages that the broker has not answered for, in the order they came.
    pub(super) unanswered: VecDeque<(Delivery, Answer)>,
    /// The last topic: a device publishes to the same few again and again.
    pub(super) last_topic: Option<(Box<str>, TopicBuf)>,
    /// Topics that the client has given a number (5.0).
    pub(super) aliases: Vec<Option<TopicBuf>>,
    heard: Instant,
}

/// What is to be said about a message.
#[derive(Debug)]
pub(super) enum Answer {
    Broker(Acceptance),
    Refused(ReasonCode),
}

/// Why a connection is over.
#[derive(Debug)]
pub(super) enum End {
    /// DISCONNECT.
    Goodbye {
        with_will: bool,
    },
    /// The client closed the connection, or it broke.
    Gone(Option<io::Error>),
    /// Another connection has the session now.
    TakenOver,
    /// Nothing was heard for too long.
    Silent,
    /// The gateway stops.
    Stopped,
    Malformed(Error),
    /// A packet at the wrong time.
    OutOfTurn(&'static str),
    Topic(manywire_topics::Error),
    Denied(Denied),
    TooLarge,
    Broker(BrokerError),
    /// What 5.0 has a name for.
    Reason(ReasonCode),
}

impl Exchange {
    pub(super) fn new(
        connection: Connection,
        sessions: Arc<Sessions>,
        turn: Turn,
        client: Client,
        output: Vec<u8>,
    ) -> Self {
        Self {
            connection,
            sessions,
            turn,
            client,
            output,
            requests: VecDeque::new(),
            unanswered: VecDeque::new(),
            last_topic: None,
            aliases: Vec::new(),
            heard: Instant::now(),
        }
    }
}

impl<S: Io> ClientConnection<S> {
    /// A connection that has said in `exchange` what CONNACK says.
    pub(super) fn new(stream: S, decoder: StreamDecoder, exchange: Exchange) -> Self {
        Self {
            stream,
            decoder,
            unflushed: false,
            written: 0,
            timer: None,
            exchange,
        }
    }

    /// Serves the client until the connection is over. A will that has to wait is left.
    pub(super) async fn serve(mut self) -> Option<DelayedWill> {
        let end = match self.run().await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        self.finish(&end).await
    }

    async fn run(&mut self) -> Result<std::convert::Infallible, End> {
        if self.exchange.client.resumed {
            // It may have subscriptions that are not allowed any more.
            self.exchange.check_rights().await?;
        }
        // What came together with CONNECT.
        decode(&mut self.decoder, &[], &mut self.exchange)?;
        let hub = Arc::clone(&self.exchange.connection.hub);
        let shutdown = self.exchange.connection.shutdown.clone();
        let mut stop = pin!(shutdown.requested());
        let mut rights = hub.rights_changed();
        loop {
            tokio::select! {
                biased;
                () = &mut stop => return Err(End::Stopped),
                Ok(()) = rights.changed() => self.exchange.check_rights().await?,
                outcome = poll_fn(|context| self.poll_work(context)) => {
                    outcome?;
                    self.exchange.handle_requests().await?;
                }
            }
        }
    }

    /// Ends what the connection began, and tells the client what can be told.
    async fn finish(mut self, end: &End) -> Option<DelayedWill> {
        let Exchange {
            connection,
            sessions,
            turn,
            client,
            output,
            ..
        } = &mut self.exchange;
        let hub = &connection.hub;
        end.count(hub);
        tracing::debug!(thing = %client.thing.id(), peer = %connection.peer, %end, "an mqtt connection is over");
        let lasts = client.expiry.map_or(client.lasts, |expiry| !expiry.is_zero());
        sessions.close(&client.key, turn, client.expiry, std::time::Instant::now());
        let will = client
            .will
            .take()
            .filter(|_| !matches!(end, End::Goodbye { with_will: false }));
        // Without a session the will has nothing to wait for; a session that another connection has goes on.
        let (at_once, delayed) = match will {
            Some(will) if will.delay.is_zero() || !lasts => (Some(will), None),
            will => (None, will),
        };
        if let Some(will) = at_once {
            will.publish(hub, &client.thing, turn).await;
        }
        if let Some(reason) = end.reason().filter(|_| client.version == Version::V5) {
            append(&Disconnect::new(reason).into(), client.version, output);
        }
        if !matches!(end, End::Gone(_)) {
            // Acknowledgements of what was accepted before; the client may be gone, then nobody misses them.
            let rest = output.get(self.written..).unwrap_or_default();
            let _ = self.stream.write_all(rest).await;
            close(&mut self.stream).await;
        }
        let Exchange {
            connection,
            turn,
            client,
            ..
        } = self.exchange;
        let (hub, shutdown) = (Arc::clone(&connection.hub), connection.shutdown.clone());
        delayed.map(|will| DelayedWill {
            will,
            hub,
            thing: client.thing,
            turn,
            shutdown,
        })
    }

    /// Does everything that needs no waiting; ready when there are requests that may.
    fn poll_work(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        loop {
            self.poll_keep_alive(context)?;
            self.exchange.poll_answers(context)?;
            let more = self
                .exchange
                .poll_deliveries(context, self.written + OUTPUT_BUDGET)?;
            let written = self.poll_write(context)?;
            if more && written.is_ready() {
                continue;
            }
            if !self.exchange.requests.is_empty() {
                return Poll::Ready(Ok(()));
            }
            // A client that does not read what it is told, or that is faster than the broker, is not listened to for a while.
            let behind = self.exchange.output.len().saturating_sub(self.written);
            if behind >= OUTPUT_BUDGET || self.exchange.unanswered.len() >= UNANSWERED {
                return Poll::Pending;
            }
            ready!(self.poll_read(context))?;
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        let Self {
            stream,
            decoder,
            exchange,
            ..
        } = self;
        let outcome = ready!(poll_chunk(stream, context, |chunk| match chunk {
            [] => Err(End::Gone(None)),
            chunk => {
                exchange.heard = Instant::now();
                decode(decoder, chunk, exchange)
            }
        }));
        Poll::Ready(outcome.unwrap_or_else(|error| Err(End::Gone(Some(error)))))
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Result<Poll<()>, End> {
        let output = &mut self.exchange.output;
        while let Some(rest) = output.get(self.written..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.stream).poll_write(context, rest) {
                Poll::Ready(Ok(0)) => return Err(End::Gone(None)),
                Poll::Ready(Ok(count)) => {
                    self.written += count;
                    self.unflushed = true;
                }
                Poll::Ready(Err(error)) => return Err(End::Gone(Some(error))),
                Poll::Pending => return Ok(Poll::Pending),
            }
        }
        self.written = 0;
        output.clear();
        // An idle connection keeps no more memory than it needs for a few packets.
        output.shrink_to(OUTPUT_KEPT);
        if self.unflushed {
            match Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Err(End::Gone(Some(error))),
                Poll::Pending => return Ok(Poll::Pending),
            }
        }
        Ok(Poll::Ready(()))
    }

    /// [MQTT-3.1.2-24]: one and a half times the keep-alive. The timer is only looked at when it fires.
    fn poll_keep_alive(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        let limit = self.exchange.client.keep_alive.mul_f32(1.5);
        if limit.is_zero() {
            return Ok(());
        }
        loop {
            match &mut self.timer {
                Some(timer) => match timer.as_mut().poll(context) {
                    Poll::Ready(()) => self.timer = None,
                    Poll::Pending => return Ok(()),
                },
                None => {
                    let due = self.exchange.heard + limit;
                    if Instant::now() >= due {
                        return Err(End::Silent);
                    }
                    self.timer = Some(Box::pin(tokio::time::sleep_until(due)));
                }
            }
        }
    }
}

/// Gives every whole packet to the exchange.
fn decode(decoder: &mut StreamDecoder, chunk: &[u8], exchange: &mut Exchange) -> Result<(), End> {
    let mut packets = decoder.feed(chunk);
    while let Some(packet) = packets.next().map_err(End::Malformed)? {
        exchange.handle_packet(&packet)?;
    }
    Ok(())
}

impl Exchange {
    /// Acknowledges what the broker has answered for, in the order it came [MQTT-4.6.0-2], [MQTT-4.6.0-3].
    pub(super) fn poll_answers(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        while let Some((delivery, answer)) = self.unanswered.front_mut() {
            let delivery = *delivery;
            let reason = match answer {
                Answer::Refused(reason) => *reason,
                Answer::Broker(acceptance) => match Pin::new(acceptance).poll(context) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(Ok(())) => ReasonCode::Success,
                    Poll::Ready(Err(error)) if self.client.version == Version::V5 => {
                        End::Broker(error).refusal()
                    }
                    Poll::Ready(Err(error)) => {
                        if let Delivery::ExactlyOnce(id) = delivery {
                            self.turn.release(id)?;
                        }
                        return Err(End::Broker(error));
                    }
                },
            };
            self.unanswered.pop_front();
            self.acknowledge(delivery, reason)?;
        }
        Ok(())
    }

    fn acknowledge(&mut self, delivery: Delivery, reason: ReasonCode) -> Result<(), End> {
        match delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce(id) => self.push(&Packet::Puback(Ack {
                reason,
                ..Ack::new(id)
            })),
            Delivery::ExactlyOnce(id) => {
                // [MQTT-4.3.3-9]: with an error the exchange is over.
                if reason.is_error() {
                    self.turn.release(id)?;
                }
                self.push(&Packet::Pubrec(Ack {
                    reason,
                    ..Ack::new(id)
                }));
            }
        }
        Ok(())
    }

    /// Takes messages from the session until `output` holds `budget` bytes. Whether there are more.
    fn poll_deliveries(&mut self, context: &Context<'_>, budget: usize) -> Result<bool, End> {
        let transmitted = self.turn.poll_transmit(context, &mut self.output, budget)?;
        let metrics = &self.connection.hub.metrics().mqtt;
        metrics.delivered.add(transmitted.messages);
        metrics.delivered_bytes.add(transmitted.payload_bytes);
        metrics.lost.add(transmitted.lost);
        Ok(transmitted.more)
    }

    pub(super) fn push(&mut self, packet: &Packet<'_>) {
        append(packet, self.client.version, &mut self.output);
    }
}

impl End {
    pub(super) fn count(&self, hub: &Hub) {
        let metrics = &hub.metrics().mqtt;
        match self {
            Self::Denied(_) => metrics.denied.add(1),
            Self::Malformed(_) | Self::OutOfTurn(_) | Self::Topic(_) | Self::TooLarge => {
                metrics.rejected.add(1)
            }
            _ => {}
        }
    }
}

impl End {
    /// What DISCONNECT says about it (5.0); `None` when there is nobody to tell.
    fn reason(&self) -> Option<ReasonCode> {
        Some(match self {
            Self::Goodbye { .. } | Self::Gone(_) => return None,
            Self::TakenOver => ReasonCode::SessionTakenOver,
            Self::Silent => ReasonCode::KeepAliveTimeout,
            Self::Stopped => ReasonCode::ServerShuttingDown,
            Self::Malformed(error) => error.reason_code(),
            Self::OutOfTurn(_) => ReasonCode::ProtocolError,
            Self::Topic(_) => ReasonCode::TopicNameInvalid,
            Self::Denied(Denied::Unavailable) => ReasonCode::ImplementationSpecificError,
            Self::Denied(_) => ReasonCode::NotAuthorized,
            Self::TooLarge => ReasonCode::PacketTooLarge,
            Self::Broker(BrokerError::RetainedFull) => ReasonCode::QuotaExceeded,
            Self::Broker(_) => ReasonCode::ImplementationSpecificError,
            Self::Reason(reason) => *reason,
        })
    }

    /// What PUBACK or PUBREC says about it (5.0): they have fewer codes.
    pub(super) fn refusal(&self) -> ReasonCode {
        match self.reason() {
            Some(reason) if reason.is_of(PacketType::Puback, Version::V5) => reason,
            Some(ReasonCode::PacketTooLarge) => ReasonCode::QuotaExceeded,
            _ => ReasonCode::UnspecifiedError,
        }
    }
}

impl From<TakenOver> for End {
    fn from(TakenOver: TakenOver) -> Self {
        Self::TakenOver
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Goodbye { .. } => f.write_str("the client said goodbye"),
            Self::Gone(None) => f.write_str("the client closed the connection"),
            Self::Gone(Some(error)) => error.fmt(f),
            Self::TakenOver => f.write_str("another connection has the session"),
            Self::Silent => f.write_str("nothing was heard for one and a half times the keep-alive"),
            Self::Stopped => f.write_str("the gateway stops"),
            Self::Malformed(error) => error.fmt(f),
            Self::OutOfTurn(what) => f.write_str(what),
            Self::Topic(error) => error.fmt(f),
            Self::Denied(denied) => denied.fmt(f),
            Self::TooLarge => f.write_str("the payload is too large"),
            Self::Broker(error) => error.fmt(f),
            Self::Reason(reason) => reason.fmt(f),
        }
    }
}

/// Encoded bytes that wait for one client. More is taken from its session, and from its requests, when they are gone.
const OUTPUT_BUDGET: usize = 64 * 1024;

/// Room for output that an idle connection keeps.
const OUTPUT_KEPT: usize = 512;

/// Messages of one client that the broker has not answered for.
const UNANSWERED: usize = 1_000;
