use core::time::Duration;

use crate::block::Block;

/// The transmission parameters of RFC 7252 §4.8, and the bounds within which an endpoint keeps state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Parameters {
    /// ACK_TIMEOUT: how long to wait before the first retransmission, at least.
    pub ack_timeout: Duration,
    /// ACK_RANDOM_FACTOR: the first wait is stretched by a random factor from 1 to this.
    pub ack_random_factor: f64,
    /// MAX_RETRANSMIT: how many times a confirmable message is repeated.
    pub max_retransmit: u32,
    /// NSTART: how many unacknowledged confirmable messages one peer may have at a time; the others wait.
    ///
    /// RFC 7252 §4.7 asks for 1 unless congestion is controlled otherwise.
    pub nstart: usize,
    /// MAX_LATENCY: how long a datagram may be under way.
    pub max_latency: Duration,
    /// PROCESSING_DELAY: how long a server may take to acknowledge.
    pub processing_delay: Duration,
    /// How long to wait for a response once the request is acknowledged or was non-confirmable.
    pub response_timeout: Duration,
    /// How long a server waits for the application's response before it sends an empty acknowledgement.
    pub acknowledge_after: Duration,
    /// The longest datagram this endpoint sends.
    ///
    /// The platform cuts what it receives at 1,280 bytes without a word, so a longer one is not safe there.
    pub max_datagram: usize,
    /// Bodies longer than this travel in blocks of at most this many bytes.
    pub block_size: usize,
    /// The longest body that is assembled from blocks, or sent in blocks.
    pub max_body: usize,
    /// How many requests and observations of this endpoint, and requests to it, may be under way at a time (each).
    pub max_exchanges: usize,
    /// How many received messages are remembered to recognise duplicates; beyond it the oldest are forgotten early.
    pub max_duplicates: usize,
    /// How many bodies are assembled from Block1, or kept to be fetched with Block2, at a time (each).
    pub max_transfers: usize,
    /// How many of those belong to one peer at most.
    pub max_transfers_per_peer: usize,
    /// How many notifications wait for one observer.
    pub max_notifications: usize,
    /// While observing, a peer hears from this endpoint at least this often (an empty confirmable message when there is
    /// nothing else to say). The platform forgets observers that are silent for 16 s.
    pub keep_alive: Option<Duration>,
    /// Whether confirmable notifications are acknowledged by [`Endpoint::confirm`](crate::Endpoint::confirm) and not on
    /// arrival: a server that sends the next one when the last is acknowledged then goes no faster than the
    /// application. A body in blocks is acknowledged with its first block in any case.
    pub acknowledge_by_hand: bool,
    /// Whether requests are served; if not they are rejected with Reset.
    pub serve: bool,
    /// Whether a 2.xx to a registration that carries no Observe option still starts an observation: the platform leaves
    /// it out, RFC 7641 §3.1 would have it mean that there is no observation.
    pub observe_without_option: bool,
}

impl Parameters {
    /// EXCHANGE_LIFETIME (RFC 7252 §4.8.2): how long a message id stays in use.
    #[must_use]
    pub fn exchange_lifetime(&self) -> Duration {
        self.max_transmit_span() + self.max_latency * 2 + self.processing_delay
    }

    /// MAX_TRANSMIT_SPAN (RFC 7252 §4.8.2): from the first transmission to the last.
    #[must_use]
    pub fn max_transmit_span(&self) -> Duration {
        self.ack_timeout.mul_f64(self.ack_random_factor) * (power_of_two(self.max_retransmit) - 1)
    }

    /// MAX_TRANSMIT_WAIT (RFC 7252 §4.8.2): from the first transmission until a confirmable message is given up.
    #[must_use]
    pub fn max_transmit_wait(&self) -> Duration {
        self.ack_timeout.mul_f64(self.ack_random_factor) * (power_of_two(self.max_retransmit + 1) - 1)
    }

    pub(crate) fn exponent(&self) -> u8 {
        Block::exponent_of(self.block_size)
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            ack_timeout: Duration::from_secs(2),
            ack_random_factor: 1.5,
            max_retransmit: 4,
            nstart: 1,
            max_latency: Duration::from_secs(100),
            processing_delay: Duration::from_secs(2),
            response_timeout: Duration::from_secs(93),
            acknowledge_after: Duration::from_millis(500),
            max_datagram: 1280,
            block_size: 1024,
            max_body: 1 << 20,
            max_exchanges: 4096,
            max_duplicates: 65_536,
            max_transfers: 256,
            max_transfers_per_peer: 4,
            max_notifications: 1024,
            keep_alive: None,
            acknowledge_by_hand: false,
            serve: false,
            observe_without_option: false,
        }
    }
}

const fn power_of_two(exponent: u32) -> u32 {
    1 << if exponent > 16 { 16 } else { exponent }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_times_are_those_of_rfc_7252_section_4_8_2() {
        let parameters = Parameters::default();
        assert_eq!(parameters.max_transmit_span(), Duration::from_secs(45));
        assert_eq!(parameters.max_transmit_wait(), Duration::from_secs(93));
        assert_eq!(parameters.exchange_lifetime(), Duration::from_secs(247));
    }
}
