//! MQTT clients against a server that costs nothing and against mosquitto: CPU time of the client per message, latency
//! and rate; and our HTTP and WebSocket wires against the libraries they stand on.

mod http;
mod idle;
mod manywire;
mod mqtt5;
mod rumqttc;
mod rumqttc_next;
mod websocket;

use std::time::Duration;

use crate::measure::{Latencies, Sample, Samples};
use crate::report::Report;
use crate::server::{Role, Server, mosquitto};

/// The payload of every message.
pub const PAYLOAD: &[u8; 64] = &[b'x'; 64];
/// How many messages are unacknowledged at most.
pub const WINDOW: usize = 100;
/// The channel of our client, and the topic it has for everybody.
pub const CHANNEL: &str = "30315311-56ba-484d-b500-c1e08305511f";
/// See [`CHANNEL`].
pub const TOPIC: &str = "channels/30315311-56ba-484d-b500-c1e08305511f/messages/load";
/// How long anything may take before the run is given up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The quality of service of a case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Qos {
    AtMostOnce,
    AtLeastOnce,
}

/// A client under test, connected with TCP_NODELAY, a window of [`WINDOW`] and otherwise as its own examples have it.
pub trait Client: Sized {
    /// `manywire` or the name of the crate.
    const WHO: &'static str;

    /// Connects to a server on this port.
    async fn connect(port: u16) -> Self;

    /// Publishes so many messages as fast as it can and returns when they are acknowledged; with QoS 0, when one more
    /// message with QoS 1 behind them is.
    async fn send(&mut self, qos: Qos, messages: usize);

    /// Publishes so many messages with QoS 1, each after the last was acknowledged.
    async fn send_awaiting(&mut self, messages: usize) -> Latencies;

    /// Subscribes to the topic, calls `subscribed`, and returns when so many messages have arrived.
    async fn receive(&mut self, topic: &str, messages: usize, subscribed: &mut dyn FnMut());
}

/// Runs every case of the suite.
pub fn run(report: &mut Report) {
    idle::run(report);
    let sink = Server::start(Role::Mqtt);
    against(report, "sink", sink.port);
    drop(sink);
    if let Some(server) = mosquitto(None) {
        against(report, "mosquitto", server.port);
    }
    websocket::run(report);
    http::run(report);
}

/// Every case against one server.
fn against(report: &mut Report, server: &str, port: u16) {
    for (work, messages) in [
        (Work::Send(Qos::AtMostOnce), 100_000),
        (Work::Send(Qos::AtLeastOnce), 50_000),
        (Work::SendAwaiting, 5_000),
        (Work::Receive, 100_000),
    ] {
        let case = format!("{server}-{}", work.name());
        if !report.wants(&case) {
            continue;
        }
        let mut all: [Samples; 4] = Default::default();
        for _ in 0..TURNS {
            let [ours, rumqttc, rumqttc_next, mqtt5] = &mut all;
            ours.push(turn::<manywire::Manywire>(work, server, port, messages));
            rumqttc.push(turn::<rumqttc::Rumqttc>(work, server, port, messages));
            rumqttc_next.push(turn::<rumqttc_next::RumqttcNext>(work, server, port, messages));
            mqtt5.push(turn::<mqtt5::Mqtt5>(work, server, port, messages));
        }
        let names = [
            manywire::Manywire::WHO,
            rumqttc::Rumqttc::WHO,
            rumqttc_next::RumqttcNext::WHO,
            mqtt5::Mqtt5::WHO,
        ];
        for (who, samples) in names.into_iter().zip(&all) {
            report.figures(&case, who, samples.figures());
        }
    }
}

/// How often each client has its turn.
const TURNS: usize = 5;

#[derive(Clone, Copy)]
enum Work {
    Send(Qos),
    SendAwaiting,
    Receive,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Send(Qos::AtMostOnce) => "qos0",
            Self::Send(Qos::AtLeastOnce) => "qos1",
            Self::SendAwaiting => "qos1-awaited",
            Self::Receive => "receive",
        }
    }
}

/// One turn of one client on a runtime of its own, on this thread.
fn turn<C: Client>(work: Work, server: &str, port: u16, messages: usize) -> Sample {
    runtime().block_on(async {
        let mut client = C::connect(port).await;
        let mut flood =
            (server != "sink" && matches!(work, Work::Receive)).then(|| Server::start(Role::Flood));
        let measured = async {
            let mut sample = Sample::start(messages);
            match work {
                Work::Send(qos) => client.send(qos, messages).await,
                Work::SendAwaiting => sample.latencies = client.send_awaiting(messages).await,
                Work::Receive => {
                    // The sink reads the number from the topic; in front of a real server somebody else publishes.
                    let topic = format!("channels/{CHANNEL}/messages/flood/{messages}");
                    let subscribed = &mut || {
                        if let Some(flood) = &mut flood {
                            flood.tell(&format!("{port} {topic} {messages}"));
                        }
                    };
                    client.receive(&topic, messages, subscribed).await;
                }
            }
            sample.stop();
            sample
        };
        tokio::time::timeout(PATIENCE, measured)
            .await
            .unwrap_or_else(|_| panic!("{} hangs", C::WHO))
    })
}

/// A runtime on this thread.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}
