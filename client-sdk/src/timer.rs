//! The clock, so that any executor (or a test) can bring its own.

use std::{fmt, time::Instant};

use crate::transport::BoxFuture;

/// Tells the time and waits.
pub trait Timer: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Instant;

    /// Resolves at `deadline`, or soon after.
    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()>;
}

impl fmt::Debug for dyn Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timer")
    }
}

/// The clock of the tokio runtime, which tests can pause.
#[cfg(feature = "tokio")]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TokioTimer;

#[cfg(feature = "tokio")]
impl Timer for TokioTimer {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep_until(deadline.into()))
    }
}
