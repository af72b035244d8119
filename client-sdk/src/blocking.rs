//! The client for programs without async.
//!
//! The client is moved by a thread of its own; every call here waits on the thread that makes it. Inside an async runtime
//! such a wait would stop other tasks, so there every call fails instead.
//!
//! ```
//! use std::time::Duration;
//!
//! use manywire::{Client, blocking};
//!
//! let client = blocking::Client::connect(Client::builder("memory://blocking")?)?;
//! let channel = client.channel("garden")?;
//! let mut messages = channel.subscribe(">")?;
//! let receipt = channel.subtopic("pump")?.publish("on").wait()?;
//! assert_eq!(&messages.next().ok_or("the client was closed")?.payload()[..], b"on");
//! println!("{}", receipt.guarantee());
//! client.close(Duration::from_secs(5))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{
    future::{Future, IntoFuture},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use crate::{
    builder::ClientBuilder,
    channel, client,
    client::Undelivered,
    error::{Error, ErrorKind},
    message::ContentType,
    payload::IntoPayload,
    publish,
    qos::QoS,
    receipt::{Pending, Receipt},
    subscription::{self, Delivery},
};

/// The same as [`crate::Client`], waiting.
#[derive(Debug, Clone)]
pub struct Client(client::Client);

impl Client {
    /// Starts the thread, and waits for the first attempt to connect.
    ///
    /// # Errors
    ///
    /// Those of [`ClientBuilder::connect`]; [`ErrorKind::Setting`] inside an async runtime.
    pub fn connect(builder: ClientBuilder) -> Result<Self, Error> {
        let client = Self::connect_in_background(builder)?;
        wait(client.0.first_attempt())??;
        Ok(client)
    }

    /// Starts the thread, and does not wait.
    ///
    /// # Errors
    ///
    /// Those of [`ClientBuilder::build`]; [`ErrorKind::Setting`] inside an async runtime, or when there can be no thread.
    pub fn connect_in_background(builder: ClientBuilder) -> Result<Self, Error> {
        check_context()?;
        let impossible = |error| Error::caused_by(ErrorKind::Setting, error);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(impossible)?;
        let (client, driver) = builder.build()?;
        thread::Builder::new()
            .name("manywire".to_owned())
            .spawn(move || runtime.block_on(driver))
            .map_err(impossible)?;
        Ok(Self(client))
    }

    /// The same as [`crate::Client::channel`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Topic`].
    pub fn channel(&self, id: &str) -> Result<Channel, Error> {
        self.0.channel(id).map(Channel)
    }

    /// The client itself, for what does not wait.
    #[must_use]
    pub const fn as_async(&self) -> &client::Client {
        &self.0
    }

    /// The same as [`crate::Client::close`].
    ///
    /// # Errors
    ///
    /// What is undelivered.
    pub fn close(self, timeout: Duration) -> Result<(), Undelivered> {
        park_on(self.0.close(timeout))
    }
}

/// The same as [`crate::Channel`], waiting.
#[derive(Debug, Clone)]
pub struct Channel(channel::Channel);

impl Channel {
    /// The same as [`crate::Channel::subtopic`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Topic`].
    pub fn subtopic(&self, text: &str) -> Result<Subtopic, Error> {
        self.0.subtopic(text).map(Subtopic)
    }

    /// Publishes to the channel itself.
    pub fn publish(&self, payload: impl IntoPayload) -> Publish {
        Publish(self.0.publish(payload))
    }

    /// Subscribes, and waits until that is confirmed.
    ///
    /// # Errors
    ///
    /// Those of [`crate::Channel::subscribe`].
    pub fn subscribe(&self, filter: &str) -> Result<Subscription, Error> {
        wait(self.0.subscribe(filter))?.map(Subscription)
    }
}

/// The same as [`crate::Subtopic`], waiting.
#[derive(Debug, Clone)]
pub struct Subtopic(channel::Subtopic);

