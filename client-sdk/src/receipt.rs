//! Proof that a message reached its guarantee, and the promise of one.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use crate::{
    engine::{
        queue::Published,
        slot::{Outcome, Slot},
    },
    error::Error,
    qos::QoS,
};

/// One message reached the guarantee that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    guarantee: QoS,
    attempts: u32,
}

impl Receipt {
    pub(crate) const fn new(guarantee: QoS, attempts: u32) -> Self {
        Self { guarantee, attempts }
    }

    /// The guarantee it reached. At most once means that its bytes were handed to the operating system. It is less than was asked for when the
    /// server gives less and does not say so before (RabbitMQ to exactly once in MQTT 3.1.1).
    #[must_use]
    pub const fn guarantee(&self) -> QoS {
        self.guarantee
    }

    /// In how many sessions it was sent. More than one, at least once, means that it may have arrived twice.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }
}

/// An accepted message on its way: await it for the [`Receipt`].
///
/// It can be cloned and awaited by many, or dropped: the message is delivered all the same.
#[derive(Clone)]
pub struct Pending(Outcome<Published>);

impl Pending {
    pub(crate) fn new(slot: Arc<Slot<Published>>) -> Self {
        Self(Outcome(slot))
    }

    /// The outcome, if it is known already.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<Receipt, Error>> {
        self.0.0.outcome()
    }
}

impl Future for Pending {
    type Output = Result<Receipt, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("outcome", &self.outcome())
            .finish()
    }
}
