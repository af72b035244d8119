//! How long to wait before the next attempt to connect.

use std::time::{Duration, Instant};

/// Delays that double up to a limit, with full jitter: each is drawn evenly between nothing and the doubled delay,
/// so that a thousand devices which lost the same server do not come back in one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconnect {
    /// The longest delay before the first retry.
    pub base: Duration,
    /// The longest delay ever.
    pub limit: Duration,
    /// A session that lasted this long counts as a success: the delays start again at `base`.
    pub stable_after: Duration,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(250),
            limit: Duration::from_secs(30),
            stable_after: Duration::from_secs(5),
        }
    }
}

/// The attempts so far.
#[derive(Debug)]
pub(crate) struct Backoff {
    policy: Reconnect,
    random: fastrand::Rng,
    attempts: u32,
    online_since: Option<Instant>,
}

impl Backoff {
    pub(crate) fn new(policy: Reconnect, seed: u64) -> Self {
        Self {
            policy,
            random: fastrand::Rng::with_seed(seed),
            attempts: 0,
            online_since: None,
        }
    }

    /// Attempts since the last success.
    pub(crate) const fn attempts(&self) -> u32 {
        self.attempts
    }

    pub(crate) fn handle_connected(&mut self, now: Instant) {
        self.online_since = Some(now);
    }

    /// What ended the last sessions will not end the next ones.
    pub(crate) fn handle_cause_found(&mut self) {
        self.attempts = 0;
    }

    /// A connection was lost or could not be made: how long to wait.
    ///
    /// A session that dies at once does not reset the delays, or a peer that accepts and drops would be stormed.
    pub(crate) fn handle_failure(&mut self, now: Instant) -> Duration {
        let stable = self
            .online_since
            .take()
            .is_some_and(|since| now.saturating_duration_since(since) >= self.policy.stable_after);
        if stable {
            self.attempts = 0;
        }
        let ceiling = self
            .policy
            .base
            .saturating_mul(1 << self.attempts.min(20))
            .min(self.policy.limit);
        self.attempts = self.attempts.saturating_add(1);
        ceiling.mul_f64(self.random.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_the_limit_and_are_jittered() {
        let policy = Reconnect::default();
        let now = Instant::now();
        let mut longest = [Duration::ZERO; 12];
        for seed in 0..200 {
            let mut backoff = Backoff::new(policy, seed);
            for (longest, doubling) in longest.iter_mut().zip(0_u32..) {
                let delay = backoff.handle_failure(now);
                assert!(delay <= policy.base.saturating_mul(1 << doubling).min(policy.limit));
                *longest = delay.max(*longest);
            }
        }
        assert!(longest[0] > policy.base / 2, "jitter reaches up: {longest:?}");
        assert!(
            longest[11] > policy.limit / 2,
            "the limit is reached: {longest:?}"
        );
    }

    #[test]
    fn only_a_session_that_lasted_resets_the_delays() {
        let policy = Reconnect::default();
        let start = Instant::now();
        let mut backoff = Backoff::new(policy, 7);
        for _ in 0..5 {
            backoff.handle_connected(start);
            backoff.handle_failure(start + Duration::from_millis(1));
        }
        assert_eq!(backoff.attempts(), 5);
        backoff.handle_connected(start);
        backoff.handle_failure(start + policy.stable_after);
        assert_eq!(backoff.attempts(), 1);
    }
}
