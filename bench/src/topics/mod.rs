//! Addresses: reading one, matching one filter, and finding the matching ones among many.

mod engine;
#[cfg(mosquitto)]
mod mosquitto;
mod workload;

use std::ffi::CString;
use std::hint::black_box;

use manywire_topics::{Dialect, Filter, FilterBuf, FilterSet, Form, Topic, TopicBuf, mqtt_matches};

use crate::race::{contestant, race};
use crate::report::Report;
use engine::Engine;
use workload::Workload;

/// Runs every case of the suite.
pub fn run(report: &mut Report) {
    parse(report);
    print(report);
    single(report);
    if cfg!(not(mosquitto)) {
        eprintln!("libmosquitto is not installed (Debian: libmosquitto-dev), so it has no row");
    }
    for count in [1, 1_000, 100_000, 1_000_000] {
        set(report, count);
    }
}

const MQTT: &str = "channels/30315311-56ba-484d-b500-c1e08305511f/messages/bedroom/temperature";
const PATH: &str = "/channels/30315311-56ba-484d-b500-c1e08305511f/messages/bedroom/temperature";
const ESCAPED: &str = "/channels/30315311-56ba-484d-b500-c1e08305511f/messages/living%20room/temperature";
const SUBJECT: &str = "channels.30315311-56ba-484d-b500-c1e08305511f.bedroom.temperature";
const DOMAINS: &str =
    "m/7d0a4d3c-0f8e-4a53-9a0c-0f4a9a7c9f11/c/30315311-56ba-484d-b500-c1e08305511f/bedroom/temperature";
const FILTER: &str = "channels/30315311-56ba-484d-b500-c1e08305511f/messages/bedroom/+/#";

/// Reading addresses. No peer reads these, so the figures stand alone.
fn parse(report: &mut Report) {
    let cases = [
        ("parse MQTT topic", Dialect::Channels, Form::Mqtt, MQTT),
        ("parse URL path", Dialect::Channels, Form::Path, PATH),
        (
            "parse URL path with an escape",
            Dialect::Channels,
            Form::Path,
            ESCAPED,
        ),
        ("parse NATS subject", Dialect::Channels, Form::Nats, SUBJECT),
        (
            "parse MQTT topic with a domain",
            Dialect::Domains,
            Form::Mqtt,
            DOMAINS,
        ),
    ];
    for (case, dialect, form, text) in cases {
        let work = move || {
            let _ = black_box(Topic::parse(dialect, form, black_box(text)));
        };
        race(report, case, 1, &mut [contestant("manywire", work)]);
    }
    let work = || {
        let _ = black_box(Filter::parse(Dialect::Channels, Form::Mqtt, black_box(FILTER)));
    };
    race(
        report,
        "parse MQTT filter",
        1,
        &mut [contestant("manywire", work)],
    );
}

/// Writing an address in another form, into a buffer that has room.
fn print(report: &mut Report) {
    use std::fmt::Write;
    let topic = Topic::parse(Dialect::Channels, Form::Mqtt, MQTT).expect("a valid topic");
    let mut out = String::with_capacity(200);
    let work = || {
        out.clear();
        let printed = black_box(topic)
            .display(Form::Nats)
            .expect("a topic that NATS can carry");
        let _ = write!(out, "{printed}");
        black_box(&out);
    };
    race(
        report,
        "print as NATS subject",
        1,
        &mut [contestant("manywire", work)],
    );
}

