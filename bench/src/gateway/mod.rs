//! MQTT servers side by side: ours, mosquitto, and nats-server's MQTT. Each is a process of its own, and what is measured is its CPU time,
//! memory and latency under the same clients.

mod idle;
mod load;
mod process;
mod retained;

use std::rc::Rc;
use std::time::{Duration, Instant};

use manywire_mqtt_codec::QoS;
use tempfile::TempDir;
use tokio::task::{LocalSet, spawn_local};

use self::load::{Client, Seen};
use crate::measure::{Latencies, Sample, Samples};
use crate::report::Report;
use crate::server::{Server, mosquitto, nats};

/// The payload of every message.
const PAYLOAD: &[u8; 64] = &[b'x'; 64];
/// Who connects, where the server asks.
pub const THING: &str = "14d6c682-fb5a-4d28-b670-ee565ab5866c";
/// The key of [`THING`].
pub const KEY: &str = "ec82f341-d4b5-4c77-ae05-34877a62428f";
/// The channel of every message.
pub const CHANNEL: &str = "30315311-56ba-484d-b500-c1e08305511f";
/// The topic of every message.
const TOPIC: &str = "channels/30315311-56ba-484d-b500-c1e08305511f/messages/load";

/// How long a turn may take before the run is given up.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often each server has its turn.
const TURNS: usize = 3;

/// A server, and what it needs to run.
struct Contestant {
    who: &'static str,
    server: Server,
    _directory: TempDir,
}

/// Runs every case of the suite.
pub fn run(report: &mut Report) {
    loaded(report);
    idle::run(report);
    retained::run(report);
}

/// The servers there are; those that are not installed say so.
fn contestants() -> Vec<Contestant> {
    WHO.iter()
        .filter_map(|&who| {
            let directory = tempfile::tempdir().expect("a directory");
            let server = start(who, &directory, false)?;
            Some(Contestant {
                who,
                server,
                _directory: directory,
            })
        })
        .collect()
}

/// A server, that keeps something in the directory if it is to.
fn start(who: &str, directory: &TempDir, keeps: bool) -> Option<Server> {
    let kept = keeps.then_some(directory.path());
    match who {
        "manywire" => Some(Server::gateway(kept)),
        "mosquitto" => mosquitto(kept),
        _ => nats(directory.path()),
    }
}

const WHO: [&str; 3] = ["manywire", "mosquitto", "nats-server"];

/// The cases with load.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// One publisher, one subscriber.
    One(QoS),
    /// A hundred publishers with one message each on its way, one subscriber, QoS 1.
    FanIn,
    /// One publisher, so many subscribers, QoS 0.
    FanOut(usize),
}

fn loaded(report: &mut Report) {
    let cases = [
        ("qos0", Work::One(QoS::AtMostOnce), 100_000),
        ("qos1", Work::One(QoS::AtLeastOnce), 50_000),
        ("fan-in", Work::FanIn, 20_000),
        ("fanout-10", Work::FanOut(10), 100_000),
        ("fanout-1000", Work::FanOut(1_000), 300_000),
    ];
    let wanted: Vec<_> = cases
        .into_iter()
        .filter(|(case, ..)| report.wants(case))
        .collect();
    if wanted.is_empty() {
        return;
    }
    let contestants = contestants();
    for (case, work, messages) in wanted {
        let mut all: Vec<Samples> = contestants.iter().map(|_| Samples::default()).collect();
        for _ in 0..TURNS {
            for (contestant, samples) in contestants.iter().zip(&mut all) {
                samples.push(turn(work, &contestant.server, messages));
            }
        }
        for (contestant, samples) in contestants.iter().zip(&all) {
            report.figures(case, contestant.who, samples.figures());
        }
    }
}

/// One turn: `messages` deliveries that count, after some that do not.
fn turn(work: Work, server: &Server, messages: usize) -> Sample {
    run_local(async {
        let seen = Rc::new(Seen::default());
        let (subscribers, qos) = match work {
            Work::One(qos) => (1, qos),
            Work::FanIn => (1, QoS::AtLeastOnce),
            Work::FanOut(subscribers) => (subscribers, QoS::AtMostOnce),
        };
        for number in 0..subscribers {
            let mut subscriber = Client::connect(server.port, &format!("subscriber-{number}")).await;
            subscriber.subscribe(TOPIC, qos).await;
            spawn_local(subscriber.drain(Rc::clone(&seen)));
        }
        let mut publisher = Client::connect(server.port, "publisher").await;
        let mut latencies = Latencies::default();
        if work != Work::FanIn {
            for _ in 0..PINGS {
                let start = (seen.count(), Instant::now());
                publish(&mut publisher, qos, 1, &seen, subscribers).await;
                seen.reaches(start.0 + subscribers).await;
                latencies.push(start.1.elapsed());
            }
        }
        let mut publishers = Vec::new();
        if work == Work::FanIn {
            for number in 0..PUBLISHERS {
                publishers.push(Client::connect(server.port, &format!("publisher-{number}")).await);
            }
        }
        let before = process::cpu(server.pid());
        let start = seen.count();
        let mut sample = Sample::start(messages);
        if work == Work::FanIn {
            latencies = fan_in(publishers, messages / PUBLISHERS).await;
        } else {
            publish(&mut publisher, qos, messages / subscribers, &seen, subscribers).await;
        }
        seen.reaches(start + messages).await;
        sample.stop();
        sample.cpu = process::cpu(server.pid()) - before;
        sample.latencies = latencies;
        sample
    })
}

/// Messages that go one by one, for the latency.
const PINGS: usize = 200;
/// Publishers of the fan-in.
const PUBLISHERS: usize = 100;

async fn publish(publisher: &mut Client, qos: QoS, messages: usize, seen: &Seen, copies: usize) {
    match qos {
        QoS::AtMostOnce => {
            // As many deliveries on their way, whatever the number of subscribers.
            let window = (10_000 / copies).clamp(1, 1_000);
            publisher.pour(TOPIC, messages, window, seen, copies).await;
        }
        _ => publisher.pour_acknowledged(TOPIC, messages, 100).await,
    }
}

/// Each publisher sends its messages one by one; from PUBLISH to PUBACK.
async fn fan_in(publishers: Vec<Client>, messages: usize) -> Latencies {
    let tasks: Vec<_> = publishers
        .into_iter()
        .map(|mut publisher| {
            spawn_local(async move {
                let mut latencies = Vec::with_capacity(messages);
                for _ in 0..messages {
                    let start = Instant::now();
                    publisher.pour_acknowledged(TOPIC, 1, 1).await;
                    latencies.push(start.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut all = Latencies::default();
    for task in tasks {
        for latency in task.await.expect("a publisher does its work") {
            all.push(latency);
        }
    }
    all
}

/// Runs on this thread, and ends all that was spawned.
fn run_local<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let local = LocalSet::new();
    let outcome = local.block_on(&runtime, async { tokio::time::timeout(PATIENCE, work).await });
    outcome.expect("the server does its work")
}
