use std::time::Duration;

use serde::Deserialize;

/// How CoAP is served. Every field has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CoapSettings {
    /// How often an observer is asked for a sign of life, whatever is published: RFC 7641 §4.5 wants it at least every
    /// 24 hours, the platform's documentation says 12.
    #[serde(with = "crate::limits::seconds")]
    pub keep_alive: Duration,
    /// The largest payload in one datagram, and of blocks: a power of two from 16 to 1,024.
    pub block_size: usize,
    /// Requests of one peer that are being worked on at once; one more is answered with 4.29.
    pub requests_per_peer: usize,
}

impl Default for CoapSettings {
    fn default() -> Self {
        Self {
            keep_alive: Duration::from_secs(12 * 60 * 60),
            block_size: 1024,
            requests_per_peer: 64,
        }
    }
}