/// One filter against one topic: eight pairs, four of which match.
fn single(report: &mut Report) {
    let channel = "channels/30315311-56ba-484d-b500-c1e08305511f/messages";
    let pairs: Vec<(String, String)> = [
        ("bedroom/temperature", "bedroom/temperature"),
        ("bedroom/+", "bedroom/temperature"),
        ("#", "bedroom/temperature"),
        ("+/+/sensor", "floor1/bedroom/sensor"),
        ("bedroom/temperature", "bedroom/humidity"),
        ("bedroom/+/battery", "bedroom/temperature/voltage"),
        ("bedroom/#", "kitchen/temperature"),
        ("bedroom/temperature", "bedroom/temperature/raw"),
    ]
    .into_iter()
    .map(|(filter, topic)| (format!("{channel}/{filter}"), format!("{channel}/{topic}")))
    .collect();
    let parsed: Vec<(FilterBuf, TopicBuf)> = pairs
        .iter()
        .map(|(filter, topic)| {
            let filter = FilterBuf::parse(Dialect::Channels, Form::Mqtt, filter).expect("a valid filter");
            (
                filter,
                TopicBuf::parse(Dialect::Channels, Form::Mqtt, topic).expect("a valid topic"),
            )
        })
        .collect();
    let borrowed: Vec<(Filter<'_>, Topic<'_>)> = parsed
        .iter()
        .map(|(filter, topic)| (filter.as_filter(), topic.as_topic()))
        .collect();
    let terminated: Vec<(CString, CString)> = pairs
        .iter()
        .map(|(filter, topic)| {
            let end = |text: &str| CString::new(text).expect("a text without NUL");
            (end(filter), end(topic))
        })
        .collect();
    let matching = |matched: usize| assert_eq!(matched, 4);
    let mut contestants = vec![
        contestant("manywire", || {
            matching(
                black_box(&borrowed)
                    .iter()
                    .filter(|(filter, topic)| filter.matches(*topic))
                    .count(),
            );
        }),
        contestant("manywire, from text", || {
            matching(
                black_box(&pairs)
                    .iter()
                    .filter(|(filter, topic)| mqtt_matches(filter, topic))
                    .count(),
            );
        }),
        contestant("rumqttc", || {
            let matches = rumqttc::mqttbytes::matches;
            matching(
                black_box(&pairs)
                    .iter()
                    .filter(|(filter, topic)| matches(topic, filter))
                    .count(),
            );
        }),
    ];
    #[cfg(mosquitto)]
    contestants.push(contestant("mosquitto", || {
        let matches = mosquitto::matches;
        matching(
            black_box(&terminated)
                .iter()
                .filter(|(filter, topic)| matches(filter, topic))
                .count(),
        );
    }));
    let _ = &terminated;
    race(report, "match one filter", pairs.len() as u64, &mut contestants);
}

/// Finding what matches among `count` filters: for the topics of one channel, which has the same filters at every
/// size, and for those of every channel at random, where each lookup waits for memory.
fn set(report: &mut Report, count: usize) {
    let cases = [
        format!("look up among {count}"),
        format!("look up among {count}, any channel"),
    ];
    if !cases.iter().any(|case| report.wants(case)) {
        return;
    }
    let workload = Workload::new(count);
    let mut set = FilterSet::new();
    for (key, filter) in workload.filters.iter().enumerate() {
        set.insert(filter.as_filter(), key as u32, ());
    }
    let engine = Engine::new(&workload.filters);
    for (case, topics) in cases.iter().zip([&workload.near, &workload.far]) {
        look_up(report, case, &set, &engine, topics);
    }
    // Not in the race: it empties every cache, so that the others would start cold at each of their turns.
    let mut turn = Turn::new(&workload.near);
    let scan = || {
        let topic = turn.next().as_topic();
        black_box(
            workload
                .filters
                .iter()
                .filter(|filter| filter.matches(topic))
                .count(),
        );
    };
    race(
        report,
        &cases[0],
        1,
        &mut [contestant("Vec, each filter tried", scan)],
    );
}

fn look_up(report: &mut Report, case: &str, set: &FilterSet<u32, ()>, engine: &Engine, topics: &[TopicBuf]) {
    if !report.wants(case) {
        return;
    }
    let theirs = Engine::topics(topics);
    let found: usize = topics
        .iter()
        .map(|topic| set.matches(topic.as_topic()).count())
        .sum();
    assert_eq!(
        found,
        theirs.iter().map(|topic| engine.count(topic)).sum::<usize>(),
        "both find the same"
    );
    let average = found as f64 / topics.len() as f64;
    report.figures(
        &format!("{case}: found"),
        "both",
        vec![("matches per lookup", average)],
    );
    let (mut turn, mut their_turn) = (Turn::new(topics), Turn::new(&theirs));
    let ours = || {
        let topic = turn.next().as_topic();
        black_box(set.matches(topic).map(|(key, ())| u64::from(*key)).sum::<u64>());
    };
    let peer = || {
        black_box(engine.count(their_turn.next()));
    };
    let mut contestants = [
        contestant("manywire", ours),
        contestant("mqtt-topic-engine", peer),
    ];
    race(report, case, 1, &mut contestants);
}

/// Hands out things in turn, again and again.
struct Turn<'a, T> {
    things: &'a [T],
    at: usize,
}

impl<'a, T> Turn<'a, T> {
    fn new(things: &'a [T]) -> Self {
        Self { things, at: 0 }
    }

    fn next(&mut self) -> &'a T {
        self.at = if self.at + 1 == self.things.len() {
            0
        } else {
            self.at + 1
        };
        &self.things[self.at]
    }
}
