//! Moves bytes between the session and a stream.

use std::{
    cell::RefCell,
    fmt, io, mem,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Instant,
};

use futures_core::Stream;
use futures_sink::Sink;
use manywire_mqtt_codec::{Policy, Role, StreamDecoder, Version};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep_until},
};

use super::session::{Accepted, Counters, Session};
use crate::{
    net::lost,
    transport::{Event, Op, TransportError, TransportErrorKind},
};

/// Where a session stays between its connections.
pub(super) type Home = Arc<Mutex<Option<Session>>>;

/// A connection of a session. When it is dropped, what outlives it goes home.
pub(super) struct Connection<S> {
    stream: S,
    session: Session,
    home: Home,
    decoder: StreamDecoder,
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether the stream has taken bytes that it has not flushed.
    unflushed: bool,
    /// Why it is over. Events that came before are yielded first.
    end: Option<End>,
}

#[derive(Debug)]
enum End {
    Failed(TransportError),
    /// Said, or nothing more to say.
    Over,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Connection<S> {
    pub(super) fn new(stream: S, session: Session, home: Home, version: Version) -> Self {
        let decoder = StreamDecoder::new(
            version,
            Policy::STRICT.with_sender(Role::Server).allow_v3_replies(),
        );
        Self {
            stream,
            session,
            home,
            decoder,
            timer: None,
            unflushed: false,
            end: None,
        }
    }

    pub(super) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Sends CONNECT and waits for CONNACK.
    pub(super) fn poll_accepted(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Accepted, TransportError>> {
        let _sent_or_waiting = self.poll_send(context)?;
        loop {
            if let Some(accepted) = self.session.poll_accepted() {
                // What is resumed leaves at once; if it cannot, the first poll of the session goes on with it.
                let _sent_or_waiting = self.poll_send(context)?;
                return Poll::Ready(Ok(accepted));
            }
            match self.poll_receive(context) {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => {
                    let closed = TransportError::new(TransportErrorKind::Closed);
                    return Poll::Ready(Err(
                        closed.because("the server closed the connection without CONNACK")
                    ));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Hands over everything there is to send, as many packets in one write as the stream takes.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        loop {
            let bytes = self.session.poll_transmit();
            if bytes.is_empty() {
                break;
            }
            match Pin::new(&mut self.stream).poll_write(context, bytes) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(lost(io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(count)) => {
                    self.unflushed = true;
                    self.session.handle_sent(count, now());
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(lost(error))),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.unflushed {
            match Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(lost(error))),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once, and gives the session every packet that is complete. False at the end of the stream.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, TransportError>> {
        READ_BUFFER.with_borrow_mut(|buffer| {
            buffer.resize(READ_SIZE, 0);
            let mut buffer = ReadBuf::new(buffer);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(lost(error))),
                Poll::Pending => return Poll::Pending,
            }
            let now = now();
            let mut packets = self.decoder.feed(buffer.filled());
            while let Some(packet) = packets.next().map_err(malformed)? {
                self.session.handle_packet(&packet, now)?;
            }
            Poll::Ready(Ok(!buffer.filled().is_empty()))
        })
    }

    /// Drives the keep-alive. The timer is only looked at when it fires: until then the deadline can only have moved away.
    fn poll_timer(&mut self, context: &mut Context<'_>) -> Result<(), TransportError> {
        loop {
            match &mut self.timer {
                Some(timer) => match timer.as_mut().poll(context) {
                    Poll::Ready(()) => self.timer = None,
                    Poll::Pending => return Ok(()),
                },
                None => {
                    self.session.handle_timeout(now())?;
                    let Some(at) = self.session.poll_timeout() else {
                        return Ok(());
                    };
                    self.timer = Some(Box::pin(sleep_until(at.into())));
                }
            }
        }
    }

    fn poll_drive(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Event, TransportError>>> {
        loop {
            if let Some(event) = self.session.poll_event() {
                return Poll::Ready(Some(Ok(event)));
            }
            if let Some(end) = &mut self.end {
                return Poll::Ready(match mem::replace(end, End::Over) {
                    End::Failed(error) => Some(Err(error)),
                    End::Over => None,
                });
            }
            match self.poll_progress(context) {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => {
                    self.end = Some(End::Failed(TransportError::new(TransportErrorKind::Closed)))
                }
                Poll::Ready(Err(error)) => self.end = Some(End::Failed(error)),
                // Handing over bytes answers publishes at most once.
                Poll::Pending if self.session.has_event() => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Keeps alive, sends and receives. False when the server has closed the connection.
    fn poll_progress(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, TransportError>> {
        self.poll_timer(context)?;
        // Whether everything could be sent or not, it goes on reading.
        if let Poll::Ready(Err(error)) = self.poll_send(context) {
            return Poll::Ready(Err(error));
        }
        self.poll_receive(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for Connection<S> {
    type Item = Result<Event, TransportError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_drive(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Sink<Op> for Connection<S> {
    type Error = TransportError;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        let this = self.get_mut();
        if this.session.poll_transmit().len() < HIGH_WATER {
            return Poll::Ready(Ok(()));
        }
        match this.poll_send(context) {
            Poll::Pending if this.session.poll_transmit().len() < HIGH_WATER => Poll::Ready(Ok(())),
            outcome => outcome,
        }
    }

    fn start_send(self: Pin<&mut Self>, op: Op) -> Result<(), TransportError> {
        self.get_mut().session.handle_op(op);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.get_mut().poll_send(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        let this = self.get_mut();
        this.session.handle_close();
        ready!(this.poll_send(context))?;
        Pin::new(&mut this.stream).poll_shutdown(context).map_err(lost)
    }
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        let mut session = mem::take(&mut self.session);
        session.handle_disconnected();
        let counters = session.counters();
        if counters != Counters::default() {
            crate::trace::debug!(?counters, "what the server did and the session tolerated, so far");
        }
        self.home
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(session);
    }
}

impl<S> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("session", &self.session)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

fn malformed(error: manywire_mqtt_codec::Error) -> TransportError {
    TransportError::new(TransportErrorKind::Protocol).caused_by(error)
}

/// The runtime's clock, so that tests can stop it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Bytes that wait to be sent, above which no operation is taken.
const HIGH_WATER: usize = 64 * 1024;

/// Bytes read at once.
const READ_SIZE: usize = 64 * 1024;

thread_local! {
    /// A read and the decoding of what was read happen within one poll, so one buffer serves all connections of a thread.
    static READ_BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}
