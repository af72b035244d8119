//! Publishing one message: what is asked for, and its three ways to wait.

use std::{
    future::{IntoFuture, poll_fn},
    task::{Context, Poll},
    time::Duration,
};

use crate::{
    client::Handle,
    engine::{queue::Accepted, slot::Outcome},
    error::{Error, ErrorKind},
    message::{ContentType, Message},
    properties::Properties,
    qos::QoS,
    receipt::{Pending, Receipt},
    transport::BoxFuture,
};

/// One message about to be published. Await it for the [`Receipt`], or choose another way to wait.
///
/// Dropping the future of `await` before it is done does not take an accepted message back.
#[derive(Debug)]
#[must_use = "nothing is published until this is awaited, or enqueued"]
pub struct Publish {
    handle: Handle,
    message: Result<Message, Error>,
}

impl Publish {
    pub(crate) const fn new(handle: Handle, message: Result<Message, Error>) -> Self {
        Self { handle, message }
    }

    /// With this guarantee. Without it: at least once, or the best the transport can give if that is less.
    pub fn qos(self, qos: QoS) -> Self {
        self.with(|message| message.qos = qos)
    }

    /// Asks the platform to keep it for later subscribers (MQTT only).
    pub fn retain(self, retain: bool) -> Self {
        self.with(|message| message.retain = retain)
    }

    /// Says what the payload is.
    pub fn content_type(self, content_type: ContentType) -> Self {
        self.with(|message| message.content_type = Some(content_type))
    }

    /// Adds a name and a value of the application's own (MQTT 5 only).
    pub fn user_property(self, name: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        self.with(|message| {
            message.properties = std::mem::take(&mut message.properties).with_user_property(name, value);
        })
    }

    /// With these properties, instead of those it has (MQTT 5 only).
    pub fn properties(self, properties: Properties) -> Self {
        self.with(|message| message.properties = properties)
    }

    /// Gives up when it could not be sent within this time: its outcome is then [`ErrorKind::Expired`]. Over MQTT 5 the platform
    /// gives it up as well, when it has not reached a subscriber by then.
    pub fn expires_after(self, lifetime: Duration) -> Self {
        self.with(|message| message.expires_after = Some(lifetime))
    }

    /// Waits only until the outbox has accepted it: a file outbox, until it is on the disk. From then on it is delivered, or its [`Pending`] says why not.
    ///
    /// # Errors
    ///
    /// What makes a message impossible to accept: [`ErrorKind::Unsupported`], [`ErrorKind::TooLarge`],
    /// [`ErrorKind::Closed`], [`ErrorKind::Payload`]; and [`ErrorKind::Storage`] when it could not be written to the
    /// outbox's file, with the message.
    pub async fn enqueue(self) -> Result<Pending, Error> {
        let Self { handle, message } = self;
        let mut waiting = Waiting {
            handle: &handle,
            message: Some(message?),
            ticket: None,
        };
        let accepted = poll_fn(|context| waiting.poll(context)).await?;
        if let Some(stored) = accepted.stored
            && let Err(error) = Outcome(stored).await
            && let Some(message) = handle.shared().lock().withdraw(accepted.id)
        {
            let reason = std::error::Error::source(&error).map(|source| source.to_string().into());
            return Err(Error::with_message(ErrorKind::Storage, reason, message));
        }
        Ok(Pending::new(accepted.slot))
    }

    /// Never waits: a full outbox is an error that gives the message back. With a file outbox, the message may not be on the
    /// disk yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::QueueFull`], and those of [`enqueue`](Self::enqueue).
    pub fn try_enqueue(self) -> Result<Pending, Error> {
        self.handle.publish(self.message?)
    }

    fn with(mut self, change: impl FnOnce(&mut Message)) -> Self {
        if let Ok(message) = &mut self.message {
            change(message);
        }
        self
    }
}

impl IntoFuture for Publish {
    type Output = Result<Receipt, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.enqueue().await?.await })
    }
}

/// Waits for room in the outbox.
struct Waiting<'a> {
    handle: &'a Handle,
    message: Option<Message>,
    ticket: Option<u64>,
}

impl Waiting<'_> {
    fn poll(&mut self, context: &Context<'_>) -> Poll<Result<Accepted, Error>> {
        let Some(message) = self.message.take() else {
            return Poll::Ready(Err(Error::new(ErrorKind::Closed)));
        };
        let shared = self.handle.shared();
        let mut engine = shared.lock();
        match engine.publish(message, shared.timer.now()) {
            Ok(accepted) => {
                drop(engine);
                shared.wake();
                Poll::Ready(Ok(accepted))
            }
            Err(error) => match error.message() {
                Some(message) if error.kind() == ErrorKind::QueueFull => {
                    self.message = Some(message.clone());
                    self.ticket = Some(engine.wait_for_room(self.ticket, context.waker()));
                    Poll::Pending
                }
                _ => Poll::Ready(Err(error)),
            },
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.handle.shared().lock().stop_waiting(ticket);
        }
    }
}
