use alloc::vec::Vec;

use crate::message::Message;

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit<P> {
    /// Where to.
    pub peer: P,
    /// The bytes.
    pub datagram: Vec<u8>,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) u64);
    )*};
}

ids! {
    /// A request this endpoint sent.
    RequestId
    /// An observation this endpoint asked for.
    ObservationId
    /// A ping this endpoint sent.
    PingId
    /// A request this endpoint received and has to respond to.
    ExchangeId
    /// Somebody who observes a resource of this endpoint.
    ObserverId
    /// A confirmable notification that waits to be acknowledged.
    ConfirmId
}

/// Why an exchange ended without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Nobody answered: all retransmissions are spent, or the response did not come in time.
    #[error("no answer")]
    Timeout,
    /// The peer rejected the message with Reset: it could not be processed.
    #[error("rejected with reset")]
    Reset,
    /// The blocks of a body do not fit together, even at a second attempt.
    #[error("block-wise transfer broke")]
    Blocks,
    /// The response is longer than the longest body allowed.
    #[error("response too large")]
    TooLarge,
    /// The response needs an option that is not known here (RFC 7252 §5.4.1).
    #[error("unknown critical option in the response")]
    CriticalOption,
}

/// What an endpoint has to tell.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<P> {
    /// The response to a request, of whatever code; bodies in blocks are whole again.
    Response {
        /// The request, which is over now.
        request: RequestId,
        /// The response.
        message: Message,
    },
    /// A request failed.
    Failed {
        /// The request, which is over now.
        request: RequestId,
        /// Why.
        failure: Failure,
    },
    /// A registration, the first or a repeated one, was answered with success.
    Registered {
        /// The observation.
        observation: ObservationId,
        /// The response: most servers put the current representation in it.
        message: Message,
        /// Whether notifications may have been missed before it.
        gap: bool,
    },
    /// A notification, in order.
    Notification {
        /// The observation.
        observation: ObservationId,
        /// The notification.
        message: Message,
        /// To be given to [`Endpoint::confirm`](crate::Endpoint::confirm) once the application has it; `None` if there
        /// is nothing to acknowledge, or it is acknowledged already.
        confirm: Option<ConfirmId>,
    },
    /// A notification was lost for good: a newer one overtook it while its body was fetched, or the fetch failed.
    Gap {
        /// The observation.
        observation: ObservationId,
    },
    /// A registration was not answered; it is repeated after a while unless the observation is cancelled.
    Stale {
        /// The observation.
        observation: ObservationId,
    },
    /// An observation is over.
    Ended {
        /// The observation.
        observation: ObservationId,
        /// What ended it.
        cause: Ended,
    },
    /// A ping was answered.
    Pong {
        /// The ping.
        ping: PingId,
    },
    /// A ping was not answered.
    PingLost {
        /// The ping.
        ping: PingId,
    },
    /// A request to respond to; bodies in blocks are whole already.
    Request {
        /// What to respond to, once.
        exchange: ExchangeId,
        /// Who asks.
        peer: P,
        /// The request.
        message: Message,
    },
    /// The oldest notification of an observer that was not reported yet has arrived.
    Notified {
        /// The observer.
        observer: ObserverId,
    },
    /// As [`Notified`](Self::Notified), except that the observer did not fetch the body behind the first block.
    Unfetched {
        /// The observer.
        observer: ObserverId,
    },
    /// An observer is gone, its undelivered notifications with it.
    ObserverGone {
        /// The observer.
        observer: ObserverId,
        /// Why.
        reason: Gone,
        /// How many notifications it leaves undelivered.
        undelivered: usize,
    },
}

/// What ended an observation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ended {
    /// The server answered with an error, or with success but without Observe (RFC 7641 §3.2, §4.2).
    Response(Message),
    /// The first registration failed.
    Failed(Failure),
    /// It was cancelled here, and the server knows or did not answer.
    Cancelled,
}

/// Why an observer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gone {
    /// It answered a notification with Reset.
    Reset,
    /// It did not acknowledge a confirmable message.
    Timeout,
    /// It registered anew with the same token.
    Replaced,
}
