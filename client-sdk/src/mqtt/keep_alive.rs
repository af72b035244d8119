//! When to ping, and when silence means that the connection is gone.

use std::time::{Duration, Instant};

/// The keep-alive clock of one connection.
///
/// A ping is due when *either* direction has been silent for three quarters of the interval: a device that publishes all the time over a half-open
/// connection hears nothing back, and must find out within one interval and one ping timeout, not never.
#[derive(Debug)]
pub(super) struct KeepAlive {
    /// Silence after which a ping is sent; zero turns the clock off [MQTT-3.1.2-24 does not apply then].
    quiet: Duration,
    patience: Duration,
    sent: Instant,
    received: Instant,
    /// When the answer to the outstanding ping must be here.
    answer_due: Option<Instant>,
}

/// What the clock asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping,
    /// The ping was not answered in time.
    Lost,
}

impl KeepAlive {
    /// `interval` is what CONNECT promises the server; `patience` is how long the answer to a ping may take.
    pub(super) fn new(interval: Duration, patience: Duration, now: Instant) -> Self {
        Self {
            quiet: interval.mul_f32(0.75),
            patience,
            sent: now,
            received: now,
            answer_due: None,
        }
    }

    pub(super) fn handle_sent(&mut self, now: Instant) {
        self.sent = now;
    }

    /// Anything received proves the connection alive, not only PINGRESP: a server busy sending may answer the ping late.
    pub(super) fn handle_received(&mut self, now: Instant) {
        self.received = now;
        self.answer_due = None;
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Due {
        match self.answer_due {
            Some(due) if now >= due => Due::Lost,
            Some(_) => Due::Nothing,
            None if self.ping_at().is_some_and(|at| now >= at) => {
                self.answer_due = Some(now + self.patience);
                Due::Ping
            }
            None => Due::Nothing,
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.answer_due.or_else(|| self.ping_at())
    }

    fn ping_at(&self) -> Option<Instant> {
        (!self.quiet.is_zero()).then(|| self.sent.min(self.received) + self.quiet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_ping_is_due_after_silence_and_the_connection_lost_when_unanswered() {
        let start = Instant::now();
        let mut clock = KeepAlive::new(40 * SECOND, 5 * SECOND, start);
        assert_eq!(clock.poll_timeout(), Some(start + 30 * SECOND));
        assert_eq!(clock.handle_timeout(start + 29 * SECOND), Due::Nothing);
        assert_eq!(clock.handle_timeout(start + 30 * SECOND), Due::Ping);
        assert_eq!(clock.poll_timeout(), Some(start + 35 * SECOND));
        assert_eq!(clock.handle_timeout(start + 34 * SECOND), Due::Nothing);
        assert_eq!(clock.handle_timeout(start + 35 * SECOND), Due::Lost);
    }

    // R15: a link on which we only send is half-open for ever unless what we hear counts by itself.
    #[test]
    fn sending_alone_does_not_put_off_the_ping() {
        let start = Instant::now();
        let mut clock = KeepAlive::new(40 * SECOND, 5 * SECOND, start);
        for second in 0..30 {
            clock.handle_sent(start + second * SECOND);
        }
        assert_eq!(clock.handle_timeout(start + 30 * SECOND), Due::Ping);
    }

    #[test]
    fn any_packet_answers_the_ping() {
        let start = Instant::now();
        let mut clock = KeepAlive::new(40 * SECOND, 5 * SECOND, start);
        assert_eq!(clock.handle_timeout(start + 30 * SECOND), Due::Ping);
        clock.handle_sent(start + 30 * SECOND);
        clock.handle_received(start + 31 * SECOND);
        assert_eq!(clock.handle_timeout(start + 36 * SECOND), Due::Nothing);
        assert_eq!(clock.poll_timeout(), Some(start + 60 * SECOND));
    }

    #[test]
    fn an_interval_of_zero_never_pings() {
        let start = Instant::now();
        let mut clock = KeepAlive::new(Duration::ZERO, 5 * SECOND, start);
        assert_eq!(clock.poll_timeout(), None);
        assert_eq!(clock.handle_timeout(start + 86_400 * SECOND), Due::Nothing);
    }
}
