//! The platform's own vectors, and what the default constructors make of its traps.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use manywire_topics::{Action, Dialect, Error, Filter, Form, Topic, parse_as_platform};

fn rows(file: &'static str) -> impl Iterator<Item = Vec<String>> {
    let lines = file
        .lines()
        .filter(|line| !line.starts_with('#') || line.starts_with("#\t"));
    lines.map(|line| line.split('\t').map(cell).collect())
}

fn cell(text: &str) -> String {
    text.trim_matches('"').replace("\\t", "\t").replace("\\0", "\0")
}

fn subtopic(dialect: Dialect, action: Action, subtopic: &str) -> String {
    let address = match dialect {
        Dialect::Channels => format!("channels/1/messages/{subtopic}"),
        _ => format!("m/d/c/ch/{subtopic}"),
    };
    match parse_as_platform(dialect, action, &address) {
        Ok(address) => address.subtopic().to_string(),
        Err(_) => "ERR".to_owned(),
    }
}

#[test]
fn subtopics_mean_what_they_mean_to_the_platform() {
    let mut count = 0;
    for row in rows(include_str!("vectors/subtopics.tsv")) {
        let [text, channels, domains_pub, domains_sub, flux_pub, flux_sub] = &row[..] else {
            panic!("six columns: {row:?}")
        };
        let expected = [
            (Dialect::Channels, Action::Publish, channels),
            (Dialect::Channels, Action::Subscribe, channels),
            (Dialect::Domains, Action::Publish, domains_pub),
            (Dialect::Domains, Action::Subscribe, domains_sub),
            (Dialect::FluxMq, Action::Publish, flux_pub),
            (Dialect::FluxMq, Action::Subscribe, flux_sub),
        ];
        for (dialect, action, expected) in expected {
            assert_eq!(
                &subtopic(dialect, action, text),
                expected,
                "{dialect:?} {action:?} {text:?}"
            );
        }
        count += 1;
    }
    assert_eq!(count, 48);
}

fn taken_apart(dialect: Dialect, action: Action, topic: &str) -> Vec<String> {
    match parse_as_platform(dialect, action, topic) {
        Ok(address) => vec![
            address.domain().unwrap_or("-").to_owned(),
            address.channel().unwrap_or("-").to_owned(),
            address.subtopic().to_string(),
        ],
        Err(_) => vec!["ERR".to_owned()],
    }
}

#[test]
fn topics_are_taken_apart_as_the_platform_does() {
    let mut count = 0;
    for row in rows(include_str!("vectors/topics.tsv")) {
        let (topic, mut expected) = (&row[0], row[2..].to_vec());
        let actions: &[Action] = match row[1].as_str() {
            "pub" => &[Action::Publish],
            "sub" => &[Action::Subscribe],
            _ => &[Action::Publish, Action::Subscribe],
        };
        for action in actions {
            assert_eq!(
                taken_apart(Dialect::Domains, *action, topic),
                expected,
                "{action:?} {topic}"
            );
        }
        if let Some(subtopic) = expected.get_mut(2) {
            *subtopic = subtopic.replace('.', "/").replace('*', "+").replace('>', "#");
        }
        for action in actions {
            assert_eq!(
                taken_apart(Dialect::FluxMq, *action, topic),
                expected,
                "{action:?} {topic}"
            );
        }
        count += 1;
    }
    assert_eq!(count, 44);
}

#[test]
fn the_default_constructors_name_the_trap() {
    for row in rows(include_str!("vectors/strict.tsv")) {
        let dialect = match row[0].as_str() {
            "channels" => Dialect::Channels,
            "domains" => Dialect::Domains,
            _ => Dialect::FluxMq,
        };
        let form = match row[1].as_str() {
            "path" => Form::Path,
            "mqtt" => Form::Mqtt,
            "nats" => Form::Nats,
            _ => Form::Amqp,
        };
        let outcome = |read: Result<String, Error>| match read {
            Ok(subtopic) => format!("= {subtopic}"),
            Err(error) => format!("{:?}", error.kind()),
        };
        let address = &row[3];
        let outcome = match row[2].as_str() {
            "pub" => outcome(Topic::parse(dialect, form, address).map(|topic| topic.subtopic().to_string())),
            _ => outcome(Filter::parse(dialect, form, address).map(|filter| filter.subtopic().to_string())),
        };
        assert_eq!(outcome, row[4], "{row:?}");
    }
}

#[test]
fn a_channels_address_keeps_the_platforms_pattern() {
    let read = |text| parse_as_platform(Dialect::Channels, Action::Publish, text);
    assert_eq!(
        read("channels/a_-1/messages?x=y").unwrap().channel(),
        Some("a_-1")
    );
    for malformed in [
        "channels/1/message",
        "channels/1/messagesx",
        "//channels/1/messages",
        "channels/é/messages",
    ] {
        assert!(read(malformed).is_err(), "{malformed}");
    }
}

#[test]
fn the_platforms_bridges_are_written_as_they_write() {
    let read = |text| parse_as_platform(Dialect::Domains, Action::Subscribe, text).unwrap();
    let address = read("m/d/c/ch/a/+/#");
    let print = |form| address.display(form).unwrap().to_string();
    assert_eq!(print(Form::Nats), "m.d.c.ch.a.*.>");
    assert_eq!(print(Form::Amqp), "m.d.c.ch.a.*.#");
    assert_eq!(print(Form::Mqtt), "m/d/c/ch/a/+/#");
    assert_eq!(print(Form::Path), "m/d/c/ch/a/%2A/%3E");
    assert!(read("hc/d").display(Form::Nats).is_none());
    assert_eq!(read("hc/d").display(Form::Mqtt).unwrap().to_string(), "hc/d");
}
