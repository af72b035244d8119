//! What the gateway counts.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::message::Protocol;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Its value now.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that grows and shrinks.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Adds one.
    pub fn up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one away.
    pub fn down(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// Its value now.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one wire.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct WireMetrics {
    /// Connections, WebSockets, MQTT network connections or CoAP endpoints there are now.
    pub connections: Gauge,
    /// Subscriptions there are now.
    pub subscriptions: Gauge,
    /// Messages accepted from publishers.
    pub received: Counter,
    /// Bytes of payload accepted from publishers.
    pub received_bytes: Counter,
    /// Messages written to subscribers.
    pub delivered: Counter,
    /// Bytes of payload written to subscribers.
    pub delivered_bytes: Counter,
    /// Requests, packets and connections refused for lack of credentials or rights.
    pub denied: Counter,
    /// Requests, packets and frames refused for what they are: malformed, too large, unsupported.
    pub rejected: Counter,
    /// Messages lost for subscribers that were too slow.
    pub lost: Counter,
}

/// The counters of a gateway. Displays in the text format of Prometheus, version 0.0.4.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Metrics {
    /// HTTP.
    pub http: WireMetrics,
    /// WebSocket on a channel.
    pub websocket: WireMetrics,
    /// MQTT.
    pub mqtt: WireMetrics,
    /// CoAP.
    pub coap: WireMetrics,
    /// TCP connections closed at once because a limit was reached.
    pub refused_connections: Counter,
    /// Changes of the settings file that were taken over.
    pub reloads: Counter,
    /// Changes of the settings file that could not be used.
    pub failed_reloads: Counter,
}

impl Metrics {
    /// The counters of one wire.
    pub fn wire(&self, protocol: Protocol) -> &WireMetrics {
        match protocol {
            Protocol::Http => &self.http,
            Protocol::WebSocket => &self.websocket,
            Protocol::Mqtt => &self.mqtt,
            Protocol::Coap => &self.coap,
        }
    }
}

impl WireMetrics {
    /// Counts a message from a publisher.
    pub fn count_received(&self, payload: usize) {
        self.received.add(1);
        self.received_bytes
            .add(u64::try_from(payload).unwrap_or(u64::MAX));
    }

    /// Counts a message to a subscriber.
    pub fn count_delivered(&self, payload: usize) {
        self.delivered.add(1);
        self.delivered_bytes
            .add(u64::try_from(payload).unwrap_or(u64::MAX));
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Family {
            name,
            kind,
            help,
            value,
        } in FAMILIES
        {
            writeln!(f, "# HELP manywire_{name} {help}\n# TYPE manywire_{name} {kind}")?;
            for protocol in Protocol::ALL {
                writeln!(
                    f,
                    "manywire_{name}{{protocol=\"{protocol}\"}} {}",
                    value(self.wire(protocol))
                )?;
            }
        }
        for (name, help, counter) in [
            (
                "connections_refused_total",
                "TCP connections closed because of a limit.",
                &self.refused_connections,
            ),
            (
                "reloads_total",
                "Changes of the settings file that were taken over.",
                &self.reloads,
            ),
            (
                "reloads_failed_total",
                "Changes that could not be used.",
                &self.failed_reloads,
            ),
        ] {
            writeln!(f, "# HELP manywire_{name} {help}\n# TYPE manywire_{name} counter")?;
            writeln!(f, "manywire_{name} {}", counter.value())?;
        }
        Ok(())
    }
}

struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    value: fn(&WireMetrics) -> u64,
}

const FAMILIES: [Family; 9] = [
    Family {
        name: "connections",
        kind: "gauge",
        help: "Connections there are.",
        value: |wire| wire.connections.value(),
    },
    Family {
        name: "subscriptions",
        kind: "gauge",
        help: "Subscriptions there are.",
        value: |wire| wire.subscriptions.value(),
    },
    Family {
        name: "messages_received_total",
        kind: "counter",
        help: "Messages accepted from publishers.",
        value: |wire| wire.received.value(),
    },
    Family {
        name: "payload_received_bytes_total",
        kind: "counter",
        help: "Bytes of payload accepted from publishers.",
        value: |wire| wire.received_bytes.value(),
    },
    Family {
        name: "messages_delivered_total",
        kind: "counter",
        help: "Messages written to subscribers.",
        value: |wire| wire.delivered.value(),
    },
    Family {
        name: "payload_delivered_bytes_total",
        kind: "counter",
        help: "Bytes of payload written to subscribers.",
        value: |wire| wire.delivered_bytes.value(),
    },
    Family {
        name: "denied_total",
        kind: "counter",
        help: "Refused for lack of credentials or rights.",
        value: |wire| wire.denied.value(),
    },
    Family {
        name: "rejected_total",
        kind: "counter",
        help: "Refused because malformed, too large or unsupported.",
        value: |wire| wire.rejected.value(),
    },
    Family {
        name: "messages_lost_total",
        kind: "counter",
        help: "Messages lost for subscribers that were too slow.",
        value: |wire| wire.lost.value(),
    },
];
