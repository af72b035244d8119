use std::collections::HashMap;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer};

use crate::Secret;

/// How CoAP is served. Every field has a default.
#[derive(Clone, Debug, serde::Deserialize)]
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
    /// In DTLS: who may come in with a pre-shared key instead of a certificate, and with which (RFC 4279). It secures the
    /// wire; who publishes or subscribes the gateway still learns from the query.
    #[serde(deserialize_with = "secrets")]
    pub pre_shared_keys: HashMap<String, Secret>,
    /// In DTLS: handshakes under way at once. An address may be forged until it has answered, so the oldest of those
    /// that have not make room.
    pub handshakes: usize,
}

impl Default for CoapSettings {
    fn default() -> Self {
        Self {
            keep_alive: Duration::from_secs(12 * 60 * 60),
            block_size: 1024,
            requests_per_peer: 64,
            pre_shared_keys: HashMap::new(),
            handshakes: 1024,
        }
    }
}

fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HashMap<String, Secret>, D::Error> {
    let keys = HashMap::<String, String>::deserialize(deserializer)?;
    Ok(keys
        .into_iter()
        .map(|(identity, key)| (identity, key.into()))
        .collect())
}
