//! What suites that move messages over sockets report: CPU time, latencies and rates.

use std::time::{Duration, Instant};

use cpu_time::ProcessTime;

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

/// One turn: what it cost this process, all threads and the kernel's part included, and how long it took.
pub struct Sample {
    messages: usize,
    cpu_at_start: ProcessTime,
    started: Instant,
    /// The CPU time; whoever measures another process says that one's.
    pub cpu: Duration,
    took: Duration,
    /// What the turn measured itself.
    pub latencies: Latencies,
}

impl Sample {
    /// Begins to measure a turn of so many messages.
    pub fn start(messages: usize) -> Self {
        Self {
            messages,
            cpu_at_start: ProcessTime::now(),
            started: Instant::now(),
            cpu: Duration::ZERO,
            took: Duration::ZERO,
            latencies: Latencies::default(),
        }
    }

    /// Ends the turn.
    pub fn stop(&mut self) {
        self.took = self.started.elapsed();
        self.cpu = self.cpu_at_start.elapsed();
    }
}

/// The turns of one contestant.
#[derive(Default)]
pub struct Samples(Vec<Sample>);

impl Samples {
    /// Adds a turn.
    pub fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// CPU time per message: the median of the turns. Latencies and rate: those of the best turn, because wall time
    /// suffers from neighbours.
    pub fn figures(&self) -> Vec<(&'static str, f64)> {
        let mut cpu: Vec<_> = self
            .each(|sample| sample.cpu.as_secs_f64() * 1e6 / sample.messages as f64)
            .collect();
        cpu.sort_by(f64::total_cmp);
        let least = |percent| {
            self.each(move |sample| sample.latencies.percentile(percent))
                .reduce(f64::min)
        };
        vec![
            ("cpu_us", cpu.get(cpu.len() / 2).copied().unwrap_or(f64::NAN)),
            ("p50_us", least(50).unwrap_or(f64::NAN)),
            ("p99_us", least(99).unwrap_or(f64::NAN)),
            (
                "rate",
                self.each(|sample| sample.messages as f64 / sample.took.as_secs_f64())
                    .fold(f64::NAN, f64::max),
            ),
        ]
    }

    fn each<'a>(&'a self, figure: impl Fn(&Sample) -> f64 + 'a) -> impl Iterator<Item = f64> + 'a {
        self.0.iter().map(figure)
    }
}
