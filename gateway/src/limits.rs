//! What one client, and all of them, may take.

use std::time::Duration;

use serde::Deserialize;

/// Bounds on what one client and all clients together may take. Every field has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// TCP connections open at once; one more is closed at once.
    pub connections: usize,
    /// New TCP connections in one second; one more is closed at once.
    pub connections_per_second: u32,
    /// Bytes in one payload. The platform's brokers take 1 MiB.
    pub payload: usize,
    /// Bytes in one topic or filter.
    pub topic: usize,
    /// Bytes in the head of an HTTP request.
    pub head: usize,
    /// Header fields in an HTTP request.
    pub headers: usize,
    /// Time for the head of an HTTP request, counted from the connection or the last answer: also how long
    /// an idle connection is kept alive.
    #[serde(with = "seconds")]
    pub head_timeout: Duration,
    /// Time for the body of an HTTP request.
    #[serde(with = "seconds")]
    pub body_timeout: Duration,
    /// Time one write to a client may take before the client is given up.
    #[serde(with = "seconds")]
    pub write_timeout: Duration,
    /// Silence after which a WebSocket is pinged; after twice as much it is closed.
    #[serde(with = "seconds")]
    pub idle_timeout: Duration,
    /// Filters one connection or session may subscribe to.
    pub subscriptions: usize,
    /// Bytes in the subscriptions of all together.
    pub subscription_bytes: usize,
    /// Messages waiting for one subscriber.
    pub queued_messages: usize,
    /// Bytes waiting for one subscriber.
    pub queued_bytes: usize,
    /// Bytes waiting for all subscribers together.
    pub total_queued_bytes: usize,
    /// Retained messages.
    pub retained_messages: usize,
    /// Bytes in retained messages.
    pub retained_bytes: usize,
    /// Time for connections to finish what they are doing when the gateway stops.
    #[serde(with = "seconds")]
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            connections_per_second: 5_000,
            payload: 1 << 20,
            topic: 4 << 10,
            head: 16 << 10,
            headers: 64,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            subscriptions: 1_000,
            subscription_bytes: 512 << 20,
            queued_messages: 100_000,
            queued_bytes: 16 << 20,
            total_queued_bytes: 1 << 30,
            retained_messages: 100_000,
            retained_bytes: 256 << 20,
            drain_timeout: Duration::from_secs(5),
        }
    }
}

/// Durations as a number of seconds, fractions allowed.
pub(crate) mod seconds {
    use std::time::Duration;

    use serde::de::{Deserialize, Deserializer, Error};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(Error::custom)
    }
}
