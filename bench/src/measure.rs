//! What suites that move messages over sockets report.

use std::time::Duration;

/// The latencies of one way of doing things.
#[derive(Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Adds one.
    pub fn push(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// The latency that `percent` of all do not exceed, in microseconds; not a number if there is none.
    pub fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted
            .get(index)
            .map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e6)
    }
}
