//! What the tour saw: a cell for each pair of wires, the resolved readings, and what went wrong.

use std::time::Duration;

use serde_json::{Value, json};

/// The whole tour.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Where the gateway of this tour listened, wire by wire.
    pub(crate) urls: Vec<(String, String)>,
    /// The channel everything went through.
    pub(crate) channel: String,
    /// A cell for each wire published on and each wire received on, row by row.
    pub(crate) cells: Vec<Cell>,
    /// The resolved readings of the pack, as a subscriber decoded them.
    pub(crate) readings: Vec<Reading>,
    /// What went wrong, in words; empty when everything arrived byte for byte, once.
    pub(crate) failures: Vec<String>,
    /// How long everything took.
    pub(crate) elapsed: Duration,
}

/// One pair of wires.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) published_on: &'static str,
    pub(crate) received_on: &'static str,
    /// Messages the subscribers on this wire should get from that wire.
    pub(crate) expected: usize,
    /// From the call to `publish` to the message in the application's hands, one entry a delivery.
    pub(crate) latencies: Vec<Duration>,
}

/// One resolved reading (RFC 8428 §4.6).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) unit: String,
    /// Nanoseconds since 1970.
    pub(crate) time: i128,
}

impl Cell {
    /// The middle latency; zero when nothing arrived.
    pub(crate) fn median(&self) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }

    /// The longest latency; zero when nothing arrived.
    fn longest(&self) -> Duration {
        self.latencies.iter().max().copied().unwrap_or_default()
    }
}

impl Report {
    /// Deliveries that should have happened.
    pub(crate) fn expected(&self) -> usize {
        self.cells.iter().map(|cell| cell.expected).sum()
    }

    /// Deliveries that happened, each byte for byte.
    pub(crate) fn delivered(&self) -> usize {
        self.cells.iter().map(|cell| cell.latencies.len()).sum()
    }

    /// Whether every subscriber received every message, byte for byte and once.
    pub(crate) fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.expected() > 0 && self.delivered() == self.expected()
    }

    /// The report as JSON.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "delivered": self.delivered(),
            "expected": self.expected(),
            "elapsed_ms": self.elapsed.as_millis(),
            "channel": self.channel,
            "urls": self.urls.iter().map(|(wire, url)| (wire.clone(), json!(url))).collect::<serde_json::Map<_, _>>(),
            "cells": self.cells.iter().map(|cell| json!({
                "published": cell.published_on,
                "received": cell.received_on,
                "delivered": cell.latencies.len(),
                "expected": cell.expected,
                "median_us": cell.median().as_micros(),
                "max_us": cell.longest().as_micros(),
            })).collect::<Vec<_>>(),
            "readings": self.readings.iter().map(|reading| json!({
                "name": reading.name,
                "value": reading.value,
                "unit": reading.unit,
                "time": print_seconds(reading.time),
            })).collect::<Vec<_>>(),
            "failures": self.failures,
        })
    }
}

/// Nanoseconds as decimal seconds, exact, without trailing zeros.
fn print_seconds(nanoseconds: i128) -> String {
    let (seconds, rest) = (
        nanoseconds.div_euclid(1_000_000_000),
        nanoseconds.rem_euclid(1_000_000_000),
    );
    if rest == 0 {
        return seconds.to_string();
    }
    format!("{seconds}.{rest:09}").trim_end_matches('0').to_owned()
}