impl Subtopic {
    /// Publishes; [`Publish`] has three ways to wait.
    pub fn publish(&self, payload: impl IntoPayload) -> Publish {
        Publish(self.0.publish(payload))
    }
}

/// The same as [`crate::Publish`], waiting.
#[derive(Debug)]
#[must_use = "nothing is published before it is waited for, or enqueued"]
pub struct Publish(publish::Publish);

impl Publish {
    /// With this guarantee.
    pub fn qos(self, qos: QoS) -> Self {
        Self(self.0.qos(qos))
    }

    /// Asks the platform to keep it for later subscribers (MQTT only).
    pub fn retain(self, retain: bool) -> Self {
        Self(self.0.retain(retain))
    }

    /// Says what the payload is.
    pub fn content_type(self, content_type: ContentType) -> Self {
        Self(self.0.content_type(content_type))
    }

    /// Gives up when it could not be sent within this time.
    pub fn expires_after(self, lifetime: Duration) -> Self {
        Self(self.0.expires_after(lifetime))
    }

    /// Waits for the guarantee.
    ///
    /// # Errors
    ///
    /// What became of the message instead.
    pub fn wait(self) -> Result<Receipt, Error> {
        wait(self.0)?
    }

    /// Waits until the outbox has accepted it.
    ///
    /// # Errors
    ///
    /// Those of [`crate::Publish::enqueue`].
    pub fn enqueue(self) -> Result<Pending, Error> {
        wait(self.0.enqueue())?
    }

    /// Never waits.
    ///
    /// # Errors
    ///
    /// Those of [`crate::Publish::try_enqueue`].
    pub fn try_enqueue(self) -> Result<Pending, Error> {
        self.0.try_enqueue()
    }
}

impl Pending {
    /// Waits for the guarantee.
    ///
    /// # Errors
    ///
    /// What became of the message instead; [`ErrorKind::Setting`] inside an async runtime.
    pub fn wait(self) -> Result<Receipt, Error> {
        wait(self)?
    }
}

/// The same as [`crate::Subscription`], as an iterator that waits for the next message and ends when the client is closed.
///
/// Inside an async runtime it ends at once.
#[derive(Debug)]
pub struct Subscription(subscription::Subscription);

impl Subscription {
    /// Why it has ended, if not because the client was closed.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        self.0.error()
    }

    /// How many messages were dropped because this reader was too slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped()
    }
}

impl Iterator for Subscription {
    type Item = Delivery;

    fn next(&mut self) -> Option<Delivery> {
        wait(self.0.next()).ok().flatten()
    }
}

/// Waits on this thread, unless that would stop an async runtime.
fn wait<F: IntoFuture>(future: F) -> Result<F::Output, Error> {
    check_context()?;
    Ok(park_on(future.into_future()))
}

fn check_context() -> Result<(), Error> {
    match tokio::runtime::Handle::try_current() {
        Ok(_) => Err(Error::because(
            ErrorKind::Setting,
            "a call that waits, inside an async runtime",
        )),
        Err(_) => Ok(()),
    }
}

/// Parks this thread until the future is done. None of the client's futures needs the runtime of its driver.
fn park_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        thread::park();
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryBroker;

    #[test]
    fn inside_a_runtime_every_call_that_waits_is_an_error() {
        let broker = MemoryBroker::new();
        let client = Client::connect(ClientBuilder::with_transport(broker.transport())).unwrap();
        let channel = client.channel("channel").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            assert_eq!(
                channel.publish("a").wait().unwrap_err().kind(),
                ErrorKind::Setting
            );
            assert_eq!(channel.subscribe("a").unwrap_err().kind(), ErrorKind::Setting);
            let builder = ClientBuilder::with_transport(broker.transport());
            assert_eq!(Client::connect(builder).unwrap_err().kind(), ErrorKind::Setting);
        });
        assert!(channel.publish("a").wait().is_ok());
        assert!(client.close(Duration::from_secs(5)).is_ok());
    }
}
